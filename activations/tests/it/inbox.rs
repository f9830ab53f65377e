//! What was acknowledged is committed; what comes again is recognised.

use eencent_activations::clock::Clock;
use eencent_activations::desk::Explained;
use eencent_activations::ledger::{MAX_STARTS, Work};
use eencent_activations::money::Money;
use eencent_activations::notification::{PaymentStatus, Refusal, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::state::{Happening, State};
use eencent_activations::store::{Store, StoreError};
use sqlx::AnyPool;

use crate::office::{LEASE, Office, another, paid, somebody_waits, status};

async fn explained(office: &Office, question: &str) -> Explained {
    office.desk.explain(question).await.unwrap().unwrap()
}

#[tokio::test]
async fn fault_08_an_exact_repeat_is_one_row_and_one_job() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    for _ in 0..3 {
        office.told("event_1", paid(&view.reference)).await;
    }
    let found = explained(&office, "event_1").await;
    assert_eq!((found.notifications.len(), found.notifications[0].repeats), (1, 2));
    assert_eq!(office.emails(&view.id).await.get("round_off"), Some(&1));
}

#[tokio::test]
async fn fault_09_a_repeat_weeks_later_is_still_recognised_and_after_400_days_forgotten() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    office.clock.advance(399 * day);
    office.store.forget_seen(office.clock.now()).await.unwrap();
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(explained(&office, "event_1").await.notifications[0].repeats, 1);
    office.clock.advance(2 * day);
    assert_eq!(office.store.forget_seen(office.clock.now()).await.unwrap(), 2);
}

#[tokio::test]
async fn the_same_payment_and_status_under_another_event_id_is_a_repeat() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office.told("event_2", paid(&view.reference)).await;
    assert_eq!(explained(&office, "event_1").await.notifications[0].repeats, 1);
    assert_eq!(office.view(&view.id).await.payments.len(), 1);
}

#[tokio::test]
async fn fault_10_the_same_id_with_other_money_keeps_the_first_and_goes_to_review() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let mut other = paid(&view.reference);
    other.amount = Some(Money::cents(1000));
    office.told("event_1", other.clone()).await;
    office.told("event_1", other).await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::UnderReview);
    assert_eq!(now.reasons[0].code, "notifications_conflict");
    assert_eq!(now.payments[0].amount, Some(Money::cents(1)), "the first is kept");
    let found = explained(&office, "event_1").await;
    assert_eq!(found.notifications.len(), 2, "the conflict is shown, once");
    assert_eq!(found.notifications[1].kind, "conflict");
    assert_eq!(
        found.notifications[1].conflicts_with.as_deref(),
        Some(found.notifications[0].id.as_str())
    );
}

#[tokio::test]
async fn fault_10_the_same_id_with_another_body_that_says_the_same_is_recorded_and_changes_nothing() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let told = Told::Payment(Box::new(paid(&view.reference)));
    office
        .receipt("mollie", "event_1", b"the same in other bytes", told)
        .await;
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    assert_eq!(explained(&office, "event_1").await.notifications[1].state, "processed");
}

#[tokio::test]
async fn another_holder_for_the_same_payment_under_another_event_id_goes_to_review() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.posted("event_1", paid(&view.reference)).await;
    let mut other = paid(&view.reference);
    other.holder = HolderName::parse("Slagerij Van Dam B.V.");
    office.posted("event_2", other).await;
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn what_a_first_message_said_is_held_against_a_third_also_when_a_second_only_filled_it_in() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut account_alone = paid(&view.reference);
    account_alone.holder = None;
    let mut holder_alone = paid(&view.reference);
    holder_alone.account_number = None;
    let mut another_account = paid(&view.reference);
    another_account.account_number = AccountNumber::iban("NL69INGB0123456789");
    assert!(another_account.account_number.is_some());
    office.posted("event_1", account_alone).await;
    office.posted("event_2", holder_alone).await;
    office.posted("event_3", another_account).await;
    let told = explained(&office, "tr_1").await.notifications;
    let kinds: Vec<&str> = told.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["payment", "payment", "conflict"]);
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn of_two_receivers_that_fill_in_a_first_message_at_the_same_moment_the_second_is_held_against_the_first() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut told = paid(&view.reference);
    told.holder = None;
    office.posted("event_1", told.clone()).await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    // As another receiver does it.
    let mut filling_in = pool.begin().await.unwrap();
    let holder = r#"UPDATE seen SET facts = REPLACE(facts, '"holder":null', '"holder":"Slagerij Van Dam B.V."')"#;
    sqlx::query(holder).execute(&mut *filling_in).await.unwrap();
    told.holder = HolderName::parse("Bakkerij De Korenaar B.V.");
    let filled_in = async {
        somebody_waits(&pool).await;
        filling_in.commit().await.unwrap();
    };
    tokio::join!(office.posted("event_2", told), filled_in);
    let told = explained(&office, "tr_1").await.notifications;
    let kinds: Vec<&str> = told.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["payment", "conflict"]);
}

#[tokio::test]
async fn fault_11_fifty_at_once_are_one_row() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let posts = (0..50).map(|_| office.posted("event_1", paid(&view.reference)));
    futures_join(posts).await;
    office.work().await;
    let found = explained(&office, "event_1").await;
    assert_eq!((found.notifications.len(), found.notifications[0].repeats), (1, 49));
}

/// Polls all of them in turn, so that they are in the inbox together.
async fn futures_join<F: Future<Output = ()>>(all: impl Iterator<Item = F>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[tokio::test]
async fn fault_13_what_cannot_be_read_or_is_of_no_concern_is_kept_and_set_apart() {
    let office = Office::open().await;
    office
        .receipt("mollie", "event_1", b"{", Told::Quarantined("not JSON".into()))
        .await;
    office
        .receipt("mollie", "event_2", b"{}", Told::Ignored("sales-invoice.paid".into()))
        .await;
    assert_eq!(
        explained(&office, "event_1").await.notifications[0].state,
        "quarantined"
    );
    assert_eq!(explained(&office, "event_2").await.notifications[0].state, "ignored");
    let waiting = office.store.waiting(office.clock.now()).await.unwrap();
    assert_eq!(waiting.iter().find(|one| one.what == "quarantined").unwrap().count, 1);
    assert!(
        office
            .store
            .due(Work::Event, office.clock.now(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn refused_requests_are_recorded_in_samples_and_found_by_what_they_claimed() {
    let office = Office::open().await;
    for number in 0..100 {
        office.inbox.refused(Refusal {
            endpoint: "mollie".into(),
            received_at: office.clock.now(),
            request_id: format!("req_bad_{number}"),
            code: "signature_mismatch".into(),
            reason: "no secret gives this signature".into(),
            claimed_id: Some("event_bad".into()),
            remote: "192.0.2.1".into(),
        });
    }
    office.inbox.close().await;
    let found = explained(&office, "event_bad").await;
    assert_eq!(found.refusals.len(), 20);
    assert_eq!(found.refusals[0].code, "signature_mismatch");
}

#[tokio::test]
async fn fault_36_whoever_lost_the_lease_can_not_write() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.posted("event_1", paid(&view.reference)).await;
    let id = office
        .store
        .due(Work::Event, office.clock.now(), 1)
        .await
        .unwrap()
        .remove(0);
    let slow = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert!(
        office
            .store
            .claim(Work::Event, &id, office.clock.now(), LEASE)
            .await
            .unwrap()
            .is_none(),
        "taken"
    );
    office.clock.advance(LEASE);
    let fast = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert!(office.desk.process_event(&slow).await.is_err());
    assert_eq!(
        office.view(&view.id).await.state,
        State::AwaitingPayment,
        "nothing of it was written"
    );
    office.desk.process_event(&fast).await.unwrap();
    let history = office.view(&view.id).await.history;
    let decided = history.iter().filter(|line| line.event == Happening::PaidClear);
    assert_eq!(decided.count(), 1);
}

#[tokio::test]
async fn fault_37_what_is_started_again_and_again_without_an_end_is_set_apart_and_the_next_goes_on() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.posted("poison", another("tr_0", 1, "nothing")).await;
    office.posted("event_1", paid(&view.reference)).await;
    let poison = office
        .store
        .due(Work::Event, office.clock.now(), 2)
        .await
        .unwrap()
        .remove(0);
    for _ in 0..MAX_STARTS {
        assert!(
            office
                .store
                .claim(Work::Event, &poison, office.clock.now(), LEASE)
                .await
                .unwrap()
                .is_some()
        );
        office.clock.advance(LEASE);
    }
    assert!(
        office
            .store
            .claim(Work::Event, &poison, office.clock.now(), LEASE)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(explained(&office, &poison).await.notifications[0].state, "quarantined");
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn what_failed_waits_and_counts_and_leases_are_freed_at_a_start() {
    let office = Office::open().await;
    office.posted("event_1", status("nothing", PaymentStatus::Paid)).await;
    let now = office.clock.now();
    let id = office.store.due(Work::Event, now, 1).await.unwrap().remove(0);
    let claim = office.store.claim(Work::Event, &id, now, LEASE).await.unwrap().unwrap();
    office.store.put_back(&claim, now, now.plus(LEASE), "no").await.unwrap();
    assert!(office.store.due(Work::Event, now, 1).await.unwrap().is_empty());
    office.clock.advance(LEASE);
    let again = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.starts, again.attempts), (1, 1));
    assert_eq!(office.store.free_leases().await.unwrap(), 1);
    assert_eq!(
        office.store.due(Work::Event, office.clock.now(), 1).await.unwrap(),
        [id]
    );
}

#[tokio::test]
async fn fault_39_a_database_of_a_newer_version_is_left_alone() {
    let office = Office::open().await;
    let pool = sqlx::AnyPool::connect(&office.url).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) SELECT 9999, 'future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1")
        .execute(&pool)
        .await
        .unwrap();
    let error = office.store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Newer(9999)), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_made_and_another_kind_of_address_is_refused_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/truth.db");
    Store::open(&format!("sqlite://{}", deep.display())).await.unwrap();
    assert!(deep.exists());
    let error = Store::open("mysql://me:secret@host/db").await.unwrap_err().to_string();
    assert!(error.contains("sqlite://") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_at_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truth.db");
    std::fs::write(
        &file,
        "this is no database, and long enough to be taken for one".repeat(200),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite://{}", file.display()))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a SQLite database"), "{error}");
}
