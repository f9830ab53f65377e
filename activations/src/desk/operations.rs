//! What operations sees of the rows that wait, failed or are done, and what it does to them.
//!
//! | file | what it holds |
//! |---|---|
//! | `sought` | what a list is asked for: the same filters everywhere, and its pages |
//! | `rows` | rows of work of each kind, and one with every attempt |
//! | `shapes` | where the rows of each kind are, and how they stand, as SQL |
//! | `mending` | retry and drop, one or all that a filter finds |
//! | `pausing` | kinds of work that are held back |
//! | `messages` | notifications with their events, and one with its body masked |
//! | `replaying` | stored messages, read again by today's code |
//! | `records` | refused requests, and the audit |
//! | `silence` | endpoints from which nothing has come for unusually long |
//! | `tally`, `overview` | counts by the minute, and what the overview tells of them |
//! | `asking` | schedules that are to run now |
//!
//! Everything here is quick with a million finished rows: what failed, waits or was dropped has an index of its own, and
//! a filter over what is finished looks through so many rows and says where it stopped.

mod asking;
pub mod mending;
mod messages;
mod overview;
mod pausing;
mod records;
mod replaying;
mod rows;
mod shapes;
mod silence;
mod sought;
mod tally;

pub use asking::AskedSchedule;
pub use messages::{MessageEvent, MessagePage, MessageRow};
pub use overview::{Flow, Latency, Machine, Overview, Provider, Refusals, Waits};
pub use records::AuditRow;
pub use replaying::{Reading, Replay, Replayed, Retranslating, StoredMessage};
pub use rows::{WorkCounts, WorkPage, WorkRow};
pub use silence::Silent;
pub use sought::{Page, Sought, Standing};

use super::Actor;
use super::acts::Act;
use crate::refused::Refused;

/// Who does something, and why: both are asked for, and go into the audit.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Why.
    pub reason: &'a str,
}

impl Order<'_> {
    pub(in crate::desk) fn check(&self) -> Result<(), Refused> {
        let act = Act {
            version: 0,
            actor: self.actor.person().unwrap_or("-").to_owned(),
            reason: self.reason.to_owned(),
        };
        act.check()
    }

    /// As it stands beside an attempt.
    fn told(&self) -> String {
        format!("{}: {}", self.actor, self.reason)
    }
}
