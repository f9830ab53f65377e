//! Payments made at a provider, and what is read back from its API.

use std::time::Duration;

use eencent_activations::clock::Clock as _;

use eencent_activations::ledger::Work;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Receipt, Told};
use eencent_activations::reread::Made;
use eencent_activations::state::State;

use crate::office::{Office, paid, settings, status};

const LEASE: Duration = Duration::from_secs(60);

async fn office() -> Office {
    let mut settings = settings();
    settings.checkout.endpoint = "mollie".to_owned();
    settings.checkout.return_url = "https://platform.example.nl/back".to_owned();
    Office::with(settings).await
}

async fn due(office: &Office, work: Work) -> Vec<String> {
    office.store.due(work, office.clock.now(), 10).await.unwrap()
}

#[tokio::test]
async fn a_payment_nobody_told_of_is_read_back_at_growing_intervals_until_it_is_told() {
    let office = office().await;
    let wanted = office.started("ideal").await;
    let [row] = &due(&office, Work::Checkout).await[..] else {
        unreachable!()
    };
    let claim = office
        .store
        .claim(Work::Checkout, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    let (endpoint, order) = office.desk.order(&claim).await.unwrap().unwrap();
    assert_eq!(
        (endpoint.as_str(), &order.reference, order.amount.minor),
        ("mollie", &wanted.reference, 1)
    );
    let made = Made {
        payment_id: "tr_1".to_owned(),
        url: "https://example.nl/pay".to_owned(),
        subject: "payment/tr_1".to_owned(),
    };
    office.desk.checkout_made(&claim, &made).await.unwrap();
    assert_eq!(
        office.view(&wanted.id).await.checkout_url.as_deref(),
        Some("https://example.nl/pay")
    );

    let mut looked = Vec::new();
    for minute in 1..=120_u64 {
        office.clock.advance(Duration::from_secs(60));
        if office.desk.look_after_checkouts(10).await.unwrap() > 0 {
            looked.push(minute);
            let [row] = &due(&office, Work::Reread).await[..] else {
                unreachable!()
            };
            let claim = office
                .store
                .claim(Work::Reread, row, office.clock.now(), LEASE)
                .await
                .unwrap()
                .unwrap();
            let question = office.store.question(&claim).await.unwrap();
            assert_eq!(
                (question.endpoint.as_str(), question.subject.as_str()),
                ("mollie", "payment/tr_1")
            );
            office
                .store
                .was_read(&claim, question.asked_at, office.clock.now())
                .await
                .unwrap();
        }
    }
    assert_eq!(looked, [5, 20, 80]);
    office.told("evt_1", paid(&wanted.reference)).await;
    office.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(office.desk.look_after_checkouts(10).await.unwrap(), 0);
    assert_eq!(office.view(&wanted.id).await.checkout_url, None);
}

/// A message that wants something read.
fn asking(request: &str, event: &str, at: eencent_activations::clock::Timestamp) -> Receipt {
    Receipt {
        endpoint: "mollie".into(),
        provider: "mollie_classic".into(),
        account: "mollie".into(),
        mode: eencent_activations::notification::Mode::Live,
        received_at: at,
        request_id: request.into(),
        proven_by: "nothing".into(),
        headers: vec![],
        body: b"id=tr_1".to_vec(),
        events: vec![Event {
            event_id: event.into(),
            digest: [1; 32],
            told: Told::Ignored("a ping".into()),
            reread: Some("payment/tr_1".into()),
        }],
    }
}

#[tokio::test]
async fn a_repeated_ping_asks_again_without_filling_anything_and_not_too_often() {
    let office = office().await;
    for number in 0..20 {
        let receipt = asking(&format!("req_{number}"), "ping:tr_1", office.clock.now());
        office.inbox.commit(receipt).await.unwrap();
    }
    let [row] = &due(&office, Work::Reread).await[..] else {
        unreachable!()
    };
    let claim = office
        .store
        .claim(Work::Reread, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    let question = office.store.question(&claim).await.unwrap();
    // One that comes while it is being read may know more: it is read once more.
    office.clock.advance(Duration::from_secs(1));
    office
        .inbox
        .commit(asking("req_a", "ping:tr_1", office.clock.now()))
        .await
        .unwrap();
    office
        .store
        .was_read(&claim, question.asked_at, office.clock.now())
        .await
        .unwrap();
    let again = office
        .store
        .claim(Work::Reread, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    let question = office.store.question(&again).await.unwrap();
    office
        .store
        .was_read(&again, question.asked_at, office.clock.now())
        .await
        .unwrap();
    assert!(due(&office, Work::Reread).await.is_empty());
    // And soon after an answer it waits.
    office.clock.advance(Duration::from_secs(1));
    office
        .inbox
        .commit(asking("req_b", "ping:tr_1", office.clock.now()))
        .await
        .unwrap();
    assert!(due(&office, Work::Reread).await.is_empty());
    office.clock.advance(Duration::from_secs(5));
    assert_eq!(due(&office, Work::Reread).await.len(), 1);
}

#[tokio::test]
async fn two_endpoints_of_one_account_may_hear_of_one_event_and_each_reads_it() {
    let office = office().await;
    office
        .inbox
        .commit(asking("req_1", "ping:tr_1", office.clock.now()))
        .await
        .unwrap();
    let mut other = asking("req_2", "ping:tr_1", office.clock.now());
    other.endpoint = "mollie_too".into();
    office.inbox.commit(other).await.unwrap();
    assert_eq!(due(&office, Work::Reread).await.len(), 2);
}

#[tokio::test]
async fn fault_15_the_api_is_believed_where_it_denies_a_message() {
    let office = office().await;
    let wanted = office.started("ideal").await;
    let mut claimed = paid(&wanted.reference);
    claimed.holder = None;
    claimed.name_comes_separately = true;
    office.told("evt_1", claimed.clone()).await;
    let mut denied = status(&wanted.reference, PaymentStatus::Pending);
    denied.payment_id = claimed.payment_id;
    denied.proof = Proof::ReadBack;
    office.told("read_1", denied).await;
    // The name, which would never come, is waited for a while.
    office.clock.advance(Duration::from_secs(11 * 60));
    office.work().await;
    let now = office.view(&wanted.id).await;
    assert_eq!(now.state, State::UnderReview, "{now:?}");
    assert!(
        now.reasons.iter().any(|reason| reason.code == "notifications_conflict"),
        "{:?}",
        now.reasons
    );
}
