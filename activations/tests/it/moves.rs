//! One test for each row of the table of moves.

use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::{LinkStanding, QuestionStanding, When};
use eencent_activations::notification::PaymentStatus;
use eencent_activations::personal::HolderName;
use eencent_activations::state::{Happening, State};
use eencent_activations::views::ActivationView;

use crate::office::{FRIDAY_EVENING, Office, another, at, paid, settings, status};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn in_review(office: &Office) -> ActivationView {
    let activation = office.started("ideal").await;
    let mut stranger = paid(&activation.reference);
    stranger.holder = HolderName::parse("Slagerij Van Dam B.V.");
    office.told("event_1", stranger).await;
    let view = office.view(&activation.id).await;
    assert_eq!(view.state, State::UnderReview);
    view
}

async fn with_link(office: &Office) -> ActivationView {
    let activation = office.started("ideal").await;
    office.told("event_1", paid(&activation.reference)).await;
    let view = office.view(&activation.id).await;
    assert_eq!(view.state, State::AwaitingConfirmation);
    view
}

async fn scheduled(office: &Office) -> ActivationView {
    let activation = office.started("ideal").await;
    office.clock.set(at(FRIDAY_EVENING));
    office.told("event_1", paid(&activation.reference)).await;
    let view = office.view(&activation.id).await;
    assert_eq!(view.state, State::Scheduled);
    view
}

fn last(view: &ActivationView) -> (Happening, Option<State>, State) {
    let line = view.history.last().unwrap();
    (line.event, line.from, line.to)
}

#[tokio::test]
async fn started_by_ideal_it_awaits_payment_and_mails_nobody() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    assert_eq!(last(&view), (Happening::StartedIdeal, None, State::AwaitingPayment));
    assert_eq!(view.amount.value(), "0.01");
    assert!(view.emails.is_empty());
    assert_eq!(view.expires_at, Some(view.created_at.plus(14 * DAY)));
}

#[tokio::test]
async fn started_by_invoice_the_creator_gets_the_invoice_and_the_platform_is_told() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    assert_eq!(last(&view), (Happening::StartedInvoice, None, State::AwaitingPayment));
    assert_eq!(view.amount.value(), "18.15");
    assert_eq!(office.emails(&view.id).await["invoice"], 1);
    assert_eq!(office.told_platform(&view.id).await, ["activation.invoiced"]);
    assert_eq!(view.expires_at, Some(view.created_at.plus(30 * DAY)));
}

#[tokio::test]
async fn a_payment_that_is_broken_off_leaves_it_open_for_another_try() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    for (number, broken_off) in [PaymentStatus::Cancelled, PaymentStatus::Failed, PaymentStatus::Expired]
        .into_iter()
        .enumerate()
    {
        let mut told = status(&view.reference, broken_off);
        told.payment_id = format!("tr_{number}");
        office.told(&format!("event_{number}"), told).await;
        let now = office.view(&view.id).await;
        assert_eq!(
            last(&now),
            (
                Happening::PaymentNotCompleted,
                Some(State::AwaitingPayment),
                State::AwaitingPayment
            )
        );
        assert!(now.emails.is_empty());
    }
    office.told("event_9", another("tr_9", 1, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn an_invoice_paid_in_part_tells_the_creator_what_is_missing() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1000, &view.reference)).await;
    let now = office.view(&view.id).await;
    assert_eq!(
        last(&now),
        (
            Happening::PaidInPart,
            Some(State::AwaitingPayment),
            State::AwaitingPayment
        )
    );
    assert_eq!(
        now.history.last().unwrap().reason,
        "EUR 10.00 received, EUR 8.15 missing"
    );
    assert_eq!(office.emails(&view.id).await["partly_paid"], 1);
    assert_eq!(
        office.told_platform(&view.id).await,
        ["activation.invoiced", "activation.partly_paid"]
    );
    // Told of again, and of what was before it: nothing new for the creator.
    let mut before = status(&view.reference, PaymentStatus::Pending);
    before.payment_id = "tr_1".to_owned();
    office.told("event_before", before).await;
    let mut awaited = another("tr_1", 1000, &view.reference);
    awaited.name_comes_separately = true;
    office.told("event_awaited", awaited).await;
    office.clock.advance(Duration::from_secs(24 * 60 * 60));
    office.work().await;
    assert_eq!(office.emails(&view.id).await["partly_paid"], 1);
    assert_eq!(office.told_platform(&view.id).await.len(), 2);
    // Another part is.
    office.told("event_part", another("tr_3", 100, &view.reference)).await;
    assert_eq!(office.emails(&view.id).await["partly_paid"], 2);
    office.told("event_2", another("tr_2", 715, &view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::Activated);
}

#[tokio::test]
async fn paid_in_full_and_clear_it_is_approved_without_a_human() {
    let office = Office::open().await;
    let view = with_link(&office).await;
    let events: Vec<_> = view.history.iter().map(|line| line.event).collect();
    assert_eq!(
        events,
        [Happening::StartedIdeal, Happening::PaidClear, Happening::LinkSent]
    );
}

#[tokio::test]
async fn paid_but_not_clear_it_goes_to_review_and_the_creator_and_the_platform_are_told() {
    let office = Office::open().await;
    let view = in_review(&office).await;
    assert_eq!(
        last(&view),
        (Happening::PaidUnclear, Some(State::AwaitingPayment), State::UnderReview)
    );
    assert!(!view.reasons.is_empty());
    assert_eq!(office.emails(&view.id).await["takes_longer"], 1);
    assert_eq!(office.told_platform(&view.id).await, ["activation.under_review"]);
    assert_eq!(view.expires_at, None);
}

#[tokio::test]
async fn information_is_asked_and_the_review_goes_on() {
    let office = Office::open().await;
    let view = in_review(&office).await;
    let asked = office
        .desk
        .request_information(&Office::key(), &view.id, office.act(&view.id).await)
        .await
        .unwrap();
    assert_eq!(
        last(&asked),
        (
            Happening::InformationAsked,
            Some(State::UnderReview),
            State::InformationRequested
        )
    );
    assert_eq!(asked.history.last().unwrap().actor, "Sanne (key platform)");
    assert_eq!(office.emails(&view.id).await["information_requested"], 1);
    assert_eq!(asked.expires_at, Some(office.clock.now().plus(30 * DAY)));
    let resumed = office
        .desk
        .resume(&Office::key(), &view.id, office.act(&view.id).await)
        .await
        .unwrap();
    assert_eq!(
        last(&resumed),
        (
            Happening::ReviewResumed,
            Some(State::InformationRequested),
            State::UnderReview
        )
    );
    assert_eq!(resumed.expires_at, None);
}

#[tokio::test]
async fn a_person_approves_from_review_and_while_information_is_awaited() {
    for ask_first in [false, true] {
        let office = Office::open().await;
        let view = in_review(&office).await;
        if ask_first {
            office
                .desk
                .request_information(&Office::key(), &view.id, office.act(&view.id).await)
                .await
                .unwrap();
        }
        let approved = office
            .desk
            .approve(&Office::key(), &view.id, office.act(&view.id).await, When::OfficeHours)
            .await
            .unwrap();
        assert_eq!(approved.state, State::Approved);
        assert_eq!(last(&approved).0, Happening::PersonApproved);
        office.work().await;
        assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    }
}

#[tokio::test]
async fn a_person_rejects_and_the_creator_is_told_why() {
    for ask_first in [false, true] {
        let office = Office::open().await;
        let view = in_review(&office).await;
        if ask_first {
            office
                .desk
                .request_information(&Office::key(), &view.id, office.act(&view.id).await)
                .await
                .unwrap();
        }
        let rejected = office
            .desk
            .reject(&Office::key(), &view.id, office.act(&view.id).await)
            .await
            .unwrap();
        assert_eq!(rejected.state, State::Rejected);
        assert_eq!(last(&rejected).0, Happening::PersonRejected);
        assert_eq!(office.emails(&view.id).await["rejected"], 1);
        assert_eq!(
            office.told_platform(&view.id).await.last().unwrap(),
            "activation.rejected"
        );
    }
}

#[tokio::test]
async fn approved_while_the_office_is_closed_it_is_scheduled_and_the_creator_told_when() {
    let office = Office::open().await;
    let view = scheduled(&office).await;
    assert_eq!(
        last(&view),
        (Happening::OfficeClosed, Some(State::Approved), State::Scheduled)
    );
    assert_eq!(view.due_at, Some(at("2026-03-16T08:00:00Z")), "Monday 09:00");
    assert_eq!(office.emails(&view.id).await["scheduled"], 1);
    assert_eq!(office.told_platform(&view.id).await, ["activation.scheduled"]);
}

#[tokio::test]
async fn fault_45_other_office_hours_move_what_is_scheduled_and_the_history_says_so() {
    let mut office = Office::open().await;
    let view = scheduled(&office).await;
    office.desk.hours_changed().await.unwrap();
    let mut later = settings();
    later.office.hours = "Mo-Fr 10:30-17:00; PH off".into();
    office.restart(&later);
    assert_eq!(office.desk.hours_changed().await.unwrap(), 1);
    let now = office.view(&view.id).await;
    assert_eq!(
        last(&now),
        (Happening::HoursChanged, Some(State::Scheduled), State::Scheduled)
    );
    assert_eq!(now.due_at, Some(at("2026-03-16T09:30:00Z")));
    assert_eq!(office.desk.hours_changed().await.unwrap(), 0, "once is enough");
    let mut always = settings();
    always.office.hours = "24/7".into();
    office.restart(&always);
    office.desk.hours_changed().await.unwrap();
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
}

#[tokio::test]
async fn when_the_office_opens_the_link_is_sent() {
    let office = Office::open().await;
    let view = scheduled(&office).await;
    office.clock.set(at("2026-03-16T07:59:59Z"));
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::Scheduled);
    office.clock.set(at("2026-03-16T08:00:00Z"));
    office.work().await;
    let now = office.view(&view.id).await;
    assert_eq!(
        last(&now),
        (Happening::LinkSent, Some(State::Scheduled), State::AwaitingConfirmation)
    );
    assert_eq!(office.emails(&view.id).await["round_off"], 1);
    assert_eq!(
        office.told_platform(&view.id).await,
        ["activation.scheduled", "activation.approved"]
    );
}

#[tokio::test]
async fn completed_at_once_it_activates_without_a_link_now_or_when_the_office_opens() {
    for closed in [false, true] {
        let office = Office::open().await;
        let view = office.started("invoice").await;
        if closed {
            office.clock.set(at(FRIDAY_EVENING));
        }
        office.told("event_1", another("tr_1", 1815, &view.reference)).await;
        if closed {
            assert_eq!(office.view(&view.id).await.state, State::Scheduled);
            office.clock.set(at("2026-03-16T08:00:00Z"));
            office.work().await;
        }
        let now = office.view(&view.id).await;
        assert_eq!(now.state, State::Activated);
        assert_eq!(last(&now).0, Happening::ActivatedAtOnce);
        assert_eq!(office.emails(&view.id).await["activated"], 1);
        assert_eq!(
            office.told_platform(&view.id).await.last().unwrap(),
            "organisation.activated"
        );
        assert!(office.desk.organisation(&view.organisation).await.unwrap().active);
    }
}

#[tokio::test]
async fn the_click_activates_at_any_hour_and_once() {
    let office = Office::open().await;
    let view = with_link(&office).await;
    let token = office.links().await.pop().unwrap();
    office.clock.set(at("2026-03-14T23:00:00Z"));
    assert_eq!(
        office.desk.round_off(&token).await.unwrap().standing,
        LinkStanding::Ready
    );
    assert_eq!(
        office.view(&view.id).await.state,
        State::AwaitingConfirmation,
        "opening changes nothing"
    );
    assert_eq!(
        office.desk.confirm(&token).await.unwrap().standing,
        LinkStanding::Activated
    );
    assert_eq!(office.desk.confirm(&token).await.unwrap().standing, LinkStanding::Used);
    let now = office.view(&view.id).await;
    assert_eq!(
        last(&now),
        (
            Happening::Confirmed,
            Some(State::AwaitingConfirmation),
            State::Activated
        )
    );
    assert_eq!(now.history.last().unwrap().actor, "creator");
    assert_eq!(office.emails(&view.id).await["activated"], 1);
    let organisation = office.desk.organisation(&view.organisation).await.unwrap();
    assert_eq!(organisation.activated_at, Some(office.clock.now()));
    assert_eq!(
        office.desk.round_off("nonsense").await.unwrap().standing,
        LinkStanding::Unknown
    );
}

#[tokio::test]
async fn a_link_asked_again_takes_the_place_of_the_old_one() {
    let office = Office::open().await;
    let view = with_link(&office).await;
    let old = office.links().await.pop().unwrap();
    let now = office.desk.resend(&Office::key(), &view.id).await.unwrap();
    assert_eq!(
        last(&now),
        (
            Happening::LinkResent,
            Some(State::AwaitingConfirmation),
            State::AwaitingConfirmation
        )
    );
    assert_eq!(
        office.desk.confirm(&old).await.unwrap().standing,
        LinkStanding::Replaced
    );
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    let offered = office.desk.fresh_link(&old).await.unwrap();
    assert!(offered.sent_again);
    let fresh = office.links().await.pop().unwrap();
    assert_eq!(
        office.desk.confirm(&fresh).await.unwrap().standing,
        LinkStanding::Activated
    );
    assert_eq!(office.emails(&view.id).await["round_off"], 3);
}

#[tokio::test]
async fn a_payment_reversed_before_activation_goes_to_review_and_voids_the_link() {
    for stage in ["approved", "scheduled", "awaiting_confirmation"] {
        let office = Office::open().await;
        let view = match stage {
            "scheduled" => scheduled(&office).await,
            "awaiting_confirmation" => with_link(&office).await,
            _ => {
                let view = in_review(&office).await;
                office
                    .desk
                    .approve(&Office::key(), &view.id, office.act(&view.id).await, When::Now)
                    .await
                    .unwrap()
            }
        };
        assert_eq!(view.state.as_str(), stage);
        let token = office.links().await.pop();
        // Approved is left by the next job: the refund has to come before it.
        office
            .posted("event_2", status(&view.reference, PaymentStatus::Refunded))
            .await;
        let id = office
            .store
            .due(eencent_activations::ledger::Work::Event, office.clock.now(), 1)
            .await
            .unwrap()
            .remove(0);
        let claim = office
            .store
            .claim(eencent_activations::ledger::Work::Event, &id, office.clock.now(), DAY)
            .await
            .unwrap()
            .unwrap();
        office.desk.process_event(&claim).await.unwrap();
        let now = office.view(&view.id).await;
        assert_eq!(
            last(&now),
            (Happening::PaymentReversed, Some(view.state), State::UnderReview)
        );
        assert_eq!(now.reasons.last().unwrap().code, "payment_reversed");
        if let Some(token) = token {
            assert_eq!(
                office.desk.confirm(&token).await.unwrap().standing,
                LinkStanding::Withdrawn
            );
        }
        office.work().await;
        assert_eq!(office.view(&view.id).await.state, State::UnderReview);
    }
}

#[tokio::test]
async fn a_payment_reversed_after_activation_flags_it_and_changes_no_state() {
    let office = Office::open().await;
    let view = with_link(&office).await;
    let token = office.links().await.pop().unwrap();
    office.desk.confirm(&token).await.unwrap();
    office
        .told("event_2", status(&view.reference, PaymentStatus::ChargedBack))
        .await;
    let now = office.view(&view.id).await;
    assert_eq!(
        last(&now),
        (Happening::PaymentNoted, Some(State::Activated), State::Activated)
    );
    assert_eq!(now.flags.last().unwrap().code, "payment_reversed");
}

#[tokio::test]
async fn an_identifier_that_became_active_elsewhere_sends_the_loser_to_review() {
    for stage in ["approved", "scheduled", "awaiting_confirmation"] {
        let office = Office::open().await;
        let rival = office.register(|new| new.environment = Some("env-2".into())).await;
        let rival = office.desk.start(&Office::key(), &rival.id, "invoice").await.unwrap();
        let view = match stage {
            "scheduled" => scheduled(&office).await,
            "awaiting_confirmation" => with_link(&office).await,
            _ => {
                let view = in_review(&office).await;
                office
                    .desk
                    .approve(&Office::key(), &view.id, office.act(&view.id).await, When::Now)
                    .await
                    .unwrap()
            }
        };
        let token = office.links().await.pop();
        if stage == "scheduled" {
            office.clock.set(at("2026-03-16T08:00:00Z"));
        }
        // The rival is activated first.
        office.posted("event_9", another("tr_9", 1815, &rival.reference)).await;
        win(&office, &rival.id).await;
        office.work().await;
        if let Some(token) = token.filter(|_| stage == "awaiting_confirmation") {
            assert_eq!(
                office.desk.confirm(&token).await.unwrap().standing,
                LinkStanding::Withdrawn
            );
        }
        let now = office.view(&view.id).await;
        assert_eq!(
            last(&now),
            (Happening::IdentifierTaken, Some(view.state), State::UnderReview),
            "{stage}"
        );
        assert!(!office.desk.organisation(&view.organisation).await.unwrap().active);
    }
}

/// Processes the rival's payment, which carries out the rival's approval, before anybody else's.
async fn win(office: &Office, rival: &str) {
    use eencent_activations::ledger::Work;
    for id in office.store.due(Work::Event, office.clock.now(), 10).await.unwrap() {
        let claim = office
            .store
            .claim(Work::Event, &id, office.clock.now(), DAY)
            .await
            .unwrap()
            .unwrap();
        office.desk.process_event(&claim).await.unwrap();
    }
    assert_eq!(office.view(rival).await.state, State::Activated);
}

#[tokio::test]
async fn halfway_to_its_end_there_is_one_reminder_and_at_its_end_it_expires() {
    for stage in ["awaiting_payment", "awaiting_confirmation", "information_requested"] {
        let office = Office::open().await;
        let view = match stage {
            "awaiting_payment" => office.started("ideal").await,
            "awaiting_confirmation" => with_link(&office).await,
            _ => {
                let view = in_review(&office).await;
                office
                    .desk
                    .request_information(&Office::key(), &view.id, office.act(&view.id).await)
                    .await
                    .unwrap()
            }
        };
        let token = office.links().await.pop();
        let lifetime = view.expires_at.unwrap().since(office.clock.now());
        office.clock.advance(lifetime / 2);
        assert_eq!(office.desk.time_passes(10).await.unwrap().reminded, 1, "{stage}");
        assert_eq!(office.desk.time_passes(10).await.unwrap().reminded, 0);
        let now = office.view(&view.id).await;
        assert_eq!(last(&now), (Happening::Reminded, Some(view.state), view.state));
        if let Some(token) = &token {
            assert_eq!(
                office.links().await.as_slice(),
                std::slice::from_ref(token),
                "the reminder carries the same link"
            );
        }
        office.clock.advance(lifetime / 2);
        assert_eq!(office.desk.time_passes(10).await.unwrap().expired, 1);
        let now = office.view(&view.id).await;
        assert_eq!(last(&now), (Happening::TimeUp, Some(view.state), State::Expired));
        assert_eq!(office.emails(&view.id).await["expired"], 1);
        assert_eq!(
            office.told_platform(&view.id).await.last().unwrap(),
            "activation.expired"
        );
        match (stage, token) {
            ("awaiting_payment", token) => assert_eq!(token, None),
            ("information_requested", Some(token)) => {
                let page = office.desk.answer(&token, "too late", Vec::new()).await.unwrap();
                assert_eq!(
                    (page.standing, page.state),
                    (QuestionStanding::Over, Some(State::Expired))
                );
            }
            (_, token) => {
                let page = office.desk.confirm(&token.unwrap()).await.unwrap();
                assert_eq!(page.standing, LinkStanding::Expired);
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_not_final_can_be_withdrawn_and_what_is_final_can_not() {
    let office = Office::open().await;
    let stages = [
        "awaiting_payment",
        "under_review",
        "information_requested",
        "approved",
        "scheduled",
        "awaiting_confirmation",
    ];
    for stage in stages {
        let office = Office::open().await;
        let view = match stage {
            "awaiting_payment" => office.started("ideal").await,
            "scheduled" => scheduled(&office).await,
            "awaiting_confirmation" => with_link(&office).await,
            _ => in_review(&office).await,
        };
        let act = office.act(&view.id).await;
        match stage {
            "information_requested" => drop(
                office
                    .desk
                    .request_information(&Office::key(), &view.id, act)
                    .await
                    .unwrap(),
            ),
            "approved" => drop(
                office
                    .desk
                    .approve(&Office::key(), &view.id, act, When::Now)
                    .await
                    .unwrap(),
            ),
            _ => {}
        }
        let now = office
            .desk
            .cancel(&Office::key(), &view.id, "no longer needed")
            .await
            .unwrap();
        assert_eq!(last(&now).0, Happening::Withdrawn);
        assert_eq!(
            (now.history.last().unwrap().from.unwrap().as_str(), now.state),
            (stage, State::Cancelled)
        );
        assert_eq!(office.emails(&view.id).await["cancelled"], 1);
        assert_eq!(
            office.told_platform(&view.id).await.last().unwrap(),
            "activation.cancelled"
        );
        assert!(office.desk.cancel(&Office::key(), &view.id, "").await.is_err(), "final");
    }
    drop(office);
}

#[tokio::test]
async fn what_was_paid_for_an_invoice_that_is_rejected_waits_for_somebody_to_refund_or_allocate_it() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    let mut stranger = another("tr_1", 1815, &view.reference);
    stranger.holder = HolderName::parse("Slagerij Van Dam B.V.");
    office.told("event_1", stranger).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
    let act = office.act(&view.id).await;
    office.desk.reject(&Office::key(), &view.id, act).await.unwrap();
    let explained = office.desk.explain("tr_1").await.unwrap().unwrap();
    let standing = serde_json::to_value(&explained).unwrap().to_string();
    assert!(standing.contains("unallocated"), "{standing}");
}

#[tokio::test]
async fn nothing_expires_while_a_message_that_came_in_time_is_yet_to_be_processed() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let end = view.expires_at.unwrap();
    office
        .clock
        .advance(end.since(office.clock.now()) - Duration::from_secs(60));
    office.posted("event_1", paid(&view.reference)).await;
    office.clock.advance(Duration::from_secs(600));
    assert_eq!(office.desk.time_passes(10).await.unwrap().expired, 0);
    office.work().await;
    assert_eq!(office.view(&view.id).await.state, State::AwaitingConfirmation);
    // One that came too late holds nothing up.
    let late = office.started("ideal").await;
    office
        .clock
        .advance(late.expires_at.unwrap().since(office.clock.now()) + Duration::from_secs(60));
    office.posted("event_2", another("tr_2", 1, &late.reference)).await;
    assert!(office.desk.time_passes(10).await.unwrap().expired > 0);
    assert_eq!(office.view(&late.id).await.state, State::Expired);
}
