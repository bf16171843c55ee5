//! What an instance makes once from its settings and then shares between requests: plain data, no promises.

use crate::{Config, Origins};
use base::fault::Fault;
use base::vault::Vault;
use session::tokens::KeyRing;
use std::rc::Rc;

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub keys: KeyRing,
    pub vault: Vault,
}

/// Why there are no settings.
#[derive(Debug)]
pub struct Faults {
    /// Every fault there is, for the log.
    pub list: Vec<String>,
    /// Whose web pages may read that there are some.
    pub origins: Origins,
}

/// Whoever has the settings of this deployment.
pub trait Settings {
    /// What is made of the settings, once for an instance; or every fault in them.
    fn settings(&self) -> Result<Rc<App>, Rc<Faults>>;

    /// The same for whoever cannot say more than that they are wrong.
    fn app(&self) -> Result<Rc<App>, Fault> {
        self.settings().map_err(|_| "the settings are wrong".into())
    }
}

impl App {
    /// Reads the settings through `lookup`; the error lists every fault of them.
    pub fn new(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let config = Config::read(lookup).map_err(|list| Faults { list, origins: crate::origins(lookup) })?;
        let keys = KeyRing::new(&config.issuer, &config.audience, config.algorithm, &config.signing_keys);
        let vault = Vault::new(&config.sealing_keys);
        Ok(Self { config, keys, vault })
    }
}
