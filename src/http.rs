//! What this process answers over HTTP: three listeners, so that only one faces the internet.
//!
//! * public: the providers' notifications, the platform API, the pages that links in e-mails open
//! * staff: support's console
//! * operations: health and metrics

pub mod accept;
pub mod api;
mod crowd;
pub mod information;
pub mod invoice;
pub mod language;
mod layers;
pub mod operations;
pub mod pages;
pub mod problem;
pub mod proxies;
pub mod public;
pub mod request_id;
pub mod round_off;
pub mod staff;
mod upload;
