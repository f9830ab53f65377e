//! What is written and done beside an activation without moving it: who looks at it, notes, and what is masked.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use eencent_activations::desk::operations::Order;
use eencent_activations::people::Permission;
use eencent_activations::refused::DeskError;
use minijinja::{Value, context};
use serde::Deserialize;

use super::acts::back;
use super::case;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;
use crate::words::in_fours;

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/activations/{id}/assign", post(assign))
        .route("/activations/{id}/notes", post(note))
        .route("/activations/{id}/reveal", post(reveal))
}

#[derive(Deserialize)]
struct Given {
    /// Who had it when that was looked at; empty: nobody.
    seen: String,
    /// Empty: nobody.
    to: String,
}

async fn assign(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Given>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let some = |account: &String| (!account.is_empty()).then(|| account.clone());
    let (seen, to) = (some(&form.seen), some(&form.to));
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: "",
    };
    let done = console.desk.assign(order, &id, seen.as_deref(), to.as_deref()).await;
    answered(&console, &visitor, &id, done.map(drop), context! {}).await
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

async fn note(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Note>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let done = console.desk.add_note(&visitor.actor(), &id, &form.note).await;
    let typed = context! { typed => context! { act => "note", reason => form.note } };
    answered(&console, &visitor, &id, done.map(drop), typed).await
}

#[derive(Deserialize)]
struct Reveal {
    payment: String,
    reason: String,
}

/// Shown once, on the page that answers: whoever wants to see it again asks again.
async fn reveal(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Reveal>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: &form.reason,
    };
    match console.desk.reveal_account(order, &id, &form.payment).await {
        Ok(account) => {
            let more = context! { revealed => context! { payment => form.payment, account => in_fours(&account) } };
            case::shown(&console, &visitor, &id, StatusCode::OK, more).await
        }
        Err(error) => answered(&console, &visitor, &id, Err(error), context! {}).await,
    }
}

/// Back to the page; or the page with why it wasn't done.
async fn answered(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    done: Result<(), DeskError>,
    more: Value,
) -> Result<Response, Trouble> {
    match done {
        Ok(()) => Ok(back(id)),
        Err(DeskError::Refused(refused)) => {
            let wrong = visitor.told(&refused);
            case::shown(console, visitor, id, StatusCode::CONFLICT, context! { wrong, ..more }).await
        }
        Err(error) => Err(error.into()),
    }
}
