//! Work that is done in groups comes to the same as work done one by one, and a row that kills the process is
//! told from those that shared a group with it.

use std::collections::BTreeMap;

use eencent_activations::clock::Clock as _;
use eencent_activations::desk::OrganisationChange;
use eencent_activations::ledger::{MAX_STARTS, Work};
use eencent_activations::money::Money;
use eencent_activations::notification::{PaymentNotification, PaymentStatus};
use eencent_activations::personal::HolderName;
use eencent_activations::state::State;
use eencent_test_stores as stores;
use proptest::prelude::*;
use sqlx::{AnyPool, Row as _};

use crate::office::{LEASE, Office, another, kvk, paid, somebody_waits};

/// One message of a generated sequence.
#[derive(Debug, Clone)]
struct Message {
    event: u8,
    payment: u8,
    status: PaymentStatus,
    cents: Option<i64>,
    holder: Option<&'static str>,
    activation: u8,
    unnamed: bool,
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let status = prop_oneof![
        6 => Just(PaymentStatus::Paid),
        1 => Just(PaymentStatus::Pending),
        1 => Just(PaymentStatus::Failed),
        1 => Just(PaymentStatus::Refunded),
    ];
    let cents = prop_oneof![6 => Just(Some(1)), 1 => Just(Some(2)), 1 => Just(None)];
    let holder = prop_oneof![
        6 => Just(Some("Bakkerij De Korenaar B.V.")),
        1 => Just(Some("Hr J Jansen")),
        2 => Just(None),
    ];
    // Few events, payments and activations: they meet.
    let message = (
        0..8_u8,
        0..4_u8,
        status,
        cents,
        holder,
        0..3_u8,
        prop::bool::weighted(0.1),
    );
    let message = message.prop_map(|(event, payment, status, cents, holder, activation, unnamed)| Message {
        event,
        payment,
        status,
        cents,
        holder,
        activation,
        unnamed,
    });
    prop::collection::vec(message, 1..14)
}

fn told(message: &Message, references: &[String]) -> PaymentNotification {
    PaymentNotification {
        payment_id: format!("tr_{}", message.payment),
        status: message.status,
        amount: message.cents.map(Money::cents),
        holder: message.holder.and_then(HolderName::parse),
        name_comes_separately: message.unnamed,
        ..paid(&references[usize::from(message.activation)])
    }
}

/// An office with three activations, and their references.
async fn office() -> (Office, Vec<String>) {
    let office = Office::open().await;
    let mut references = Vec::new();
    for number in 0..3 {
        let organisation = office
            .register(|new| {
                new.environment = Some(format!("env-{number}"));
                new.identifiers = vec![kvk(&format!("1234567{number}"))];
            })
            .await;
        let view = office
            .desk
            .start(&Office::key(), &organisation.id, "ideal")
            .await
            .unwrap();
        references.push(view.reference);
    }
    (office, references)
}

/// Everything that the database says of events, payments and activations, but for ids that are made up.
async fn standing(office: &Office) -> BTreeMap<&'static str, Vec<String>> {
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let mut all = BTreeMap::new();
    for (what, sql) in [
        (
            "events",
            "SELECT e.event_id || ' ' || e.kind || ' ' || e.state || ' ' || CAST(e.repeats AS TEXT) || ' ' || COALESCE(c.event_id, '-') \
             || ' ' || COALESCE(a.reference, '-') AS line FROM events e LEFT JOIN events c ON c.id = e.conflicts_with \
             LEFT JOIN activations a ON a.id = e.activation_id",
        ),
        (
            "payments",
            "SELECT p.payment_id || ' ' || p.status || ' ' || COALESCE(CAST(p.amount_minor AS TEXT), '-') || ' ' || COALESCE(p.holder_name, '-') \
             || ' ' || p.standing || ' ' || CAST(p.conflicting AS TEXT) || ' ' || COALESCE(a.reference, '-') || ' ' || COALESCE(s.reference, '-') AS line \
             FROM payments p LEFT JOIN activations a ON a.id = p.activation_id LEFT JOIN activations s ON s.id = p.suggested",
        ),
        (
            "activations",
            "SELECT reference || ' ' || state || ' ' || CAST(version AS TEXT) || ' ' || reasons || ' ' || flags || ' ' \
             || CAST(lacks_only_the_name AS TEXT) AS line FROM activations",
        ),
        (
            "history",
            "SELECT a.reference || ' ' || CAST(h.number AS TEXT) || ' ' || h.happening || ' ' || h.to_state || ' ' || h.reason AS line \
             FROM history h JOIN activations a ON a.id = h.activation_id",
        ),
        (
            "told",
            "SELECT a.reference || ' ' || CAST(e.number AS TEXT) || ' ' || e.kind || ' ' || e.state AS line \
             FROM emails e JOIN activations a ON a.id = e.activation_id",
        ),
    ] {
        let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
        let mut lines: Vec<String> = rows.iter().map(|row| row.get("line")).collect();
        lines.sort();
        all.insert(what, lines);
    }
    pool.close().await;
    all
}

/// Claims all events that are due, in the order of their messages.
async fn claims(office: &Office) -> Vec<eencent_activations::ledger::Claim> {
    let mut ids = office.store.due(Work::Event, office.clock.now(), 100).await.unwrap();
    ids.sort_by_key(|id| id.split('_').nth(1).unwrap().parse::<u32>().unwrap());
    let claimed = office
        .store
        .claim_many(Work::Event, &ids, office.clock.now(), LEASE)
        .await
        .unwrap();
    claimed.into_iter().map(Option::unwrap).collect()
}

async fn together_as_one_by_one(messages: &[Message]) {
    let (alone, references) = office().await;
    let (together, same) = office().await;
    assert_eq!(references, same);
    // What they approve is carried out with the group, for one behind the other at different moments.
    alone.hold_approvals().await;
    together.hold_approvals().await;
    for message in messages {
        let event = format!("event_{}", message.event);
        alone.posted(&event, told(message, &references)).await;
    }
    let posting = messages.iter().map(|message| {
        let event = format!("event_{}", message.event);
        let told = told(message, &references);
        let together = &together;
        async move { together.posted(&event, told).await }
    });
    futures::future::join_all(posting).await;

    for claim in claims(&alone).await {
        alone.desk.process_event(&claim).await.unwrap();
    }
    together.desk.process_events(&claims(&together).await).await.unwrap();
    assert_eq!(standing(&together).await, standing(&alone).await, "{messages:#?}");
}

#[test]
fn a_group_of_messages_comes_to_the_same_as_one_by_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    // A schema on a server costs a second; a file nothing.
    let cases = if stores::on_servers() { 6 } else { 60 };
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = runner.run(&messages(), |messages| {
        runtime.block_on(together_as_one_by_one(&messages));
        Ok(())
    });
    run.unwrap();
}

#[tokio::test]
async fn what_a_group_approves_is_carried_out_with_it_unless_a_later_message_takes_it_back() {
    let (office, references) = office().await;
    office.posted("event_0", another("tr_0", 1, &references[0])).await;
    office.posted("event_1", another("tr_1", 1, &references[1])).await;
    let refunded = PaymentNotification {
        status: PaymentStatus::Refunded,
        ..another("tr_1", 1, &references[1])
    };
    office.posted("event_2", refunded).await;
    office.desk.process_events(&claims(&office).await).await.unwrap();
    let standing = standing(&office).await;
    let told = |reference: &str| {
        let lines = standing["told"].iter().filter(|line| line.starts_with(reference));
        lines.filter(|line| line.contains("round_off")).count()
    };
    assert_eq!((told(&references[0]), told(&references[1])), (1, 0), "{standing:#?}");
    let states: Vec<bool> = [("awaiting_confirmation", 0), ("under_review", 1)]
        .iter()
        .map(|(state, which)| {
            let is = format!("{} {state} ", references[*which]);
            standing["activations"].iter().any(|line| line.starts_with(&is))
        })
        .collect();
    assert_eq!(states, [true, true], "{standing:#?}");
    assert!(
        office
            .store
            .due(Work::Approval, office.clock.now(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_approved_while_approvals_are_paused_waits_until_they_go_on() {
    let (office, references) = office().await;
    office.hold_approvals().await;
    office.posted("event_0", another("tr_0", 1, &references[0])).await;
    office.work().await;
    let approved = format!("{} approved ", references[0]);
    let now = standing(&office).await;
    assert!(
        now["activations"].iter().any(|line| line.starts_with(&approved)),
        "{now:#?}"
    );
    office.let_approvals_go().await;
    office.work().await;
    let linked = format!("{} awaiting_confirmation ", references[0]);
    let now = standing(&office).await;
    assert!(
        now["activations"].iter().any(|line| line.starts_with(&linked)),
        "{now:#?}"
    );
}

#[tokio::test]
async fn fault_37_a_row_that_kills_the_process_is_set_apart_and_none_of_its_group_with_it() {
    let (office, references) = office().await;
    for number in 0..20 {
        office
            .posted(
                &format!("event_{number}"),
                another(&format!("tr_{number}"), 1, &references[0]),
            )
            .await;
    }
    let poison = office
        .store
        .due(Work::Event, office.clock.now(), 100)
        .await
        .unwrap()
        .remove(7);
    let mut deaths = 0;
    loop {
        let due = office.store.due(Work::Event, office.clock.now(), 100).await.unwrap();
        if due.is_empty() {
            break;
        }
        let claimed = office
            .store
            .claim_many(Work::Event, &due, office.clock.now(), LEASE)
            .await
            .unwrap();
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        if claimed.iter().any(|claim| claim.id == poison) {
            // The process is gone with everything that it held, and starts again.
            deaths += 1;
            office.store.free_leases().await.unwrap();
            continue;
        }
        for claim in &claimed {
            office.desk.process_event(claim).await.unwrap();
        }
    }
    assert_eq!(deaths, MAX_STARTS, "it is given up after so many");
    let waiting = office.store.waiting(office.clock.now()).await.unwrap();
    let set_apart = waiting.iter().find(|one| one.what == "quarantined").unwrap();
    assert_eq!(set_apart.count, 1, "its neighbours are done");
}

#[tokio::test]
async fn who_withdraws_while_a_message_is_worked_on_waits_for_it_and_not_each_for_the_other() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1000, &view.reference)).await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    // As the processing of an event holds them: the payment, then the activation.
    let mut processing = pool.begin().await.unwrap();
    let hold = |table: &str| sqlx::AssertSqlSafe(format!("UPDATE {table} SET reference = reference"));
    sqlx::query(hold("payments")).execute(&mut *processing).await.unwrap();
    let processed = async {
        somebody_waits(&pool).await;
        sqlx::query(hold("activations"))
            .execute(&mut *processing)
            .await
            .unwrap();
        processing.commit().await.unwrap();
    };
    let key = Office::key();
    let (withdrawn, ()) = tokio::join!(office.desk.cancel(&key, &view.id, "a mistake"), processed);
    assert_eq!(withdrawn.unwrap().state, State::Cancelled);
}

#[tokio::test]
async fn an_organisation_that_becomes_active_while_it_is_changed_keeps_its_identifier() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    // As a click does it.
    let mut activating = pool.begin().await.unwrap();
    for sql in [
        "UPDATE activations SET reference = reference",
        "UPDATE identifiers SET active = 1",
        "UPDATE organisations SET active = 1, activated_at = 1",
    ] {
        sqlx::query(sql).execute(&mut *activating).await.unwrap();
    }
    let activated = async {
        somebody_waits(&pool).await;
        activating.commit().await.unwrap();
    };
    let change = OrganisationChange {
        legal_form: Some("Eenmanszaak".to_owned()),
        ..OrganisationChange::default()
    };
    let key = Office::key();
    let (changed, ()) = tokio::join!(office.desk.change(&key, &view.organisation, change), activated);
    assert!(changed.is_err());
    let active = sqlx::query("SELECT COUNT(*) FROM identifiers WHERE active = 1");
    assert_eq!(active.fetch_one(&pool).await.unwrap().get::<i64, _>(0), 1);
}
