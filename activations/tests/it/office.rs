//! A whole office on a database of its own: desk, inbox, and a clock that tests turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eencent_activations::clock::{Clock, ManualClock, Timestamp};
use eencent_activations::desk::deliveries::Listener;
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::{Act, Actor, Desk, NewCreator, NewIdentifier, NewOrganisation};
use eencent_activations::entropy::CountedEntropy;
use eencent_activations::inbox::Inbox;
use eencent_activations::invoicing::InvoiceSettings;
use eencent_activations::ledger::{NoNudge, Work};
use eencent_activations::links::LinksKey;
use eencent_activations::money::Money;
use eencent_activations::notification::{
    Event, Mode, PaymentNotification, PaymentStatus, Proof, Receipt, ReferenceHint, Told,
};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::rules::{
    ActivationSettings, ContactSettings, OfficeSettings, OrganisationSettings, Refetching, ReviewSettings, Settings,
};
use eencent_activations::store::Store;
use eencent_activations::views::{ActivationView, OrganisationView};
use eencent_test_stores as stores;
use sha2::{Digest, Sha256};
use sqlx::{AnyPool, Row as _};

/// Tuesday 10 March 2026, 10:00 in Amsterdam: the office is open.
pub const TUESDAY: &str = "2026-03-10T09:00:00Z";
/// Friday 13 March 2026, 18:00 in Amsterdam: the office is closed until Monday.
pub const FRIDAY_EVENING: &str = "2026-03-13T17:00:00Z";

pub const LEASE: Duration = Duration::from_secs(30);

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub fn settings() -> Settings {
    Settings {
        activation: ActivationSettings {
            ideal_amount: "0.01".into(),
            invoice_amount: "18.15".into(),
            ideal_completion: "link".into(),
            invoice_completion: "immediate".into(),
            ideal_days: 14,
            invoice_days: 30,
            link_days: 14,
            information_days: 30,
            companion_minutes: 10,
            review_share: 0,
            review_legal_forms: vec![],
            answer_files: 5,
            answer_megabytes: 20,
        },
        office: OfficeSettings {
            hours: "Mo-Fr 09:00-17:00; PH off".into(),
            zone: "Europe/Amsterdam".into(),
        },
        organisations: OrganisationSettings { free: 2 },
        contact: ContactSettings {
            support_email: "support@example.nl".into(),
            support_url: String::new(),
            sales: "sales@example.nl".into(),
            belgium_url: "https://example.nl/belgie".into(),
            peppol_url: String::new(),
        },
        review: ReviewSettings {
            second_person: "off".into(),
        },
        checkout: eencent_activations::rules::CheckoutSettings::default(),
        invoice: InvoiceSettings {
            iban: "NL91ABNA0417164300".into(),
            reference: "creditor_reference".into(),
            number_prefix: "EC-".into(),
            vat_percent: "21".into(),
            seller_name: "Eencent B.V.".into(),
            seller_street: "Keizersgracht 1".into(),
            seller_postcode: "1015 CJ".into(),
            seller_city: "Amsterdam".into(),
            seller_kvk: "68750110".into(),
            seller_vat: "NL822010690B01".into(),
            ..InvoiceSettings::default()
        },
    }
}

pub struct Office {
    pub store: Store,
    pub desk: Desk,
    pub inbox: Inbox,
    pub clock: ManualClock,
    requests: AtomicU64,
    entropy: Arc<CountedEntropy>,
    pub url: String,
    /// Goes with the test.
    _folder: tempfile::TempDir,
}

impl Office {
    pub async fn open() -> Self {
        Self::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = stores::database(folder.path());
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = ManualClock::at(at(TUESDAY));
        let entropy = Arc::new(CountedEntropy::default());
        let desk = desk(&store, &clock, &entropy, &settings);
        let inbox = Inbox::start(store.clone(), Arc::new(NoNudge));
        Self {
            store,
            desk,
            inbox,
            clock,
            requests: AtomicU64::new(0),
            entropy,
            url,
            _folder: folder,
        }
    }

    /// The same database under other settings, as after a restart.
    pub fn restart(&mut self, settings: &Settings) {
        self.desk = desk(&self.store, &self.clock, &self.entropy, settings);
    }

    /// Names of Dutch organisations are fetched again when they are a day old.
    pub fn connect_register(&mut self) {
        let refetching = Refetching {
            age: Duration::from_secs(24 * 60 * 60),
            schemes: vec!["NL:KVK".to_owned()],
        };
        let rules = self.desk.rules().clone().refetching(Some(refetching));
        self.desk = Desk::new(
            self.store.clone(),
            Arc::new(self.clock.clone()),
            self.entropy.clone(),
            Arc::new(NoNudge),
            Arc::new(rules),
        );
    }

    pub fn key() -> Actor {
        Actor::key("platform")
    }

    pub async fn register(&self, change: impl FnOnce(&mut NewOrganisation)) -> OrganisationView {
        let mut new = organisation();
        change(&mut new);
        self.desk.register(&Self::key(), new).await.unwrap()
    }

    /// Bakkerij De Korenaar B.V., with an activation waiting for its payment.
    pub async fn started(&self, method: &str) -> ActivationView {
        let organisation = self.register(|_| ()).await;
        self.desk.start(&Self::key(), &organisation.id, method).await.unwrap()
    }

    pub async fn view(&self, id: &str) -> ActivationView {
        self.desk.activation(id).await.unwrap()
    }

    /// Posts an event and processes everything that is due.
    pub async fn told(&self, event_id: &str, payment: PaymentNotification) {
        self.posted(event_id, payment).await;
        self.work().await;
    }

    pub async fn posted(&self, event_id: &str, payment: PaymentNotification) {
        self.posted_by("mollie", event_id, payment).await;
    }

    pub async fn posted_by(&self, account: &str, event_id: &str, payment: PaymentNotification) {
        let body = serde_json::to_vec(&payment).unwrap();
        self.receipt(account, event_id, &body, Told::Payment(Box::new(payment)))
            .await;
    }

    pub async fn receipt(&self, account: &str, event_id: &str, body: &[u8], told: Told) {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let receipt = Receipt {
            endpoint: account.to_owned(),
            provider: "mollie".into(),
            account: account.to_owned(),
            mode: Mode::Live,
            received_at: self.clock.now(),
            request_id: format!("req_{number}"),
            proven_by: "signature, secret 1 of 1".into(),
            headers: vec![],
            body: body.to_vec(),
            events: vec![Event {
                event_id: event_id.to_owned(),
                digest: Sha256::digest(body).into(),
                told,
                reread: None,
            }],
        };
        self.inbox.commit(receipt).await.unwrap();
    }

    /// Does all work that is due: events, then approvals, until nothing is.
    pub async fn work(&self) {
        loop {
            let mut done = 0;
            for work in [Work::Event, Work::Approval] {
                for id in self.store.due(work, self.clock.now(), 100).await.unwrap() {
                    let Some(claim) = self.store.claim(work, &id, self.clock.now(), LEASE).await.unwrap() else {
                        continue;
                    };
                    match work {
                        Work::Event => self.desk.process_event(&claim).await.unwrap(),
                        _ => self.desk.carry_out(&claim).await.unwrap(),
                    }
                    done += 1;
                }
            }
            if done == 0 {
                return;
            }
        }
    }

    /// Holds approvals back: what is approved stands and waits.
    pub async fn hold_approvals(&self) {
        let actor = Actor::command_line();
        let order = Order {
            actor: &actor,
            reason: "to look at what was approved",
        };
        assert!(self.desk.pause_work(Work::Approval, order).await.unwrap());
    }

    /// Lets them go on.
    pub async fn let_approvals_go(&self) {
        let actor = Actor::command_line();
        let order = Order {
            actor: &actor,
            reason: "looked at",
        };
        assert!(self.desk.resume_work(Work::Approval, order).await.unwrap());
    }

    pub async fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for id in self.store.due(Work::Email, self.clock.now(), 100).await.unwrap() {
            let claim = self
                .store
                .claim(Work::Email, &id, self.clock.now(), LEASE)
                .await
                .unwrap()
                .unwrap();
            let letter = self.desk.emails(std::slice::from_ref(&claim)).await.unwrap().remove(0);
            links.extend(letter.link.map(|link| link.rsplit('/').next().unwrap().to_owned()));
            self.desk.emails_sent(std::slice::from_ref(&claim)).await.unwrap();
        }
        links
    }

    /// How many e-mails of each kind there are.
    pub async fn emails(&self, id: &str) -> HashMap<String, usize> {
        let mut count = HashMap::new();
        for email in self.view(id).await.emails {
            *count.entry(email.kind.as_str().to_owned()).or_default() += 1;
        }
        count
    }

    pub async fn told_platform(&self, id: &str) -> Vec<String> {
        let explanation = self.desk.explanation(id).await.unwrap();
        explanation.deliveries.into_iter().map(|event| event.kind).collect()
    }

    /// An act on the activation as it is now.
    pub async fn act(&self, id: &str) -> Act {
        Act {
            version: self.view(id).await.version,
            actor: "Sanne".into(),
            reason: "seen the extract".into(),
        }
    }
}

fn desk(store: &Store, clock: &ManualClock, entropy: &Arc<CountedEntropy>, settings: &Settings) -> Desk {
    let key = LinksKey::from_hex(&"5a".repeat(32)).unwrap();
    let listener = Listener {
        endpoint: "platform".to_owned(),
        types: Vec::new(),
    };
    let rules = settings.validate(key, "http://localhost:8080", clock.now()).unwrap();
    let rules = rules.telling(vec![listener]);
    Desk::new(
        store.clone(),
        Arc::new(clock.clone()),
        entropy.clone(),
        Arc::new(NoNudge),
        Arc::new(rules),
    )
}

pub fn organisation() -> NewOrganisation {
    NewOrganisation {
        environment: Some("env-1".into()),
        legal_name: Some("Bakkerij De Korenaar B.V.".into()),
        trade_names: vec!["De Korenaar".into()],
        legal_form: Some("Besloten Vennootschap".into()),
        country: Some("NL".into()),
        names_source: Some("register".into()),
        identifiers: vec![kvk("12345678")],
        address: None,
        creator: Some(NewCreator {
            name: Some("Anna Jansen".into()),
            email: Some("jansen@example.nl".into()),
            language: Some("nl".into()),
            role: Some("administrator".into()),
        }),
        kvk: None,
    }
}

pub fn kvk(number: &str) -> NewIdentifier {
    NewIdentifier {
        scheme: "NL:KVK".into(),
        value: number.into(),
    }
}

/// One cent from the right account, just paid.
pub fn paid(reference: &str) -> PaymentNotification {
    PaymentNotification {
        payment_id: "tr_1".into(),
        status: PaymentStatus::Paid,
        amount: Some(Money::cents(1)),
        holder: HolderName::parse("Bakkerij De Korenaar B.V."),
        account_number: AccountNumber::iban("NL91ABNA0417164300"),
        reference: Some(ReferenceHint::Exact(reference.to_owned())),
        paid_at: None,
        proof: Proof::WholeMessage,
        mode: Some(Mode::Live),
        name_comes_separately: false,
    }
}

/// The same payment in another status; a message that says nothing else.
pub fn status(reference: &str, status: PaymentStatus) -> PaymentNotification {
    PaymentNotification {
        status,
        holder: None,
        account_number: None,
        ..paid(reference)
    }
}

/// Another payment.
pub fn another(id: &str, cents: i64, reference: &str) -> PaymentNotification {
    PaymentNotification {
        payment_id: id.to_owned(),
        amount: Some(Money::cents(cents)),
        ..paid(reference)
    }
}

/// Until somebody waits for a lock of another; where only one may write at a time, they wait before they look.
pub async fn somebody_waits(pool: &AnyPool) {
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let until = async {
        while stores::on_servers() && sqlx::query(waiting).fetch_one(pool).await.unwrap().get::<i64, _>(0) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), until).await;
    assert!(waited.is_ok(), "nobody waits for anybody");
}
