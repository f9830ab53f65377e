//! Money that names no activation that waits for it: whose it may be, and giving it to one.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use eencent_activations::desk::support::FoundBy;
use eencent_activations::desk::{Act, SetAside};
use eencent_activations::people::Permission;
use eencent_activations::refused::DeskError;
use minijinja::{Value, context};
use serde::Deserialize;

use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// Rows of a page.
const ROWS: u32 = 25;

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/payments", get(list))
        .route("/payments/{id}/allocate", post(allocate))
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

async fn list(
    State(console): State<Console>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    shown(&console, &visitor, &which, StatusCode::OK, context! { wrong => () }).await
}

async fn shown(
    console: &Console,
    visitor: &Visitor,
    which: &Which,
    status: StatusCode,
    more: Value,
) -> Result<Response, Trouble> {
    let state = SetAside::parse(&which.state).unwrap_or(SetAside::Unallocated);
    let rows = console.desk.set_aside(state, &which.after, ROWS).await?;
    let with = context! {
        next => (rows.len() >= ROWS as usize).then(|| rows.last().map(|row| row.id.clone())).flatten(),
        rows,
        state => state.as_str(),
        ..more
    };
    Ok(console.page_with_status(status, visitor, "payments", "support/payments.html", &with))
}

#[derive(Deserialize)]
struct Given {
    /// An activation, by its id or its reference.
    activation: String,
    reason: String,
    /// The version that was shown before it is confirmed; none before that.
    version: Option<i64>,
}

/// First it is shown whose activation it would pay, beside who paid; then it is confirmed.
async fn allocate(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Given>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let done = match form.version {
        Some(version) => allocated(&console, &visitor, &id, &form, version).await,
        None => foreseen(&console, &visitor, &id, &form).await,
    };
    match done {
        Err(DeskError::Refused(refused)) => {
            let wrong = visitor.told(&refused);
            let which = Which {
                state: String::new(),
                after: String::new(),
            };
            shown(&console, &visitor, &which, StatusCode::CONFLICT, context! { wrong }).await
        }
        done => Ok(done?),
    }
}

async fn foreseen(console: &Console, visitor: &Visitor, payment: &str, given: &Given) -> Result<Response, DeskError> {
    let found = console.desk.find(&given.activation).await?;
    // A name may be many's, and money goes to one: only its reference or id says which.
    let by_reference = found.activations.into_iter().find(|one| one.by == FoundBy::Reference);
    let id = by_reference.map_or_else(|| given.activation.trim().to_owned(), |one| one.activation);
    let activation = console.desk.activation(&id).await?;
    let organisation = console.desk.organisation(&activation.organisation).await?;
    let with = context! { payment, activation, organisation, reason => given.reason };
    Ok(console.page(visitor, "payments", "support/allocating.html", &with))
}

async fn allocated(
    console: &Console,
    visitor: &Visitor,
    payment: &str,
    given: &Given,
    version: i64,
) -> Result<Response, DeskError> {
    let act = Act {
        version,
        actor: visitor.person.signature(),
        reason: given.reason.clone(),
    };
    let to = &given.activation;
    console.desk.allocate(&visitor.actor(), payment, to, act).await?;
    Ok(Redirect::to(&format!("/activations/{to}")).into_response())
}
