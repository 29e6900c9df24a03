//! The callbacks of a plugin configuration.

use std::rc::Rc;

use crate::{
    config::FilterConfig,
    feed::client::Client,
    host::{ContextId, FeedHost, Level, StreamId},
    plugin::Plugin,
    stream::Stream,
};

/// One plugin configuration on one worker; a changed configuration arrives in a root of its own.
#[derive(Debug)]
pub struct Root<H: FeedHost + Clone> {
    host: H,
    context: ContextId,
    plugin: Option<Rc<Plugin>>,
    feed: Option<Client<H>>,
}

impl<H: FeedHost + Clone> Root<H> {
    /// A root that has no configuration yet: its streams deny.
    pub fn new(host: H, context: ContextId) -> Self {
        Self { host, context, plugin: None, feed: None }
    }

    /// Takes the plugin configuration. On `false` the proxy refuses the update that carries it.
    #[must_use]
    pub fn configure(&mut self, configuration: &[u8]) -> bool {
        match self.read(configuration) {
            Ok((plugin, feed)) => {
                // What this root held of an earlier configuration ends first: the same context opens the next.
                self.feed = None;
                self.plugin = Some(plugin);
                self.feed = feed;
                true
            }
            Err(reason) => {
                self.host.log(Level::Error, &format!("writ: refused: {reason}"));
                false
            }
        }
    }

    fn read(&self, configuration: &[u8]) -> Result<(Rc<Plugin>, Option<Client<H>>), String> {
        let config = FilterConfig::from_json(configuration).map_err(|error| error.to_string())?;
        let plugin = Plugin::new(&self.host, config).map_err(|error| error.to_string())?;
        let feed = Client::begin(self.host.clone(), self.context, Rc::clone(&plugin));
        Ok((plugin, feed.map_err(|error| error.to_string())?))
    }

    /// The callbacks of a new request, under the configuration in force now.
    pub fn stream(&self, context: ContextId) -> Stream<H> {
        Stream::new(self.host.clone(), self.plugin.clone(), context)
    }

    /// Time has passed.
    pub fn on_tick(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.on_tick();
        }
    }

    /// A message of `size` bytes has come on a stream.
    pub fn on_message(&mut self, stream: StreamId, size: usize) {
        if let Some(feed) = &mut self.feed {
            feed.on_message(stream, size);
        }
    }

    /// A stream has ended.
    pub fn on_close(&mut self, stream: StreamId, status: u32) {
        if let Some(feed) = &mut self.feed {
            feed.on_close(stream, status);
        }
    }
}
