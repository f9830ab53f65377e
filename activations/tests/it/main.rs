//! The desk and the inbox on a real database: FLOW's rules, row by row.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at what they did not expect"
)]

mod audit;
mod checkouts;
mod copying;
mod deciding;
mod digest;
mod drawing;
mod groups;
mod idempotency;
mod inbox;
mod laws;
mod moves;
mod names;
mod office;
mod operations;
mod person;
mod registering;
mod retention;
mod seeding;
mod sql;
mod strangers;
mod support;
mod undelivered;
