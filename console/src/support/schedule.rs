//! What is approved and takes effect later: when, and why then.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use crate::Console;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// Rows of a page.
const ROWS: u32 = 100;

pub(super) fn router() -> Router<Console> {
    Router::new().route("/schedule", get(list))
}

#[derive(Deserialize)]
struct From {
    after: Option<String>,
}

async fn list(State(console): State<Console>, visitor: Visitor, Query(from): Query<From>) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let page = console.desk.schedule(from.after.as_deref(), ROWS).await?;
    let hours = console.desk.rules().hours();
    let now = console.clock.now();
    let with = context! {
        rows => page.rows,
        next => page.next,
        hours => hours.expression(),
        open => hours.is_open(now),
        opening => hours.next_opening(now),
    };
    Ok(console.page(&visitor, "schedule", "support/schedule.html", &with))
}
