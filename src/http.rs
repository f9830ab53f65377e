//! What this process answers over HTTP: three listeners, so that only one faces the internet.
//!
//! * public: the providers' notifications, the platform API, the pages that links in e-mails open
//! * staff: support's console
//! * operations: health and metrics, and operations' console
//!
//! The consoles' pages are a crate of their own.

pub mod accept;
pub mod api;
mod crowd;
pub mod information;
pub mod invoice;
pub mod language;
pub mod layers;
pub mod operations;
pub mod pages;
pub mod problem;
pub mod proxies;
pub mod public;
pub mod request_id;
pub mod round_off;
mod upload;
