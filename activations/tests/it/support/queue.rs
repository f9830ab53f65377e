//! What waits, oldest first; and who looks at it.

use eencent_activations::clock::Clock;
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::support::{QueueFilter, Whose};
use eencent_activations::personal::HolderName;
use eencent_activations::state::Method;

use super::{HOUR, all, by, code, ids, person, reviewed};
use crate::office::{Office, another, at};

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
        "account_unknown"
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
