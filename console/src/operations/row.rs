//! One row of work, or one notification, with every attempt that was kept; and what is done to a row.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use eencent_activations::desk::operations::mending::Mend;
use eencent_activations::desk::operations::{Order, Standing};
use eencent_activations::ledger::Work;
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use super::WORK;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) async fn work(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let page = console.desk.work_row(&id).await?;
    let work = Work::parse(page.kind).ok_or(Trouble::NotFound)?;
    let standing = page.row.standing;
    let open = matches!(standing, Standing::Waiting | Standing::PutOff | Standing::Failed);
    let with = context! {
        kind => page.kind,
        message => message_of(&id),
        retry => (open || standing == Standing::Dropped) && !page.row.begun,
        drop => open && !page.row.begun && work != Work::Approval,
        row => page.row,
        trace => page.trace,
        attempts => page.attempts,
    };
    Ok(console.page(&visitor, WORK, "operations/row.html", &with))
}

/// The notification that an event is of: its id holds it.
fn message_of(id: &str) -> Option<String> {
    let (message, _) = id.strip_prefix("evt_")?.rsplit_once('_')?;
    Some(format!("ntf_{message}"))
}

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
}

pub(super) async fn mended(
    State(console): State<Console>,
    Path((id, mend)): Path<(String, String)>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let mend = mend_of(&mend)?;
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: form.reason.trim(),
    };
    console.desk.mend(mend, &id, order).await?;
    Ok(Redirect::to(&format!("/row/{id}")).into_response())
}

pub(super) fn mend_of(named: &str) -> Result<Mend, Trouble> {
    match named {
        "retry" => Ok(Mend::Retry),
        "drop" => Ok(Mend::Drop),
        _ => Err(Trouble::NotFound),
    }
}

pub(super) async fn notification(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let page = console.desk.message(&id).await?;
    let told: HashMap<&String, String> = page
        .told
        .iter()
        .map(|(event, told)| (event, serde_json::to_string_pretty(told).unwrap_or_default()))
        .collect();
    let with = context! {
        message => page.message,
        headers => page.headers,
        body => page.body,
        bytes => page.bytes,
        attempts => page.attempts,
        told,
    };
    Ok(console.page(&visitor, "notifications", "operations/notification.html", &with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_its_notification() {
        assert_eq!(message_of("evt_01ABC_0").as_deref(), Some("ntf_01ABC"));
        assert_eq!(message_of("eml_01ABC"), None);
    }
}
