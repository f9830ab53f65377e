//! The workers over the real store and desk: from a committed notification to an e-mail in a folder.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eencent_activations::clock::{Clock, ManualClock, Timestamp};
use eencent_activations::desk::support::{Intended, Pen};
use eencent_activations::desk::{Act, Actor, Desk, NewCreator, NewIdentifier, NewOrganisation, When};
use eencent_activations::entropy::OsEntropy;
use eencent_activations::identifier::Identifier;
use eencent_activations::inbox::Inbox;
use eencent_activations::ledger::{NoNudge, Nudge};
use eencent_activations::links::LinksKey;
use eencent_activations::money::Money;
use eencent_activations::notification::{
    Event, Mode, PaymentNotification, PaymentStatus, Proof, Receipt, ReferenceHint, Told,
};
use eencent_activations::personal::HolderName;
use eencent_activations::register::{Entry, Lookup, NoEntry};
use eencent_activations::reread::{Answer, Order, Origin, Rereading, Step};
use eencent_activations::state::State;
use eencent_activations::store::Store;
use eencent_jobs::{Desks, Settings, Workers, WorkersError, nudge};
use eencent_test_stores as stores;
use tokio_util::sync::CancellationToken;

/// Tuesday 10 March 2026, 10:00 in Amsterdam: the office is open.
const TUESDAY: &str = "2026-03-10T09:00:00Z";

fn table() -> toml::Table {
    include_str!("../../config/default.toml").parse().unwrap()
}

fn sections<T: serde::de::DeserializeOwned>(names: &[&str]) -> T {
    let whole = table();
    let some = names
        .iter()
        .map(|name| ((*name).to_owned(), whole.get(*name).unwrap().clone()));
    some.collect::<toml::Table>().try_into().unwrap()
}

struct Run {
    store: Store,
    desk: Desk,
    inbox: Inbox,
    clock: ManualClock,
    /// Writes what isn't sent yet.
    pen: Arc<dyn Pen>,
    stop: CancellationToken,
    end: tokio::task::JoinHandle<Result<(), WorkersError>>,
}

impl Run {
    async fn start(folder: &Path, url: &str, hints: bool) -> Self {
        let store = Store::open(url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = ManualClock::at(Timestamp::parse_rfc3339(TUESDAY).unwrap());
        let rules: eencent_activations::rules::Settings = sections(&[
            "activation",
            "office",
            "organisations",
            "contact",
            "checkout",
            "review",
            "invoice",
        ]);
        let key = LinksKey::from_hex(&"5a".repeat(32)).unwrap();
        let rules = rules.validate(key, "http://localhost:8080", clock.now()).unwrap();
        let mut settings: Settings = sections(&["mail", "queue", "jobs", "events", "retention", "support"]);
        settings.mail.url = format!("file:{}", folder.join("mail").display());
        settings.queue.url = format!("sqlite://{}", folder.join("queue.db").display());
        settings.jobs.sweep_interval_ms = 100;
        let (ours, feeder) = nudge(1_000);
        let ours: Arc<dyn Nudge> = if hints { Arc::new(ours) } else { Arc::new(NoNudge) };
        let entropy = Arc::new(OsEntropy);
        let desk = Desk::new(
            store.clone(),
            Arc::new(clock.clone()),
            entropy.clone(),
            Arc::clone(&ours),
            Arc::new(rules),
        );
        let inbox = Inbox::start(store.clone(), ours);
        let checked = settings.validate().unwrap();
        let pen = checked.pen().unwrap();
        let workers = Workers::new(
            checked,
            Desks {
                store: store.clone(),
                desk: desk.clone(),
                inbox: inbox.clone(),
                rereading: Arc::new(NothingToRead),
                registers: Arc::new(NothingToRead),
            },
            Arc::new(clock.clone()),
            entropy,
            feeder,
        )
        .unwrap();
        let stop = CancellationToken::new();
        let end = tokio::spawn(workers.run(stop.clone()));
        Self {
            store,
            desk,
            inbox,
            clock,
            pen,
            stop,
            end,
        }
    }

    async fn stopped(self) {
        self.stop.cancel();
        self.end.await.unwrap().unwrap();
        self.inbox.close().await;
        self.store.close().await;
    }
}

async fn mails(folder: &Path, wanted: usize) -> Vec<PathBuf> {
    let begun = Instant::now();
    loop {
        let all = std::fs::read_dir(folder.join("mail")).into_iter().flatten();
        let mut mails: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
        mails.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        if mails.len() >= wanted {
            mails.sort();
            return mails;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{} of {wanted} mails",
            mails.len()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn organisation() -> NewOrganisation {
    NewOrganisation {
        environment: Some("env-1".to_owned()),
        legal_name: Some("Bakkerij De Korenaar B.V.".to_owned()),
        legal_form: Some("Besloten Vennootschap".to_owned()),
        country: Some("NL".to_owned()),
        names_source: Some("register".to_owned()),
        identifiers: vec![NewIdentifier {
            scheme: "NL:KVK".to_owned(),
            value: "12345678".to_owned(),
        }],
        address: None,
        creator: Some(NewCreator {
            name: Some("Anna Jansen".to_owned()),
            email: Some("jansen@example.nl".to_owned()),
            language: Some("nl".to_owned()),
            role: Some("administrator".to_owned()),
        }),
        ..NewOrganisation::default()
    }
}

fn paid(reference: &str, at: Timestamp) -> Receipt {
    let payment = PaymentNotification {
        payment_id: "tr_1".to_owned(),
        status: PaymentStatus::Paid,
        amount: Some(Money::cents(1)),
        holder: HolderName::parse("Bakkerij De Korenaar B.V."),
        account_number: None,
        reference: Some(ReferenceHint::Exact(reference.to_owned())),
        paid_at: None,
        proof: Proof::WholeMessage,
        mode: Some(Mode::Live),
        name_comes_separately: false,
    };
    Receipt {
        endpoint: "mollie".to_owned(),
        provider: "mollie".to_owned(),
        account: "mollie".to_owned(),
        mode: Mode::Live,
        received_at: at,
        request_id: "req_1".to_owned(),
        proven_by: "signature".to_owned(),
        headers: vec![],
        body: b"{}".to_vec(),
        events: vec![Event {
            event_id: "evt_1".to_owned(),
            digest: [7; 32],
            told: Told::Payment(Box::new(payment)),
            reread: None,
        }],
    }
}

/// No message of these tests leaves anything to be read.
struct NothingToRead;

impl Rereading for NothingToRead {
    fn origin(&self, _: &str) -> Option<Origin> {
        None
    }

    fn make(&self, _: &str, _: &Order, _: &[Answer]) -> Step {
        Step::Never("nothing".to_owned())
    }

    fn next(&self, _: &str, _: &str, _: &[Answer]) -> Step {
        Step::Never("nothing".to_owned())
    }
}

#[async_trait::async_trait]
impl Lookup for NothingToRead {
    async fn entry(&self, _: &Identifier) -> Result<Entry, NoEntry> {
        Err(NoEntry::NotConfigured)
    }
}

async fn from_payment_to_link(hints: bool) {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path(), &stores::database(folder.path()), hints).await;
    let platform = Actor::key("platform");
    let organisation = run.desk.register(&platform, organisation()).await.unwrap();
    let activation = run.desk.start(&platform, &organisation.id, "ideal").await.unwrap();
    run.inbox
        .commit(paid(&activation.reference, run.clock.now()))
        .await
        .unwrap();

    let found = mails(folder.path(), 1).await;
    let mail = std::fs::read_to_string(found.first().unwrap()).unwrap();
    assert!(
        mail.contains(&format!("X-Activation: {}\r\n", activation.reference)),
        "{mail}"
    );
    assert!(
        mail.contains("jansen@example.nl") && mail.contains("http://localhost:8080/round-off/"),
        "{mail}"
    );
    let now = run.desk.activation(&activation.id).await.unwrap();
    assert_eq!(now.state, State::AwaitingConfirmation);

    run.desk.cancel(&platform, &activation.id, "not needed").await.unwrap();
    assert_eq!(mails(folder.path(), 2).await.len(), 2);
    run.stopped().await;
}

#[tokio::test]
async fn a_payment_becomes_a_link_in_a_folder() {
    from_payment_to_link(true).await;
}

#[tokio::test]
async fn fault_34_so_it_does_when_nobody_gives_hints() {
    from_payment_to_link(false).await;
}

/// What support reads before it acts is what the creator gets, word for word, but for the secret link.
#[tokio::test]
async fn what_is_foreseen_of_an_act_is_the_e_mail_that_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path(), &stores::database(folder.path()), true).await;
    let platform = Actor::key("platform");
    let organisation = run.desk.register(&platform, organisation()).await.unwrap();
    let activation = run.desk.start(&platform, &organisation.id, "ideal").await.unwrap();
    let mut receipt = paid(&activation.reference, run.clock.now());
    for event in &mut receipt.events {
        if let Told::Payment(payment) = &mut event.told {
            payment.holder = HolderName::parse("Slagerij Van Dam");
        }
    }
    run.inbox.commit(receipt).await.unwrap();
    mails(folder.path(), 1).await;
    // Friday evening: it will be scheduled.
    run.clock.set(Timestamp::parse_rfc3339("2026-03-13T17:00:00Z").unwrap());
    let act = async |reason: &str| Act {
        version: run.desk.activation(&activation.id).await.unwrap().version,
        actor: "Anna".to_owned(),
        reason: reason.to_owned(),
    };
    let ask = Intended::Ask("Who is <Slagerij Van Dam>?".to_owned());
    let approve = Intended::Approve(When::OfficeHours);
    let mut foreseen = Vec::new();
    for intended in [&ask, &approve] {
        let told = run.desk.foresee_act(&activation.id, intended).await.unwrap();
        let email = told.emails.first().unwrap();
        foreseen.push(run.desk.without_secrets(email.kind, &run.pen.write(email).unwrap()));
        match intended {
            Intended::Ask(question) => {
                let asked = act(question).await;
                run.desk
                    .request_information(&platform, &activation.id, asked)
                    .await
                    .unwrap();
                // The question is sent before the answer to it isn't waited for any more.
                mails(folder.path(), 2).await;
            }
            _ => {
                let approved = act("seen the extract").await;
                run.desk
                    .approve(&platform, &activation.id, approved, When::OfficeHours)
                    .await
                    .unwrap();
            }
        }
    }
    mails(folder.path(), 3).await;
    let emails = run.desk.activation(&activation.id).await.unwrap().emails;
    for (email, foreseen) in emails.iter().skip(1).zip(&foreseen) {
        let sent = run.desk.email_as_sent(&activation.id, &email.id).await.unwrap();
        assert_eq!(sent.rendered.as_ref(), Some(foreseen), "{}", email.kind);
    }
    assert!(
        foreseen
            .iter()
            .all(|one| !one.text.contains("@@") && !one.html.contains("@@"))
    );
    run.stopped().await;
}

/// Every e-mail that the desk writes fits its template: an invoice, and both kinds of waiting.
#[tokio::test]
async fn time_passes_by_the_clock_that_was_given_and_its_mails_fit_their_templates() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path(), &stores::database(folder.path()), true).await;
    let platform = Actor::key("platform");
    let organisation = run.desk.register(&platform, organisation()).await.unwrap();
    run.desk.start(&platform, &organisation.id, "ideal").await.unwrap();
    // Halfway a reminder, and at the end it expires.
    for (days, wanted) in [(8, 1), (8, 2)] {
        run.clock.advance(Duration::from_secs(days * 86_400));
        mails(folder.path(), wanted).await;
    }
    let second = run.desk.start(&platform, &organisation.id, "ideal").await.unwrap();
    run.desk.cancel(&platform, &second.id, "not needed").await.unwrap();
    let names: Vec<String> = mails(folder.path(), 3)
        .await
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for kind in ["reminder_to_pay", "expired", "cancelled"] {
        assert!(names.iter().any(|name| name.contains(kind)), "{kind} in {names:?}");
    }
    run.stopped().await;
}

#[tokio::test]
async fn what_is_old_is_purged_when_its_time_comes() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::start(folder.path(), &stores::database(folder.path()), true).await;
    let mut receipt = paid("", run.clock.now());
    for event in &mut receipt.events {
        event.told = Told::Ignored("says nothing about a payment".to_owned());
    }
    run.inbox.commit(receipt).await.unwrap();
    assert!(run.desk.explain("evt_1").await.unwrap().is_some());
    run.clock.advance(Duration::from_secs(401 * 86_400));
    let begun = Instant::now();
    while run.desk.explain("evt_1").await.unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    run.stopped().await;
}
