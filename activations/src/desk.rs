//! The desk: everything that happens to organisations and activations, each a transaction.
//!
//! # Map
//! - [`organisations`](Desk::register): registering, finding, changing, deleting; [`look_up`](Desk::register_found): by a number;
//!   [`environments`](Desk::grant): how many.
//! - [`idempotency`](Desk::on_request): what comes twice under one key is done once.
//! - [`start`](Desk::start), [`review`](Desk::approve), [`round_off`](Desk::round_off): what people do.
//! - [`questions`](Desk::answer): what creators are asked, and answer.
//! - [`process`](Desk::process_event), [`carry_out`](Desk::carry_out), [`letters`](Desk::emails),
//!   [`time`](Desk::time_passes): what jobs do.
//! - [`show`](Desk::activation), [`explain`](Desk::explain): what is read.
//! - [`allocate`](Desk::allocate): payments that name no open activation, and who ties one to it.
//! - [`invoices`](Desk::invoice): numbered documents, and the page of each.
//! - [`names`](Desk::names_fetched): names that are too old to decide on, fetched again first.
//! - [`deliveries`]: to whom events for the platform go, and what became of that.
//! - [`mail_stop`]: all e-mails held back, by one act; [`undelivered`](Desk::send_again): those that don't arrive.
//! - [`operations`]: lists of what waits and failed, and what is done about it.
//! - [`support`]: the queue, one case with all about it, what will happen, the schedule, the report.
//! - [`accounts`](Desk::add_account), [`sessions`](Desk::sign_in), [`provider`](Desk::sign_in_by_provider): who works in
//!   the consoles.
//! - [`person`]: all that is stored of one person, exported or erased.
//! - [`digest`](Desk::write_digest): what support is told by e-mail.
//! - [`seed`](Desk::seed): many activations at once, for measurements.
//! - `moves` is the only way to change an activation's state: state, history line, e-mail row and
//!   outgoing event change in one transaction, or none does.
//!
//! - `noting` is the only way into the audit; [`audit_trail`](Desk::verify_audit) reads it, and says whether it is whole.
//! - `known` and `pending` let a group of events or approvals share the trips of one transaction.
//!
//! After a commit the desk nudges the queue. If we crash between the two, the sweep finds the rows.

mod accounts;
mod acts;
mod allocate;
pub mod audit_trail;
mod carry_out;
mod checkouts;
mod checks;
mod concerns;
mod deciding;
pub mod deliveries;
mod digest;
mod environments;
mod explain;
pub mod idempotency;
mod imports;
mod invoices;
mod keys;
mod known;
mod letters;
mod likely;
mod linking;
mod listing;
mod look_up;
pub mod mail_stop;
mod moves;
mod names;
pub(crate) mod noting;
pub mod operations;
mod organisations;
mod payments;
mod pending;
pub mod person;
mod process;
mod provider;
mod questions;
pub mod retention;
mod review;
mod round_off;
mod seed;
mod sessions;
mod show;
mod start;
pub mod support;
mod time;
mod undelivered;

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::entropy::{Entropy, new_id};
use crate::failpoint::{self, Moment};
use crate::ledger::{Nudge, Work};
use crate::refused::DeskError;
use crate::rules::Rules;
use crate::store::{Store, StoreError, Tx};
use deciding::Decided;
use known::Known;
pub(crate) use moves::GIVE_UP_AFTER;
use pending::Pending;

pub use accounts::{Invitation, Invited, NewAccount};
pub use acts::{Act, Actor, When};
pub use allocate::{SetAside, SetAsideView};
pub use digest::Digest;
pub use explain::{Explained, Explanation};
pub use invoices::{InvoicePage, InvoiceStanding};
pub use keys::{ApiKey, KeyView, Scope};
pub(crate) use letters::Kept;
pub use letters::{Letter, Rendered};
pub use likely::LikelyActivation;
pub use names::Fetched;
pub use organisations::{
    NewAddress, NewCreator, NewIdentifier, NewOrganisation, OrganisationChange, OrganisationFilter,
};
pub use provider::ProviderPerson;
pub use questions::{FileView, LONGEST_ANSWER, QuestionPage, QuestionStanding, QuestionView};
pub use round_off::{LinkStanding, RoundOff};
pub use seed::{Seed, SeedError};
pub use sessions::{SessionLimits, SignIn};
pub use show::ActivationFilter;
pub use time::Passed;
pub use undelivered::{EmailOf, Trouble};

/// Does what people and jobs ask, by the rules. Clones share everything.
#[derive(Clone)]
pub struct Desk {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    nudge: Arc<dyn Nudge>,
    rules: Arc<Rules>,
    /// The request that it works on, where its sender gave it a key.
    request: Option<Arc<idempotency::KeyedRequest>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk over a migrated store.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        nudge: Arc<dyn Nudge>,
        rules: Arc<Rules>,
    ) -> Self {
        Self {
            store,
            clock,
            entropy,
            nudge,
            rules,
            request: None,
        }
    }

    /// The rules that it works by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn new_id(&self, prefix: &str) -> Result<String, DeskError> {
        Ok(new_id(prefix, self.now(), self.entropy.as_ref())?)
    }

    async fn begin(&self) -> Result<Desking, DeskError> {
        Ok(Desking::within(self.store.begin().await?))
    }

    /// The same for statements that have to see one state of the database; fails where others came between.
    async fn begin_at_one_moment(&self) -> Result<Desking, DeskError> {
        Ok(Desking::within(self.store.begin_at_one_moment().await?))
    }

    /// A transaction for a group: what its members are about is read beforehand, and what they change is
    /// written at the end.
    pub(crate) async fn begin_group(&self) -> Result<Desking, DeskError> {
        let mut work = self.begin().await?;
        work.known = Some(Known::default());
        Ok(work)
    }

    /// Commits, then says which rows wait.
    async fn commit(&self, mut work: Desking) -> Result<(), DeskError> {
        self.flush(&mut work).await?;
        let noted = self.note_request(&mut work).await?;
        self.write_noted(&mut work).await?;
        failpoint::pass(Moment::WorkWritten);
        if noted {
            failpoint::pass(Moment::RequestWritten);
        }
        work.tx.commit().await.map_err(StoreError::from)?;
        if noted {
            failpoint::pass(Moment::RequestCommitted);
        }
        failpoint::pass(Moment::WorkCommitted);
        work.decided.iter().for_each(Decided::measure);
        for (kind, id) in work.waiting {
            self.nudge.look(kind, &id);
        }
        Ok(())
    }
}

/// A transaction of the desk, with the rows that will wait for work once it is committed.
pub(crate) struct Desking {
    tx: Tx,
    waiting: Vec<(Work, String)>,
    /// What the audit will say.
    noted: Vec<noting::Noted>,
    /// What it is about, for a request that may come again: what was made, or acted on.
    subject: Option<String>,
    pending: Pending,
    /// Read beforehand, in a transaction for a group.
    known: Option<Known>,
    /// Decisions to be measured, once they are committed.
    decided: Vec<Decided>,
}

impl Desking {
    fn within(tx: Tx) -> Self {
        Self {
            tx,
            waiting: Vec::new(),
            noted: Vec::new(),
            subject: None,
            pending: Pending::default(),
            known: None,
            decided: Vec::new(),
        }
    }

    fn will_wait(&mut self, work: Work, id: &str) {
        self.waiting.push((work, id.to_owned()));
    }
}
