//! The subject itself: organisations, activations and their states, payments, decisions.
//!
//! # Map
//! - Values that can't be wrong: [`clock`] and [`entropy`] (time and randomness, passed in),
//!   [`money`], [`personal`] (names, accounts, addresses; print masked), [`identifier`], [`mod@reference`],
//!   [`document`] (files of strangers).
//! - Pure rules: [`state`] (the one table of moves), [`decide`] (approve, review, wait),
//!   [`office_hours`], [`invoicing`] (what an invoice says), [`rules`] (settings of the subject).
//! - The truth: [`store`] (connections, migrations), [`inbox`] (verified messages, committed in
//!   groups), [`ledger`] (rows that wait for work).
//! - [`desk::retention`]: what is purged when; [`store::copy`], [`store::file`]: the truth taken elsewhere, and kept small.
//! - [`audit`]: acts as a chain that shows when it was tampered with.
//! - [`desk`]: everything that happens to organisations and activations, each a transaction.
//!   [`views`] is what the outside sees of them, [`refused`] how it is told no.
//!
//! [`trace`]: where work stands in a trace, in rows that go from one process to another.
//! [`failpoint`]: moments at which tests end the process; empty in any other build.
//!
//! # Arrows
//! `notification` and `reread` are the border with `webhooks`, `register` with `registers`; `ledger` and `desk` with
//! `jobs`; `desk` and `views` with the program. This crate knows none of them. All SQL is here.

pub mod audit;
pub mod clock;
pub mod decide;
pub mod desk;
pub mod document;
pub mod entropy;
pub mod failpoint;
pub mod gathered;
pub mod gathering;
pub mod identifier;
pub mod inbox;
pub mod invoicing;
pub mod language;
pub mod ledger;
pub mod links;
pub mod local_time;
pub mod masking;
pub mod money;
pub mod notification;
pub mod office_hours;
pub mod people;
pub mod personal;
pub mod reference;
pub mod refused;
pub mod register;
pub mod reread;
pub mod rules;
pub mod state;
pub mod store;
pub mod trace;
pub mod views;
