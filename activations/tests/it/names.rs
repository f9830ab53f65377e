//! Names that are too old to decide on: fetched again first, and what becomes of the decision meanwhile.

use std::time::Duration;

use eencent_activations::clock::{Clock as _, Timestamp};
use eencent_activations::desk::{Fetched, OrganisationChange};
use eencent_activations::identifier::Identifier;
use eencent_activations::ledger::{Claim, Work};
use eencent_activations::notification::PaymentStatus;
use eencent_activations::refused::DeskError;
use eencent_activations::register::{Entry, Standing};
use eencent_activations::state::State;
use eencent_activations::store::StoreError;
use eencent_activations::views::ActivationView;
use sqlx::{AnyPool, Row as _};

use crate::office::{LEASE, Office, another, kvk, paid, status};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BAKERY: &str = "Bakkerij De Korenaar B.V.";

/// An office with a register, and an activation whose names are a day old.
async fn a_day_later(method: &str) -> (Office, ActivationView) {
    let mut office = Office::open().await;
    office.connect_register();
    let view = office.started(method).await;
    office.clock.advance(DAY);
    (office, view)
}

fn codes(view: &ActivationView) -> Vec<&str> {
    view.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

fn says(office: &Office, names: &[&str], standing: Standing) -> Fetched {
    let number = Identifier::parse("NL:KVK", "12345678").unwrap();
    let entry = Entry::new(number, names, standing, office.clock.now()).unwrap();
    Fetched::Entry(Box::new(entry.of_form(Some("Besloten Vennootschap"))))
}

async fn claimed(office: &Office) -> Option<Claim> {
    let due = office.store.due(Work::Names, office.clock.now(), 10).await.unwrap();
    assert!(due.len() <= 1, "an activation waits once");
    let id = due.first()?;
    office
        .store
        .claim(Work::Names, id, office.clock.now(), LEASE)
        .await
        .unwrap()
}

async fn fetched(office: &Office, fetched: &Fetched) {
    let claim = claimed(office).await.unwrap();
    office.desk.names_fetched(&claim, fetched).await.unwrap();
    office.work().await;
}

async fn audited(office: &Office) -> Vec<(String, String, String)> {
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let rows = sqlx::query("SELECT actor, act, reason FROM audit WHERE act LIKE '%names%' ORDER BY at, id")
        .fetch_all(&pool)
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

async fn asked_of_the_last_decision(office: &Office, id: &str) -> serde_json::Value {
    let explanation = office.desk.explanation(id).await.unwrap();
    explanation.decisions.last().unwrap().record["asked"].clone()
}

#[tokio::test]
async fn names_younger_than_a_day_decide_at_once_and_nobody_is_asked() {
    let (office, view) = a_day_later("ideal").await;
    office.clock.set(office.clock.now().minus(Duration::from_secs(1)));
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    assert!(claimed(&office).await.is_none());
    let asked = asked_of_the_last_decision(&office, &view.id).await;
    assert_eq!(asked["names_at"], "2026-03-10T09:00:00Z");
    assert_eq!(asked["register"], "current");
}

#[tokio::test]
async fn where_no_register_is_configured_names_of_any_age_decide_as_ever() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.clock.advance(10 * DAY);
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    assert!(claimed(&office).await.is_none());
}

#[tokio::test]
async fn names_of_a_day_wait_for_the_register_and_the_record_says_from_when_they_are() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    office.clock.advance(Duration::from_secs(90));
    let now = office.clock.now();
    fetched(&office, &says(&office, &[BAKERY, "De Korenaar"], Standing::Registered)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    let asked = asked_of_the_last_decision(&office, &view.id).await;
    assert_eq!(asked["names_at"], serde_json::json!(now));
    let organisation = office.desk.organisation(&view.organisation).await.unwrap();
    assert_eq!(organisation.names_at, Some(now));
    assert_eq!(audited(&office).await, [], "nothing changed but their age");
    assert!(claimed(&office).await.is_none());
}

#[tokio::test]
async fn names_that_changed_are_kept_audited_and_decided_on() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    fetched(
        &office,
        &says(&office, &["Slagerij Van Dam B.V.", "Van Dam"], Standing::Registered),
    )
    .await;
    let now = office.view(&view.id).await;
    assert_eq!(
        now.state,
        State::UnderReview,
        "the payer is not the organisation any more"
    );
    let asked = asked_of_the_last_decision(&office, &view.id).await;
    assert_eq!(
        (asked["legal_name"].as_str(), asked["trade_names"][0].as_str()),
        (Some("Slagerij Van Dam B.V."), Some("Van Dam"))
    );
    let organisation = office.desk.organisation(&view.organisation).await.unwrap();
    assert_eq!(
        (organisation.legal_name.as_str(), organisation.names_source.as_str()),
        ("Slagerij Van Dam B.V.", "register")
    );
    assert_eq!(organisation.identifiers[0].value(), "12345678");
    let [(actor, act, reason)] = &audited(&office).await[..] else {
        panic!("one line in the audit");
    };
    assert_eq!(
        (actor.as_str(), act.as_str()),
        ("register", "organisation's names changed")
    );
    assert!(
        reason.contains("Slagerij Van Dam B.V.") && reason.contains(BAKERY),
        "{reason}"
    );

    // The other way: it was registered under a name that is not its name any more.
    let mut office = Office::open().await;
    office.connect_register();
    let organisation = office
        .register(|new| new.legal_name = Some("Slagerij Van Dam B.V.".into()))
        .await;
    let view = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    office.clock.advance(DAY);
    office.told("event_1", paid(&view.reference)).await;
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn one_that_the_register_says_is_gone_goes_to_review_with_that_reason() {
    for (found, code, says_so) in [
        (None, "register_unknown", "unknown"),
        (Some(Standing::Ended), "register_ended", "ended"),
    ] {
        let (office, view) = a_day_later("ideal").await;
        office.told("event_1", paid(&view.reference)).await;
        let found = found.map_or(Fetched::Unknown, |standing| says(&office, &["Another Name"], standing));
        fetched(&office, &found).await;
        let now = office.view(&view.id).await;
        assert_eq!((now.state, codes(&now)), (State::UnderReview, vec![code]));
        assert_eq!(asked_of_the_last_decision(&office, &view.id).await["register"], says_so);
        let organisation = office.desk.organisation(&view.organisation).await.unwrap();
        assert_eq!(organisation.legal_name, BAKERY, "its last names are kept");
        assert_eq!(office.emails(&view.id).await.get("takes_longer"), Some(&1));
    }
}

#[tokio::test]
async fn when_the_register_is_given_up_it_goes_to_review_with_a_reason_of_its_own_and_once() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let claim = claimed(&office).await.unwrap();
    office
        .store
        .give_up(&claim, office.clock.now(), "the register is down")
        .await
        .unwrap();
    for _ in 0..2 {
        office.desk.time_passes(10).await.unwrap();
        let now = office.view(&view.id).await;
        assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["register_silent"]));
        assert_eq!(now.history.len(), 2, "decided once");
    }
    assert_eq!(
        asked_of_the_last_decision(&office, &view.id).await["register"],
        "nothing"
    );
    assert!(claimed(&office).await.is_none());
}

#[tokio::test]
async fn a_register_that_is_taken_out_of_the_settings_is_waited_for_no_longer() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    fetched(&office, &Fetched::NotConfigured).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn entered_names_and_other_numbers_are_not_the_registers() {
    let (office, _) = a_day_later("ideal").await;
    let entered = office
        .register(|new| {
            new.names_source = Some("entered".into());
            new.identifiers = vec![kvk("87654321")];
        })
        .await;
    assert_eq!(entered.names_at, None);
    let view = office.desk.start(&Office::key(), &entered.id, "ideal").await.unwrap();
    office.clock.advance(2 * DAY);
    office.told("event_1", paid(&view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["names_entered"]));

    let mut office = Office::open().await;
    office.connect_register();
    let organisation = office
        .register(|new| {
            new.identifiers = vec![eencent_activations::desk::NewIdentifier {
                scheme: "NL:RSIN".into(),
                value: "123456782".into(),
            }];
        })
        .await;
    let view = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    office.clock.advance(2 * DAY);
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn names_are_from_when_the_platform_said_that_they_are_the_registers() {
    let (office, _) = a_day_later("ideal").await;
    let change = |source: Option<&str>, name: Option<&str>| OrganisationChange {
        names_source: source.map(str::to_owned),
        legal_name: name.map(str::to_owned),
        ..OrganisationChange::default()
    };
    let fresh = office.register(|new| new.identifiers = vec![kvk("87654321")]).await;
    let begun = office.clock.now();
    assert_eq!(fresh.names_at, Some(begun));
    office.clock.advance(DAY);
    let key = Office::key();
    let changed = office
        .desk
        .change(&key, &fresh.id, change(Some("register"), Some(BAKERY)))
        .await
        .unwrap();
    assert_eq!(changed.names_at, Some(begun.plus(DAY)));
    let changed = office
        .desk
        .change(&key, &fresh.id, change(None, Some("Typed B.V.")))
        .await
        .unwrap();
    assert_eq!((changed.names_at, changed.names_source.as_str()), (None, "entered"));
    let read = office.desk.organisation(&fresh.id).await.unwrap();
    assert_eq!(read, changed);
}

#[tokio::test]
async fn whoever_lost_the_lease_changes_nothing_and_the_next_one_decides_once() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let slow = claimed(&office).await.unwrap();
    // As after a crash: whoever held it is dead, and the row waits.
    office.store.free_leases().await.unwrap();
    let next = claimed(&office).await.unwrap();
    let wrong = says(&office, &["Slagerij Van Dam B.V."], Standing::Registered);
    let late = office.desk.names_fetched(&slow, &wrong).await;
    assert!(
        matches!(late, Err(DeskError::Store(StoreError::LeaseLost(_)))),
        "{late:?}"
    );
    let organisation = office.desk.organisation(&view.organisation).await.unwrap();
    assert_eq!(organisation.legal_name, BAKERY);
    let right = says(&office, &[BAKERY], Standing::Registered);
    office.desk.names_fetched(&next, &right).await.unwrap();
    assert!(
        office.desk.names_fetched(&next, &wrong).await.is_err(),
        "a claim ends once"
    );
    // PostgreSQL rolls back what was refused in its own time, and what it still holds is left for the next look.
    while office.view(&view.id).await.state == State::Approved {
        office.work().await;
    }
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    assert_eq!(office.emails(&view.id).await.get("round_off"), Some(&1));
}

#[tokio::test]
async fn what_is_withdrawn_meanwhile_stays_withdrawn_and_keeps_its_names() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office.desk.cancel(&Office::key(), &view.id, "").await.unwrap();
    fetched(
        &office,
        &says(&office, &["Slagerij Van Dam B.V."], Standing::Registered),
    )
    .await;
    assert_eq!(office.view(&view.id).await.state, State::Cancelled);
    let organisation = office.desk.organisation(&view.organisation).await.unwrap();
    assert_eq!(organisation.legal_name, BAKERY);
}

#[tokio::test]
async fn a_payment_that_is_reversed_meanwhile_activates_nobody() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office
        .told("event_2", status(&view.reference, PaymentStatus::Refunded))
        .await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["payment_reversed"]));
}

#[tokio::test]
async fn one_that_is_paid_is_not_reminded_and_does_not_expire_while_the_register_is_asked() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    for days in [8, 12] {
        office.clock.advance(days * DAY);
        office.desk.time_passes(10).await.unwrap();
    }
    assert!(office.emails(&view.id).await.is_empty());
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn a_part_of_an_invoice_asks_nobody_and_the_last_part_does() {
    let (office, view) = a_day_later("invoice").await;
    office.told("event_1", another("trx_1", 1000, &view.reference)).await;
    assert!(claimed(&office).await.is_none());
    assert_eq!(office.emails(&view.id).await.get("partly_paid"), Some(&1));
    office.told("event_2", another("trx_2", 815, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    assert_eq!(office.view(&view.id).await.state, State::Activated);
}

#[tokio::test]
async fn a_name_that_comes_during_review_waits_for_the_register_too() {
    for (name, state) in [
        (BAKERY, State::AwaitingConfirmation),
        ("Slagerij Van Dam B.V.", State::UnderReview),
    ] {
        let mut office = Office::open().await;
        office.connect_register();
        let view = office.started("ideal").await;
        office
            .told("event_1", status(&view.reference, PaymentStatus::Paid))
            .await;
        let now = office.view(&view.id).await;
        assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["name_missing"]));
        office.clock.advance(DAY);
        office.told("event_2", paid(&view.reference)).await;
        assert_eq!(office.view(&view.id).await.state, State::UnderReview);
        fetched(&office, &says(&office, &[name], Standing::Registered)).await;
        let now = office.view(&view.id).await;
        assert_eq!(now.state, state, "{now:?}");
        assert!(!codes(&now).contains(&"name_missing"), "{now:?}");
    }
}

#[tokio::test]
async fn those_in_a_group_whose_names_are_fresh_do_not_wait_for_those_whose_are_not() {
    let (office, old) = a_day_later("ideal").await;
    let organisation = office.register(|new| new.identifiers = vec![kvk("87654321")]).await;
    let fresh = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    office.posted("event_1", paid(&old.reference)).await;
    office.posted("event_2", another("tr_2", 1, &fresh.reference)).await;
    let now = office.clock.now();
    let due = office.store.due(Work::Event, now, 10).await.unwrap();
    let claims = office.store.claim_many(Work::Event, &due, now, LEASE).await.unwrap();
    let claims: Vec<Claim> = claims.into_iter().flatten().collect();
    assert_eq!(claims.len(), 2);
    office.desk.process_events(&claims).await.unwrap();
    office.work().await;
    assert_eq!(office.view(&fresh.id).await.state, State::AwaitingConfirmation);
    assert_eq!(office.view(&old.id).await.state, State::AwaitingPayment);
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    assert_eq!(office.view(&old.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn names_from_another_clocks_future_are_asked_for_and_decide_in_the_end() {
    let (office, view) = a_day_later("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let ahead = Timestamp::from_micros(office.clock.now().plus(Duration::from_secs(3_600)).micros());
    let number = Identifier::parse("NL:KVK", "12345678").unwrap();
    let entry = Entry::new(number, [BAKERY], Standing::Registered, ahead).unwrap();
    fetched(&office, &Fetched::Entry(Box::new(entry))).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    fetched(&office, &says(&office, &[BAKERY], Standing::Registered)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}
