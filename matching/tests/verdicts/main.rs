//! One case of our own for every rule, on both sides of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod cases;
mod forms;
mod holders;
mod record;
mod words;
