//! Named moments at which a test can have the process end as `kill -9` would end it.
//!
//! A kill at a random time hardly ever falls between a commit and the answer after it. The build for tests (feature
//! `failpoints`) reads `EENCENT_TEST_FAILPOINT`, such as `notification_committed:3`, and ends the third time it
//! passes there. In any other build nothing of this exists: [`pass`] is empty.

/// A moment between two steps, where what follows may never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A notification is verified and written, but not committed; nobody was answered.
    NotificationWritten,
    /// It is committed; nobody was answered and no hint was given.
    NotificationCommitted,
    /// Its sender was answered, and the queue has a task for it.
    TaskPushed,
    /// A worker has the task, but not the row.
    TaskTaken,
    /// A worker has claimed the row.
    RowClaimed,
    /// What the work comes to is written, but not committed.
    WorkWritten,
    /// It is committed, its e-mails with it; the queue doesn't know.
    WorkCommitted,
    /// What came of the row is on record; the task isn't acknowledged.
    TaskDone,
    /// An e-mail is about to be handed over.
    EmailRendered,
    /// The mail server has taken it, which isn't on record: the one moment after which somebody is told twice.
    EmailHandedOver,
    /// It is on record as sent.
    EmailRecorded,
    /// The platform has taken an event, which isn't on record: it comes again, under the same id.
    EventTaken,
    /// A request with an `Idempotency-Key` is done, but not committed; nobody was answered.
    RequestWritten,
    /// It is committed; nobody was answered.
    RequestCommitted,
}

impl Moment {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::NotificationWritten,
        Self::NotificationCommitted,
        Self::TaskPushed,
        Self::TaskTaken,
        Self::RowClaimed,
        Self::WorkWritten,
        Self::WorkCommitted,
        Self::TaskDone,
        Self::EmailRendered,
        Self::EmailHandedOver,
        Self::EmailRecorded,
        Self::EventTaken,
        Self::RequestWritten,
        Self::RequestCommitted,
    ];

    /// How `EENCENT_TEST_FAILPOINT` says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotificationWritten => "notification_written",
            Self::NotificationCommitted => "notification_committed",
            Self::TaskPushed => "task_pushed",
            Self::TaskTaken => "task_taken",
            Self::RowClaimed => "row_claimed",
            Self::WorkWritten => "work_written",
            Self::WorkCommitted => "work_committed",
            Self::TaskDone => "task_done",
            Self::EmailRendered => "email_rendered",
            Self::EmailHandedOver => "email_handed_over",
            Self::EmailRecorded => "email_recorded",
            Self::EventTaken => "event_taken",
            Self::RequestWritten => "request_written",
            Self::RequestCommitted => "request_committed",
        }
    }
}

/// Says that the process is at a moment, where it ends if it was asked to.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn pass(_: Moment) {}

/// Says that the process is at a moment, where it ends if it was asked to.
#[cfg(feature = "failpoints")]
pub fn pass(moment: Moment) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static ASKED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let asked = std::env::var("EENCENT_TEST_FAILPOINT").ok()?;
        let (name, time) = asked.split_once(':')?;
        Some((name.to_owned(), time.parse().ok()?))
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);
    if let Some((name, time)) = &*ASKED
        && name == moment.as_str()
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *time
    {
        // Runs no destructor and flushes nothing, like a kill; and a test sees by it that the moment was reached.
        std::process::abort();
    }
}
