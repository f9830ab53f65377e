//! The rows that wait to be worked on, as the jobs see them.
//!
//! [`DeskRows`] is the real thing: the ledger of `eencent-activations` and the desk that acts on
//! it. The traits exist so that the queue, the sweep and the jobs can be tested against rows that
//! panic, hang or forget on command, which a database doesn't do when asked.

use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::deliveries::Parcel;
use eencent_activations::desk::retention::{Purge, Retention};
use eencent_activations::desk::{Desk, Digest, Fetched, Letter, Rendered};
use eencent_activations::gathered::Gathered;
use eencent_activations::gathering::Failed;
use eencent_activations::identifier::Identifier;
use eencent_activations::inbox::{Inbox, Question};
use eencent_activations::ledger::{Claim, Work};
use eencent_activations::notification::Receipt;
use eencent_activations::refused::DeskError;
use eencent_activations::reread::{Made, Order};
use eencent_activations::store::Store;
use tracing::Span;

/// Whatever went wrong at the store or the desk; its sentence goes to the log and onto the row.
pub(crate) type RowError = Box<dyn std::error::Error + Send + Sync>;

/// All rows that wait.
#[async_trait]
pub(crate) trait Rows: Send + Sync {
    /// Ids that are due and that nobody holds, oldest first.
    async fn due(&self, work: Work, now: Timestamp, limit: u32) -> Result<Vec<String>, RowError>;

    /// Takes the row for `lease`; `None` when it isn't due, is taken, or is done.
    async fn claim(
        &self,
        work: Work,
        id: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Box<dyn Row>>, RowError>;
}

/// One claimed row. Whatever is done through it counts only as long as the claim is ours.
#[async_trait]
pub(crate) trait Row: Send + Sync {
    /// How often an attempt at it has failed before.
    fn attempts(&self) -> u32;

    /// Since when it waits.
    fn waiting_since(&self) -> Timestamp;

    /// Whether the others take this process for alive, so that nobody else is at the row.
    fn is_ours(&self) -> bool;

    /// Its claim in the log and in its trace.
    fn span(&self) -> Span;

    /// Decides on an event; ends the claim.
    async fn process_event(&self) -> Result<(), RowError>;

    /// Carries out an approval; ends the claim.
    async fn carry_out(&self) -> Result<(), RowError>;

    /// What is to be read from a provider's API.
    async fn question(&self) -> Result<Question, RowError>;

    /// Commits what was read, and ends the claim; `None` when it said nothing.
    async fn was_read(&self, question: &Question, read: Option<Receipt>, now: Timestamp) -> Result<(), RowError>;

    /// The payment that is to be made, and by which endpoint; `None` when it is not wanted any more.
    async fn order(&self) -> Result<Option<(String, Order)>, RowError>;

    /// The provider made it; ends the claim.
    async fn checkout_made(&self, made: &Made) -> Result<(), RowError>;

    /// The number that is to be looked up in its register.
    async fn number_to_look_up(&self) -> Result<Identifier, RowError>;

    /// Keeps what the register said, and makes the decision that waited for it; ends the claim.
    async fn names_fetched(&self, fetched: &Fetched) -> Result<(), RowError>;

    /// What is to be delivered to the platform.
    async fn parcel(&self) -> Result<Parcel, RowError>;

    /// The platform has taken it; ends the claim.
    async fn delivered(&self) -> Result<(), RowError>;

    /// What an e-mail is to say, and to whom.
    async fn letter(&self) -> Result<Letter, RowError>;

    /// Keeps the rendered text, so that every attempt hands over the same.
    async fn keep_rendering(&self, rendered: &Rendered) -> Result<(), RowError>;

    /// A server has taken the e-mail; ends the claim.
    async fn sent(&self) -> Result<(), RowError>;

    /// The e-mail was handed over but nobody said that it arrived; tried again at `retry_at`.
    async fn maybe_sent(&self, retry_at: Timestamp, error: &str) -> Result<(), RowError>;

    /// Back among the waiting, until `retry_at`.
    async fn put_back(&self, now: Timestamp, retry_at: Timestamp, error: &str) -> Result<(), RowError>;

    /// Set apart, for a person to see.
    async fn give_up(&self, now: Timestamp, error: &str) -> Result<(), RowError>;
}

/// What happens at a time of day rather than to a row.
#[async_trait]
pub(crate) trait Office: Send + Sync {
    /// Whether this process is the one that runs `schedule` for `fire_at`.
    async fn begin_scheduled(&self, schedule: &str, fire_at: Timestamp) -> Result<bool, RowError>;

    /// Sends reminders and lets expire what is due, at most `limit`; answers how many it moved.
    async fn time_passes(&self, limit: u32) -> Result<u32, RowError>;

    /// Computes again what is scheduled, if the office hours are not those last used.
    async fn hours_changed(&self) -> Result<u32, RowError>;

    /// Fills in some of what older rows are found by: whether there is more.
    async fn fill_in(&self) -> Result<bool, RowError> {
        Ok(false)
    }

    /// Whether this process is the one that runs a schedule which a person asked for.
    async fn was_asked_for(&self, _schedule: &str) -> Result<bool, RowError> {
        Ok(false)
    }

    /// Counts the minutes that are over, for the overview.
    async fn tally(&self) -> Result<(), RowError> {
        Ok(())
    }

    /// Writes the digest to support, if anything waits; how many e-mails.
    async fn write_digest(&self, digest: &Digest, fire_at: Timestamp) -> Result<usize, RowError>;

    /// Begins a run that purges what is old enough.
    fn begin_purge(&self, retention: Retention) -> Result<Purge, RowError>;

    /// Takes a batch of each kind; 0 when nothing is left to take.
    async fn purge(&self, run: &mut Purge) -> Result<u64, RowError>;

    /// Gives disk space that the rows don't need back, a little at a time: whether there is more to give.
    async fn give_back(&self) -> Result<bool, RowError>;
}

/// The rows of the store, worked on by the desk.
#[derive(Clone)]
pub(crate) struct DeskRows {
    pub(crate) store: Store,
    pub(crate) desk: Desk,
    pub(crate) inbox: Inbox,
    /// What is done to many at the same moment shares its transactions.
    pub(crate) gathered: Gathered,
}

struct DeskRow {
    rows: DeskRows,
    claim: Claim,
}

#[async_trait]
impl Rows for DeskRows {
    async fn due(&self, work: Work, now: Timestamp, limit: u32) -> Result<Vec<String>, RowError> {
        Ok(self.store.due(work, now, limit).await?)
    }

    async fn claim(
        &self,
        work: Work,
        id: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Box<dyn Row>>, RowError> {
        let claim = self.gathered.claim(work, id, now, lease).await?;
        Ok(claim.map(|claim| {
            let rows = self.clone();
            Box::new(DeskRow { rows, claim }) as Box<dyn Row>
        }))
    }
}

#[async_trait]
impl Row for DeskRow {
    fn attempts(&self) -> u32 {
        self.claim.attempts
    }

    fn waiting_since(&self) -> Timestamp {
        self.claim.waiting_since
    }

    fn is_ours(&self) -> bool {
        self.rows.store.is_known_alive()
    }

    fn span(&self) -> Span {
        self.claim.span().clone()
    }

    async fn process_event(&self) -> Result<(), RowError> {
        Ok(self.rows.gathered.process_event(&self.claim).await?)
    }

    async fn carry_out(&self) -> Result<(), RowError> {
        Ok(self.rows.gathered.carry_out(&self.claim).await?)
    }

    async fn question(&self) -> Result<Question, RowError> {
        Ok(self.rows.store.question(&self.claim).await?)
    }

    async fn was_read(&self, question: &Question, read: Option<Receipt>, now: Timestamp) -> Result<(), RowError> {
        // If we crash between the two, it is read again and what it says is a repeat.
        if let Some(receipt) = read {
            self.rows.inbox.commit(receipt).await?;
        }
        Ok(self.rows.store.was_read(&self.claim, question.asked_at, now).await?)
    }

    async fn order(&self) -> Result<Option<(String, Order)>, RowError> {
        Ok(self.rows.desk.order(&self.claim).await?)
    }

    async fn checkout_made(&self, made: &Made) -> Result<(), RowError> {
        Ok(self.rows.desk.checkout_made(&self.claim, made).await?)
    }

    async fn number_to_look_up(&self) -> Result<Identifier, RowError> {
        Ok(self.rows.desk.number_to_look_up(&self.claim).await?)
    }

    async fn names_fetched(&self, fetched: &Fetched) -> Result<(), RowError> {
        Ok(self.rows.desk.names_fetched(&self.claim, fetched).await?)
    }

    async fn parcel(&self) -> Result<Parcel, RowError> {
        Ok(self.rows.desk.parcel(&self.claim).await?)
    }

    async fn delivered(&self) -> Result<(), RowError> {
        Ok(self.rows.desk.delivered(&self.claim).await?)
    }

    async fn letter(&self) -> Result<Letter, RowError> {
        Ok(self.rows.gathered.email(&self.claim).await?)
    }

    async fn keep_rendering(&self, rendered: &Rendered) -> Result<(), RowError> {
        Ok(self.rows.gathered.keep_rendering(&self.claim, rendered).await?)
    }

    async fn sent(&self) -> Result<(), RowError> {
        Ok(self.rows.gathered.email_sent(&self.claim).await?)
    }

    async fn maybe_sent(&self, retry_at: Timestamp, error: &str) -> Result<(), RowError> {
        Ok(self.rows.desk.email_uncertain(&self.claim, retry_at, error).await?)
    }

    async fn put_back(&self, now: Timestamp, retry_at: Timestamp, error: &str) -> Result<(), RowError> {
        Ok(self.rows.store.put_back(&self.claim, now, retry_at, error).await?)
    }

    async fn give_up(&self, now: Timestamp, error: &str) -> Result<(), RowError> {
        Ok(self.rows.store.give_up(&self.claim, now, error).await?)
    }
}

#[async_trait]
impl Office for DeskRows {
    async fn begin_scheduled(&self, schedule: &str, fire_at: Timestamp) -> Result<bool, RowError> {
        Ok(self.desk.begin_scheduled(schedule, fire_at).await?)
    }

    async fn time_passes(&self, limit: u32) -> Result<u32, RowError> {
        let passed = self.desk.time_passes(limit).await?;
        Ok(passed.reminded.saturating_add(passed.expired))
    }

    async fn hours_changed(&self) -> Result<u32, RowError> {
        Ok(self.desk.hours_changed().await?)
    }

    async fn fill_in(&self) -> Result<bool, RowError> {
        Ok(self.desk.fill_in().await?)
    }

    async fn was_asked_for(&self, schedule: &str) -> Result<bool, RowError> {
        Ok(self.desk.take_asked_schedule(schedule).await?)
    }

    async fn tally(&self) -> Result<(), RowError> {
        self.desk.tally().await?;
        Ok(())
    }

    async fn write_digest(&self, digest: &Digest, fire_at: Timestamp) -> Result<usize, RowError> {
        Ok(self.desk.write_digest(digest, fire_at).await?)
    }

    fn begin_purge(&self, retention: Retention) -> Result<Purge, RowError> {
        Ok(self.desk.begin_purge(retention)?)
    }

    async fn purge(&self, run: &mut Purge) -> Result<u64, RowError> {
        Ok(self.desk.purge(run).await?)
    }

    async fn give_back(&self) -> Result<bool, RowError> {
        Ok(self.store.give_back().await?)
    }
}

/// Whether work ended by panicking, or never: in the group that it shared, and by itself.
pub(crate) fn broke(error: &RowError) -> bool {
    let failed = error.downcast_ref::<Failed<DeskError>>();
    matches!(failed, Some(Failed::Panicked | Failed::TooLong))
}

/// The sentence of an error and of all its causes, as it goes to the log and onto the row.
pub(crate) fn told(error: &RowError) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        sentence.push_str(": ");
        sentence.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    sentence
}
