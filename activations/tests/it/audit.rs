//! The audit is a chain that shows what was done to it, whoever did it.

use std::collections::BTreeSet;

use eencent_activations::desk::Actor;
use eencent_activations::desk::audit_trail::{AuditFilter, Chain, Fault};
use eencent_activations::notification::PaymentNotification;
use eencent_activations::personal::HolderName;
use eencent_activations::store::Store;
use eencent_test_stores as stores;
use sqlx::{AnyPool, AssertSqlSafe, Row as _};

use crate::office::{Office, kvk, paid};

async fn pool(office: &Office) -> AnyPool {
    AnyPool::connect(&office.url).await.unwrap()
}

async fn run(office: &Office, sql: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&pool(office).await).await?;
    Ok(done.rows_affected())
}

/// What the database refuses to, somebody with all rights does after all.
async fn without_refusal(office: &Office, sql: &str) {
    let on = |trigger: &str| match stores::on_servers() {
        true => format!("DROP TRIGGER IF EXISTS {trigger} ON audit"),
        false => format!("DROP TRIGGER IF EXISTS {trigger}"),
    };
    for trigger in ["audit_is_not_changed", "audit_is_not_deleted"] {
        run(office, &on(trigger)).await.unwrap();
    }
    assert_eq!(run(office, sql).await.unwrap(), 1, "{sql}");
}

async fn chain(office: &Office) -> Chain {
    office.desk.verify_audit(None, |_| ()).await.unwrap()
}

fn broken(number: i64, fault: Fault) -> Chain {
    Chain::Broken { number, fault }
}

/// An office where a stranger paid and was rejected: three entries, of which the last binds a history.
async fn rejected() -> (Office, String) {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let stranger = PaymentNotification {
        holder: HolderName::parse("Jachthaven De Meeuw B.V."),
        ..paid(&view.reference)
    };
    office.told("event_1", stranger).await;
    office
        .desk
        .make_key("shop", &[eencent_activations::desk::Scope::Platform])
        .await
        .unwrap();
    let act = office.act(&view.id).await;
    office.desk.reject(&Office::key(), &view.id, act).await.unwrap();
    (office, view.id)
}

#[tokio::test]
async fn every_act_has_a_number_without_a_gap_and_the_chain_is_whole() {
    let (office, id) = rejected().await;
    let entries = office
        .desk
        .audit(&AuditFilter {
            limit: 10,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    let acts: Vec<(i64, &str)> = entries.iter().map(|entry| (entry.number, entry.act.as_str())).collect();
    assert_eq!(
        acts,
        [(1, "organisation registered"), (2, "key made"), (3, "person_rejected")]
    );
    assert_eq!(
        (entries[2].subject.as_str(), entries[2].actor.as_str()),
        (id.as_str(), "Sanne (key platform)")
    );
    let Chain::Unbroken { head, taken_out: 0, .. } = chain(&office).await else {
        panic!("the chain is whole");
    };
    assert_eq!((head.number, head.hash.as_str()), (3, entries[2].hash.as_str()));
    for entry in &entries {
        let kept = office.desk.verify_audit(Some(&entry.hash), |_| ()).await.unwrap();
        assert!(matches!(kept, Chain::Unbroken { .. }), "{kept:?}");
    }
    let other = office.desk.verify_audit(Some(&"0".repeat(64)), |_| ()).await.unwrap();
    assert_eq!(other, Chain::NotTheKept);
}

#[tokio::test]
async fn entries_are_found_by_who_what_and_when() {
    let (office, id) = rejected().await;
    let found = async |filter: AuditFilter| {
        let filter = AuditFilter { limit: 10, ..filter };
        let entries = office.desk.audit(&filter).await.unwrap();
        entries.iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    let by = |actor: &str| AuditFilter {
        actor: Some(actor.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(found(by("SANNE")).await, [3]);
    assert_eq!(found(by("%")).await, [] as [i64; 0], "it is text, no pattern");
    assert_eq!(
        found(AuditFilter {
            subject: Some(id),
            ..AuditFilter::default()
        })
        .await,
        [3]
    );
    assert_eq!(
        found(AuditFilter {
            act: Some("key made".into()),
            ..AuditFilter::default()
        })
        .await,
        [2]
    );
    let now = eencent_activations::clock::Clock::now(&office.clock);
    assert_eq!(
        found(AuditFilter {
            until: Some(now),
            ..AuditFilter::default()
        })
        .await,
        [] as [i64; 0]
    );
    let newest = AuditFilter {
        since: Some(now),
        newest_first: true,
        beyond: Some(3),
        ..AuditFilter::default()
    };
    assert_eq!(found(newest).await, [2, 1]);
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_delete_an_entry() {
    let (office, _) = rejected().await;
    for sql in [
        "UPDATE audit SET reason = 'another' WHERE number = 3",
        "UPDATE audit SET actor = 'another' WHERE number = 3",
        "UPDATE audit SET hash = '' WHERE number = 3",
        "UPDATE audit SET reason = '', reason_salt = '', at = 1 WHERE number = 3",
        "UPDATE audit SET line = NULL, lines_digest = NULL WHERE number = 3",
        "DELETE FROM audit WHERE number = 3",
    ] {
        let told = run(&office, sql).await.unwrap_err().to_string();
        assert!(told.contains("entries of the audit are never"), "{sql}: {told}");
    }
    assert!(matches!(chain(&office).await, Chain::Unbroken { .. }));
}

#[tokio::test]
async fn whatever_is_done_to_the_rows_beneath_is_found_with_its_number() {
    for (sql, number, fault) in [
        ("UPDATE audit SET actor = 'nobody' WHERE number = 2", 2, Fault::Changed),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", 1, Fault::Changed),
        (
            "UPDATE audit SET reason = 'another' WHERE number = 3",
            3,
            Fault::ReasonChanged,
        ),
        (
            "UPDATE audit SET reason_digest = hash WHERE number = 3",
            3,
            Fault::Changed,
        ),
        ("DELETE FROM audit WHERE number = 2", 2, Fault::Missing),
        ("DELETE FROM audit WHERE number = 3", 3, Fault::Missing),
        ("UPDATE audit_head SET number = 2", 2, Fault::HeadChanged),
        (
            "INSERT INTO audit SELECT 4, 'aud_x', at, actor, act, subject, reason, reason_salt, reason_digest, line, lines_digest, hash \
             FROM audit WHERE number = 3",
            4,
            Fault::BeyondTheHead,
        ),
        (
            "UPDATE history SET actor = 'nobody' WHERE number = 2",
            3,
            Fault::HistoryChanged,
        ),
        (
            "UPDATE history SET reason = 'another' WHERE happening = 'person_rejected'",
            3,
            Fault::HistoryChanged,
        ),
    ] {
        let (office, _) = rejected().await;
        without_refusal(&office, sql).await;
        assert_eq!(chain(&office).await, broken(number, fault), "{sql}");
    }
}

#[tokio::test]
async fn a_reason_can_be_taken_out_and_the_chain_stays_whole() {
    let (office, _) = rejected().await;
    let taken = "UPDATE audit SET reason = '', reason_salt = '' WHERE number = 2";
    assert_eq!(run(&office, taken).await.unwrap(), 1);
    let now = chain(&office).await;
    assert!(matches!(now, Chain::Unbroken { taken_out: 1, .. }), "{now:?}");
    let back = "UPDATE audit SET reason = 'platform' WHERE number = 2";
    assert!(run(&office, back).await.is_err());
}

#[tokio::test]
async fn many_writers_at_once_leave_no_gap_and_a_whole_chain() {
    let office = Office::open().await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..24 {
        let desk = office.desk.clone();
        writers.spawn(async move {
            for round in 0..5 {
                let actor = Actor::key(&format!("writer {number}"));
                match round {
                    // One that is refused takes no number.
                    3 => assert!(desk.grant(&actor, "env-1", -1, "no such limit").await.is_err()),
                    4 => {
                        let mut new = crate::office::organisation();
                        new.environment = Some(format!("env-{number}"));
                        new.identifiers = vec![kvk(&format!("{:08}", 10_000_000 + number))];
                        desk.register(&actor, new).await.unwrap();
                    }
                    _ => {
                        desk.grant(&actor, &format!("granted-{}", number % 3), round, "as agreed")
                            .await
                            .unwrap();
                    }
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let Chain::Unbroken { head, .. } = chain(&office).await else {
        panic!("{:?}", chain(&office).await);
    };
    assert_eq!(head.number, 24 * 4);
    let rows = sqlx::query("SELECT number FROM audit")
        .fetch_all(&pool(&office).await)
        .await
        .unwrap();
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(numbers, (1..=96).collect());
}

#[tokio::test]
async fn entries_from_before_the_chain_are_bound_when_the_database_is_brought_up_to_date() {
    let (office, _) = rejected().await;
    // As the migration leaves them.
    let triggers = if stores::on_servers() { " ON audit" } else { "" };
    run(&office, &format!("DROP TRIGGER audit_is_not_changed{triggers}"))
        .await
        .unwrap();
    run(
        &office,
        "UPDATE audit SET hash = '', reason_salt = '', reason_digest = '', line = NULL, lines_digest = NULL",
    )
    .await
    .unwrap();
    run(&office, "UPDATE audit_head SET hash = ''").await.unwrap();
    assert_eq!(chain(&office).await, broken(1, Fault::Changed));
    let again = Store::open(&office.url).await.unwrap();
    again.migrate().await.unwrap();
    again.migrate().await.unwrap();
    assert!(matches!(chain(&office).await, Chain::Unbroken { .. }));
    office.desk.delete(&Office::key(), "org_unknown").await.unwrap_err();
    office
        .desk
        .grant(&Office::key(), "env-1", 3, "as agreed")
        .await
        .unwrap();
    let Chain::Unbroken { head, .. } = chain(&office).await else {
        panic!("the chain goes on");
    };
    assert_eq!(head.number, 4);
}
