//! The KvK over real HTTP, against a stand-in that also fails in all the usual ways.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

mod kvk;
#[path = "../../../tests/it/stand_in.rs"]
mod stand_in;
