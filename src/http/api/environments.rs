//! Environments, the platform's tenants: how many organisations each may have.

use axum::Json;
use axum::extract::State;
use eencent_activations::views::EnvironmentView;
use serde::Deserialize;
use serde_json::Value;

use super::Api;
use super::body::{Body, Id, whole};
use super::callers::{Any, By, Operator};
use super::{failures, shapes};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// Read how many organisations an environment may have, and has.
///
/// An environment isn't made: one that no organisation was registered in has none.
#[utoipa::path(
    get, path = "/v1/environments/{environment}", operation_id = "readEnvironment",
    tag = "environments",
    params(("environment" = String, Path, description = "Its name, as organisations are registered with.")),
    responses(
        (status = 200, description = "As it is now.", body = shapes::Environment),
        failures::Failures, failures::Missing,
    )
)]
pub async fn read(State(api): State<Api>, _by: By<Any>, Id(name): Id) -> Result<Json<EnvironmentView>, Problem> {
    Ok(Json(api.desk.environment(&name).await?))
}

/// A grant as it was sent.
#[derive(Deserialize)]
pub struct Grant {
    limit: Option<Value>,
    reason: Option<String>,
}

/// Grant an environment another number of organisations.
///
/// For keys with scope `operator`: a platform doesn't grant itself. Organisations beyond a lower limit stay.
#[utoipa::path(
    put, path = "/v1/environments/{environment}/limit", operation_id = "grantLimit",
    tag = "environments",
    params(("environment" = String, Path, description = "Its name, as organisations are registered with.")),
    request_body = shapes::Grant,
    responses(
        (status = 200, description = "Granted.", body = shapes::Environment),
        failures::Failures, failures::Missing, failures::Unreadable,
    )
)]
pub async fn grant(
    State(api): State<Api>,
    by: By<Operator>,
    Id(name): Id,
    Body(grant): Body<Grant>,
) -> Result<Json<EnvironmentView>, Problem> {
    let limit = grant.limit.as_ref().and_then(whole).ok_or_else(|| {
        let sentence = Sentence::new("`limit` is a whole number.", "`limit` is een geheel getal.");
        Problem::invalid_fields([("limit", "wrong_type", sentence)])
    })?;
    let reason = grant.reason.unwrap_or_default();
    Ok(Json(api.desk.grant(&by.actor, &name, limit, &reason).await?))
}
