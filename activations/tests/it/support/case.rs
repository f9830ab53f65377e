//! One page about one activation, and what is masked on it.

use eencent_activations::desk::operations::Order;
use eencent_activations::notification::PaymentStatus;
use eencent_activations::personal::AccountNumber;
use eencent_activations::state::State;
use sqlx::AnyPool;

use super::{IBAN, by, code, reviewed, stranger};
use crate::office::{Office, another, paid, status};

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
        "account_number_unknown"
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
    sqlx::query("INSERT INTO renderings (email_id, words) VALUES ($1, $2)")
        .bind(email.id.as_str())
        .bind(rendered)
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
        "email_unknown"
    );
}
