//! Finding an activation by whatever is at hand.

use eencent_activations::desk::support::{FoundBy, QueueFilter};
use eencent_activations::desk::{NewCreator, OrganisationChange};
use sqlx::AnyPool;

use super::{IBAN, all, ids, stranger};
use crate::office::{Office, another};

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
        "INSERT INTO name_words (word, organisation_id) SELECT 'gouden', id FROM organisations",
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
    assert!(!found("gouden").await, "no longer its name");
    let filter = QueueFilter {
        reason: Some("other_name".to_owned()),
        ..all()
    };
    assert_eq!(ids(&office, &filter).await, [view.id.as_str()]);
    assert!(!office.desk.fill_in().await.unwrap(), "done once");
}
