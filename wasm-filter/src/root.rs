//! The callbacks of a plugin configuration.

use std::rc::Rc;

use crate::{
    config::FilterConfig,
    feed::client::Client,
    host::{ContextId, FeedHost, Level, Scope, StreamId},
    open,
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
    /// Milliseconds between the ticks of a configuration without a feed.
    tick: u32,
}

impl<H: FeedHost + Clone> Root<H> {
    /// A root that has no configuration yet: its streams deny.
    pub fn new(host: H, context: ContextId) -> Self {
        Self { host, context, plugin: None, feed: None, tick: 0 }
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
                self.tick = 0;
                self.feed.is_some() || self.pace()
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
        let scope = Scope { root: self.context, context };
        Stream::new(self.host.clone(), self.plugin.clone(), scope)
    }

    /// Time has passed.
    pub fn on_tick(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.on_tick();
        } else if let (Some(plugin), Ok(now)) = (&self.plugin, self.host.now_millis()) {
            plugin.doom_expired(now.seconds());
            let cut = Stream::cut_bodies(&self.host, plugin, now, open::MAX_SETTLED);
            let room = open::MAX_SETTLED.saturating_sub(cut);
            if cut.saturating_add(open::end_next(&self.host, plugin, now, room)) > 0 {
                let _ = self.host.enter(self.context);
            }
            self.pace();
        }
    }

    /// Without a feed the requests that are open are all there is to look after. On `false` there are no ticks, and
    /// nothing would end them.
    fn pace(&mut self) -> bool {
        let ending = self.plugin.as_ref().is_some_and(|plugin| plugin.open().is_ending());
        let tick = if ending { open::TICK_UNSETTLED } else { open::TICK_IDLE };
        if tick == self.tick {
            return true;
        }
        let set = self.host.set_tick_period(tick);
        if let Err(error) = &set {
            self.host.log(Level::Error, &format!("writ: {error}"));
        } else {
            self.tick = tick;
        }
        set.is_ok()
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
