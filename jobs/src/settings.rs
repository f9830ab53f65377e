//! The sections `[mail]`, `[queue]`, `[jobs]`, `[events]`, `[retention]` and `[support]` of the settings.
//!
//! No key has a default here: `config/default.toml` documents and gives them all. What was read is
//! checked as a whole, and everything that is wrong is told at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eencent_activations::clock::Timestamp;
use eencent_activations::desk::Digest;
use eencent_activations::desk::deliveries::Listener;
use eencent_activations::desk::retention::Retention;
use eencent_activations::desk::support::Pen;
use eencent_activations::personal::EmailAddress;
use serde::Deserialize;

use crate::mail::preview::{Preview, previews};
use crate::mail::settings::MailSettings;
use crate::mail::{CheckedMail, Mailer, TemplatePen};
use crate::platform::{EndpointSettings, Endpoints};
use crate::queue::{Groups, QueueAddress, QueueOptions, RedisAddress};
use crate::schedules::{NextRun, Times, Timetable};

/// Most rows that a task points to.
const LARGEST_GROUP: usize = 128;

/// All sections of this crate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `[mail]`
    pub mail: MailSettings,
    /// `[queue]`
    pub queue: QueueSettings,
    /// `[jobs]`
    pub jobs: JobsSettings,
    /// `[events]`: the platform's endpoints, by name.
    pub events: BTreeMap<String, EndpointSettings>,
    /// `[retention]`
    pub retention: Retention,
    /// `[support]`
    pub support: SupportSettings,
}

/// `[support]`: how support hears of what waits for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportSettings {
    /// Who gets the digest.
    pub digest_to: Vec<String>,
    /// Cron expression: when.
    pub digest: String,
    /// `nl` or `en`.
    pub digest_language: String,
}

impl SupportSettings {
    fn checked(&self, problems: &mut Problems) -> Digest {
        let mut to = Vec::new();
        for written in &self.digest_to {
            let read = EmailAddress::parse(written).map_err(|_| format!("{written:?} is not an e-mail address"));
            to.extend(problems.take("support.digest_to", read));
        }
        if !["nl", "en"].contains(&self.digest_language.as_str()) {
            problems.0.push(format!(
                "support.digest_language: {:?} is not nl or en",
                self.digest_language
            ));
        }
        Digest {
            to,
            language: self.digest_language.clone(),
            console: String::new(),
        }
    }
}

/// `[queue]`: where hints wait for a worker.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    /// `sqlite://PATH`, a file of its own; or `redis://…`.
    pub url: String,
    /// At most so many tasks of one kind wait in it.
    pub most_waiting: u32,
    /// How often an idle worker looks for what another machine pushed, in milliseconds.
    pub poll_interval_ms: u64,
}

impl std::fmt::Debug for QueueSettings {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueSettings")
            .field("most_waiting", &self.most_waiting)
            .field("poll_interval_ms", &self.poll_interval_ms)
            .finish_non_exhaustive()
    }
}

/// `[jobs]`: who works, how much at once, and when.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsSettings {
    /// So many notifications are processed at once.
    pub events_at_once: u32,
    /// So many approvals are carried out at once.
    pub approvals_at_once: u32,
    /// So many e-mails are handed over at once.
    pub emails_at_once: u32,
    /// How many payments are read from providers' APIs at once.
    pub rereads_at_once: u32,
    /// How many payments are made at providers at once.
    pub checkouts_at_once: u32,
    /// How many events are delivered to the platform at once.
    pub deliveries_at_once: u32,
    /// How many organisations' names are fetched from registers at once.
    pub names_at_once: u32,
    /// One attempt at an event or an approval may take this long.
    pub time_limit_seconds: u64,
    /// After so many attempts a row that panics or hangs is set apart.
    pub set_apart_after: u32,
    /// How often the sweep looks for rows, in milliseconds.
    pub sweep_interval_ms: u64,
    /// How many rows of a kind it takes at a look.
    pub sweep_batch: u32,
    /// How long what runs may go on after a stop was asked.
    pub grace_seconds: u64,
    /// Cron expression (five fields, Europe/Amsterdam): reminders and expiry.
    pub time_passes: String,
    /// Cron expression: deletes what is finished from the queue.
    pub tidy_queue: String,
    /// Cron expression: purges what `[retention]` says.
    pub purge: String,
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub struct Checked {
    pub(crate) mail: CheckedMail,
    pub(crate) queue: QueueOptions,
    pub(crate) at_once: [usize; 7],
    pub(crate) events: Arc<Endpoints>,
    pub(crate) limit: Duration,
    pub(crate) set_apart_after: u32,
    pub(crate) sweep_interval: Duration,
    pub(crate) sweep_batch: u32,
    pub(crate) grace: Duration,
    pub(crate) timetable: Timetable,
    pub(crate) retention: Retention,
    pub(crate) digest: Digest,
}

/// The longest that can be asked for: a hundred years.
const DAYS: u64 = 36_500;

/// Collects what is wrong, each with its key.
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn take<T>(&mut self, key: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|problem| self.0.push(format!("{key}: {problem}"))).ok()
    }

    pub(crate) fn within(&mut self, key: &str, value: u64, least: u64, most: u64) -> u64 {
        if !(least..=most).contains(&value) {
            self.0.push(format!("{key}: {value} is not between {least} and {most}"));
        }
        value
    }
}

impl Settings {
    /// Checks all sections.
    ///
    /// # Errors
    /// Every problem there is, each a sentence that begins with its key. None repeats a password.
    pub fn validate(&self) -> Result<Checked, Vec<String>> {
        let mut problems = Problems(Vec::new());
        let Self {
            mail,
            queue,
            jobs,
            events,
            retention,
            support,
        } = self;

        let mail = mail.checked(&mut problems);
        let address = problems.take("queue.url", queue_address(&queue.url));
        // Redis hands out nothing any more when 8,000 wait (R1).
        let most = match address {
            Some(QueueAddress::Redis(_)) => 5_000,
            _ => 100_000,
        };
        let most_waiting = problems.within("queue.most_waiting", queue.most_waiting.into(), 10, most);
        let poll = problems.within("queue.poll_interval_ms", queue.poll_interval_ms, 10, 10_000);
        let at_once = [
            problems.within("jobs.events_at_once", jobs.events_at_once.into(), 1, 1_000),
            problems.within("jobs.approvals_at_once", jobs.approvals_at_once.into(), 1, 1_000),
            problems.within("jobs.emails_at_once", jobs.emails_at_once.into(), 1, 1_000),
            problems.within("jobs.rereads_at_once", jobs.rereads_at_once.into(), 1, 1_000),
            problems.within("jobs.checkouts_at_once", jobs.checkouts_at_once.into(), 1, 1_000),
            problems.within("jobs.deliveries_at_once", jobs.deliveries_at_once.into(), 1, 1_000),
            problems.within("jobs.names_at_once", jobs.names_at_once.into(), 1, 1_000),
        ]
        .map(count);
        let limit = problems.within("jobs.time_limit_seconds", jobs.time_limit_seconds, 1, 600);
        problems.within("jobs.set_apart_after", jobs.set_apart_after.into(), 1, 1_000);
        let sweep = problems.within("jobs.sweep_interval_ms", jobs.sweep_interval_ms, 50, 60_000);
        problems.within("jobs.sweep_batch", jobs.sweep_batch.into(), 1, 1_000);
        let grace = problems.within("jobs.grace_seconds", jobs.grace_seconds, 0, 600);
        let time_passes = problems.take("jobs.time_passes", Times::parse(&jobs.time_passes));
        let tidy_queue = problems.take("jobs.tidy_queue", Times::parse(&jobs.tidy_queue));
        let purge = problems.take("jobs.purge", Times::parse(&jobs.purge));
        let digest_times = problems.take("support.digest", Times::parse(&support.digest));
        let digest = support.checked(&mut problems);
        let events = Endpoints::from_settings(events).unwrap_or_else(|told| {
            problems.0.extend(told);
            Endpoints::default()
        });
        // A message is needed for as long as providers may still send it again and somebody may look into it.
        problems.within("retention.body_days", retention.body_days.into(), 1, DAYS);
        let least = u64::from(retention.body_days);
        problems.within("retention.finished_days", retention.finished_days.into(), least, DAYS);
        problems.within("retention.email_days", retention.email_days.into(), 7, DAYS);
        problems.within("retention.payer_days", retention.payer_days.into(), 1, DAYS);
        problems.within("retention.answer_days", retention.answer_days.into(), 1, DAYS);
        problems.within("retention.refusal_days", retention.refusal_days.into(), 1, DAYS);
        problems.within("retention.decision_days", retention.decision_days.into(), 0, DAYS);

        if problems.0.is_empty()
            && let Some(mail) = mail
            && let (Some(address), Some(time_passes), Some(tidy_queue), Some(purge), Some(digest_times)) =
                (address, time_passes, tidy_queue, purge, digest_times)
        {
            return Ok(Checked {
                mail,
                queue: QueueOptions {
                    address,
                    most_waiting: count(most_waiting),
                    poll_interval: Duration::from_millis(poll),
                    groups: Groups {
                        events: group_of(jobs.events_at_once),
                        approvals: group_of(jobs.approvals_at_once),
                        emails: group_of(jobs.emails_at_once),
                    },
                },
                at_once,
                events: Arc::new(events),
                limit: Duration::from_secs(limit),
                set_apart_after: jobs.set_apart_after,
                sweep_interval: Duration::from_millis(sweep),
                sweep_batch: jobs.sweep_batch,
                grace: Duration::from_secs(grace),
                timetable: Timetable {
                    time_passes,
                    tidy_queue,
                    purge,
                    digest: digest_times,
                },
                retention: *retention,
                digest,
            });
        }
        Err(problems.0)
    }
}

impl Checked {
    /// Who is told of events.
    pub fn listeners(&self) -> Vec<Listener> {
        self.events.listeners()
    }

    /// When each schedule happens next, after `now`.
    pub fn next_runs(&self, now: Timestamp) -> Vec<NextRun> {
        self.timetable.next_runs(now)
    }

    /// The same, with the address of support's console in what support is told; empty: it has no link.
    #[must_use]
    pub fn leading_to(mut self, console: &str) -> Self {
        console.clone_into(&mut self.digest.console);
        self
    }

    /// Whether workers of other processes hear of what is pushed into the queue.
    pub fn queue_is_shared(&self) -> bool {
        matches!(self.queue.address, QueueAddress::Redis(_))
    }

    /// What an operator should know of where mail goes, without a password: for `check` and the log.
    pub fn mail_goes_to(&self) -> String {
        self.mail.goes_to()
    }

    /// How many e-mails may be begun in a minute; 0: no limit.
    pub fn most_emails_a_minute(&self) -> u32 {
        self.mail.most_a_minute
    }

    /// Every e-mail in every language with sample data, by the templates that are set.
    ///
    /// # Errors
    /// Everything that is wrong with templates and keys.
    pub fn previews(&self) -> Result<Vec<Preview>, Vec<String>> {
        previews(&self.mail)
    }

    /// What writes e-mails that aren't sent yet, by the templates that are set.
    ///
    /// # Errors
    /// Everything that is wrong with templates.
    pub fn pen(&self) -> Result<Arc<dyn Pen>, Vec<String>> {
        Ok(Arc::new(TemplatePen(self.mail.renderer()?)))
    }

    pub(crate) fn mailer(&self) -> Result<Mailer, Vec<String>> {
        self.mail.open()
    }
}

fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Half of what may run at once, so that the next group is claimed while the one before is written.
fn group_of(at_once: u32) -> usize {
    usize::try_from(at_once / 2).unwrap_or(1).clamp(1, LARGEST_GROUP)
}

fn queue_address(url: &str) -> Result<QueueAddress, String> {
    if let Some(redis) = RedisAddress::parse(url) {
        return redis.map(QueueAddress::Redis);
    }
    let path = url.strip_prefix("sqlite://").unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() || path.starts_with(':') {
        return Err(
            "write sqlite://PATH, a file of its own that nothing else uses; or redis://HOST for several machines"
                .to_owned(),
        );
    }
    Ok(QueueAddress::File(PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use crate::testing::default_settings;

    #[test]
    fn the_defaults_are_right() {
        let checked = default_settings().validate().unwrap();
        assert!(checked.mail_goes_to().starts_with("the folder "));
    }

    #[test]
    fn fault_71_all_problems_are_told_at_once_and_no_password() {
        let mut settings = default_settings();
        settings.mail.url = "smtp://u:geheim@".to_owned();
        settings.mail.from = "Eencent\r\nBcc: x@y.nl".to_owned();
        settings.mail.bounce_to = "Bounces <b@example.nl>".to_owned();
        settings.mail.dkim_keys = vec!["geheim".to_owned()];
        settings.mail.dkim_domain = "café.nl".to_owned();
        settings.queue.url = "http://x".to_owned();
        settings.jobs.emails_at_once = 0;
        settings.jobs.time_passes = "often".to_owned();
        settings.jobs.tidy_queue = "0 0 30 2 *".to_owned();
        settings.jobs.purge = String::new();
        settings.support.digest = "never".to_owned();
        settings.support.digest_to = vec!["nobody".to_owned()];
        settings.retention.finished_days = settings.retention.body_days - 1;
        let problems = settings.validate().unwrap_err();
        let keys: Vec<&str> = problems.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            keys,
            [
                "mail.url",
                "mail.from",
                "mail.bounce_to",
                "mail.dkim_keys",
                "mail.dkim_domain",
                "queue.url",
                "jobs.emails_at_once",
                "jobs.time_passes",
                "jobs.tidy_queue",
                "jobs.purge",
                "support.digest",
                "support.digest_to",
                "retention.finished_days"
            ]
        );
        assert!(!format!("{problems:?} {settings:?}").contains("geheim"));
    }

    #[test]
    fn fault_71_all_files_of_mail_that_are_wrong_are_told_at_once() {
        let mut settings = default_settings();
        settings.mail.templates = "/not/there".to_owned();
        settings.mail.dkim_keys = vec!["one=/not/there.pem".to_owned()];
        settings.mail.ca_file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").to_owned();
        let problems = settings.validate().unwrap().mailer().map(|_| ()).unwrap_err();
        let keys: Vec<&str> = problems.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            keys,
            ["mail.templates", "mail.dkim_keys", "mail.ca_file"],
            "{problems:?}"
        );
    }
}
