//! What acts will do, what takes effect when, and acts that are taken back; what the report counts.

use eencent_activations::desk::support::Intended;
use eencent_activations::desk::{LinkStanding, When};
use eencent_activations::state::{EmailKind, Happening, State};

use super::{all, by, code, ids, reviewed, stranger};
use crate::office::{FRIDAY_EVENING, Office, at, paid};

#[tokio::test]
async fn what_an_act_will_do_is_what_it_does() {
    let office = Office::open().await;
    let actor = by("Anna");
    // On a Friday evening: scheduled for Monday, and the creator is told so at once.
    office.clock.set(at(FRIDAY_EVENING));
    let view = stranger(&office).await;
    let foreseen = office
        .desk
        .foresee_act(&view.id, &Intended::Approve(When::OfficeHours))
        .await
        .unwrap();
    assert_eq!(
        (foreseen.state, foreseen.then),
        (State::Scheduled, Some(State::AwaitingConfirmation))
    );
    assert_eq!(foreseen.effect_at, at("2026-03-16T08:00:00Z"));
    let kinds: Vec<EmailKind> = foreseen.emails.iter().map(|email| email.kind).collect();
    assert_eq!(kinds, [EmailKind::Scheduled, EmailKind::RoundOff]);
    assert_eq!(
        foreseen.emails[0].data["takes_effect_local"],
        "maandag 16 maart 2026 om 09:00"
    );
    assert_eq!(foreseen.emails[0].recipient, "jansen@example.nl");
    assert_eq!(foreseen.told, ["activation.scheduled", "activation.approved"]);
    assert_eq!(office.view(&view.id).await, view, "nothing was written");
    let act = office.act(&view.id).await;
    office
        .desk
        .approve(&actor, &view.id, act, When::OfficeHours)
        .await
        .unwrap();
    office.work().await;
    let now = office.view(&view.id).await;
    assert_eq!((now.state, now.due_at), (State::Scheduled, Some(foreseen.effect_at)));

    let hasten = office.desk.foresee_act(&view.id, &Intended::RunNow).await.unwrap();
    assert_eq!((hasten.state, hasten.then), (State::AwaitingConfirmation, None));
    assert_eq!(hasten.emails.len(), 1);

    let other = reviewed(&office, 2, "Slagerij Van Dam").await;
    let foreseen = office
        .desk
        .foresee_act(&other.id, &Intended::Approve(When::Now))
        .await
        .unwrap();
    assert_eq!((foreseen.state, foreseen.then), (State::AwaitingConfirmation, None));
    let foreseen = office
        .desk
        .foresee_act(&other.id, &Intended::Reject("another company".into()))
        .await
        .unwrap();
    assert_eq!(
        (foreseen.state, foreseen.emails[0].kind),
        (State::Rejected, EmailKind::Rejected)
    );
    assert_eq!(foreseen.emails[0].data["reason"], "another company");
    let foreseen = office
        .desk
        .foresee_act(&other.id, &Intended::Ask("Who paid?".into()))
        .await
        .unwrap();
    assert_eq!(
        (foreseen.state, foreseen.emails[0].kind),
        (State::InformationRequested, EmailKind::InformationRequested)
    );
    assert_eq!(foreseen.emails[0].data["question"], "Who paid?");
    assert_eq!(foreseen.emails[0].data["link"], "@@LINK@@");
    assert_eq!(
        code(office.desk.foresee_act(&other.id, &Intended::RunNow).await),
        "state_wrong"
    );
    let act = office.act(&other.id).await;
    office.desk.reject(&actor, &other.id, act).await.unwrap();
    assert_eq!(
        code(office.desk.foresee_act(&other.id, &Intended::Resume).await),
        "activation_over"
    );
}

#[tokio::test]
async fn fault_54_an_approval_is_taken_back_while_it_has_activated_nobody() {
    let office = Office::open().await;
    office.clock.set(at(FRIDAY_EVENING));
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    assert_eq!(office.view(&view.id).await.state, State::Scheduled);
    let schedule = office.desk.schedule(None, 50).await.unwrap();
    assert_eq!(schedule.rows[0].activation, view.id);
    assert_eq!(
        (schedule.rows[0].made_at, schedule.rows[0].decided_by.as_str()),
        (Some(at(FRIDAY_EVENING)), "system")
    );

    let act = office.act(&view.id).await;
    let back = office
        .desk
        .withdraw_approval(&by("Anna"), &view.id, act.clone())
        .await
        .unwrap();
    assert_eq!((back.state, back.due_at), (State::UnderReview, None));
    assert_eq!(back.reasons[0].code, "approval_withdrawn");
    assert_eq!(back.emails[0].state, "withdrawn", "it wasn't handed over yet");
    assert_eq!(ids(&office, &all()).await, [view.id.as_str()]);
    assert!(office.desk.schedule(None, 50).await.unwrap().rows.is_empty());
    assert_eq!(
        code(office.desk.withdraw_approval(&by("Bram"), &view.id, act).await),
        "version_stale"
    );

    // A person approves it after all, now; the link of that is void once it is taken back.
    let act = office.act(&view.id).await;
    office
        .desk
        .approve(&by("Anna"), &view.id, act, When::Now)
        .await
        .unwrap();
    office.work().await;
    let link = office.links().await.remove(0);
    assert_eq!(
        office.desk.round_off(&link).await.unwrap().standing,
        LinkStanding::Ready
    );
    let act = office.act(&view.id).await;
    office.desk.withdraw_approval(&by("Anna"), &view.id, act).await.unwrap();
    assert_eq!(
        office.desk.round_off(&link).await.unwrap().standing,
        LinkStanding::Withdrawn
    );
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
    let told = office.told_platform(&view.id).await;
    assert_eq!(told.last().unwrap(), "activation.under_review");
    let report = office.desk.review_report("2026-01", "2026-12").await.unwrap();
    assert_eq!(
        (report[0].approved, report[0].withdrawn),
        (0, 1),
        "it counts as taken back"
    );
}

#[tokio::test]
async fn what_is_scheduled_takes_effect_now_when_a_person_says_why() {
    let office = Office::open().await;
    office.clock.set(at(FRIDAY_EVENING));
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let act = office.act(&view.id).await;
    office.desk.run_now(&by("Anna"), &view.id, act).await.unwrap();
    office.work().await;
    let now = office.view(&view.id).await;
    assert_eq!(now.state, State::AwaitingConfirmation);
    let line = &now.history[now.history.len() - 2];
    assert_eq!(
        (line.event, line.reason.as_str()),
        (Happening::EffectHastened, "seen the extract")
    );
    let act = office.act(&view.id).await;
    assert_eq!(
        code(office.desk.run_now(&by("Anna"), &view.id, act).await),
        "state_wrong"
    );
}

#[tokio::test]
async fn the_schedule_is_in_the_order_of_taking_effect_and_pages() {
    let office = Office::open().await;
    office.clock.set(at(FRIDAY_EVENING));
    let mut those = Vec::new();
    for number in 0..3 {
        let view = reviewed(&office, number, "Slagerij Van Dam").await;
        let act = office.act(&view.id).await;
        office
            .desk
            .approve(&by("Anna"), &view.id, act, When::OfficeHours)
            .await
            .unwrap();
        those.push(view.id);
    }
    office.work().await;
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let page = office.desk.schedule(after.as_deref(), 1).await.unwrap();
        assert!(
            page.rows
                .iter()
                .all(|row| row.decided_by == "Sanne (console)" && row.made_at.is_none())
        );
        paged.extend(page.rows.into_iter().map(|row| row.activation));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // Due at the same moment: in the order of their ids.
    those.sort();
    assert_eq!(paged, those);
}

#[tokio::test]
async fn the_report_counts_what_persons_decided_for_each_reason() {
    let office = Office::open().await;
    for number in 0..3 {
        let view = reviewed(&office, number, "Slagerij Van Dam").await;
        let act = office.act(&view.id).await;
        if number == 0 {
            office.desk.reject(&by("Anna"), &view.id, act).await.unwrap();
        } else {
            office
                .desk
                .approve(&by("Anna"), &view.id, act, When::Now)
                .await
                .unwrap();
        }
    }
    let rows = office.desk.review_report("2026-03", "2026-03").await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.code.as_str(), row.approved, row.rejected))
        .collect();
    assert_eq!(told, [("", 2, 1), ("other_name", 2, 1)]);
    let examples = office.desk.review_examples("2026-03", "other_name").await.unwrap();
    assert_eq!(examples.len(), 3);
    let all = office.desk.review_examples("2026-03", "").await.unwrap();
    assert_eq!(all, examples, "without a code: all of the month");
    assert_eq!(examples[0].reason, "seen the extract");
    assert_eq!(examples[0].holder.as_deref(), Some("Slagerij Van Dam"));
    assert!(
        office
            .desk
            .review_report("2026-04", "2026-12")
            .await
            .unwrap()
            .is_empty()
    );
}
