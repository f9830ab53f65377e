//! What the tests of this crate share: rows that do as they are told, a sample letter, waiting.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at what they did not expect"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use eencent_activations::clock::{Clock, SystemClock, Timestamp};
use eencent_activations::desk::deliveries::Parcel;
use eencent_activations::desk::retention::{Purge, Retention};
use eencent_activations::desk::{Digest, Fetched, Letter, Rendered};
use eencent_activations::identifier::Identifier;
use eencent_activations::inbox::Question;
use eencent_activations::ledger::Work;
use eencent_activations::notification::Receipt;
use eencent_activations::personal::EmailAddress;
use eencent_activations::reread::{Made, Order};
use eencent_activations::state::EmailKind;
use serde_json::Value;

use crate::attempt::{Attempts, Job, Jobs, Outcome};
use crate::backoff::Pace;
use crate::mail::{Renderer, Sealed, Stationery, Templates};
use crate::queue::{Groups, Queue, QueueAddress, QueueOptions, RedisAddress};
use crate::rows::{Office, Row, RowError, Rows};
use crate::settings::Settings;

/// Waits until it is so; fails after half a minute.
pub(crate) async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A queue in `folder/queue.sqlite`.
pub(crate) fn queue_at(folder: &Path) -> Queue {
    queue_with(folder, 1_000, Duration::from_millis(20))
}

/// Needs `tests/with-servers`. The address of an empty Redis database of this test's own: each test is a process, whose number picks it.
pub(crate) fn redis_url() -> String {
    static EMPTIED: std::sync::Once = std::sync::Once::new();
    let server = std::env::var("EENCENT_TEST_REDIS").unwrap();
    let url = format!("{server}/{}", std::process::id() % 512);
    EMPTIED.call_once(|| {
        let mut connection = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
        redis::cmd("FLUSHDB").exec(&mut connection).unwrap();
    });
    url
}

/// A queue on that Redis.
pub(crate) fn redis_queue(most_waiting: usize) -> Queue {
    Queue::new(QueueOptions {
        address: QueueAddress::Redis(RedisAddress::parse(&redis_url()).unwrap().unwrap()),
        most_waiting,
        poll_interval: Duration::from_millis(20),
        groups: Groups::ALONE,
    })
}

/// Where the workers' queue is: a file in the folder, or a Redis where EENCENT_TEST_STORE is `postgres`.
pub(crate) fn queue_url(folder: &Path) -> String {
    if std::env::var("EENCENT_TEST_STORE").as_deref() == Ok("postgres") {
        return redis_url();
    }
    format!("sqlite://{}", folder.join("queue.sqlite").display())
}

pub(crate) fn queue_with(folder: &Path, most_waiting: usize, poll_interval: Duration) -> Queue {
    Queue::new(QueueOptions {
        address: QueueAddress::File(folder.join("queue.sqlite")),
        most_waiting,
        poll_interval,
        groups: Groups::ALONE,
    })
}

/// Our sections of the settings that are compiled in.
pub(crate) fn default_settings() -> Settings {
    let whole: toml::Table = include_str!("../../config/default.toml").parse().unwrap();
    let ours = ["mail", "queue", "jobs", "events", "retention", "support"].into_iter();
    let ours: toml::Table = ours
        .map(|name| (name.to_owned(), whole.get(name).unwrap().clone()))
        .collect();
    ours.try_into().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// An attempt at a row, if there is anything to do.
pub(crate) async fn attempt(attempts: &Attempts, work: Work, id: &str) {
    if let Some(taken) = attempts.take(work, id).await {
        attempts.attempt(taken).await;
    }
}

/// How a pretended row behaves when it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Works,
    Panics,
    Hangs,
    /// Never waits for anything, so that nothing can stop it, until the test is over.
    Spins,
    /// Takes this many milliseconds.
    Takes(u64),
    /// Fails so many times, then works.
    Fails(u32),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) attempts: u32,
    pub(crate) begun: u32,
    pub(crate) done: u32,
    pub(crate) given_up: Option<String>,
    pub(crate) maybe_sent: u32,
    due_at: Option<Timestamp>,
    leased: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) retry_at: Option<Timestamp>,
}

impl State {
    /// Its time has come.
    pub(crate) fn come(&mut self) {
        self.due_at = None;
    }
}

type All = Arc<Mutex<BTreeMap<(String, String), (Behaviour, State)>>>;

/// The data of an e-mail, and what was kept of its rendering.
type Letters = HashMap<String, (Value, Option<Rendered>)>;

/// Rows in memory.
#[derive(Clone, Default)]
pub(crate) struct PretendRows {
    pub(crate) all: All,
    pub(crate) running: Arc<Mutex<(u32, u32)>>,
    pub(crate) letters: Arc<Mutex<Letters>>,
    pub(crate) fires: Arc<Mutex<Vec<(String, Timestamp)>>>,
    pub(crate) passed: Arc<Mutex<u32>>,
    pub(crate) over: Arc<std::sync::atomic::AtomicBool>,
    pub(crate) taken_for_dead: Arc<std::sync::atomic::AtomicBool>,
    /// How often it was looked for what is due, and asked for a claim.
    pub(crate) asked: Arc<Mutex<(u32, u32)>>,
    /// Who holds it for writing keeps every claim waiting.
    pub(crate) claiming: Arc<tokio::sync::RwLock<()>>,
}

impl PretendRows {
    pub(crate) fn add(&self, work: Work, id: &str, behaviour: Behaviour) {
        let key = (work.as_str().to_owned(), id.to_owned());
        self.all.lock().unwrap().insert(key, (behaviour, State::default()));
    }

    pub(crate) fn state(&self, work: Work, id: &str) -> State {
        let key = (work.as_str().to_owned(), id.to_owned());
        self.all.lock().unwrap().get(&key).unwrap().1.clone()
    }

    pub(crate) fn count(&self, so: impl Fn(&State) -> bool) -> usize {
        self.all.lock().unwrap().values().filter(|(_, state)| so(state)).count()
    }

    /// The most that ever ran at once.
    pub(crate) fn peak(&self) -> u32 {
        self.running.lock().unwrap().1
    }
}

struct PretendRow {
    rows: PretendRows,
    key: (String, String),
    behaviour: Behaviour,
    attempts: u32,
}

impl PretendRow {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut all = self.rows.all.lock().unwrap();
        let (_, state) = all.get_mut(&self.key).unwrap();
        change(state);
        state.leased = false;
    }

    async fn work(&self) -> Result<(), RowError> {
        {
            let mut running = self.rows.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let result = match self.behaviour {
            Behaviour::Works => Ok(()),
            Behaviour::Panics => panic!("told to"),
            Behaviour::Hangs => std::future::pending().await,
            Behaviour::Spins => {
                while !self.rows.over.load(std::sync::atomic::Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                Ok(())
            }
            Behaviour::Takes(milliseconds) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Ok(())
            }
            Behaviour::Fails(times) if self.attempts < times => Err("told to fail".into()),
            Behaviour::Fails(_) => Ok(()),
        };
        self.rows.running.lock().unwrap().0 -= 1;
        if result.is_ok() {
            self.change(|state| {
                state.done += 1;
                state.due_at = None;
            });
        }
        result
    }
}

#[async_trait]
impl Rows for PretendRows {
    async fn due(&self, work: Work, now: Timestamp, limit: u32) -> Result<Vec<String>, RowError> {
        self.asked.lock().unwrap().0 += 1;
        let all = self.all.lock().unwrap();
        let due = all
            .iter()
            .filter(|((of, _), (_, state))| of == work.as_str() && is_waiting(state, now));
        Ok(due
            .map(|((_, id), _)| id.clone())
            .take(usize::try_from(limit)?)
            .collect())
    }

    async fn claim(&self, work: Work, id: &str, now: Timestamp, _: Duration) -> Result<Option<Box<dyn Row>>, RowError> {
        self.asked.lock().unwrap().1 += 1;
        let _let_in = self.claiming.read().await;
        let key = (work.as_str().to_owned(), id.to_owned());
        let mut all = self.all.lock().unwrap();
        let Some((behaviour, state)) = all.get_mut(&key).filter(|(_, state)| is_waiting(state, now)) else {
            return Ok(None);
        };
        state.leased = true;
        state.begun += 1;
        let (behaviour, attempts) = (*behaviour, state.attempts);
        Ok(Some(Box::new(PretendRow {
            rows: self.clone(),
            key,
            behaviour,
            attempts,
        })))
    }
}

fn is_waiting(state: &State, now: Timestamp) -> bool {
    !state.leased && state.done == 0 && state.given_up.is_none() && state.due_at.is_none_or(|due| due <= now)
}

#[async_trait]
impl Row for PretendRow {
    fn attempts(&self) -> u32 {
        self.attempts
    }

    fn waiting_since(&self) -> Timestamp {
        at("2026-03-10T09:00:00Z")
    }

    fn is_ours(&self) -> bool {
        !self.rows.taken_for_dead.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn span(&self) -> tracing::Span {
        tracing::Span::none()
    }

    async fn process_event(&self) -> Result<(), RowError> {
        self.work().await
    }

    async fn carry_out(&self) -> Result<(), RowError> {
        self.work().await
    }

    async fn question(&self) -> Result<Question, RowError> {
        Err("there is nothing to read".into())
    }

    async fn was_read(&self, _: &Question, _: Option<Receipt>, _: Timestamp) -> Result<(), RowError> {
        self.work().await
    }

    async fn order(&self) -> Result<Option<(String, Order)>, RowError> {
        Ok(None)
    }

    async fn checkout_made(&self, _: &Made) -> Result<(), RowError> {
        self.work().await
    }

    async fn number_to_look_up(&self) -> Result<Identifier, RowError> {
        Ok(Identifier::parse("NL:KVK", "12345678")?)
    }

    async fn names_fetched(&self, _: &Fetched) -> Result<(), RowError> {
        self.work().await
    }

    async fn parcel(&self) -> Result<Parcel, RowError> {
        Err("pretended rows deliver nothing".into())
    }

    async fn delivered(&self) -> Result<(), RowError> {
        self.work().await
    }

    async fn letter(&self) -> Result<Letter, RowError> {
        let letters = self.rows.letters.lock().unwrap();
        let mut letter = letter(EmailKind::RoundOff, "nl");
        if let Some((data, rendered)) = letters.get(&self.key.1) {
            letter.data = data.clone();
            letter.rendered = rendered.clone();
        }
        Ok(letter)
    }

    async fn keep_rendering(&self, rendered: &Rendered) -> Result<(), RowError> {
        let data = letter(EmailKind::RoundOff, "nl").data;
        let mut letters = self.rows.letters.lock().unwrap();
        letters
            .entry(self.key.1.clone())
            .or_insert((data, None))
            .1
            .get_or_insert(rendered.clone());
        Ok(())
    }

    async fn sent(&self) -> Result<(), RowError> {
        self.change(|state| state.done += 1);
        Ok(())
    }

    async fn maybe_sent(&self, retry_at: Timestamp, error: &str) -> Result<(), RowError> {
        self.change(|state| state.maybe_sent += 1);
        self.put_back(retry_at, retry_at, error).await
    }

    async fn put_back(&self, _: Timestamp, retry_at: Timestamp, error: &str) -> Result<(), RowError> {
        self.change(|state| {
            state.attempts += 1;
            state.due_at = Some(retry_at);
            state.retry_at = Some(retry_at);
            state.last_error = Some(error.to_owned());
        });
        Ok(())
    }

    async fn give_up(&self, _: Timestamp, error: &str) -> Result<(), RowError> {
        self.change(|state| state.given_up = Some(error.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl Office for PretendRows {
    async fn begin_scheduled(&self, schedule: &str, fire_at: Timestamp) -> Result<bool, RowError> {
        let mut fires = self.fires.lock().unwrap();
        let fire = (schedule.to_owned(), fire_at);
        let new = !fires.contains(&fire);
        if new {
            fires.push(fire);
        }
        Ok(new)
    }

    async fn time_passes(&self, _: u32) -> Result<u32, RowError> {
        let mut passed = self.passed.lock().unwrap();
        *passed += 1;
        Ok(*passed % 2)
    }

    async fn hours_changed(&self) -> Result<u32, RowError> {
        Ok(0)
    }

    async fn write_digest(&self, _: &Digest, _: Timestamp) -> Result<usize, RowError> {
        Ok(0)
    }

    fn begin_purge(&self, _: Retention) -> Result<Purge, RowError> {
        Err("these rows are never old".into())
    }

    async fn purge(&self, _: &mut Purge) -> Result<u64, RowError> {
        Ok(0)
    }

    async fn give_back(&self) -> Result<bool, RowError> {
        Ok(false)
    }
}

/// A job that does what the row says, with limits short enough for tests.
pub(crate) struct PretendJob(pub(crate) Duration);

#[async_trait]
impl Job for PretendJob {
    fn limit(&self) -> Duration {
        self.0
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_millis(10), Duration::from_millis(50))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        match row.process_event().await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::again(&error),
        }
    }
}

pub(crate) fn jobs_of(job: Arc<dyn Job>) -> Jobs {
    Jobs {
        event: Arc::clone(&job),
        approval: Arc::clone(&job),
        reread: Arc::clone(&job),
        checkout: Arc::clone(&job),
        delivery: Arc::clone(&job),
        names: Arc::clone(&job),
        email: job,
    }
}

/// Attempts at pretended rows; a row is set apart after three attempts that panic or hang.
pub(crate) fn attempts_at(rows: &PretendRows, job: Arc<dyn Job>, clock: Arc<dyn Clock>) -> Arc<Attempts> {
    Arc::new(Attempts {
        rows: Arc::new(rows.clone()),
        jobs: jobs_of(job),
        clock,
        set_apart_after: 3,
        running: tokio_util::task::TaskTracker::new(),
        stop: tokio_util::sync::CancellationToken::new(),
    })
}

pub(crate) fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What the templates of a kind are given.
pub(crate) fn data_for(kind: EmailKind, language: &str) -> Value {
    crate::mail::samples(kind, language).remove(0).1
}

/// With the templates that are compiled in.
pub(crate) fn renderer() -> Renderer {
    Renderer::new(Templates::read(None).unwrap(), "Eencent").unwrap()
}

pub(crate) fn letter(kind: EmailKind, language: &str) -> Letter {
    let key = format!("act_01JD5W9A4H8S6P0D2E7XGK5NQM/{kind}/1");
    Letter {
        message_id: format!("<{}@eencent>", key.replace('/', ".")),
        key,
        created_at: at("2026-03-10T09:00:00Z"),
        to: EmailAddress::parse("ans@korenaar.example").unwrap(),
        to_name: Some("Ans Jansen".to_owned()),
        language: language.to_owned(),
        kind,
        reference: Some("EC-7K3M-9PX2".to_owned()),
        data: data_for(kind, language),
        rendered: None,
        link: Some("https://eencent.example/r/abc?x=1&y=2".to_owned()),
        give_up_at: at("2126-03-13T09:00:00Z"),
    }
}

pub(crate) fn stationery() -> Stationery {
    Stationery {
        from: "Eencent <noreply@eencent.example>".parse().unwrap(),
        reply_to: None,
        bounce_to: None,
        signers: Vec::new(),
    }
}

pub(crate) fn sealed() -> Sealed {
    let letter = letter(EmailKind::RoundOff, "nl");
    let rendered = renderer().render(letter.kind, "nl", &letter.data).unwrap();
    stationery().seal(&letter, &rendered).unwrap()
}
