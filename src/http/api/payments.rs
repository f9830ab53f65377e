//! Payments that somebody has to look at: those that name no open activation, and those beyond what was asked.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use eencent_activations::desk::{SetAside, SetAsideView};
use eencent_activations::views::ActivationView;
use serde::Deserialize;

use super::acts::Sent;
use super::body::{Asked, Body, Id};
use super::callers::{By, Review};
use super::paging::{Page, plain};
use super::{Api, failures, shapes};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// What to list.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// Find payments that somebody has to look at, oldest first, with the activations that they may be for.
///
/// A page that isn't the last has a header `Link: <…>; rel="next"`.
#[utoipa::path(
    get, path = "/v1/payments", operation_id = "findPayments",
    tag = "review",
    params(
        ("state" = shapes::SetAside, Query, description = "Which."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 unless asked."),
        ("after" = Option<String>, Query, description = "Those that come after the payment with this id."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Vec<shapes::SetAsidePayment>,
            headers(("Link" = Option<String>, description = "The next page, when there is one."))),
        failures::Failures, failures::Invalid,
    )
)]
pub async fn list(
    State(api): State<Api>,
    _by: By<Review>,
    Asked(wanted): Asked<Wanted>,
) -> Result<(HeaderMap, Json<Vec<SetAsideView>>), Problem> {
    let which = wanted.state.as_deref().and_then(SetAside::parse).ok_or_else(|| {
        Problem::invalid_parameter(
            "state",
            Sentence::new(
                "Say which: `state=unallocated` or `state=surplus`.",
                "Zeg welke: `state=unallocated` of `state=surplus`.",
            ),
        )
    })?;
    let mut page = Page::of("/v1/payments", wanted.limit.as_deref())?;
    page.asked("state", Some(which.as_str().to_owned()))?;
    let after = plain("after", wanted.after)?.unwrap_or_default();
    let found = api.desk.set_aside(which, &after, page.to_look_for()).await?;
    let (headers, found) = page.cut(found, |one| &one.id);
    Ok((headers, Json(found)))
}

/// What was sent: the act, and to which activation.
#[derive(Deserialize)]
pub struct Allocation {
    activation: Option<String>,
    #[serde(flatten)]
    act: Sent,
}

/// Allocate an unallocated payment to an activation.
///
/// From there on it does what a payment with the right reference does: approve, send to review, or wait for the rest.
#[utoipa::path(
    post, path = "/v1/payments/{id}/allocate", operation_id = "allocatePayment",
    tag = "review",
    params(("id" = String, Path, description = "The payment's id, as in the list.")),
    request_body = shapes::Allocation,
    responses(
        (status = 200, description = "The activation, with the payment.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn allocate(
    by: By<Review>,
    Id(id): Id,
    Body(sent): Body<Allocation>,
) -> Result<Json<ActivationView>, Problem> {
    let act = sent.act.act()?;
    let activation = sent.activation.filter(|id| !id.trim().is_empty()).ok_or_else(|| {
        Problem::invalid_parameter(
            "activation",
            Sentence::new(
                "Say to which activation, by its id.",
                "Zeg aan welke activering, met haar id.",
            ),
        )
    })?;
    Ok(Json(by.desk.allocate(&by.actor, &id, activation.trim(), act).await?))
}
