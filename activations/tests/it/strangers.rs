//! What a stranger might try, and what happens in an unlucky order.
use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::{OrganisationChange, When};
use eencent_activations::ledger::Work;
use eencent_activations::money::Money;
use eencent_activations::notification::{Mode, PaymentStatus, Told};
use eencent_activations::personal::HolderName;
use eencent_activations::state::State;

use crate::office::{LEASE, Office, another, kvk, paid, status};

#[tokio::test]
async fn test_money_told_first_without_mode_activates_nobody() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut pending = status(&view.reference, PaymentStatus::Pending);
    pending.mode = None;
    office.told("event_1", pending).await;
    let mut test = paid(&view.reference);
    test.mode = Some(Mode::Test);
    office.told("event_2", test).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
}

#[tokio::test]
async fn test_money_told_first_by_a_simple_paid_event() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut simple = status(&view.reference, PaymentStatus::Paid);
    (
        simple.mode,
        simple.amount,
        simple.reference,
        simple.name_comes_separately,
    ) = (None, None, None, true);
    office.told("event_1", simple).await;
    let mut test = paid(&view.reference);
    test.mode = Some(Mode::Test);
    office.told("event_2", test).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
}

#[tokio::test]
async fn what_was_announced_is_not_what_was_paid() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    let mut pending = another("psp_1", 1815, &view.reference);
    pending.status = PaymentStatus::Pending;
    pending.holder = None;
    office.told("event_1", pending).await;
    office.told("event_2", another("psp_1", 100, &view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(
        (now.state, now.payments[0].amount),
        (State::AwaitingPayment, Some(Money::cents(100)))
    );
}

#[tokio::test]
async fn the_name_of_a_failed_try_is_not_the_name_of_who_paid() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut failed = paid(&view.reference);
    failed.status = PaymentStatus::Failed;
    office.told("event_1", failed).await;
    let mut other = paid(&view.reference);
    other.holder = HolderName::parse("J. de Vreemde");
    office.told("event_2", other).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn a_chargeback_after_a_refund_that_failed_still_reverses() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office
        .told("event_2", status(&view.reference, PaymentStatus::RefundFailed))
        .await;
    office
        .told("event_3", status(&view.reference, PaymentStatus::ChargedBack))
        .await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn another_identifier_makes_the_names_entered() {
    let office = Office::open().await;
    let mine = office.register(|_| ()).await;
    let change = OrganisationChange {
        identifiers: Some(vec![kvk("87654321")]),
        ..Default::default()
    };
    office.desk.change(&Office::key(), &mine.id, change).await.unwrap();
    let view = office.desk.start(&Office::key(), &mine.id, "ideal").await.unwrap();
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn a_readable_body_after_an_unreadable_one_of_the_same_id_ends() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .receipt("mollie", "event_1", b"{", Told::Quarantined("not JSON".into()))
        .await;
    office.told("event_1", paid(&view.reference)).await;
    for _ in 0..1000 {
        office.clock.advance(Duration::from_secs(6));
        office.work().await;
    }
    office.clock.advance(Duration::from_secs(6));
    assert!(
        office
            .store
            .due(Work::Event, office.clock.now(), 10)
            .await
            .unwrap()
            .is_empty(),
        "still waiting after 100 minutes"
    );
}

#[tokio::test]
async fn an_approval_set_apart_once_is_carried_out_when_approved_again() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.hold_approvals().await;
    office.posted("event_1", paid(&view.reference)).await;
    let id = office
        .store
        .due(Work::Event, office.clock.now(), 1)
        .await
        .unwrap()
        .remove(0);
    let claim = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    office.desk.process_event(&claim).await.unwrap();
    office.let_approvals_go().await;
    let claim = office
        .store
        .claim(Work::Approval, &view.id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    office
        .store
        .give_up(&claim, office.clock.now(), "panicked")
        .await
        .unwrap();
    office
        .told("event_2", status(&view.reference, PaymentStatus::Refunded))
        .await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
    office
        .desk
        .approve(&Office::key(), &view.id, office.act(&view.id).await, When::Now)
        .await
        .unwrap();
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn an_old_link_sends_a_few_fresh_ones_and_floods_no_mailbox() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let first = office.links().await.remove(0);
    office.desk.resend(&Office::key(), &view.id).await.unwrap();
    for _ in 0..30 {
        office.clock.advance(Duration::from_secs(1));
        office.desk.fresh_link(&first).await.unwrap();
    }
    assert_eq!(
        office.emails(&view.id).await["round_off"],
        5,
        "the first, the platform's, and three that were asked for"
    );
}

#[tokio::test]
async fn a_link_mail_in_flight_is_not_sent_after_the_link_was_voided() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let id = office
        .store
        .due(Work::Email, office.clock.now(), 1)
        .await
        .unwrap()
        .remove(0);
    let claim = office
        .store
        .claim(Work::Email, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    office
        .told("event_2", status(&view.reference, PaymentStatus::ChargedBack))
        .await;
    // The mail server was away: the attempt fails, and is tried again a minute later.
    office
        .store
        .put_back(
            &claim,
            office.clock.now(),
            office.clock.now().plus(Duration::from_secs(60)),
            "away",
        )
        .await
        .unwrap();
    office.clock.advance(Duration::from_secs(61));
    assert!(
        !office
            .store
            .due(Work::Email, office.clock.now(), 9)
            .await
            .unwrap()
            .contains(&id)
    );
}

#[tokio::test]
async fn no_reminder_or_old_link_goes_out_after_the_click() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let first = office.links().await.remove(0);
    office.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    office.desk.time_passes(10).await.unwrap(); // the reminder waits: mail is down
    office.desk.confirm(&first).await.unwrap();
    assert_eq!(office.view(&view.id).await.state, State::Activated);
    assert!(
        office.links().await.is_empty(),
        "a reminder to round off after it was rounded off"
    );
}

#[tokio::test]
async fn a_lost_lease_writes_nothing_also_when_it_waits_for_the_name() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut unnamed = status(&view.reference, PaymentStatus::Paid);
    unnamed.name_comes_separately = true;
    office.posted("event_1", unnamed).await;
    let id = office
        .store
        .due(Work::Event, office.clock.now(), 1)
        .await
        .unwrap()
        .remove(0);
    let old = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    office.clock.advance(Duration::from_secs(31));
    let _new = office
        .store
        .claim(Work::Event, &id, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert!(office.desk.process_event(&old).await.is_err());
    assert!(office.view(&view.id).await.payments.is_empty());
}

#[tokio::test]
async fn a_name_that_came_after_a_person_looked_makes_the_look_stale() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    office
        .desk
        .request_information(&Office::key(), &view.id, office.act(&view.id).await)
        .await
        .unwrap();
    let looked = office.act(&view.id).await;
    let mut other = paid(&view.reference);
    other.holder = HolderName::parse("J. de Vreemde");
    office.told("event_2", other).await;
    assert!(
        office
            .desk
            .approve(&Office::key(), &view.id, looked, When::Now)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_part_without_name_then_named_and_rest_missing_goes_on_waiting() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    let mut part = another("tr_1", 1000, &view.reference);
    part.holder = None;
    office.told("event_1", part).await;
    office.told("event_2", another("tr_1", 1000, &view.reference)).await;
    let now = office.view(&view.id).await;
    assert!(
        !now.reasons.iter().any(|r| r.code == "name_missing"),
        "state {:?}, stale reason",
        now.state
    );
}

#[tokio::test]
async fn same_event_id_for_another_payment_is_not_left_waiting_for_ever() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1000, &view.reference)).await;
    office.told("event_1", another("tr_2", 1000, &view.reference)).await;
    let found = office.desk.explain("event_1").await.unwrap().unwrap();
    assert_eq!(found.notifications[1].state, "quarantined");
    office.clock.advance(Duration::from_secs(6));
    assert!(
        office
            .store
            .due(Work::Event, office.clock.now(), 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_belgian_number_is_not_activated_under_country_nl() {
    let office = Office::open().await;
    let o = office
        .register(|new| {
            new.identifiers = vec![eencent_activations::desk::NewIdentifier {
                scheme: "BE:EN".into(),
                value: "0123456749".into(),
            }]
        })
        .await;
    assert!(office.desk.start(&Office::key(), &o.id, "ideal").await.is_err());
}

#[tokio::test]
async fn parts_of_an_activation_that_expired_wait_as_unallocated() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1000, &view.reference)).await;
    office.clock.advance(Duration::from_secs(31 * 86_400));
    office.desk.time_passes(10).await.unwrap();
    assert_eq!(office.view(&view.id).await.state, State::Expired);
    let waiting = office.store.waiting(office.clock.now()).await.unwrap();
    assert_eq!(waiting.iter().find(|w| w.what == "unallocated").unwrap().count, 1);
    let invoice = office.view(&view.id).await.invoice.unwrap();
    assert!(invoice.credit_note.is_some(), "nobody pays the rest any more");
}

#[tokio::test]
async fn an_invoice_that_was_paid_is_not_credited_when_the_link_lapses() {
    let mut settings = crate::office::settings();
    settings.activation.invoice_completion = "link".to_owned();
    let office = Office::with(settings).await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1815, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    office.clock.advance(Duration::from_secs(15 * 86_400));
    office.desk.time_passes(10).await.unwrap();
    let now = office.view(&view.id).await;
    assert_eq!((now.state, now.invoice.unwrap().credit_note), (State::Expired, None));
}

#[tokio::test]
async fn one_unreadable_activation_does_not_stop_the_others() {
    let office = Office::open().await;
    let bad = office.started("ideal").await;
    let o = office.register(|new| new.identifiers = vec![kvk("11223344")]).await;
    office.clock.advance(Duration::from_secs(1));
    let good = office.desk.start(&Office::key(), &o.id, "ideal").await.unwrap();
    sqlx::query("UPDATE activations SET flags = 'x' WHERE id = $1")
        .bind(bad.id.as_str())
        .execute(&sqlx::AnyPool::connect(&office.url).await.unwrap())
        .await
        .unwrap();
    office.clock.advance(Duration::from_secs(15 * 86_400));
    let _ = office.desk.time_passes(10).await;
    assert_eq!(office.view(&good.id).await.state, State::Expired);
}

#[tokio::test]
async fn a_doubt_about_a_surplus_leaves_the_approval_alone() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office.told("event_2", another("tr_2", 1, &view.reference)).await;
    office.told("event_2", another("tr_2", 2, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn a_contradiction_across_named_and_unnamed_messages_is_seen() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut unnamed = status(&view.reference, PaymentStatus::Paid);
    unnamed.name_comes_separately = true;
    office.told("event_1", unnamed).await;
    office.told("event_2", another("tr_1", 1000, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn a_contradiction_after_activation_is_flagged_once_and_changes_no_state() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let token = office.links().await.remove(0);
    office.desk.confirm(&token).await.unwrap();
    let mut other = another("tr_1", 1000, &view.reference);
    (other.holder, other.name_comes_separately) = (None, true);
    office.told("event_2", other).await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::Activated);
    assert_eq!(
        now.flags
            .iter()
            .filter(|flag| flag.code == "notifications_conflict")
            .count(),
        1
    );
}

#[tokio::test]
async fn fully_paid_rows_at_the_head_do_not_keep_others_from_expiring() {
    let mut s = crate::office::settings();
    s.activation.companion_minutes = 60 * 24 * 30;
    s.organisations.free = 20;
    let office = Office::with(s).await;
    let mut ids = vec![];
    for n in 0..3 {
        let o = office
            .register(|new| new.identifiers = vec![kvk(&format!("1122334{n}"))])
            .await;
        let v = office.desk.start(&Office::key(), &o.id, "ideal").await.unwrap();
        if n < 2 {
            let mut unnamed = status(&v.reference, PaymentStatus::Paid);
            unnamed.payment_id = format!("tr_{n}");
            unnamed.name_comes_separately = true;
            office.told(&format!("event_{n}"), unnamed).await;
        }
        office.clock.advance(Duration::from_secs(1));
        ids.push(v.id);
    }
    office.clock.advance(Duration::from_secs(15 * 86_400));
    for _ in 0..5 {
        office.desk.time_passes(2).await.unwrap();
    }
    assert_eq!(office.view(&ids[2]).await.state, State::Expired);
}
