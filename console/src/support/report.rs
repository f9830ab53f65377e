//! What decisions of people teach: for each month and reason, how many were approved all the same.

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

/// So many days back the report begins.
const DAYS: u64 = 365;

pub(super) fn router() -> Router<Console> {
    Router::new().route("/report", get(show))
}

#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    month: String,
    #[serde(default)]
    code: String,
}

async fn show(State(console): State<Console>, visitor: Visitor, Query(of): Query<Of>) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let hours = console.desk.rules().hours();
    let now = console.clock.now();
    let month = |at| hours.local(at).format("%Y-%m").to_string();
    let from = month(now.minus(std::time::Duration::from_secs(DAYS * 24 * 3_600)));
    let rows = console.desk.review_report(&from, &month(now)).await?;
    let examples = if of.month.is_empty() {
        Vec::new()
    } else {
        console.desk.review_examples(&of.month, &of.code).await?
    };
    let with = context! { rows, examples, month => of.month, code => of.code };
    Ok(console.page(&visitor, "report", "support/report.html", &with))
}
