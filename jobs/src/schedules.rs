//! What happens at times of day, by cron expressions of the usual five fields.
//!
//! Each fire happens once, also with several processes: whoever writes its row first runs it. Fires
//! that were missed, because nothing ran or the clock jumped, are caught up once, not one by one:
//! to remind and to tidy are about now. Expressions are read in the office's zone, where an hour in
//! March is missing and one in October comes twice; both are looked up forwards from the last fire,
//! by which an hour that comes twice fires once.
//!
//! The clock is passed in and may be turned by a demonstration, so nothing here sleeps until an
//! instant: it looks at the clock again every quarter of a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::{Europe::Amsterdam, Tz};
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, JobType};
use eencent_activations::clock::{Clock, Timestamp};
use eencent_activations::desk::Digest;
use eencent_activations::desk::retention::Retention;
use tokio_util::sync::CancellationToken;

use crate::purge::purge;
use crate::queue::Queue;
use crate::rows::{Office, told};

/// When something happens.
#[derive(Debug, Clone)]
pub(crate) struct Times(Cron);

impl Times {
    /// Reads minute, hour, day, month and weekday.
    pub(crate) fn parse(expression: &str) -> Result<Self, String> {
        let five = expression.split_whitespace().count() == 5;
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        match parser.parse(expression) {
            Ok(cron) if five => {
                let times = Self(cron);
                // 30 February is well-formed and never comes.
                let now = DateTime::<Utc>::default();
                times
                    .next_after(Timestamp::from(now))
                    .map(|_| times)
                    .ok_or_else(|| format!("{expression:?} never comes"))
            }
            _ => Err(format!(
                "{expression:?} is not a cron expression; write five fields: minute, hour, day, month, weekday, as in \"*/5 * * * *\""
            )),
        }
    }

    /// The first time later than `at`.
    ///
    /// croner looks by the clock on the wall, where the second 02:10 of an October night isn't
    /// later than the first 02:50. A fixed time shall come once in such a night, and does; what
    /// comes every few minutes shall go on, so that is looked for along the minutes that pass.
    fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        if self.0.determine_job_type() == JobType::IntervalWildcard {
            let minute = at.unix_seconds().div_euclid(60);
            let soon = (1..=WALK)
                .map(|ahead| Timestamp::from_unix_seconds(minute.saturating_add(ahead).saturating_mul(60)))
                .find(|minute| self.0.is_time_matching(&local(*minute)).unwrap_or(false));
            if soon.is_some() {
                return soon;
            }
        }
        let found = self.0.find_next_occurrence(&local(at), false).ok()?;
        Some(Timestamp::from(found.with_timezone(&Utc))).filter(|found| *found > at)
    }

    /// The last time that isn't later than `at`.
    fn last_until(&self, at: Timestamp) -> Option<Timestamp> {
        let found = self.0.find_previous_occurrence(&local(at), true).ok()?;
        Some(Timestamp::from(found.with_timezone(&Utc)))
    }
}

/// When a schedule happens next.
#[derive(Debug, Clone)]
pub struct NextRun {
    /// Its name.
    pub schedule: &'static str,
    /// The key of the settings that says when.
    pub setting: &'static str,
    /// When it happens next.
    pub next: Option<Timestamp>,
}

/// So many minutes ahead: beyond the hour that comes twice.
const WALK: i64 = 130;

/// To the second: croner keeps what is below it, and two machines that look at different moments would each have a
/// fire of their own.
fn local(at: Timestamp) -> DateTime<Tz> {
    Timestamp::from_unix_seconds(at.unix_seconds())
        .to_utc()
        .with_timezone(&Amsterdam)
}

/// Follows the clock along one expression.
#[derive(Debug)]
struct Hand {
    times: Times,
    /// The last fire that was handled or passed over.
    last: Option<Timestamp>,
    /// The one after it.
    next: Option<Timestamp>,
    /// When it was last looked at, to see the clock being set back.
    looked: Timestamp,
}

/// Beyond this a jump isn't walked through fire by fire.
const FAR: Duration = Duration::from_secs(2 * 86_400);
/// A clock that went back further than this was set.
const SET_BACK: Duration = Duration::from_secs(60);

impl Hand {
    fn new(times: Times) -> Self {
        Self {
            times,
            last: None,
            next: None,
            looked: Timestamp::from_micros(i64::MIN),
        }
    }

    /// The fire to handle now, if there is one: the latest that has passed since the last look.
    fn due(&mut self, now: Timestamp) -> Option<Timestamp> {
        let set_back = self.looked.since(now) > SET_BACK;
        self.looked = now;
        let far = self.last.is_some_and(|last| now.since(last) > FAR);
        if self.last.is_none() || set_back || far {
            let fire = self.times.last_until(now)?;
            let new = self.last != Some(fire);
            self.move_to(fire);
            return Some(fire).filter(|_| new);
        }
        let mut due = None;
        while let Some(fire) = self.next.filter(|next| *next <= now) {
            due = Some(fire);
            self.move_to(fire);
        }
        due
    }

    fn move_to(&mut self, fire: Timestamp) {
        self.last = Some(fire);
        self.next = self.times.next_after(fire);
    }
}

/// The expressions, checked.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    pub(crate) time_passes: Times,
    pub(crate) tidy_queue: Times,
    pub(crate) purge: Times,
    pub(crate) digest: Times,
}

impl Timetable {
    /// When each happens next, after `now`.
    pub(crate) fn next_runs(&self, now: Timestamp) -> Vec<NextRun> {
        let of = |schedule, setting, times: &Times| NextRun {
            schedule,
            setting,
            next: times.next_after(now),
        };
        vec![
            of("time_passes", "jobs.time_passes", &self.time_passes),
            of("tidy_queue", "jobs.tidy_queue", &self.tidy_queue),
            of("purge", "jobs.purge", &self.purge),
            of("digest", "support.digest", &self.digest),
        ]
    }
}

/// Runs what the timetable says, and what a person asks for.
pub(crate) struct Schedules {
    pub(crate) office: Arc<dyn Office>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timetable: Timetable,
    pub(crate) retention: Retention,
    pub(crate) digest: Digest,
}

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often the store is asked whether a person wants a schedule run, and whether a minute is to be counted.
const ASK: Duration = Duration::from_secs(2);
/// A store that failed is asked about the hours again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// One fire may take this long; what isn't done by then the next one does.
const LIMIT: Duration = Duration::from_secs(300);
/// So many batches of older rows are filled in before the schedules are looked at again.
const FILLED_AT_ONCE: usize = 10;
/// So many activations are moved in one go.
const BATCH: u32 = 200;

impl Schedules {
    /// Until `stop`. Purging has a loop of its own: it may take minutes, for which no reminder waits.
    pub(crate) async fn run(self, stop: &CancellationToken) {
        tokio::join!(self.follow(stop), self.purge_in_time(stop));
    }

    async fn purge_in_time(&self, stop: &CancellationToken) {
        let mut purging = Hand::new(self.timetable.purge.clone());
        let mut asking = Asking::default();
        while !stop.is_cancelled() {
            let due = match purging.due(self.clock.now()) {
                Some(fire) => self.begins("purge", fire).await,
                None => false,
            };
            if due || (asking.is_time() && self.was_asked_for("purge").await) {
                within_limit("purge", purge(self.office.as_ref(), self.retention, stop)).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn follow(&self, stop: &CancellationToken) {
        let mut passing = Hand::new(self.timetable.time_passes.clone());
        let mut tidying = Hand::new(self.timetable.tidy_queue.clone());
        let mut telling = Hand::new(self.timetable.digest.clone());
        let mut hours_known = false;
        let mut hours_asked: Option<Instant> = None;
        let mut filled_in = false;
        let mut asking = Asking::default();
        while !stop.is_cancelled() {
            if !hours_known && hours_asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                hours_known = self.look_at_hours().await;
                hours_asked = Some(Instant::now());
            }
            if !filled_in {
                filled_in = self.fill_in(stop).await;
            }
            let now = self.clock.now();
            let asks = asking.is_time();
            if asks && let Err(error) = self.office.tally().await {
                tracing::debug!(error = told(&error), "the last minute is counted later");
            }
            let due = match passing.due(now) {
                Some(fire) => self.begins("time_passes", fire).await,
                None => false,
            };
            if due || (asks && self.was_asked_for("time_passes").await) {
                within_limit("time_passes", self.time_passes(stop)).await;
            }
            let fire = match telling.due(now) {
                Some(fire) if self.begins("digest", fire).await => Some(fire),
                _ if asks && self.was_asked_for("digest").await => Some(now),
                _ => None,
            };
            if let Some(fire) = fire {
                within_limit("digest", self.tell_support(fire)).await;
            }
            // Each process tidies the file it knows, so this one asks nobody.
            if tidying.due(now).is_some() || (asks && self.was_asked_for("tidy_queue").await) {
                within_limit("tidy_queue", self.tidy_queue()).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn was_asked_for(&self, name: &'static str) -> bool {
        match self.office.was_asked_for(name).await {
            Ok(ours) => {
                if ours {
                    tracing::info!(schedule = name, "runs now, because it was asked for");
                }
                ours
            }
            Err(error) => {
                tracing::warn!(
                    schedule = name,
                    error = told(&error),
                    "could not look whether it was asked for"
                );
                false
            }
        }
    }

    async fn begins(&self, name: &'static str, fire: Timestamp) -> bool {
        match self.office.begin_scheduled(name, fire).await {
            Ok(ours) => ours,
            Err(error) => {
                tracing::warn!(schedule = name, %fire, error = told(&error), "could not begin");
                false
            }
        }
    }

    /// At the start: the hours in the settings may not be those that things were scheduled by.
    async fn look_at_hours(&self) -> bool {
        match self.office.hours_changed().await {
            Ok(0) => true,
            Ok(moved) => {
                tracing::info!(
                    moved,
                    "the office hours changed: computed again when approvals take effect"
                );
                true
            }
            Err(error) => {
                tracing::warn!(error = told(&error), "could not compare the office hours");
                false
            }
        }
    }

    /// A few batches of what older rows are found by: whether all of it is done.
    async fn fill_in(&self, stop: &CancellationToken) -> bool {
        for _ in 0..FILLED_AT_ONCE {
            match self.office.fill_in().await {
                Ok(true) if stop.is_cancelled() => return false,
                Ok(true) => {}
                Ok(false) => return true,
                Err(error) => {
                    tracing::warn!(error = told(&error), "could not fill in what older rows are found by");
                    return false;
                }
            }
        }
        false
    }

    async fn time_passes(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.office.time_passes(BATCH).await {
                Ok(0) => return,
                Ok(moved) => tracing::info!(moved, "reminded or expired"),
                Err(error) => {
                    tracing::warn!(error = told(&error), "could not remind or expire");
                    return;
                }
            }
        }
    }

    async fn tell_support(&self, fire: Timestamp) {
        match self.office.write_digest(&self.digest, fire).await {
            Ok(0) => {}
            Ok(emails) => tracing::info!(emails, "told support what waits"),
            Err(error) => tracing::warn!(error = told(&error), "could not tell support what waits"),
        }
    }

    async fn tidy_queue(&self) {
        match self.queue.tidy().await {
            Ok(deleted) => tracing::debug!(deleted, "tidied the queue"),
            Err(error) => {
                tracing::warn!(error = told(&error.into()), "could not tidy the queue");
                self.queue.mend().await;
            }
        }
    }
}

/// When the store was last asked.
#[derive(Default)]
struct Asking(Option<Instant>);

impl Asking {
    fn is_time(&mut self) -> bool {
        let is = self.0.is_none_or(|asked| asked.elapsed() >= ASK);
        if is {
            self.0 = Some(Instant::now());
        }
        is
    }
}

async fn within_limit(name: &'static str, work: impl Future<Output = ()>) {
    if tokio::time::timeout(LIMIT, work).await.is_err() {
        tracing::error!(schedule = name, "took longer than {LIMIT:?}");
    }
}

#[cfg(test)]
#[path = "schedules_tests.rs"]
mod tests;
