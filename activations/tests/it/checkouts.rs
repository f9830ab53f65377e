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

#[tokio::test]
async fn a_fresh_payment_is_made_only_when_the_one_before_came_to_nothing() {
    let office = office().await;
    let wanted = office.started("ideal").await;
    let checkout = async || office.desk.checkout(&Office::key(), &wanted.id).await;
    let make = async |payment: &str| {
        let [row] = &due(&office, Work::Checkout).await[..] else {
            panic!("one to make")
        };
        let claim = office
            .store
            .claim(Work::Checkout, row, office.clock.now(), LEASE)
            .await
            .unwrap()
            .unwrap();
        let (_, order) = office.desk.order(&claim).await.unwrap().unwrap();
        let made = Made {
            payment_id: payment.to_owned(),
            url: format!("https://example.nl/{payment}"),
            subject: format!("payment/{payment}"),
        };
        office.desk.checkout_made(&claim, &made).await.unwrap();
        order.key
    };
    // It isn't made yet: asking again makes no second one.
    assert_eq!(checkout().await.unwrap().checkout_url, None);
    assert_eq!(make("tr_1").await, wanted.id);
    let open = checkout().await.unwrap();
    assert_eq!(open.checkout_url.as_deref(), Some("https://example.nl/tr_1"));
    assert!(due(&office, Work::Checkout).await.is_empty());
    for (number, broken) in [
        (2, PaymentStatus::Cancelled),
        (3, PaymentStatus::Failed),
        (4, PaymentStatus::Expired),
    ] {
        let mut told = status(&wanted.reference, broken);
        told.payment_id = format!("tr_{}", number - 1);
        office.told(&format!("event_{number}"), told).await;
        assert_eq!(office.view(&wanted.id).await.state, State::AwaitingPayment);
        assert_eq!(
            checkout().await.unwrap().checkout_url,
            None,
            "the old address leads nowhere"
        );
        assert_eq!(checkout().await.unwrap().checkout_url, None);
        let key = make(&format!("tr_{number}")).await;
        assert_eq!(
            key,
            format!("{}.{number}", wanted.id),
            "the provider would answer with the old one"
        );
    }
    // A payment that the provider refuses to make is set apart; it can be asked for again.
    let mut told = status(&wanted.reference, PaymentStatus::Failed);
    told.payment_id = "tr_4".to_owned();
    office.told("event_5", told).await;
    checkout().await.unwrap();
    let [row] = &due(&office, Work::Checkout).await[..] else {
        unreachable!()
    };
    let claim = office
        .store
        .claim(Work::Checkout, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    office
        .store
        .give_up(&claim, office.clock.now(), "refused")
        .await
        .unwrap();
    assert!(due(&office, Work::Checkout).await.is_empty());
    checkout().await.unwrap();
    assert_eq!(due(&office, Work::Checkout).await.len(), 1);
    make("tr_6").await;
    let mut told = paid(&wanted.reference);
    told.payment_id = "tr_6".to_owned();
    office.told("event_6", told).await;
    let eencent_activations::refused::DeskError::Refused(refused) = checkout().await.unwrap_err() else {
        panic!("refused")
    };
    assert_eq!(refused.code, "payment_not_awaited");
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
    // But not sooner than anything is asked twice.
    assert!(due(&office, Work::Reread).await.is_empty());
    office.clock.advance(Duration::from_secs(5));
    let again = office
        .store
        .claim(Work::Reread, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    let question = office.store.question(&again).await.unwrap();
    // So does one that another machine receives, whose clock is behind.
    let behind = question.asked_at.minus(Duration::from_secs(2));
    office
        .inbox
        .commit(asking("req_behind", "ping:tr_1", behind))
        .await
        .unwrap();
    office
        .store
        .was_read(&again, question.asked_at, office.clock.now())
        .await
        .unwrap();
    office.clock.advance(Duration::from_secs(5));
    let [row] = &due(&office, Work::Reread).await[..] else {
        panic!("it waits again")
    };
    let last = office
        .store
        .claim(Work::Reread, row, office.clock.now(), LEASE)
        .await
        .unwrap()
        .unwrap();
    let question = office.store.question(&last).await.unwrap();
    office
        .store
        .was_read(&last, question.asked_at, office.clock.now())
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
