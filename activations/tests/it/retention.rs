//! What is old goes, what is still needed stays, and the file does not grow for ever.

use std::time::Duration;

use eencent_activations::clock::Clock as _;
use eencent_activations::desk::Fetched;
use eencent_activations::desk::retention::{Kind, Retention};
use eencent_activations::ledger::Work;
use eencent_activations::notification::{PaymentStatus, Told};
use eencent_activations::personal::HolderName;
use eencent_activations::state::State;
use eencent_test_stores as stores;
use sqlx::{AnyPool, Row as _};

use crate::office::{LEASE, Office, paid, somebody_waits, status};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEPT: Retention = Retention {
    body_days: 90,
    finished_days: 400,
    email_days: 180,
    payer_days: 180,
    answer_days: 180,
    refusal_days: 30,
    decision_days: 0,
};

async fn purge(office: &Office, retention: Retention) -> Vec<(Kind, u64)> {
    let mut run = office.desk.begin_purge(retention).unwrap();
    while office.desk.purge(&mut run).await.unwrap() > 0 {}
    run.counts().to_vec()
}

fn of(counts: &[(Kind, u64)], kind: Kind) -> u64 {
    counts.iter().find(|(one, _)| *one == kind).map_or(0, |(_, many)| *many)
}

async fn count(office: &Office, what: &str) -> i64 {
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let sql = format!("SELECT COUNT(*) FROM {what}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
    pool.close().await;
    row.get(0)
}

/// An activation that was paid for, rounded off, and told of.
async fn activated(office: &Office) -> String {
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let links = office.links().await;
    office.desk.confirm(links.last().unwrap()).await.unwrap();
    office.links().await;
    assert_eq!(office.view(&view.id).await.state, State::Activated);
    view.id
}

#[tokio::test]
async fn fault_70_a_body_is_gone_after_its_days_the_decision_is_kept_and_the_audit_says_so() {
    let office = Office::open().await;
    let id = activated(&office).await;
    office.clock.advance(89 * DAY);
    assert_eq!(purge(&office, KEPT).await, []);
    assert_eq!(count(&office, "audit WHERE act = 'purged'").await, 0);
    office.clock.advance(2 * DAY);
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Bodies), 1);
    assert_eq!(count(&office, "notifications WHERE LENGTH(body) > 0").await, 0);
    assert_eq!(
        count(&office, "audit WHERE act = 'purged' AND reason = 'bodies 1'").await,
        1
    );

    office.clock.advance(400 * DAY);
    let gone = purge(&office, KEPT).await;
    for kind in [Kind::Messages, Kind::Links] {
        assert_eq!(of(&gone, kind), 1, "{kind:?} in {gone:?}");
    }
    assert!(of(&gone, Kind::Emails) >= 2, "{gone:?}");
    assert_eq!(count(&office, "events").await, 0);
    assert_eq!(
        count(&office, "emails WHERE recipient <> '' OR rendered IS NOT NULL").await,
        0
    );
    assert_eq!(count(&office, "renderings").await, 0);
    let explained = office.desk.explanation(&id).await.unwrap();
    assert_eq!(explained.decisions.len(), 1);
    assert_eq!(explained.activation.state, State::Activated);
    assert!(explained.activation.emails.iter().all(|email| email.sent_at.is_some()));
    assert_eq!(
        explained.activation.payments[0].holder_name.as_deref(),
        Some("Bakkerij De Korenaar B.V."),
        "who paid for what was activated is part of why"
    );
    assert_eq!(purge(&office, KEPT).await, [], "nothing is purged twice");
}

#[tokio::test]
async fn what_a_run_took_that_was_cut_short_the_next_one_tells_the_audit() {
    let office = Office::open().await;
    activated(&office).await;
    office.clock.advance(91 * DAY);
    let mut run = office.desk.begin_purge(KEPT).unwrap();
    assert_eq!(office.desk.purge(&mut run).await.unwrap(), 1);
    assert_eq!(count(&office, "audit WHERE act = 'purged'").await, 0);
    assert_eq!(purge(&office, KEPT).await, []);
    let told = "audit WHERE act = 'purged' AND reason = 'bodies 1'";
    assert_eq!(count(&office, told).await, 1);
    purge(&office, KEPT).await;
    assert_eq!(count(&office, "audit WHERE act = 'purged'").await, 1);
    assert_eq!(count(&office, "remembered WHERE name LIKE 'purging/%'").await, 0);
}

#[tokio::test]
async fn that_a_register_was_asked_is_kept_as_long_as_other_finished_work() {
    let mut office = Office::open().await;
    office.connect_register();
    let view = office.started("ideal").await;
    office.clock.advance(DAY);
    office.told("event_1", paid(&view.reference)).await;
    office.desk.cancel(&Office::key(), &view.id, "").await.unwrap();
    office.clock.advance(401 * DAY);
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Refreshes), 0, "it waits");
    let due = office.store.due(Work::Names, office.clock.now(), 10).await.unwrap();
    let claim = office
        .store
        .claim(Work::Names, &due[0], office.clock.now(), LEASE)
        .await
        .unwrap();
    office
        .desk
        .names_fetched(&claim.unwrap(), &Fetched::Unknown)
        .await
        .unwrap();
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Refreshes), 1);
}

#[tokio::test]
async fn what_somebody_still_has_to_act_on_is_never_purged() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut stranger = paid(&view.reference);
    stranger.holder = HolderName::parse("Jachthaven De Meeuw B.V.");
    office.told("in_review", stranger).await;
    let mut unallocated = paid("nobody knows this one");
    unallocated.payment_id = "tr_2".into();
    office.told("unallocated", unallocated).await;
    office
        .receipt(
            "mollie",
            "set_apart",
            b"{\"unknown\":1}",
            Told::Quarantined("an unknown kind".into()),
        )
        .await;
    let mut waiting = paid(&view.reference);
    waiting.payment_id = "tr_3".into();
    office.posted("waiting", waiting).await;
    assert_eq!(office.view(&view.id).await.state, State::UnderReview);
    office.clock.advance(5_000 * DAY);
    let all = Retention {
        decision_days: 1,
        ..KEPT
    };
    assert_eq!(purge(&office, all).await, []);
    assert_eq!(count(&office, "notifications WHERE LENGTH(body) > 0").await, 4);

    // Once it is over, and long ago, it goes.
    let act = office.act(&view.id).await;
    office.desk.reject(&Office::key(), &view.id, act).await.unwrap();
    office.clock.advance(91 * DAY);
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Bodies), 1);
    assert_eq!(count(&office, "events WHERE state = 'waiting'").await, 1);
    // Money for an activation that is over waits for somebody to allocate it.
    office.work().await;
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Bodies), 0);
    assert_eq!(count(&office, "notifications WHERE LENGTH(body) > 0").await, 3);
}

#[tokio::test]
async fn who_paid_for_what_activated_nobody_is_forgotten_and_the_payment_stays() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let mut failed = status(&view.reference, PaymentStatus::Failed);
    failed.holder = HolderName::parse("Bakkerij De Korenaar B.V.");
    office.told("event_1", failed).await;
    office.clock.advance(20 * DAY);
    office.desk.time_passes(10).await.unwrap();
    assert_eq!(office.view(&view.id).await.state, State::Expired);
    assert_eq!(count(&office, "payments WHERE holder_name IS NOT NULL").await, 1);
    office.clock.advance(181 * DAY);
    assert_eq!(of(&purge(&office, KEPT).await, Kind::Payers), 1);
    assert_eq!(
        count(
            &office,
            "payments WHERE holder_name IS NOT NULL OR account_number IS NOT NULL"
        )
        .await,
        0
    );
    assert_eq!(count(&office, "payments").await, 1);
}

#[tokio::test]
async fn decisions_go_only_where_the_settings_say_so() {
    let office = Office::open().await;
    activated(&office).await;
    office.clock.advance(1_000 * DAY);
    purge(&office, KEPT).await;
    assert_eq!(count(&office, "decisions").await, 1);
    let seven_years = Retention {
        decision_days: 999,
        ..KEPT
    };
    assert_eq!(of(&purge(&office, seven_years).await, Kind::Decisions), 1);
    assert_eq!(count(&office, "decisions").await, 0);
}

#[tokio::test]
async fn an_e_mail_that_is_sent_again_while_old_ones_go_stays_as_it_is_and_of_the_others_nothing_is_left() {
    let office = Office::open().await;
    activated(&office).await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    sqlx::query("INSERT INTO renderings (email_id, words) SELECT id, 'words' FROM emails")
        .execute(&pool)
        .await
        .unwrap();
    let many = count(&office, "emails").await;
    assert!(many > 1);
    office.clock.advance(181 * DAY);
    let mut sending = pool.begin().await.unwrap();
    sqlx::query("UPDATE emails SET state = 'waiting' WHERE id = (SELECT MAX(id) FROM emails)")
        .execute(&mut *sending)
        .await
        .unwrap();
    let sent_again = async {
        somebody_waits(&pool).await;
        sending.commit().await.unwrap();
    };
    let (gone, ()) = tokio::join!(purge(&office, KEPT), sent_again);
    assert_eq!(of(&gone, Kind::Emails), u64::try_from(many).unwrap() - 1);
    for left in [
        "emails WHERE recipient <> ''",
        "renderings",
        "renderings r JOIN emails e ON e.id = r.email_id AND e.state = 'waiting'",
    ] {
        assert_eq!(count(&office, left).await, 1, "{left}");
    }
}

#[tokio::test]
async fn what_was_contradicted_goes_after_what_contradicted_it_and_holds_nothing_else_back() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    // The same id of an event in other bytes: a conflict, also where it says the same of the money.
    for body in [&b"other bytes"[..], b"and others again"] {
        let told = Told::Payment(Box::new(paid(&view.reference)));
        office.receipt("mollie", "event_1", body, told).await;
    }
    office.work().await;
    let links = office.links().await;
    office.desk.confirm(links.last().unwrap()).await.unwrap();
    assert_eq!(count(&office, "events WHERE conflicts_with IS NOT NULL").await, 2);
    office.clock.advance(401 * DAY);
    let gone = purge(&office, KEPT).await;
    assert_eq!(of(&gone, Kind::Messages), 3, "{gone:?}");
    assert!(of(&gone, Kind::Emails) > 0, "{gone:?}");
    assert_eq!(count(&office, "events").await, 0);
    assert_eq!(count(&office, "audit WHERE act = 'purged'").await, 1);
}

/// Cycles of messages that come in, are finished and purged. Each batch is larger than one transaction takes.
#[tokio::test]
async fn a_file_does_not_grow_when_as_much_is_purged_as_comes_in() {
    if stores::on_servers() {
        return; // It is a file that this is about.
    }
    let office = Office::open().await;
    let mut sizes = Vec::new();
    for cycle in 0..5 {
        for number in 0..700 {
            let body = vec![b'x'; 4_000];
            let told = Told::Ignored("says nothing about a payment".into());
            office
                .receipt("mollie", &format!("event_{cycle}_{number}"), &body, told)
                .await;
        }
        office.clock.advance(401 * DAY);
        while office.store.forget_seen(office.clock.now()).await.unwrap() > 0 {}
        let gone = purge(&office, KEPT).await;
        assert_eq!((of(&gone, Kind::Bodies), of(&gone, Kind::Messages)), (700, 700));
        while office.store.give_back().await.unwrap() {}
        let file = office.store.file().unwrap();
        let size = || std::fs::metadata(file).unwrap().len();
        // The log is carried over beside the commits, and the file is cut when that has come to its end.
        for _ in 0..50 {
            if size() < 700 * 4_000 {
                break;
            }
            office.store.give_back().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let log = std::fs::metadata(format!("{}-wal", file.display())).unwrap().len();
        sizes.push((size(), log));
    }
    let (file, _) = sizes[0];
    assert!(file < 700 * 4_000, "what was purged was given back: {sizes:?}");
    assert!(
        sizes
            .iter()
            .all(|(size, log)| *size <= file + 65_536 && *log <= 64 << 20),
        "{sizes:?}"
    );
}
