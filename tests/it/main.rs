//! End to end: the program as a process, over real sockets, as its users meet it.
//!
//! - `flow_…`: one file for each part of the flow; a test is named after the sentence that it holds to.
//! - `server`: the process under test, started, killed and started again on the same folder.
//! - `browser`: a real one, for the pages.
//! - `http`, `payments`, `load`, `mail`: what the world around it does: the platform, providers, mail servers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect, and are read with their bodies"
)]

mod api;
mod applicant_pages;
mod architecture;
mod browser;
mod checkout;
mod clocks;
mod collector;
mod command_line;
mod console;
mod crash;
mod demo;
mod every_api;
mod faults;
mod flow_ideal;
mod flow_invoice;
mod flow_payments;
mod flow_registering;
mod flow_review;
mod http;
mod identity;
mod identity_accounts;
mod identity_provider;
mod keeping;
mod load;
mod machines;
mod mail;
mod mail_stop;
mod mailing;
mod main_job;
mod metrics;
mod moments;
mod monday;
mod network;
mod openapi;
mod operations;
mod operations_console;
mod overload;
mod payments;
mod people;
mod person;
mod platform;
mod playground;
mod problems;
mod proxy;
mod queue;
mod reading_back;
mod register;
mod request_ids;
mod server;
mod stand_in;
mod statements;
mod strange_payers;
mod support_console;
mod traces;
mod vendors;
mod versions;
mod webhooks;
