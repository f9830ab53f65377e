//! Activations, as the platform sees them: start, read, find, cancel, send the link again.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use eencent_activations::desk::{ActivationFilter, Explanation};
use eencent_activations::state::Method;
use eencent_activations::views::ActivationView;
use serde::Deserialize;
use tokio::time::Instant;

use super::Api;
use super::body::{Asked, Body, OptionalBody};
use super::callers::{Any, By, Platform, Review};
use super::{failures, page, shapes};
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
    Path(id): Path<String>,
    Body(new): Body<shapes::NewActivation>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ActivationView>), Problem> {
    let method = new.method.unwrap_or_default();
    let mut activation = api.desk.start(&by.actor, &id, &method).await?;
    // Where payments are made here, the payer is waiting to be sent on: so is the answer, for a moment.
    // The row is worked on meanwhile; later readings have the address as soon as there is one.
    if activation.method == Method::Ideal && api.desk.rules().makes_payments() {
        let until = Instant::now() + PATIENCE;
        while activation.checkout_url.is_none() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
            activation = api.desk.activation(&activation.id).await?;
        }
    }
    let location = format!("/v1/activations/{}", activation.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(activation)))
}

/// What to list.
#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    reference: Option<String>,
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
        ("reference" = Option<String>, Query, description = "Only the one with this payment reference."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 unless asked."),
        ("after" = Option<String>, Query, description = "Those that come after the activation with this id."),
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
    let limit = page::limit(wanted.limit.as_deref())?;
    let set = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = ActivationFilter {
        state: set(wanted.state),
        reference: set(wanted.reference),
        limit: limit + 1,
        after: set(wanted.after),
    };
    let mut page = api.desk.activations(&filter).await?;
    let mut headers = HeaderMap::new();
    if page.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
        page.pop();
        let last = page.last().map(|last| last.id.as_str()).unwrap_or_default();
        let mut query = format!("limit={limit}&after={last}");
        // A state is one of ours here, or the desk had refused it; a reference has one activation.
        if let Some(state) = &filter.state {
            query.push_str("&state=");
            query.push_str(state);
        }
        if let Ok(next) = HeaderValue::try_from(format!("</v1/activations?{query}>; rel=\"next\"")) {
            headers.insert(header::LINK, next);
        }
    }
    Ok((headers, Json(page)))
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
pub async fn read(
    State(api): State<Api>,
    _by: By<Any>,
    Path(id): Path<String>,
) -> Result<Json<ActivationView>, Problem> {
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
    State(api): State<Api>,
    by: By<Platform>,
    Path(id): Path<String>,
    OptionalBody(cancellation): OptionalBody<shapes::Cancellation>,
) -> Result<Json<ActivationView>, Problem> {
    let reason = cancellation.reason.unwrap_or_default();
    Ok(Json(api.desk.cancel(&by.actor, &id, &reason).await?))
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
pub async fn resend(
    State(api): State<Api>,
    by: By<Platform>,
    Path(id): Path<String>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(api.desk.resend(&by.actor, &id).await?))
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
pub async fn explanation(
    State(api): State<Api>,
    _by: By<Review>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, Problem> {
    Ok(Json(api.desk.explanation(&id).await?))
}
