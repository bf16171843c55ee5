//! Portal logins and their registry: the real engines, with a portal behind the net.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod abandoned;
mod browsers;
mod captcha;
mod cookies;
mod events;
mod hours;
mod keep_alives;
mod keys;
mod kills;
mod limit;
mod live_browser;
mod logins;
mod lost;
mod model;
mod openers;
mod people;
mod places;
mod play;
mod queue;
mod refusals;
mod sharing;
mod states;
mod tokens;
mod upkeep;
mod wizards;
