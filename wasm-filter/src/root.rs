//! The callbacks of a plugin configuration.

use std::rc::Rc;

use crate::{
    config::FilterConfig,
    host::{Host, Level},
    plugin::Plugin,
    stream::Stream,
};

/// One plugin configuration on one worker; a changed configuration arrives in a root of its own.
#[derive(Debug)]
pub struct Root<H> {
    host: H,
    plugin: Option<Rc<Plugin>>,
}

impl<H: Host + Clone> Root<H> {
    /// A root that has no configuration yet: its streams deny.
    pub fn new(host: H) -> Self {
        Self { host, plugin: None }
    }

    /// Takes the plugin configuration. On `false` the proxy refuses the update that carries it.
    #[must_use]
    pub fn configure(&mut self, configuration: &[u8]) -> bool {
        let plugin = FilterConfig::from_json(configuration)
            .map_err(|error| error.to_string())
            .and_then(|config| Plugin::new(&self.host, config).map_err(|error| error.to_string()));
        match plugin {
            Ok(plugin) => {
                self.plugin = Some(Rc::new(plugin));
                true
            }
            Err(reason) => {
                self.host.log(Level::Error, &format!("writ: refused: {reason}"));
                false
            }
        }
    }

    /// The callbacks of a new request, under the configuration in force now.
    pub fn stream(&self) -> Stream<H> {
        Stream::new(self.host.clone(), self.plugin.clone())
    }
}
