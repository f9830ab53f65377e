//! E-mails that wait for their turn, and those that don't arrive.

use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::{Actor, NewCreator, OrganisationChange, Rendered, Trouble};
use eencent_activations::ledger::{Claim, Work};
use eencent_activations::refused::DeskError;
use eencent_activations::state::EmailKind;
use eencent_activations::store::Store;
use sqlx::AnyPool;

use crate::office::{Office, another, paid, settings, somebody_waits};

/// Longer than a test's clock goes on while something is claimed.
const LEASE: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes all that is due and may be taken, as the sweep and the workers do.
async fn take(store: &Store, office: &Office) -> Vec<Claim> {
    let now = office.clock.now();
    let due = store.due(Work::Email, now, 400).await.unwrap();
    let claims = store.claim_many(Work::Email, &due, now, LEASE).await.unwrap();
    claims.into_iter().flatten().collect()
}

#[tokio::test]
async fn fault_60_all_machines_together_begin_no_more_e_mails_in_a_minute_than_they_may() {
    let mut many = settings();
    many.organisations.free = 1_000;
    let office = Office::with(many).await;
    for _ in 0..40 {
        office.started("invoice").await;
    }
    let machines = [
        office.store.clone().pacing_mail(20),
        Store::open(&office.url).await.unwrap().pacing_mail(20),
    ];
    let mut begun = Vec::new();
    for second in 0..60 {
        let all = office.store.due(Work::Email, office.clock.now(), 400).await.unwrap();
        for machine in &machines {
            begun.extend(take(machine, &office).await);
            // Hints name whatever was committed; those that are over are put off, and stay as they are.
            let put_off = machine
                .claim_many(Work::Email, &all, office.clock.now(), LEASE)
                .await
                .unwrap();
            assert!(put_off.iter().all(Option::is_none));
            assert!(
                machine
                    .due(Work::Email, office.clock.now(), 400)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        let at_once = if second == 0 { 2 } else { 20 };
        assert!(begun.len() <= at_once, "{} in second {second}", begun.len());
        office.clock.advance(Duration::from_secs(1));
    }
    assert!(begun.len() >= 18, "{} of 20", begun.len());
    assert!(begun.iter().all(|claim| claim.attempts == 0));
    // A machine without the limit takes what is left, and none was lost.
    let left = take(&office.store, &office).await;
    assert_eq!(left.len() + begun.len(), 40);
    machines[1].close().await;
}

#[tokio::test]
async fn fault_60_whoever_waited_for_days_has_its_whole_time_when_its_turn_comes() {
    let office = Office::open().await;
    office.started("invoice").await;
    office.clock.advance(5 * DAY);
    let store = office.store.clone().pacing_mail(1);
    let now = office.clock.now();
    let claims = take(&store, &office).await;
    let letters = office.desk.emails(&claims).await.unwrap();
    assert_eq!(letters[0].give_up_at, now.plus(3 * DAY));
    // Once it was tried, its time is what it is.
    store.put_back(&claims[0], now, now, "put_off: later").await.unwrap();
    office.clock.advance(DAY);
    let again = take(&store, &office).await;
    assert_eq!(
        office.desk.emails(&again).await.unwrap()[0].give_up_at,
        now.plus(3 * DAY)
    );
}

fn code(error: &DeskError) -> &'static str {
    match error {
        DeskError::Refused(refused) => refused.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_refused_address_is_shown_in_words_and_the_e_mail_sent_again_to_the_new_one() {
    let office = Office::open().await;
    let activation = office.started("invoice").await;
    let claim = take(&office.store, &office).await.remove(0);
    let said = Trouble::AddressRefused.told("the mail server refused the recipient: 550 *** unknown");
    let again = ("Jansen", "new address");
    let id = office.view(&activation.id).await.emails[0].id.clone();
    let waiting = office.desk.send_again(&id, again).await.unwrap_err();
    assert_eq!(code(&waiting), "email_not_given_up");
    office.store.give_up(&claim, office.clock.now(), &said).await.unwrap();

    let view = office.view(&activation.id).await;
    let email = &view.emails[0];
    assert_eq!((email.state.as_str(), email.attempts), ("failed", 0));
    assert_eq!(email.recipient_masked.as_deref(), Some("j***@example.nl"));
    let problem = email.problem.clone().unwrap();
    assert_eq!(problem.code, "address_refused");
    assert!(
        problem.text.contains("Ask the creator") && problem.text_nl.contains("aanmaker"),
        "{problem:?}"
    );
    assert_eq!(
        email.last_error.as_deref(),
        Some("the mail server refused the recipient: 550 *** unknown")
    );

    let change = OrganisationChange {
        creator: Some(NewCreator {
            email: Some("anna@korenaar.example".to_owned()),
            ..NewCreator::default()
        }),
        ..OrganisationChange::default()
    };
    office
        .desk
        .change(&Actor::key("platform"), &activation.organisation, change)
        .await
        .unwrap();
    office.desk.send_again(&id, again).await.unwrap();
    let claims = take(&office.store, &office).await;
    let letters = office.desk.emails(&claims).await.unwrap();
    assert_eq!(letters[0].to.as_str(), "anna@korenaar.example");
    assert_eq!(letters[0].message_id, email.message_id);
    assert_eq!(letters[0].give_up_at, office.clock.now().plus(3 * DAY));
    let email = &office.view(&activation.id).await.emails[0];
    assert_eq!((email.state.as_str(), email.problem.is_none()), ("waiting", true));
    assert_eq!(
        code(&office.desk.send_again("eml_none", again).await.unwrap_err()),
        "email_unknown"
    );
}

#[tokio::test]
async fn an_e_mail_whose_link_has_ended_is_not_sent_again() {
    let office = Office::open().await;
    let activation = office.started("ideal").await;
    office.told("event_1", paid(&activation.reference)).await;
    let claim = take(&office.store, &office).await.remove(0);
    let id = claim.id.clone();
    office
        .store
        .give_up(&claim, office.clock.now(), "put_off: later")
        .await
        .unwrap();
    office
        .desk
        .resend(&Actor::key("platform"), &activation.id)
        .await
        .unwrap();
    let refused = office.desk.send_again(&id, ("Jansen", "asked")).await.unwrap_err();
    assert_eq!(code(&refused), "email_link_ended");
    // The fresh one can be.
    let claim = take(&office.store, &office).await.remove(0);
    office
        .store
        .give_up(&claim, office.clock.now(), "put_off: later")
        .await
        .unwrap();
    office.desk.send_again(&claim.id, ("Jansen", "asked")).await.unwrap();
}

#[tokio::test]
async fn what_an_e_mail_said_first_stays_also_of_one_from_before_renderings_had_rows_of_their_own() {
    let office = Office::open().await;
    let words = |text: &str| Rendered {
        subject: "Invoice".to_owned(),
        text: text.to_owned(),
        html: format!("<p>{text}</p>"),
    };
    office.started("invoice").await;
    let claims = take(&office.store, &office).await;
    let said = async || office.desk.emails(&claims).await.unwrap().remove(0).rendered;
    assert_eq!(said().await, None);
    for text in ["first", "otherwise"] {
        let rendered = [(claims[0].clone(), words(text))];
        office.desk.keep_renderings(&rendered).await.unwrap();
        assert_eq!(said().await, Some(words("first")));
    }
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let before = r#"{"subject":"Invoice","text":"before","html":"<p>before</p>"}"#;
    sqlx::query("DELETE FROM renderings").execute(&pool).await.unwrap();
    sqlx::query("UPDATE emails SET rendered = $1")
        .bind(before)
        .execute(&pool)
        .await
        .unwrap();
    let rendered = [(claims[0].clone(), words("otherwise"))];
    office.desk.keep_renderings(&rendered).await.unwrap();
    assert_eq!(said().await, Some(words("before")));

    // Who has lost the e-mail keeps nothing.
    office.desk.emails_sent(&claims).await.unwrap();
    sqlx::query("UPDATE emails SET rendered = NULL")
        .execute(&pool)
        .await
        .unwrap();
    office.desk.keep_renderings(&rendered).await.unwrap();
    assert_eq!(said().await, None);
}

#[tokio::test]
async fn of_an_e_mail_that_is_erased_while_it_is_rendered_no_words_stay() {
    let office = Office::open().await;
    office.started("invoice").await;
    let claims = take(&office.store, &office).await;
    let words = Rendered {
        subject: "Invoice".to_owned(),
        text: "Dear Anna".to_owned(),
        html: "<p>Dear Anna</p>".to_owned(),
    };
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let mut erasing = pool.begin().await.unwrap();
    sqlx::query("UPDATE emails SET recipient = '', data = '{}', lease = NULL, lease_until = NULL")
        .execute(&mut *erasing)
        .await
        .unwrap();
    let erased = async {
        somebody_waits(&pool).await;
        erasing.commit().await.unwrap();
    };
    let rendered = [(claims[0].clone(), words)];
    let (kept, ()) = tokio::join!(office.desk.keep_renderings(&rendered), erased);
    kept.unwrap();
    assert!(
        sqlx::query("SELECT 1 FROM renderings")
            .fetch_optional(&pool)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn of_an_e_mail_that_was_sent_a_copy_goes_once_however_many_ask_and_is_an_e_mail_of_its_own() {
    let office = Office::open().await;
    let activation = office.started("invoice").await;
    let claims = take(&office.store, &office).await;
    let words = Rendered {
        subject: "Invoice".to_owned(),
        text: "as it was".to_owned(),
        html: "<p>as it was</p>".to_owned(),
    };
    let rendered = [(claims[0].clone(), words.clone())];
    office.desk.keep_renderings(&rendered).await.unwrap();
    let first = office.desk.emails(&claims).await.unwrap().remove(0);
    office.desk.emails_sent(&claims).await.unwrap();
    let id = office.view(&activation.id).await.emails[0].id.clone();
    let asked = ("Jansen", "it never came");
    let at_once = office.desk.send_again(&id, asked).await.unwrap_err();
    assert_eq!(code(&at_once), "email_sent_just_now");

    office.clock.advance(DAY);
    let (one, other) = tokio::join!(
        office.desk.send_again(&id, asked),
        office.desk.send_again(&id, ("Peters", "it never came"))
    );
    let refused = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused.iter().map(code).collect::<Vec<_>>(), ["email_sent_just_now"]);
    // Nor while its copy is held back, however long.
    office.clock.advance(DAY);
    assert_eq!(
        code(&office.desk.send_again(&id, asked).await.unwrap_err()),
        "email_sent_just_now"
    );
    let written = office.clock.now().minus(DAY);
    let claims = take(&office.store, &office).await;
    let letters = office.desk.emails(&claims).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].rendered, Some(words));
    assert_eq!(letters[0].to, first.to);
    assert_ne!(letters[0].message_id, first.message_id);
    assert_eq!(letters[0].created_at, written);
    office.desk.emails_sent(&claims).await.unwrap();

    // Another day, another copy; the e-mail itself stays as it was sent.
    office.clock.advance(DAY);
    let (of_the_first, of_its_copy) = tokio::join!(
        office.desk.send_again(&id, asked),
        office.desk.send_again(&claims[0].id, ("Peters", "it never came"))
    );
    let refused = of_the_first.err().or(of_its_copy.err()).unwrap();
    assert_eq!(code(&refused), "email_sent_just_now");
    let emails = office.view(&activation.id).await.emails;
    let states: Vec<&str> = emails.iter().map(|email| email.state.as_str()).collect();
    assert_eq!(states, ["sent", "sent", "waiting"]);
}

#[tokio::test]
async fn whoever_has_paid_a_part_is_reminded_of_the_rest() {
    let office = Office::open().await;
    let view = office.started("invoice").await;
    office.told("event_1", another("tr_1", 1000, &view.reference)).await;
    let half = view.expires_at.unwrap().since(office.clock.now()) / 2;
    office.clock.advance(half);
    assert_eq!(office.desk.time_passes(10).await.unwrap().reminded, 1);
    let claims = take(&office.store, &office).await;
    let letters = office.desk.emails(&claims).await.unwrap();
    let reminder = letters.iter().find(|letter| letter.kind == EmailKind::ReminderToPay);
    let data = &reminder.unwrap().data;
    assert_eq!((&data["received"], &data["missing"]), (&"10.00".into(), &"8.15".into()));
}
