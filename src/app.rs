//! What an instance makes once from its settings and then shares between requests: plain data, no promises.

use crate::config::Config;
use crate::session::tokens::KeyRing;
use crate::vault::Vault;

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub keys: KeyRing,
    pub vault: Vault,
}

impl App {
    /// Reads the settings through `lookup`; the error lists every fault of them.
    pub fn new(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let config = Config::read(lookup)?;
        let keys = KeyRing::new(&config.issuer, &config.audience, &config.signing_keys);
        let vault = Vault::new(&config.sealing_keys);
        Ok(Self { config, keys, vault })
    }
}
