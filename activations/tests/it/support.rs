//! What support works with: the queue, finding, one case, and acts that take two or are taken back.

use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::support::{FoundBy, Intended, QueueFilter, Whose};
use eencent_activations::desk::{Actor, LinkStanding, NewAccount, NewCreator, OrganisationChange, When};
use eencent_activations::language::Language;
use eencent_activations::notification::PaymentStatus;
use eencent_activations::people::Role;
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::refused::{DeskError, Refused};
use eencent_activations::state::{EmailKind, Happening, Method, State};
use eencent_activations::views::ActivationView;
use sqlx::AnyPool;

use crate::office::{FRIDAY_EVENING, Office, another, at, kvk, paid, settings, status};

const HOUR: Duration = Duration::from_secs(3_600);
const IBAN: &str = "NL91ABNA0417164300";

/// An organisation of its own, with an activation in review because `holder` paid for it.
async fn reviewed(office: &Office, number: usize, holder: &str) -> ActivationView {
    let organisation = office
        .register(|new| {
            new.environment = Some(format!("env-{number}"));
            new.legal_name = Some(format!("Zaak Nummer{number} B.V."));
            new.identifiers = vec![kvk(&format!("2000{number:04}"))];
        })
        .await;
    let started = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    let mut told = another(&format!("tr_{number}"), 1, &started.reference);
    told.holder = HolderName::parse(holder);
    office.told(&format!("event_{number}"), told).await;
    let view = office.view(&started.id).await;
    assert_eq!(view.state, State::UnderReview);
    view
}

async fn stranger(office: &Office) -> ActivationView {
    reviewed(office, 1, "Slagerij Van Dam").await
}

async fn person(office: &Office, name: &str) -> String {
    let new = NewAccount {
        email: format!("{}@example.nl", name.to_lowercase()),
        name: name.to_owned(),
        roles: vec![Role::Support],
        language: Language::Dutch,
    };
    let added = office.desk.add_account(&Actor::command_line(), &new, "test").await;
    added.unwrap().account
}

fn by(person: &str) -> Actor {
    Actor::console().as_person(person)
}

async fn ids(office: &Office, filter: &QueueFilter) -> Vec<String> {
    let page = office.desk.queue(filter).await.unwrap();
    page.rows.into_iter().map(|row| row.activation).collect()
}

fn all() -> QueueFilter {
    QueueFilter {
        limit: 50,
        ..QueueFilter::default()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, DeskError>) -> &'static str {
    match result {
        Err(DeskError::Refused(refused)) => {
            let Refused {
                code, text, text_nl, ..
            } = *refused;
            assert!(!text.is_empty() && !text_nl.is_empty());
            code
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_queue_is_oldest_first_by_when_it_came_into_review_and_a_question_keeps_the_place() {
    let office = Office::open().await;
    let waiting = office.started("invoice").await;
    office.clock.advance(HOUR);
    let second = reviewed(&office, 2, "Slagerij Van Dam").await;
    office.clock.advance(HOUR);
    // Started first, in review last.
    let mut told = another("tr_9", 1815, &waiting.reference);
    told.holder = HolderName::parse("Slagerij Van Dam");
    office.told("event_9", told).await;
    assert_eq!(ids(&office, &all()).await, [second.id.clone(), waiting.id.clone()]);

    let act = office.act(&second.id).await;
    office
        .desk
        .request_information(&by("Sanne"), &second.id, act)
        .await
        .unwrap();
    assert_eq!(ids(&office, &all()).await, [waiting.id.as_str()]);
    let asked = QueueFilter {
        information_requested: true,
        ..all()
    };
    assert_eq!(ids(&office, &asked).await, [second.id.as_str()]);
    let counts = office.desk.queue_counts(&all()).await.unwrap();
    assert_eq!((counts.under_review, counts.information_requested), (1, 1));

    let act = office.act(&second.id).await;
    office.desk.resume(&by("Sanne"), &second.id, act).await.unwrap();
    assert_eq!(ids(&office, &all()).await, [second.id.clone(), waiting.id.clone()]);
    let act = office.act(&second.id).await;
    office.desk.reject(&by("Sanne"), &second.id, act).await.unwrap();
    office
        .desk
        .cancel(&Office::key(), &waiting.id, "never mind")
        .await
        .unwrap();
    assert!(ids(&office, &all()).await.is_empty());
}

#[tokio::test]
async fn the_queue_is_filtered_paged_and_counted() {
    let office = Office::open().await;
    let mut inserted = Vec::new();
    for number in 0..5 {
        let holder = if number % 2 == 0 { "Slagerij Van Dam" } else { "" };
        inserted.push(reviewed(&office, number, holder).await.id);
        office.clock.advance(HOUR);
    }
    let nameless = QueueFilter {
        reason: Some("name_missing".to_owned()),
        ..all()
    };
    assert_eq!(
        ids(&office, &nameless).await,
        [inserted[1].clone(), inserted[3].clone()]
    );
    let counts = office.desk.queue_counts(&nameless).await.unwrap();
    assert_eq!((counts.under_review, counts.shown, counts.nobodys), (5, 2, 2));
    assert_eq!(counts.reasons.iter().map(|one| one.many).sum::<i64>(), 5, "{counts:?}");
    assert_eq!(counts.providers[0].of, "mollie");
    assert_eq!(counts.oldest, Some(at("2026-03-10T09:00:00Z")));

    let older = QueueFilter {
        before: Some(office.clock.now().minus(3 * HOUR)),
        ..all()
    };
    assert_eq!(ids(&office, &older).await, inserted[..2]);
    let none = QueueFilter {
        method: Some(Method::Invoice),
        ..all()
    };
    assert!(ids(&office, &none).await.is_empty());
    let none = QueueFilter {
        provider: Some("stripe".to_owned()),
        reason: Some("' OR 1=1 --".to_owned()),
        ..all()
    };
    assert!(ids(&office, &none).await.is_empty());

    let mut filter = QueueFilter { limit: 2, ..all() };
    let mut paged = Vec::new();
    loop {
        let page = office.desk.queue(&filter).await.unwrap();
        paged.extend(page.rows.into_iter().map(|row| row.activation));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(paged, inserted);
    let row = office.desk.queue(&all()).await.unwrap().rows.remove(0);
    assert_eq!(row.holder.as_deref(), Some("Slagerij Van Dam"));
    assert_eq!((row.paid_minor, row.provider.as_str()), (1, "mollie"));
    assert_eq!(row.reasons, office.view(&row.activation).await.reasons);
}

#[tokio::test]
async fn whoever_assigns_second_is_told_who_has_it_and_two_who_claim_get_one_each() {
    let office = Office::open().await;
    let (anna, bram) = (person(&office, "Anna").await, person(&office, "Bram").await);
    let mut those = Vec::new();
    for number in 0..3 {
        those.push(reviewed(&office, number, "Slagerij Van Dam").await.id);
        office.clock.advance(HOUR);
    }
    let actor = by("Anna");
    let order = Order {
        actor: &actor,
        reason: "",
    };
    let has = office.desk.assign(order, &those[0], None, Some(&anna)).await.unwrap();
    assert_eq!(has.unwrap().name, "Anna");
    let refused = office.desk.assign(order, &those[0], None, Some(&bram)).await;
    assert_eq!(code(refused), "assigned_meanwhile");
    assert_eq!(
        code(office.desk.assign(order, &those[0], None, Some("acc_x")).await),
        "account_not_found"
    );

    let filter = all();
    let (one, two) = tokio::join!(
        office.desk.claim_next(order, &anna, &filter),
        office.desk.claim_next(order, &bram, &filter)
    );
    let mut claimed = [one.unwrap().unwrap(), two.unwrap().unwrap()];
    claimed.sort();
    assert_eq!(claimed, [those[1].clone(), those[2].clone()]);
    assert_eq!(office.desk.claim_next(order, &anna, &filter).await.unwrap(), None);
    let annas = QueueFilter {
        whose: Some(Whose::Of(anna.clone())),
        ..all()
    };
    assert_eq!(ids(&office, &annas).await.len(), 2);
    let nobodys = QueueFilter {
        whose: Some(Whose::Nobodys),
        ..all()
    };
    assert!(ids(&office, &nobodys).await.is_empty());

    office.desk.assign(order, &those[0], Some(&anna), None).await.unwrap();
    assert_eq!(ids(&office, &nobodys).await, [those[0].as_str()]);
    // It isn't a move: whoever looked at it before can act on what was seen.
    let before = office.act(&those[0]).await;
    office.desk.assign(order, &those[0], None, Some(&anna)).await.unwrap();
    office.desk.reject(&actor, &those[0], before).await.unwrap();
    assert_eq!(
        code(office.desk.assign(order, &those[0], None, Some(&anna)).await),
        "not_in_review"
    );
}

#[tokio::test]
async fn an_activation_is_found_by_whatever_is_at_hand() {
    let office = Office::open().await;
    let organisation = office
        .register(|new| {
            new.legal_name = Some("Café De Gouden Zwaan B.V.".into());
            new.trade_names = vec!["Eethuis 't Hoekje".into()];
        })
        .await;
    let other = office
        .register(|new| new.legal_name = Some("Zwanenburg B.V.".into()))
        .await;
    let view = office
        .desk
        .start(&Office::key(), &organisation.id, "invoice")
        .await
        .unwrap();
    let _ = office.desk.start(&Office::key(), &other.id, "ideal").await.unwrap();
    let part = another("tr_1", 100, &view.reference);
    office.told("event_1", part).await;
    let grouped: Vec<String> = view
        .reference
        .as_bytes()
        .chunks(4)
        .map(|four| String::from_utf8_lossy(four).to_lowercase())
        .collect();
    for (sought, by) in [
        ("cafe zwaan", FoundBy::Name),
        ("GOUDEN caf", FoundBy::Name),
        ("hoek", FoundBy::Name),
        ("zwaan bv", FoundBy::Name),
        (view.id.as_str(), FoundBy::Reference),
        (&view.reference.to_lowercase(), FoundBy::Reference),
        (&format!("factuur {}", grouped.join(" ")), FoundBy::Reference),
        ("1234 5678", FoundBy::Identifier),
        ("NL:KVK 12345678", FoundBy::Identifier),
        ("Jansen@Example.NL", FoundBy::Creator),
        ("NL91 ABNA 0417 1643 00", FoundBy::Account),
    ] {
        let found = office.desk.find(sought).await.unwrap();
        let ours = found.activations.iter().find(|one| one.activation == view.id);
        assert_eq!(ours.unwrap_or_else(|| panic!("{sought}: {found:?}")).by, by, "{sought}");
    }
    for nothing in [
        "",
        "  ",
        "zwaan bakker",
        "ouden",
        "jansen@example.com",
        "NL02 RABO 0123 4567 89",
        "%",
        "' OR 1=1 --",
    ] {
        let found = office.desk.find(nothing).await.unwrap();
        assert!(
            found.activations.is_empty() && found.payments.is_empty(),
            "{nothing}: {found:?}"
        );
    }
    office.told("event_2", another("tr_2", 100, "nobody's")).await;
    assert_eq!(office.desk.find(IBAN).await.unwrap().payments.len(), 1, "tied to none");

    // A new name is found, and the old one isn't.
    let change = OrganisationChange {
        legal_name: Some("De Zilveren Vos B.V.".into()),
        creator: Some(NewCreator {
            email: Some("anders@example.nl".into()),
            ..NewCreator::default()
        }),
        ..OrganisationChange::default()
    };
    office.desk.cancel(&Office::key(), &view.id, "").await.unwrap();
    office
        .desk
        .change(&Office::key(), &organisation.id, change)
        .await
        .unwrap();
    let found = async |sought: &str| {
        let found = office.desk.find(sought).await.unwrap().activations;
        found.iter().any(|one| one.activation == view.id)
    };
    assert!(found("zilver").await && found("anders@example.nl").await);
    assert!(!found("gouden").await && !found("jansen@example.nl").await);
}

#[tokio::test]
async fn what_was_there_before_is_filled_in_and_under_another_key_again() {
    let office = Office::open().await;
    let view = stranger(&office).await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    for sql in [
        "UPDATE payments SET account_hash = NULL",
        "UPDATE organisations SET creator_hash = NULL",
        "DELETE FROM name_words",
        "UPDATE reviews SET codes = ''",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    let found = async |sought: &str| {
        let found = office.desk.find(sought).await.unwrap().activations;
        found.iter().any(|one| one.activation == view.id)
    };
    assert!(!found("nummer1").await && !found(IBAN).await);
    while office.desk.fill_in().await.unwrap() {}
    assert!(found("nummer1").await && found(IBAN).await && found("jansen@example.nl").await);
    let filter = QueueFilter {
        reason: Some("other_name".to_owned()),
        ..all()
    };
    assert_eq!(ids(&office, &filter).await, [view.id.as_str()]);
    assert!(!office.desk.fill_in().await.unwrap(), "done once");
}

#[tokio::test]
async fn one_page_tells_of_the_others_and_warns_without_changing_a_verdict() {
    let office = Office::open().await;
    for number in 1..=4 {
        reviewed(&office, number, "Slagerij Van Dam").await;
    }
    let view = reviewed(&office, 5, "Slagerij Van Dam").await;
    let broken_off = async |times: usize| {
        let other = office.register(|new| new.environment = Some("env-9".into())).await;
        let started = office.desk.start(&Office::key(), &other.id, "ideal").await.unwrap();
        for time in 0..times {
            let mut told = status(&started.reference, PaymentStatus::Cancelled);
            told.payment_id = format!("tr_off_{time}");
            office.told(&format!("event_off_{time}"), told).await;
        }
        started
    };
    let tried = broken_off(3).await;
    let case = office.desk.case(&view.id).await.unwrap();
    let codes: Vec<&str> = case.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["same_account", "creator_of_many"]);
    assert_eq!(case.related.of_account.activations.len(), 4);
    assert_eq!(case.related.of_creator.activations.len(), 5);
    assert!(case.related.of_organisation.activations.is_empty());
    assert_eq!(case.explanation.activation, view, "nothing of it changed");
    let case = office.desk.case(&tried.id).await.unwrap();
    assert!(
        case.warnings.iter().any(|warning| warning.code == "many_tries"),
        "{:?}",
        case.warnings
    );
    assert_eq!(case.payments.len(), 3);
}

#[tokio::test]
async fn money_taken_back_after_activation_is_a_warning_for_the_next_one() {
    let office = Office::open().await;
    let first = office.started("invoice").await;
    office.told("event_71", another("tr_71", 1815, &first.reference)).await;
    assert_eq!(office.view(&first.id).await.state, State::Activated);
    let mut back = status(&first.reference, PaymentStatus::ChargedBack);
    back.payment_id = "tr_71".into();
    office.told("event_72", back).await;
    let next = stranger(&office).await;
    let case = office.desk.case(&next.id).await.unwrap();
    let warned = case.warnings.iter().find(|one| one.code == "reversed_after_activation");
    assert!(warned.unwrap().text.contains(&first.reference));
}

#[tokio::test]
async fn an_account_is_revealed_to_who_says_why_and_the_audit_has_it_first() {
    let office = Office::open().await;
    let view = stranger(&office).await;
    let payment = office.desk.case(&view.id).await.unwrap().payments.remove(0);
    assert!(payment.whole_account);
    let actor = by("Anna");
    let order = |reason| Order { actor: &actor, reason };
    assert_eq!(
        code(office.desk.reveal_account(order(" "), &view.id, &payment.id).await),
        "invalid"
    );
    assert_eq!(
        code(office.desk.reveal_account(order("why"), "act_x", &payment.id).await),
        "payment_not_found"
    );
    let told = office
        .desk
        .reveal_account(order("asked by the bank"), &view.id, &payment.id)
        .await;
    assert_eq!(told.unwrap(), IBAN);
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let rows = sqlx::query_as::<_, (String, String, String)>(
        "SELECT actor, subject, reason FROM audit WHERE act = 'account revealed'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0, "Anna (console)");
    assert_eq!(rows[0].1, view.id);
    assert!(rows[0].2.contains("asked by the bank") && !rows[0].2.contains("0417164300"));
    let mut told = another("tr_9", 1, &view.reference);
    told.account_number = AccountNumber::last_digits("4300");
    office.told("event_9", told).await;
    let payments = office.desk.case(&view.id).await.unwrap().payments;
    let digits = payments.iter().find(|one| !one.whole_account).unwrap();
    assert_eq!(
        code(office.desk.reveal_account(order("why"), &view.id, &digits.id).await),
        "account_unknown"
    );
}

#[tokio::test]
async fn notes_are_added_and_kept() {
    let office = Office::open().await;
    let view = stranger(&office).await;
    let note = "Gebeld: <b>moederbedrijf</b> betaalt";
    office.desk.add_note(&by("Anna"), &view.id, note).await.unwrap();
    office.desk.add_note(&by("Bram"), &view.id, "  second  ").await.unwrap();
    let notes = office.desk.case(&view.id).await.unwrap().notes;
    let told: Vec<(&str, &str)> = notes
        .iter()
        .map(|one| (one.author.as_str(), one.note.as_str()))
        .collect();
    assert_eq!(told, [("Anna (console)", note), ("Bram (console)", "second")]);
    assert_eq!(
        code(office.desk.add_note(&by("Anna"), &view.id, " \n ").await),
        "note_length"
    );
    assert_eq!(
        code(office.desk.add_note(&by("Anna"), "act_x", "x").await),
        "activation_not_found"
    );
}

async fn two_wanted(which: &str) -> Office {
    let mut settings = settings();
    settings.review.second_person = which.to_owned();
    Office::with(settings).await
}

#[tokio::test]
async fn where_it_takes_two_nobody_approves_a_stranger_alone() {
    let office = two_wanted("strong_mismatch").await;
    let view = stranger(&office).await;
    let actor = Actor::console();
    let act = async |person: &str| {
        let mut act = office.act(&view.id).await;
        act.actor = person.to_owned();
        act
    };
    let alone = office
        .desk
        .approve(&Office::key(), &view.id, act("Anna").await, When::Now)
        .await;
    assert_eq!(code(alone), "second_person_needed");
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, act("Bram").await).await),
        "nothing_proposed"
    );
    office
        .desk
        .propose_approval(&actor, &view.id, act("Anna").await, When::Now)
        .await
        .unwrap();
    let case = office.desk.case(&view.id).await.unwrap();
    assert_eq!(case.proposal.unwrap().person, "Anna");
    assert!(case.takes_two);
    assert!(office.desk.queue(&all()).await.unwrap().rows[0].proposed);
    assert_eq!(
        code(
            office
                .desk
                .confirm_approval(&actor, &view.id, act(" anna ").await)
                .await
        ),
        "second_person_same"
    );
    let alone = office
        .desk
        .approve(&actor, &view.id, act("Bram").await, When::Now)
        .await;
    assert_eq!(code(alone), "second_person_needed", "an approval isn't a confirmation");
    let approved = office
        .desk
        .confirm_approval(&actor, &view.id, act("Bram").await)
        .await
        .unwrap();
    let line = approved.history.last().unwrap();
    assert_eq!(
        (line.event, line.actor.as_str()),
        (Happening::PersonApproved, "Bram (console)")
    );
    assert!(line.reason.contains("proposed by Anna"));
}

#[tokio::test]
async fn a_proposal_ends_with_whatever_changes_the_activation() {
    let office = two_wanted("strong_mismatch").await;
    let view = stranger(&office).await;
    let actor = Actor::console();
    let act = office.act(&view.id).await;
    office
        .desk
        .propose_approval(&actor, &view.id, act.clone(), When::Now)
        .await
        .unwrap();
    let mut more = another("tr_7", 1, &view.reference);
    more.holder = HolderName::parse("Slagerij Van Dam");
    office.told("event_7", more).await;
    assert!(office.desk.case(&view.id).await.unwrap().proposal.is_none());
    let mut second = office.act(&view.id).await;
    second.actor = "Bram".into();
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, second.clone()).await),
        "nothing_proposed"
    );

    let act = office.act(&view.id).await;
    office
        .desk
        .propose_approval(&actor, &view.id, act, When::Now)
        .await
        .unwrap();
    let who = by("Bram");
    let order = Order {
        actor: &who,
        reason: "not so sure",
    };
    office.desk.drop_proposal(order, &view.id).await.unwrap();
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, second).await),
        "nothing_proposed"
    );
    assert_eq!(
        code(office.desk.drop_proposal(order, &view.id).await),
        "nothing_proposed"
    );
}

#[tokio::test]
async fn a_name_that_has_something_in_common_is_approved_by_one() {
    let office = two_wanted("strong_mismatch").await;
    let near = reviewed(&office, 3, "Zaak Nummer3 Holding B.V.").await;
    assert!(!office.desk.case(&near.id).await.unwrap().takes_two);
    let act = office.act(&near.id).await;
    let proposed = office
        .desk
        .propose_approval(&Actor::console(), &near.id, act.clone(), When::Now)
        .await;
    assert_eq!(code(proposed), "one_person_is_enough");
    office
        .desk
        .approve(&Office::key(), &near.id, act, When::Now)
        .await
        .unwrap();
    let office = two_wanted("always").await;
    let near = reviewed(&office, 3, "Zaak Nummer3 Holding B.V.").await;
    assert!(office.desk.case(&near.id).await.unwrap().takes_two);
}

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
async fn an_e_mail_is_read_as_it_was_sent_and_its_secret_link_is_not() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let email = office.view(&view.id).await.emails.remove(0);
    let sent = office.desk.email_as_sent(&view.id, &email.id).await.unwrap();
    assert!(sent.rendered.is_none(), "not rendered yet");
    let rendered = r#"{"subject":"Rond af","text":"Ga naar @@LINK@@","html":"<a href=\"@@LINK@@\">af</a>"}"#;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    sqlx::query("UPDATE emails SET rendered = $1 WHERE id = $2")
        .bind(rendered)
        .bind(email.id.as_str())
        .execute(&pool)
        .await
        .unwrap();
    let sent = office.desk.email_as_sent(&view.id, &email.id).await.unwrap();
    assert_eq!(
        sent.rendered.unwrap().text,
        "Ga naar http://localhost:8080/round-off/***"
    );
    assert_eq!(sent.recipient_masked, "j***@example.nl");
    assert_eq!(
        code(office.desk.email_as_sent("act_x", &email.id).await),
        "email_not_found"
    );
}

#[tokio::test]
async fn an_approval_is_taken_back_while_it_has_activated_nobody() {
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
