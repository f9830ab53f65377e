//! FLOW's rules on payments and time, through the inbox and the desk.

use std::time::Duration;

use eencent_activations::clock::{Clock, Timestamp};
use eencent_activations::desk::When;
use eencent_activations::ledger::Work;
use eencent_activations::money::Money;
use eencent_activations::notification::{Mode, PaymentStatus, Proof, ReferenceHint};
use eencent_activations::personal::HolderName;
use eencent_activations::refused::DeskError;
use eencent_activations::state::State;
use eencent_activations::views::ActivationView;

use crate::office::{FRIDAY_EVENING, Office, another, at, kvk, paid, settings, status};

fn codes(view: &ActivationView) -> Vec<&str> {
    view.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

#[tokio::test]
async fn a_payment_without_a_name_is_reviewed_and_decided_again_when_the_name_comes() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["name_missing"]));
    office.told("event_2", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn a_name_that_comes_after_a_person_has_acted_decides_nothing() {
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
    office
        .desk
        .resume(&Office::key(), &view.id, office.act(&view.id).await)
        .await
        .unwrap();
    office.told("event_2", paid(&view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::UnderReview);
    assert_eq!(
        now.payments[0].holder_name.as_deref(),
        Some("Bakkerij De Korenaar B.V."),
        "it is shown all the same"
    );
}

#[tokio::test]
async fn a_name_that_comes_after_a_person_has_noted_something_decides_nothing() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    let note = "called them: they know nothing of this";
    office.desk.add_note(&Office::key(), &view.id, note).await.unwrap();
    office.told("event_2", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn an_event_that_lacks_the_name_by_design_waits_ten_minutes_for_its_companion() {
    let unnamed = |reference: &str| {
        let mut told = status(reference, PaymentStatus::Paid);
        told.name_comes_separately = true;
        told
    };
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", unnamed(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    office.told("event_2", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);

    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", unnamed(&view.reference)).await;
    office.clock.advance(Duration::from_secs(599));
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingPayment);
    office.clock.advance(Duration::from_secs(1));
    office.work().await;
    assert_eq!(codes(&office.view(&view.id).await), ["name_missing"]);
}

#[tokio::test]
async fn entered_names_decide_nothing_however_well_they_match() {
    let office = Office::open().await;
    let organisation = office.register(|new| new.names_source = Some("entered".into())).await;
    let view = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    office.told("event_1", paid(&view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["names_entered"]));
}

#[tokio::test]
async fn a_name_that_the_signature_does_not_cover_decides_nothing() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut told = paid(&view.reference);
    told.proof = Proof::SomeFields;
    office.told("event_1", told).await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["name_not_proven"]));
}

#[tokio::test]
async fn fault_14_another_amount_or_currency_never_activates() {
    for money in [
        Money::cents(2),
        Money::parse("0.01", "USD").unwrap(),
        Money::cents(0),
        Money::cents(-1),
    ] {
        let office = Office::open().await;
        let view = office.started("ideal").await;
        let mut told = paid(&view.reference);
        told.amount = Some(money);
        office.told("event_1", told).await;
        let now = office.view(&view.id).await;
        assert_eq!(now.state, State::UnderReview, "{money}");
        assert!(
            ["amount_differs", "currency_differs"].contains(&codes(&now)[0]),
            "{money}: {:?}",
            codes(&now)
        );
    }
}

#[tokio::test]
async fn paid_twice_it_is_shown_and_never_activated_or_mailed_twice() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    office.clock.advance(Duration::from_secs(1));
    office.told("event_2", another("tr_2", 1, &view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::AwaitingConfirmation);
    assert_eq!(now.payments.len(), 2);
    assert_eq!(now.payments[1].standing, "surplus");
    assert_eq!(now.flags[0].code, "paid_twice");
    assert_eq!(office.emails(&view.id).await.get("round_off"), Some(&1));
}

#[tokio::test]
async fn fault_12_a_late_event_never_moves_a_payment_back() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    for (number, late) in [PaymentStatus::Pending, PaymentStatus::Expired, PaymentStatus::Failed]
        .into_iter()
        .enumerate()
    {
        office
            .told(&format!("late_{number}"), status(&view.reference, late))
            .await;
    }
    let now = office.view(&view.id).await;
    assert_eq!(
        (now.state, now.payments[0].status.as_str()),
        (State::AwaitingConfirmation, "paid")
    );
}

#[tokio::test]
async fn a_refund_told_before_the_payment_never_activates() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_2", status(&view.reference, PaymentStatus::Refunded))
        .await;
    office.told("event_1", paid(&view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::UnderReview);
    assert!(codes(&now).contains(&"payment_reversed"));
}

#[tokio::test]
async fn a_payment_of_the_other_mode_is_recorded_and_activates_nobody() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut told = paid(&view.reference);
    told.mode = Some(Mode::Test);
    office.told("event_1", told).await;
    let now = office.view(&view.id).await;
    assert_eq!(
        (now.state, now.payments[0].standing.as_str()),
        (State::AwaitingPayment, "other_mode")
    );
}

#[tokio::test]
async fn a_payment_without_a_reference_is_shown_with_the_activations_it_is_likely_for() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut told = paid("RF00 NOBODY");
    told.reference = None;
    office.told("event_1", told).await;
    assert_eq!(
        office.view(&view.id).await.state,
        State::AwaitingPayment,
        "a name ties nothing"
    );
    let explained = office.desk.explain("tr_1").await.unwrap().unwrap();
    let likely: Vec<_> = explained
        .likely
        .iter()
        .map(|one| (one.reference.as_str(), one.likeness))
        .collect();
    assert_eq!(explained.payments[0].standing, "unallocated");
    assert_eq!(likely, [(view.reference.as_str(), 100)]);
}

#[tokio::test]
async fn a_payment_without_reference_or_name_is_shown_with_those_that_ask_just_its_amount() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let other = office.register(|new| new.identifiers = vec![kvk("87654321")]).await;
    office.desk.start(&Office::key(), &other.id, "invoice").await.unwrap();
    let mut told = paid("RF00 NOBODY");
    told.reference = None;
    told.holder = None;
    office.told("event_1", told).await;
    let explained = office.desk.explain("tr_1").await.unwrap().unwrap();
    let likely: Vec<_> = explained
        .likely
        .iter()
        .map(|one| (one.reference.as_str(), one.likeness, one.same_amount))
        .collect();
    assert_eq!(likely, [(view.reference.as_str(), 0, true)]);
}

#[tokio::test]
async fn a_payment_for_one_that_is_over_revives_nothing_and_waits_unallocated() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.desk.cancel(&Office::key(), &view.id, "").await.unwrap();
    office.told("event_1", paid(&view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(
        (now.state, now.payments[0].standing.as_str()),
        (State::Cancelled, "unallocated")
    );
    let waiting = office.store.waiting(office.clock.now()).await.unwrap();
    assert_eq!(waiting.iter().find(|one| one.what == "unallocated").unwrap().count, 1);
    let explained = office.desk.explanation(&view.id).await.unwrap();
    assert_eq!(
        explained.notifications.len(),
        1,
        "it is shown with the activation that it named"
    );
}

#[tokio::test]
async fn a_payment_is_tied_by_reference_by_id_or_by_a_reference_in_free_text() {
    for how in ["reference", "id", "text", "spaced"] {
        let office = Office::open().await;
        let view = office.started("ideal").await;
        let grouped = view
            .reference
            .as_bytes()
            .chunks(4)
            .map(|four| std::str::from_utf8(four).unwrap())
            .collect::<Vec<_>>()
            .join(" ");
        let mut told = paid("");
        told.reference = Some(match how {
            "reference" => ReferenceHint::Exact(view.reference.clone()),
            "id" => ReferenceHint::Exact(view.id.clone()),
            "text" => ReferenceHint::Within(format!("Activatie {} Bakkerij", view.reference)),
            _ => ReferenceHint::Within(format!("kenmerk {}", grouped.to_lowercase())),
        });
        office.told("event_1", told).await;
        assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation, "{how}");
    }
}

#[tokio::test]
async fn a_transfer_told_through_two_channels_is_shown_to_review_and_not_added_up() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office
        .posted_by("bank", "event_1", another("trx_1", 1000, &view.reference))
        .await;
    office
        .posted_by("stripe", "event_1", another("ccsb_1", 1000, &view.reference))
        .await;
    office.work().await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, codes(&now)), (State::UnderReview, vec!["told_twice"]));
}

#[tokio::test]
async fn a_surplus_on_an_invoice_goes_on_and_is_flagged() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("trx_1", 2000, &view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, now.flags[0].code.as_str()), (State::Activated, "surplus"));
}

#[tokio::test]
async fn one_part_of_an_invoice_from_another_holder_sends_it_to_review() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("trx_1", 1000, &view.reference)).await;
    let mut stranger = another("trx_2", 815, &view.reference);
    stranger.holder = HolderName::parse("J. de Vries");
    office.told("event_2", stranger).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn paid_within_office_hours_takes_effect_at_once_even_when_handled_after() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.clock.set(at("2026-03-13T16:02:00Z"));
    let mut told = paid(&view.reference);
    told.paid_at = Some(at("2026-03-13T15:59:00Z"));
    office.told("event_1", told).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn a_time_of_payment_that_nothing_proves_is_not_believed() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.clock.set(at(FRIDAY_EVENING));
    let mut told = paid(&view.reference);
    // In the future: a payment is never later than it was received.
    told.paid_at = Some(at("2026-03-16T09:00:00Z"));
    office.told("event_1", told).await;
    assert_eq!(office.view(&view.id).await.state, State::Scheduled);
}

#[tokio::test]
async fn a_share_can_always_be_reviewed() {
    let mut all = settings();
    all.activation.review_share = 100;
    let office = Office::with(all).await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(codes(&office.view(&view.id).await), ["sampled"]);
    let mut some = settings();
    some.activation.review_legal_forms = vec!["besloten vennootschap".into()];
    let office = Office::with(some).await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(codes(&office.view(&view.id).await), ["sampled"]);
}

#[tokio::test]
async fn fault_53_the_second_person_to_decide_is_told_what_happened_and_nothing_happens_twice() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    let act = office.act(&view.id).await;
    office.desk.reject(&Office::key(), &view.id, act.clone()).await.unwrap();
    let DeskError::Refused(refused) = office
        .desk
        .approve(&Office::key(), &view.id, act, When::Now)
        .await
        .unwrap_err()
    else {
        panic!("refused, not failed");
    };
    assert_eq!(refused.code, "version_stale");
    assert_eq!(refused.activation.unwrap().state, State::Rejected);
    assert_eq!(office.view(&view.id).await.state, State::Rejected);
}

#[tokio::test]
async fn a_reviewers_within_office_hours_looks_at_the_moment_of_deciding() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    office.clock.set(at(FRIDAY_EVENING));
    office
        .desk
        .approve(&Office::key(), &view.id, office.act(&view.id).await, When::OfficeHours)
        .await
        .unwrap();
    office.work().await;
    let now = office.view(&view.id).await;
    assert_eq!(
        (now.state, now.due_at),
        (State::Scheduled, Some(at("2026-03-16T08:00:00Z")))
    );
}

#[tokio::test]
async fn fault_44_a_clock_behind_the_one_that_decided_neither_waits_nor_tells_that_the_office_is_closed() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .told("event_1", status(&view.reference, PaymentStatus::Paid))
        .await;
    office.clock.set(at("2026-03-11T10:00:00Z"));
    office
        .desk
        .approve(&Office::key(), &view.id, office.act(&view.id).await, When::Now)
        .await
        .unwrap();
    office.clock.set(at("2026-03-11T09:00:00Z"));
    let claim = office
        .store
        .claim(Work::Approval, &view.id, office.clock.now(), Duration::from_secs(30))
        .await
        .unwrap()
        .unwrap();
    office.desk.carry_out(&claim).await.unwrap();
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    let told = office.emails(&view.id).await;
    assert!(
        told.contains_key("round_off") && !told.contains_key("scheduled"),
        "{told:?}"
    );
}

#[tokio::test]
async fn fault_60_an_e_mail_that_was_held_back_for_a_week_has_its_whole_time_when_it_is_let_go() {
    let office = Office::open().await;
    office.desk.stop_mail("Jansen", "a wrong template").await.unwrap();
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let due = async || office.store.due(Work::Email, office.clock.now(), 10).await.unwrap();
    assert_eq!(due().await, Vec::<String>::new());
    office.clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    assert!(office.desk.start_mail("Jansen", "mended").await.unwrap());
    let ids = due().await;
    let now = office.clock.now();
    let claim = office
        .store
        .claim(Work::Email, &ids[0], now, Duration::from_secs(30))
        .await
        .unwrap()
        .unwrap();
    let letters = office.desk.emails(&[claim]).await.unwrap();
    assert_eq!(letters[0].give_up_at, now.plus(Duration::from_secs(3 * 24 * 60 * 60)));
}

#[tokio::test]
async fn the_record_of_a_decision_keeps_its_inputs_as_they_were() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let explained = office.desk.explain(&view.reference).await.unwrap().unwrap();
    let record = &explained.activation.unwrap().decisions[0].record;
    assert_eq!(record["asked"]["legal_name"], "Bakkerij De Korenaar B.V.");
    assert_eq!(record["payments"][0]["tied_by"], "reference");
    assert_eq!(record["payments"][0]["account_masked"], "NL** **** **** **43 00");
    assert_eq!(record["decision"]["outcome"], "clear");
    assert_eq!(record["decision"]["compared"][0]["evidence"]["verdict"], "match");
    assert_eq!(record["office_hours"]["expression"], "Mo-Fr 09:00-17:00; PH off");
    let by_event = office.desk.explain("event_1").await.unwrap().unwrap();
    assert_eq!(by_event.notifications[0].proven_by, "signature, secret 1 of 1");
    assert!(by_event.activation.is_some());
    assert!(office.desk.explain("nonsense").await.unwrap().is_none());
}

#[tokio::test]
async fn two_organisations_in_one_race_for_an_identifier_give_one_active() {
    let office = Office::open().await;
    let one = office.register(|_| ()).await;
    let two = office.register(|new| new.environment = Some("env-2".into())).await;
    assert_eq!(one.identifiers, two.identifiers);
    let first = office.desk.start(&Office::key(), &one.id, "invoice").await.unwrap();
    let second = office.desk.start(&Office::key(), &two.id, "invoice").await.unwrap();
    office.posted("event_1", another("trx_1", 1815, &first.reference)).await;
    office
        .posted("event_2", another("trx_2", 1815, &second.reference))
        .await;
    office.work().await;
    let mut states = [office.view(&first.id).await.state, office.view(&second.id).await.state];
    states.sort_by_key(|state| state.as_str());
    assert_eq!(states, [State::Activated, State::UnderReview]);
    let third = office
        .register(|new| (new.environment, new.identifiers) = (Some("env-3".into()), vec![kvk("12345678")]))
        .await;
    assert!(
        office.desk.start(&Office::key(), &third.id, "ideal").await.is_err(),
        "active already"
    );
}

#[tokio::test]
async fn fully_paid_it_does_not_expire_while_the_name_is_awaited() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office
        .clock
        .set(view.expires_at.unwrap().minus(Duration::from_secs(60)));
    let mut told = status(&view.reference, PaymentStatus::Paid);
    told.name_comes_separately = true;
    office.told("event_1", told).await;
    office.clock.advance(Duration::from_secs(120));
    assert_eq!(office.desk.time_passes(10).await.unwrap().expired, 0);
    office.clock.advance(Duration::from_secs(600));
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
}

#[tokio::test]
async fn every_instant_of_the_record_is_when_it_happened() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.clock.advance(Duration::from_secs(60));
    office.told("event_1", paid(&view.reference)).await;
    let times: Vec<Timestamp> = office.view(&view.id).await.history.iter().map(|line| line.at).collect();
    assert_eq!(times, [view.created_at, office.clock.now(), office.clock.now()]);
}
