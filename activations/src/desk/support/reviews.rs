//! One row for each activation that waits for a person, for as long as it does; and one for each decision of a person.
//!
//! Both follow from the moves of a transaction and are written with them, so that nobody else has to think of them.

use crate::desk::moves::Activation;
use crate::desk::pending::{NewLine, Pending};
use crate::desk::{Desk, Desking};
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::store::many::{Columns, Many};
use crate::views::ReasonView;

/// Brings the rows of reviews and verdicts in step with the moves that are being written.
pub(in crate::desk) async fn write_reviews(
    desk: &Desk,
    work: &mut Desking,
    pending: &Pending,
) -> Result<(), DeskError> {
    let waiting: Vec<(&Activation, i64, String)> = pending
        .activations
        .iter()
        .map(|(activation, _)| activation)
        .filter(|activation| is_in_review(activation.state.as_str()))
        .map(|activation| (activation, desk.now().micros(), codes_of(&activation.reasons)))
        .collect();
    let ended: Vec<&NewLine> = pending
        .lines
        .iter()
        .filter(|line| is_in_review(line.from) && !is_in_review(line.to))
        .collect();
    // Hardly any move is one of these.
    if waiting.is_empty() && ended.is_empty() && !pending.lines.iter().any(is_taken_back) {
        return Ok(());
    }
    // In this order: within a group one may have left review and come back.
    end(work, &ended).await?;
    keep_waiting(work, &waiting).await?;
    keep_verdicts(desk, work, pending).await
}

fn is_in_review(state: &str) -> bool {
    [State::UnderReview, State::InformationRequested]
        .iter()
        .any(|one| one.as_str() == state)
}

fn is_taken_back(line: &NewLine) -> bool {
    line.happening == Happening::ApprovalWithdrawn.as_str()
}

/// The codes of reasons, each once and between two spaces: so one is found as a word.
pub(super) fn codes_of(reasons: &[ReasonView]) -> String {
    let mut codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return String::new();
    }
    format!(" {} ", codes.join(" "))
}

/// How long it waits, and who has it, stays with a row that is there.
async fn keep_waiting(work: &mut Desking, waiting: &[(&Activation, i64, String)]) -> Result<(), DeskError> {
    const KEEP: Many<'static> = Many {
        head: "WITH given (row_id, in_state, at_when, by_method, with_codes) AS (",
        columns: Columns::Typed(&["TEXT", "TEXT", "BIGINT", "TEXT", "TEXT"]),
        tail: ") INSERT INTO reviews (activation_id, state, since, method, codes, provider) \
               SELECT row_id, in_state, at_when, by_method, with_codes, \
               COALESCE((SELECT p.provider FROM payments p WHERE p.activation_id = row_id ORDER BY p.received_at DESC, p.id DESC LIMIT 1), '') \
               FROM given WHERE 1 = 1 ON CONFLICT (activation_id) DO UPDATE SET state = excluded.state, codes = excluded.codes, \
               provider = excluded.provider",
    };
    KEEP.execute(&mut work.tx, waiting, |query, (a, now, codes)| {
        query
            .bind(a.id.as_str())
            .bind(a.state.as_str())
            .bind(*now)
            .bind(a.method.as_str())
            .bind(codes.as_str())
    })
    .await?;
    Ok(())
}

/// What doesn't wait any more is waited for by nobody, and a proposal about it is none.
async fn end(work: &mut Desking, ended: &[&NewLine]) -> Result<(), DeskError> {
    for table in ["reviews", "proposals"] {
        let tail = format!(") DELETE FROM {table} WHERE activation_id IN (SELECT row_id FROM given)");
        let gone = Many {
            head: "WITH given (row_id) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: &tail,
        };
        gone.execute(&mut work.tx, ended, |query, line| {
            query.bind(line.activation_id.as_str())
        })
        .await?;
    }
    Ok(())
}

async fn keep_verdicts(desk: &Desk, work: &mut Desking, pending: &Pending) -> Result<(), DeskError> {
    for line in &pending.lines {
        if is_taken_back(line) {
            sqlx::query("UPDATE verdicts SET outcome = 'withdrawn' WHERE activation_id = $1 AND outcome = 'approved'")
                .bind(line.activation_id.as_str())
                .execute(&mut *work.tx)
                .await?;
            continue;
        }
        let outcome = match Happening::parse(line.happening) {
            Some(Happening::PersonApproved) => "approved",
            Some(Happening::PersonRejected) => "rejected",
            _ => continue,
        };
        let moved = pending.activations.iter().find(|(a, _)| a.id == line.activation_id);
        let codes = moved.map_or_else(String::new, |(a, _)| codes_of(&a.reasons));
        sqlx::query(
            "INSERT INTO verdicts (activation_id, number, at, month, outcome, codes) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(line.activation_id.as_str())
        .bind(line.number)
        .bind(line.at.micros())
        .bind(desk.rules().hours().local(line.at).format("%Y-%m").to_string())
        .bind(outcome)
        .bind(codes)
        .execute(&mut *work.tx)
        .await?;
    }
    Ok(())
}
