//! What is made of settings, once for all worlds with the same.

use config::{App, Faults};
use directory::HashParams;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Passwords are hashed at next to no cost, unless a setting says more: what is mostly tested is not how long it takes.
const HASHING: HashParams = HashParams { memory_kib: 8, iterations: 1 };

pub type Settings = Result<Rc<App>, Rc<Faults>>;

/// So many different settings are kept with what was made of them.
const APPS_MAX: usize = 64;

thread_local! {
    /// What was made of settings, for the next deployment with the same: it is plain data.
    static APPS: RefCell<Vec<(BTreeMap<String, String>, Settings)>> = RefCell::default();
}

pub fn made_of(settings: &BTreeMap<String, String>) -> Settings {
    let known =
        APPS.with_borrow(|apps| apps.iter().find(|(of, _)| of == settings).map(|(_, app)| app.clone()));
    if let Some(app) = known {
        return app;
    }
    let app = App::new(&|name| settings.get(name).cloned())
        .map(|mut app| {
            if !settings.contains_key(base::settings::ARGON2_MEMORY_KIB.name) {
                app.config.hashing = HASHING;
            }
            Rc::new(app)
        })
        .map_err(Rc::new);
    APPS.with_borrow_mut(|apps| {
        if apps.len() == APPS_MAX {
            drop(apps.remove(0));
        }
        apps.push((settings.clone(), app.clone()));
    });
    app
}
