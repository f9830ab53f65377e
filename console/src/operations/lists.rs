//! Lists: rows of work, notifications, refused requests, the audit; and what was set apart, of all kinds.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use eencent_activations::desk::operations::{Page, Sought, Standing};
use eencent_activations::ledger::Work;
use eencent_activations::people::Permission;
use minijinja::{Value, context};
use serde::Serialize;

use super::filter::Filter;
use super::{WORK, kind};
use crate::Console;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// So many rows of each kind on the page of what was set apart; its list has all.
const FEW: u32 = 10;

/// The same on each list: where it stands, how it is filtered, where it goes on.
fn with<T: Serialize>(path: &str, filter: &Filter, page: &Page<T>) -> Value {
    context! {
        path, filter,
        asks => filter.asks(),
        rows => page.rows,
        next => page.next.as_deref().map(|after| filter.address(path, Some(after))),
        first => (!filter.after.is_empty()).then(|| filter.address(path, None)),
    }
}

pub(super) async fn work(
    State(console): State<Console>,
    visitor: Visitor,
    Path(named): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let work = kind(&named)?;
    let sought = filter.sought(&console)?;
    let page = console.desk.work_rows(work, &sought).await?;
    let path = format!("/queue/{work}");
    let paused = console
        .desk
        .work_counts()
        .await?
        .into_iter()
        .find(|one| one.kind == work.as_str());
    let mends = |mend: &str| filter.address(&format!("{path}/{mend}"), None);
    let can = sought.standing.is_some_and(|standing| standing != Standing::Done);
    let with = context! {
        kind => work.as_str(),
        kinds => kinds(),
        standings => standings(),
        counts => paused,
        retry => can.then(|| mends("retry")),
        drop => (can && work != Work::Approval && sought.standing != Some(Standing::Dropped)).then(|| mends("drop")),
        ..with(&path, &filter, &page)
    };
    Ok(console.page(&visitor, WORK, "operations/work.html", &with))
}

pub(super) async fn notifications(
    State(console): State<Console>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let page = console.desk.messages(&filter.sought(&console)?).await?;
    let with = context! { standings => standings(), ..with("/notifications", &filter, &page) };
    Ok(console.page(&visitor, "notifications", "operations/notifications.html", &with))
}

pub(super) async fn refusals(
    State(console): State<Console>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let page = console.desk.refused_requests(&filter.sought(&console)?).await?;
    let with = context! { standings => (), ..with("/refusals", &filter, &page) };
    Ok(console.page(&visitor, "refusals", "operations/refusals.html", &with))
}

pub(super) async fn audit(
    State(console): State<Console>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let page = console.desk.audit_lines(&filter.sought(&console)?).await?;
    let with = context! { standings => (), ..with("/audit", &filter, &page) };
    Ok(console.page(&visitor, "audit", "operations/audit.html", &with))
}

pub(super) async fn apart(State(console): State<Console>, visitor: Visitor) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let sought = Sought {
        standing: Some(Standing::Failed),
        limit: FEW,
        ..Sought::default()
    };
    let mut apart = Vec::new();
    for counts in console.desk.work_counts().await? {
        let Some(work) = Work::parse(counts.kind).filter(|_| counts.failed > 0) else {
            continue;
        };
        let page = console.desk.work_rows(work, &sought).await?;
        apart.push(
            context! { kind => counts.kind, many => counts.failed, rows => page.rows, more => page.next.is_some() },
        );
    }
    let with = context! { apart };
    Ok(console.page(&visitor, "apart", "operations/apart.html", &with))
}

fn kinds() -> Vec<&'static str> {
    Work::ALL.iter().map(|work| work.as_str()).collect()
}

fn standings() -> Vec<&'static str> {
    Standing::ALL.iter().map(|standing| standing.as_str()).collect()
}
