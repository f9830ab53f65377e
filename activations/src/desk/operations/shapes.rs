//! Where rows of each kind of work are, how they stand, and what names them: as SQL, for lists and acts alike.

use super::sought::{Condition, List, Sought, Standing};
use crate::clock::Timestamp;
use crate::ledger::Work;

/// The order in which approvals take effect, or nothing for one that doesn't: what its index is of.
const APPROVALS: &str = "CASE WHEN t.set_apart_at IS NOT NULL THEN NULL WHEN t.state = 'approved' THEN 0 \
     WHEN t.state = 'scheduled' THEN t.due_at END IS NOT NULL";

/// Which rows stand so, as SQL.
pub(super) fn stands(work: Work, standing: Standing) -> &'static str {
    match (work, standing) {
        (Work::Approval, Standing::Waiting | Standing::PutOff) => APPROVALS,
        (Work::Approval, Standing::Failed) => "t.set_apart_at IS NOT NULL",
        // There are none, and an index finds that out.
        (Work::Approval, Standing::Dropped | Standing::Done) => "t.set_apart_at IS NOT NULL AND 1 = 0",
        (_, Standing::Waiting | Standing::PutOff) => "t.state = 'waiting'",
        (Work::Event, Standing::Failed) => "t.state = 'quarantined'",
        (_, Standing::Failed) => "t.state = 'failed' AND t.dropped_at IS NULL",
        (_, Standing::Dropped) => "t.dropped_at IS NOT NULL",
        (Work::Event, Standing::Done) => "t.state IN ('processed', 'ignored') AND t.dropped_at IS NULL",
        (Work::Email, Standing::Done) => "t.state IN ('sent', 'withdrawn') AND t.dropped_at IS NULL",
        (_, Standing::Done) => "t.state NOT IN ('waiting', 'failed')",
    }
}

/// How a row stands, as SQL.
fn standing(work: Work) -> &'static str {
    match work {
        Work::Approval => {
            "CASE WHEN t.set_apart_at IS NOT NULL THEN 'failed' WHEN t.state NOT IN ('approved', 'scheduled') THEN 'done' \
             WHEN t.attempts > 0 THEN 'put_off' ELSE 'waiting' END"
        }
        _ => {
            "CASE WHEN t.dropped_at IS NOT NULL THEN 'dropped' WHEN t.state IN ('failed', 'quarantined') THEN 'failed' \
             WHEN t.state <> 'waiting' THEN 'done' WHEN t.attempts > 0 THEN 'put_off' ELSE 'waiting' END"
        }
    }
}

/// Where rows of a kind are, and what their columns are called.
pub(super) struct Shape {
    pub(super) joins: &'static str,
    pub(super) prefix: Option<&'static str>,
    pub(super) time: &'static str,
    pub(super) of: &'static str,
    pub(super) about: &'static str,
    pub(super) activation: &'static str,
    pub(super) next_at: &'static str,
    pub(super) done_at: &'static str,
}

const NOTHING: &str = "CAST(NULL AS TEXT)";
const NEVER: &str = "CAST(NULL AS BIGINT)";

pub(super) const fn shape(work: Work) -> Shape {
    let plain = Shape {
        joins: "",
        prefix: None,
        time: "t.created_at",
        of: "t.endpoint",
        about: NOTHING,
        activation: "t.activation_id",
        next_at: "t.next_attempt_at",
        done_at: NEVER,
    };
    match work {
        Work::Event => Shape {
            joins: "JOIN notifications n ON n.id = t.notification_id",
            prefix: Some("evt"),
            time: "t.received_at",
            of: "n.endpoint",
            about: "t.payment_id",
            done_at: "t.processed_at",
            ..plain
        },
        Work::Approval => Shape {
            prefix: Some("act"),
            time: "COALESCE(t.decided_at, t.due_at, t.created_at)",
            of: "t.method",
            about: "t.reference",
            activation: "t.id",
            next_at: "COALESCE(t.next_attempt_at, t.due_at)",
            ..plain
        },
        Work::Email => Shape {
            prefix: Some("eml"),
            of: "t.kind",
            done_at: "t.sent_at",
            ..plain
        },
        Work::Reread => Shape {
            time: "t.asked_at",
            about: "t.subject",
            activation: NOTHING,
            done_at: "t.answered_at",
            ..plain
        },
        Work::Checkout => Shape {
            prefix: Some("chk"),
            about: "t.payment_id",
            ..plain
        },
        Work::Delivery => Shape {
            joins: "JOIN outgoing_events o ON o.id = t.event_id",
            prefix: Some("dlv"),
            about: "o.type",
            done_at: "t.delivered_at",
            ..plain
        },
        Work::Names => Shape {
            time: "t.asked_at",
            // Not by a join, which SQLite would begin at the activations.
            of: "(SELECT a.identifier_scheme FROM activations a WHERE a.id = t.activation_id)",
            done_at: "t.answered_at",
            ..plain
        },
    }
}

/// What a text names, of rows of a kind: an id, or what belongs to an activation, a payment or a message.
fn named_by(work: Work, said: &str, activation: Option<String>) -> Condition {
    let said = said.to_owned();
    match work {
        Work::Event | Work::Reread => {
            let events = "SELECT e.id FROM events e WHERE e.id = ? OR e.event_id = ? OR e.payment_id = ? OR e.notification_id = ? \
                 UNION SELECT e.id FROM payments p JOIN events e ON e.payment_id = p.payment_id AND e.account = p.account \
                 WHERE p.activation_id = ?";
            let message = said.replacen("req_", "ntf_", 1);
            let values = vec![
                said.clone(),
                said.clone(),
                said.clone(),
                message,
                activation.unwrap_or_default(),
            ];
            match work {
                Work::Event => (format!("t.id IN ({events})"), values),
                _ => {
                    let mut all = vec![said];
                    all.extend(values);
                    (format!("t.id = ? OR t.event IN ({events})"), all)
                }
            }
        }
        Work::Approval => ("t.id = ?".to_owned(), vec![activation.unwrap_or(said)]),
        Work::Delivery => (
            "t.id = ? OR t.event_id = ? OR t.activation_id = ?".to_owned(),
            vec![said.clone(), said, activation.unwrap_or_default()],
        ),
        Work::Email | Work::Checkout | Work::Names => (
            "t.id = ? OR t.activation_id = ?".to_owned(),
            vec![said, activation.unwrap_or_default()],
        ),
    }
}

/// Approvals that wait or were set apart, each by its index.
fn to_be_carried_out() -> String {
    let those = |standing| {
        let condition = stands(Work::Approval, standing).replace("t.", "x.");
        format!("SELECT x.id FROM activations x WHERE {condition}")
    };
    format!(
        "t.id IN ({} UNION ALL {})",
        those(Standing::Waiting),
        those(Standing::Failed)
    )
}

/// The list of a kind, as it is sought.
pub(super) fn list(work: Work, sought: &Sought, now: Timestamp, activation: Option<String>) -> List {
    let Shape {
        joins,
        prefix,
        time,
        of,
        about,
        activation: whose,
        next_at,
        done_at,
    } = shape(work);
    let mut few = Vec::new();
    let mut more = Vec::new();
    match sought.standing {
        Some(Standing::Done) => more.push((stands(work, Standing::Done).to_owned(), Vec::new())),
        Some(one) => few.push((stands(work, one).to_owned(), Vec::new())),
        // Activations are another list; here are those that are to be carried out.
        None if work == Work::Approval => few.push((to_be_carried_out(), Vec::new())),
        None => {}
    }
    if sought.standing == Some(Standing::PutOff) {
        more.push(("t.attempts > 0".to_owned(), Vec::new()));
    }
    if let Some(said) = &sought.text {
        few.push(named_by(work, said.trim(), activation));
    }
    if let Some(wanted) = &sought.of {
        match work {
            Work::Event => more.push((
                "n.endpoint = ? OR n.provider = ?".to_owned(),
                vec![wanted.clone(), wanted.clone()],
            )),
            _ => more.push((format!("{of} = ?"), vec![wanted.clone()])),
        }
    }
    let dropped_at = if work == Work::Approval { NEVER } else { "t.dropped_at" };
    List {
        table: work.table(),
        id: "id",
        prefix,
        joins,
        columns: format!(
            "{standing} AS standing, {time} AS since, {of} AS of_what, {about} AS about, {whose} AS activation, \
             t.attempts AS attempts, {next_at} AS next_at, \
             CASE WHEN t.lease_until > {now} THEN 1 ELSE 0 END AS begun, {done_at} AS done_at, {dropped_at} AS dropped_at, \
             t.last_error AS last_error",
            standing = standing(work),
            now = now.micros(),
        ),
        time,
        few,
        more,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::store::{Store, text};
    use sqlx::AssertSqlSafe;

    #[tokio::test]
    async fn no_list_walks_through_a_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/truth.db", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let at = Timestamp::from_unix_seconds(1_773_000_000);
        let standings = Standing::ALL.iter().copied().map(Some).chain([None]);
        for standing in standings {
            for work in Work::ALL {
                for filter in 0..8 {
                    let sought = Sought {
                        standing,
                        of: (filter & 1 == 1).then(|| "mollie".to_owned()),
                        since: (filter & 2 == 2).then_some(at),
                        until: (filter & 2 == 2).then_some(at),
                        text: (filter & 4 == 4).then(|| "tr_1".to_owned()),
                        oldest_first: filter % 3 == 0,
                        ..Sought::default()
                    };
                    let list = list(*work, &sought, at, Some("act_1".to_owned()));
                    let (sql, values) = list.statements(&sought);
                    let mut query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
                    for value in &values {
                        query = query.bind(value.as_str());
                    }
                    let steps = query.fetch_all(store.reader()).await.unwrap();
                    let steps: Vec<String> = steps.iter().map(|step| text(step, "detail").unwrap()).collect();
                    // Along all ids only where nothing is sought, or through so many.
                    let all = list.few.is_empty();
                    let walks = steps.iter().any(|step| {
                        step.starts_with("SCAN ")
                            && !step.starts_with("SCAN w")
                            && (!step.contains("INDEX") || (step.contains("autoindex") && !all))
                    });
                    assert!(!walks, "{work} {sought:?}: {sql}\n{steps:#?}");
                }
            }
        }
    }
}
