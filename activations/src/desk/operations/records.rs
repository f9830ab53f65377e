//! Requests that were not believed, and acts of persons: lists with the filters of all others.

use serde::Serialize;
use sqlx::any::AnyRow;

use super::sought::{Condition, List, Page, Sought};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::explain::RefusedRequest;
use crate::masking::masked_text;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, maybe_text, text};

/// One line of the audit.
#[derive(Debug, Clone, Serialize)]
pub struct AuditRow {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done.
    pub act: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub reason: String,
}

fn conditions(sought: &Sought, of: &str, named: &str) -> (Vec<Condition>, Vec<Condition>) {
    let twice = |value: &String| vec![value.trim().to_owned(), value.trim().to_owned()];
    let few = sought.text.as_ref().map(|said| (named.to_owned(), twice(said)));
    let more = sought.of.as_ref().map(|wanted| (of.to_owned(), twice(wanted)));
    (few.into_iter().collect(), more.into_iter().collect())
}

pub(super) fn refusals(sought: &Sought) -> List {
    let (few, more) = conditions(
        sought,
        "t.endpoint = ? OR t.code = ?",
        "t.request_id = ? OR t.claimed_id = ?",
    );
    List {
        table: "refusals",
        id: "request_id",
        prefix: Some("req"),
        joins: "",
        columns: "t.endpoint AS endpoint, t.received_at AS received_at, t.code AS code, t.reason AS reason, \
                  t.claimed_id AS claimed_id, t.remote AS remote"
            .to_owned(),
        time: "t.received_at",
        few,
        more,
    }
}

pub(super) fn audit(sought: &Sought) -> List {
    let (few, more) = conditions(sought, "t.actor = ? OR t.act = ?", "t.id = ? OR t.subject = ?");
    List {
        table: "audit",
        id: "id",
        prefix: Some("aud"),
        joins: "",
        columns: "t.at AS at, t.actor AS actor, t.act AS act, t.subject AS subject, t.reason AS reason".to_owned(),
        time: "t.at",
        few,
        more,
    }
}

fn refusal(row: &AnyRow) -> Result<RefusedRequest, StoreError> {
    Ok(RefusedRequest {
        request_id: text(row, "row_id")?,
        endpoint: text(row, "endpoint")?,
        received_at: instant(row, "received_at")?,
        code: text(row, "code")?,
        reason: text(row, "reason")?,
        claimed_id: maybe_text(row, "claimed_id")?,
        remote: text(row, "remote")?,
    })
}

fn line(row: &AnyRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        id: text(row, "row_id")?,
        at: instant(row, "at")?,
        actor: text(row, "actor")?,
        act: text(row, "act")?,
        subject: text(row, "subject")?,
        reason: masked_text(&text(row, "reason")?),
    })
}

impl Desk {
    /// Requests that were not believed, in the samples that were recorded. `of` is an endpoint or a code; the text an
    /// id of a request, or the id that it claimed to have.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn refused_requests(&self, sought: &Sought) -> Result<Page<RefusedRequest>, DeskError> {
        Ok(refusals(sought).page(&self.store, sought, refusal).await?)
    }

    /// Acts of persons, keys and the system. `of` is an actor or an act; the text a subject.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn audit_lines(&self, sought: &Sought) -> Result<Page<AuditRow>, DeskError> {
        Ok(audit(sought).page(&self.store, sought, line).await?)
    }
}
