//! Eencent decides from a one-cent iDEAL payment, or a paid invoice, that a person may act for an
//! organisation, and activates it. This is the program: command line, settings, listeners, platform
//! API, composition and shutdown. What it is about is in the crates beside it.
//!
//! # Map
//! - [`cli`]: the commands, one file each
//! - [`settings`]: defaults, file, environment; everything wrong told at once
//! - [`logging`], [`metrics`], [`traces`]: what is seen of it from outside
//! - [`serve`] and [`compose`]: the roles of a process, what they are made of, how they end
//! - [`http`]: three listeners, the platform API, the page to round off on
//! - [`explain`]: the stored record as a page of text
//! - [`demo`]: the main job, end to end, played on this machine
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "a test that cannot go on may stop"
    )
)]

mod cli;
mod compose;
mod demo;
mod explain;
mod http;
mod links_key;
mod lock;
mod logging;
mod machinery;
mod metrics;
mod open_files;
mod published_keys;
mod serve;
mod settings;
mod signals;
mod statements;
mod traces;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run().unwrap_or_else(|error| {
        eprintln!("eencent: {error}");
        for cause in error.chain().skip(1) {
            eprintln!("  because: {cause}");
        }
        ExitCode::FAILURE
    })
}
