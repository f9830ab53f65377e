//! What comes twice under one key is done once.

use std::sync::Arc;
use std::time::Duration;

use eencent_activations::desk::idempotency::{KeptAnswer, KeyedRequest};
use eencent_activations::desk::retention::Retention;
use eencent_activations::desk::{Actor, Desk, OrganisationFilter};
use eencent_activations::refused::DeskError;

use crate::office::{Office, kvk, organisation};

fn keyed(key: &str, digest: &str) -> Arc<KeyedRequest> {
    Arc::new(KeyedRequest::new(&Office::key(), key, digest))
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 201,
        location: Some("/v1/organisations/org_1".into()),
        body: "{}".into(),
    }
}

async fn how_many(desk: &Desk) -> usize {
    let all = OrganisationFilter {
        limit: 100,
        ..OrganisationFilter::default()
    };
    desk.organisations(&all).await.unwrap().len()
}

#[tokio::test]
async fn what_was_done_under_a_key_is_known_with_what_was_made_and_its_answer() {
    let office = Office::open().await;
    let request = keyed("a", "digest");
    assert_eq!(office.desk.kept(&request).await.unwrap(), None);
    let desk = office.desk.on_request(Arc::clone(&request));
    let made = desk.register(&Office::key(), organisation()).await.unwrap();
    let kept = office.desk.kept(&request).await.unwrap().unwrap();
    assert_eq!(
        (kept.digest.as_str(), kept.subject.as_str(), kept.answer),
        ("digest", made.id.as_str(), None)
    );
    assert!(office.desk.keep_answer(&request, &answer()).await.unwrap());
    // The first answer is the one that was given.
    let later = KeptAnswer {
        body: "other".into(),
        ..answer()
    };
    assert!(office.desk.keep_answer(&request, &later).await.unwrap());
    assert_eq!(
        office.desk.kept(&request).await.unwrap().unwrap().answer,
        Some(answer())
    );
    // Another caller's key of the same name is another key.
    let other = KeyedRequest::new(&Actor::key("other"), "a", "digest");
    assert_eq!(office.desk.kept(&other).await.unwrap(), None);
}

#[tokio::test]
async fn of_two_at_once_under_one_key_one_is_done_and_the_other_leaves_nothing() {
    let office = Office::open().await;
    let desk = office.desk.on_request(keyed("a", "digest"));
    let key = Office::key();
    let (one, other) = tokio::join!(desk.register(&key, organisation()), desk.register(&key, organisation()),);
    let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 1);
    let DeskError::Refused(refused) = &refused[0] else {
        panic!("{refused:?}")
    };
    assert_eq!(refused.code, "idempotency_key_in_use");
    assert_eq!(how_many(&office.desk).await, 1);
}

#[tokio::test]
async fn a_refusal_keeps_nothing_and_the_key_can_be_used_when_it_is_mended() {
    let office = Office::open().await;
    let request = keyed("a", "digest");
    let desk = office.desk.on_request(Arc::clone(&request));
    let mut wrong = organisation();
    wrong.legal_name = None;
    assert!(desk.register(&Office::key(), wrong).await.is_err());
    assert_eq!(office.desk.kept(&request).await.unwrap(), None);
    assert!(!office.desk.keep_answer(&request, &answer()).await.unwrap());
    desk.register(&Office::key(), organisation()).await.unwrap();
    assert!(office.desk.kept(&request).await.unwrap().is_some());
}

#[tokio::test]
async fn every_act_on_an_activation_is_known_by_its_key() {
    let office = Office::open().await;
    let organisation = office.register(|new| new.identifiers = vec![kvk("12345678")]).await;
    let on = |key: &str| office.desk.on_request(keyed(key, "digest"));
    let view = on("start")
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    on("cancel").cancel(&Office::key(), &view.id, "").await.unwrap();
    for key in ["start", "cancel"] {
        let kept = office.desk.kept(&keyed(key, "digest")).await.unwrap().unwrap();
        assert_eq!(kept.subject, view.id, "{key}");
    }
}

#[tokio::test]
async fn after_a_day_a_key_is_new_whether_it_was_purged_or_not() {
    let office = Office::open().await;
    let request = keyed("a", "digest");
    let desk = office.desk.on_request(Arc::clone(&request));
    desk.register(&Office::key(), organisation()).await.unwrap();
    office.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert!(office.desk.kept(&request).await.unwrap().is_some());
    office.clock.advance(Duration::from_secs(1));
    assert_eq!(office.desk.kept(&request).await.unwrap(), None);
    desk.register(&Office::key(), organisation()).await.unwrap();
    assert!(office.desk.kept(&request).await.unwrap().is_some());
    office.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let retention = Retention {
        body_days: 1,
        finished_days: 1,
        email_days: 1,
        answer_days: 180,
        payer_days: 1,
        refusal_days: 1,
        decision_days: 0,
    };
    let mut run = office.desk.begin_purge(retention).unwrap();
    office.desk.purge(&mut run).await.unwrap();
    let purged: Vec<_> = run.counts().iter().map(|(kind, many)| (kind.as_str(), *many)).collect();
    assert_eq!(purged, [("kept_answers", 1)]);
}
