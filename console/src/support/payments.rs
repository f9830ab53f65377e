//! Money that names no activation that waits for it: whose it may be, and giving it to one.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use eencent_activations::desk::{Act, SetAside};
use eencent_activations::language::Language;
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
}

async fn allocate(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Given>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    match allocated(&console, &visitor, &id, &form).await {
        Ok(activation) => Ok(Redirect::to(&format!("/activations/{activation}")).into_response()),
        Err(DeskError::Refused(refused)) => {
            let wrong = match visitor.language() {
                Language::English => refused.text,
                Language::Dutch => refused.text_nl,
            };
            let which = Which {
                state: String::new(),
                after: String::new(),
            };
            shown(&console, &visitor, &which, StatusCode::CONFLICT, context! { wrong }).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn allocated(console: &Console, visitor: &Visitor, payment: &str, given: &Given) -> Result<String, DeskError> {
    let found = console.desk.find(&given.activation).await?;
    let id = found
        .activations
        .first()
        .map_or_else(|| given.activation.trim().to_owned(), |one| one.activation.clone());
    let activation = console.desk.activation(&id).await?;
    let act = Act {
        version: activation.version,
        actor: visitor.person.signature(),
        reason: given.reason.clone(),
    };
    console.desk.allocate(&visitor.actor(), payment, &id, act).await?;
    Ok(id)
}
