//! What support does with an activation: approve, reject, ask, go on.
//!
//! Every act carries the version of what was looked at: whoever comes second is told how it is now.

use axum::Json;
use axum::extract::{Path, State};
use eencent_activations::desk::{Act, When};
use eencent_activations::views::ActivationView;
use serde::Deserialize;

use super::Api;
use super::body::Body;
use super::callers::{By, Review};
use super::{failures, shapes};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// An act with the moment at which it takes effect.
#[derive(Deserialize)]
pub struct Approval {
    #[serde(flatten)]
    act: Act,
    when: Option<String>,
}

/// Approve: within office hours (at once if the office is open, else when it opens), or now.
#[utoipa::path(
    post, path = "/v1/activations/{id}/approve", operation_id = "approveActivation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Approval,
    responses(
        (status = 200, description = "Approved.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn approve(
    State(api): State<Api>,
    by: By<Review>,
    Path(id): Path<String>,
    Body(approval): Body<Approval>,
) -> Result<Json<ActivationView>, Problem> {
    let when = match approval.when.as_deref() {
        None | Some("office_hours") => When::OfficeHours,
        Some("now") => When::Now,
        Some(_) => {
            return Err(Problem::invalid_parameter(
                "when",
                Sentence::new(
                    "`when` must be `office_hours` or `now`.",
                    "`when` moet `office_hours` of `now` zijn.",
                ),
            ));
        }
    };
    Ok(Json(api.desk.approve(&by.actor, &id, approval.act, when).await?))
}

/// Reject; the reason is told to the creator.
#[utoipa::path(
    post, path = "/v1/activations/{id}/reject", operation_id = "rejectActivation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Rejected.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn reject(
    State(api): State<Api>,
    by: By<Review>,
    Path(id): Path<String>,
    Body(act): Body<Act>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(api.desk.reject(&by.actor, &id, act).await?))
}

/// Ask the creator for information; the reason is the question, and is sent to the creator.
#[utoipa::path(
    post, path = "/v1/activations/{id}/request-information", operation_id = "requestInformation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Asked.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn request_information(
    State(api): State<Api>,
    by: By<Review>,
    Path(id): Path<String>,
    Body(act): Body<Act>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(api.desk.request_information(&by.actor, &id, act).await?))
}

/// Go on with the review: the information has come, or isn't waited for any longer.
#[utoipa::path(
    post, path = "/v1/activations/{id}/resume", operation_id = "resumeReview",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Under review again.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn resume(
    State(api): State<Api>,
    by: By<Review>,
    Path(id): Path<String>,
    Body(act): Body<Act>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(api.desk.resume(&by.actor, &id, act).await?))
}
