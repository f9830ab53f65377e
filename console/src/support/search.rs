//! Finding an activation by anything that is known of it.
//!
//! What is looked for is posted: an address or account would else stand in the browser's history and in logs of proxies.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) fn router() -> Router<Console> {
    Router::new().route("/search", get(show).post(find))
}

#[derive(Deserialize)]
struct Sought {
    sought: String,
}

async fn show(State(console): State<Console>, visitor: Visitor) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    Ok(console.page(
        &visitor,
        "search",
        "support/search.html",
        &context! { sought => "", found => () },
    ))
}

async fn find(State(console): State<Console>, Sent { visitor, form }: Sent<Sought>) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let found = console.desk.find(&form.sought).await?;
    Ok(console.page(
        &visitor,
        "search",
        "support/search.html",
        &context! { sought => form.sought, found },
    ))
}
