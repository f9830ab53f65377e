//! What support is told of by e-mail: how much waits, and nobody's name.

use std::time::Duration;

use eencent_activations::clock::Clock as _;
use eencent_activations::desk::Digest;
use eencent_activations::ledger::Work;
use eencent_activations::notification::PaymentNotification;
use eencent_activations::personal::{EmailAddress, HolderName};
use eencent_activations::state::EmailKind;
use sqlx::AnyPool;

use crate::office::{FRIDAY_EVENING, LEASE, Office, at, paid};

fn digest(language: &str) -> Digest {
    let to = ["support@example.nl", "lead@example.nl"];
    Digest {
        to: to.iter().map(|to| EmailAddress::parse(to).unwrap()).collect(),
        language: language.to_owned(),
        console: "https://console.example.nl".to_owned(),
    }
}

#[tokio::test]
async fn support_is_told_how_much_waits_since_when_and_why_once_and_nobodys_name() {
    let office = Office::open().await;
    let fire = at(FRIDAY_EVENING);
    assert_eq!(
        office.desk.write_digest(&digest("nl"), fire).await.unwrap(),
        0,
        "nothing waits"
    );
    let view = office.started("ideal").await;
    let stranger = PaymentNotification {
        holder: HolderName::parse("Jachthaven De Meeuw B.V."),
        ..paid(&view.reference)
    };
    office.told("event_1", stranger).await;
    let mut nobodys = paid("nobody knows this one");
    nobodys.payment_id = "tr_2".into();
    office.told("event_2", nobodys).await;
    office.links().await;
    office.clock.advance(Duration::from_secs(26 * 3_600));

    assert_eq!(office.desk.write_digest(&digest("nl"), fire).await.unwrap(), 2);
    assert_eq!(
        office.desk.write_digest(&digest("nl"), fire).await.unwrap(),
        0,
        "once for a fire"
    );
    let mut told = Vec::new();
    for id in office.store.due(Work::Email, office.clock.now(), 10).await.unwrap() {
        let claim = office
            .store
            .claim(Work::Email, &id, office.clock.now(), LEASE)
            .await
            .unwrap()
            .unwrap();
        let letter = office
            .desk
            .emails(std::slice::from_ref(&claim))
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            (letter.kind, letter.link.as_deref(), letter.reference.as_deref()),
            (EmailKind::ReviewDigest, None, None)
        );
        let data = letter.data.to_string();
        for bad in ["Meeuw", "Korenaar", "jansen", "NL91", &view.reference, &view.id] {
            assert!(!data.contains(bad), "{data}");
        }
        assert!(
            data.contains("Er staan andere woorden dan in de ingeschreven naam.\""),
            "{data}"
        );
        assert_eq!(letter.data["waiting"], "1");
        assert_eq!(letter.data["unallocated"], "1");
        assert_eq!(letter.data["oldest_age"], "26 uur");
        assert_eq!(letter.data["oldest_local"], "dinsdag 10 maart 2026 om 10:00");
        assert_eq!(letter.data["reasons"][0]["many"], "1");
        told.push(letter.to.as_str().to_owned());
        office
            .store
            .give_up(&claim, office.clock.now(), "refused: 550 no such user")
            .await
            .unwrap();
    }
    told.sort();
    assert_eq!(told, ["lead@example.nl", "support@example.nl"]);

    // It is listed, sent again and purged as the others are.
    let failed = office
        .desk
        .emails_since(Some("failed"), at("2026-03-01T00:00:00Z"), 10)
        .await
        .unwrap();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|one| one.activation.is_none()));
    let again = &failed[0].email.id;
    office
        .desk
        .send_again(again, ("Jansen", "a new mailbox"))
        .await
        .unwrap();
    let due = office.store.due(Work::Email, office.clock.now(), 10).await.unwrap();
    assert_eq!(due.as_slice(), std::slice::from_ref(again));
    let row: (String, Option<String>) = sqlx::query_as("SELECT recipient, activation_id FROM emails WHERE id = $1")
        .bind(again.as_str())
        .fetch_one(&AnyPool::connect(&office.url).await.unwrap())
        .await
        .unwrap();
    assert!(row.0.ends_with("@example.nl") && row.1.is_none(), "{row:?}");
}
