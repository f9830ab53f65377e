//! Activations, as the platform sees them: start, pay again, read, find, cancel, send the link again.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use eencent_activations::desk::{ActivationFilter, Explanation};
use eencent_activations::state::{self, Method};
use eencent_activations::views::ActivationView;
use serde::Deserialize;
use tokio::time::Instant;

use super::Api;
use super::body::{Asked, Body, Id, OptionalBody};
use super::callers::{Any, By, Platform, Review};
use super::paging::{Page, plain};
use super::{failures, shapes};
use crate::http::problem::Problem;

/// How long a start waits for its payment to be made at the provider.
const PATIENCE: Duration = Duration::from_secs(4);

/// Start an activation.
///
/// The answer holds the reference that the payment must carry, and the amount.
#[utoipa::path(
    post, path = "/v1/organisations/{id}/activations", operation_id = "startActivation",
    tag = "activations",
    params(("id" = String, Path, description = "The organisation's id.")),
    request_body = shapes::NewActivation,
    responses(
        (status = 201, description = "Started; it waits for the payment.", body = shapes::Activation,
            headers(("Location" = String, description = "Where it can be read."))),
        failures::Failures, failures::Missing, failures::Unreadable, failures::InTheWay,
    )
)]
pub async fn start(
    State(api): State<Api>,
    by: By<Platform>,
    Id(id): Id,
    Body(new): Body<shapes::NewActivation>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ActivationView>), Problem> {
    let method = new.method.unwrap_or_default();
    let activation = by.desk.start(&by.actor, &id, &method).await?;
    let activation = with_checkout(&api, activation).await?;
    let location = format!("/v1/activations/{}", activation.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(activation)))
}

/// Where payments are made here, the payer is waiting to be sent on: so is the answer, for a moment. The row is worked
/// on meanwhile; later readings have the address as soon as there is one.
async fn with_checkout(api: &Api, mut activation: ActivationView) -> Result<ActivationView, Problem> {
    if activation.method == Method::Ideal && api.desk.rules().makes_payments() {
        let until = Instant::now() + PATIENCE;
        while activation.state == state::State::AwaitingPayment
            && activation.checkout_url.is_none()
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
            activation = api.desk.activation(&activation.id).await?;
        }
    }
    Ok(activation)
}

/// Get an address to pay at: for whoever came back without having paid.
///
/// The one that there is, while its payment can still be made; a fresh one when that was cancelled, failed or expired.
/// Only where payments are made here (`checkout.endpoint` in the settings).
#[utoipa::path(
    post, path = "/v1/activations/{id}/checkout", operation_id = "getCheckout",
    tag = "activations",
    params(("id" = String, Path, description = "The activation's id.")),
    responses(
        (status = 200, description = "The activation, with `checkout_url`; without it for a moment when the provider is slow.",
            body = shapes::Activation),
        failures::Failures, failures::Missing, failures::InTheWay,
    )
)]
pub async fn checkout(State(api): State<Api>, by: By<Platform>, Id(id): Id) -> Result<Json<ActivationView>, Problem> {
    let activation = by.desk.checkout(&by.actor, &id).await?;
    Ok(Json(with_checkout(&api, activation).await?))
}

/// What to list.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    reference: Option<String>,
    organisation: Option<String>,
    environment: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// Find activations, oldest first.
///
/// A page that isn't the last has a header `Link: <…>; rel="next"`.
#[utoipa::path(
    get, path = "/v1/activations", operation_id = "findActivations",
    tag = "activations",
    params(
        ("state" = Option<shapes::State>, Query, description = "Only those in this state."),
        ("reference" = Option<String>, Query, min_length = 1, max_length = 200, description = "Only the one with this payment reference."),
        ("organisation" = Option<String>, Query, min_length = 1, max_length = 200, description = "Only those of the organisation with this id."),
        ("environment" = Option<String>, Query, min_length = 1, max_length = 200, description = "Only those of organisations of this environment."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 unless asked."),
        ("after" = Option<String>, Query, min_length = 1, max_length = 200, description = "Those that come after the activation with this id."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Vec<shapes::Activation>,
            headers(("Link" = Option<String>, description = "The next page, when there is one."))),
        failures::Failures, failures::Invalid,
    )
)]
pub async fn list(
    State(api): State<Api>,
    _by: By<Any>,
    Asked(wanted): Asked<Wanted>,
) -> Result<(HeaderMap, Json<Vec<ActivationView>>), Problem> {
    let mut page = Page::of("/v1/activations", wanted.limit.as_deref())?;
    let filter = ActivationFilter {
        state: page.asked("state", wanted.state)?,
        reference: page.asked("reference", wanted.reference)?,
        organisation: page.asked("organisation", wanted.organisation)?,
        environment: page.asked("environment", wanted.environment)?,
        limit: page.to_look_for(),
        after: plain("after", wanted.after)?,
    };
    let found = api.desk.activations(&filter).await?;
    let (headers, found) = page.cut(found, |one| &one.id);
    Ok((headers, Json(found)))
}

/// Read an activation.
#[utoipa::path(
    get, path = "/v1/activations/{id}", operation_id = "readActivation",
    tag = "activations",
    params(("id" = String, Path, description = "The activation's id.")),
    responses(
        (status = 200, description = "As it is now.", body = shapes::Activation),
        failures::Failures, failures::Missing,
    )
)]
pub async fn read(State(api): State<Api>, _by: By<Any>, Id(id): Id) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(api.desk.activation(&id).await?))
}

/// Withdraw an activation that has not ended.
#[utoipa::path(
    post, path = "/v1/activations/{id}/cancel", operation_id = "cancelActivation",
    tag = "activations",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = Option<shapes::Cancellation>,
    responses(
        (status = 200, description = "Cancelled.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::InTheWay,
    )
)]
pub async fn cancel(
    by: By<Platform>,
    Id(id): Id,
    OptionalBody(cancellation): OptionalBody<shapes::Cancellation>,
) -> Result<Json<ActivationView>, Problem> {
    let reason = cancellation.reason.unwrap_or_default();
    Ok(Json(by.desk.cancel(&by.actor, &id, &reason).await?))
}

/// Send the link to round off again: a new link, to the creator's address; the one before stops working.
#[utoipa::path(
    post, path = "/v1/activations/{id}/resend", operation_id = "resendLink",
    tag = "activations",
    params(("id" = String, Path, description = "The activation's id.")),
    responses(
        (status = 200, description = "The e-mail is on its way.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::InTheWay,
    )
)]
pub async fn resend(by: By<Platform>, Id(id): Id) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(by.desk.resend(&by.actor, &id).await?))
}

/// Why an activation stands where it stands: what was received, how it was proven, the names side
/// by side, the rule that decided, the clock, the e-mails. Nothing in it is computed again.
#[utoipa::path(
    get, path = "/v1/activations/{id}/explanation", operation_id = "explainActivation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    responses(
        (status = 200, description = "The record.", body = shapes::Explanation),
        failures::Failures, failures::Missing,
    )
)]
pub async fn explanation(State(api): State<Api>, _by: By<Review>, Id(id): Id) -> Result<Json<Explanation>, Problem> {
    Ok(Json(api.desk.explanation(&id).await?))
}
