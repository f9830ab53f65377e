//! Organisations: register, read, change, delete.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use eencent_activations::desk::{NewOrganisation, OrganisationChange};
use eencent_activations::views::OrganisationView;

use super::Api;
use super::body::Body;
use super::callers::{Any, By, Platform};
use super::{failures, register, shapes};
use crate::http::problem::Problem;

/// Register an organisation.
///
/// Only an administrator of the environment may add one. Countries other than the Netherlands can
/// be saved; whether they can be activated is told when an activation is started.
///
/// With `kvk` everything about the organisation comes from the trade register; what is typed beside it is only
/// `environment` and `creator`.
#[utoipa::path(
    post, path = "/v1/organisations", operation_id = "registerOrganisation",
    tag = "organisations",
    request_body = shapes::NewOrganisation,
    responses(
        (status = 201, description = "Registered.", body = shapes::Organisation,
            headers(("Location" = String, description = "Where it can be read."))),
        failures::Failures, failures::Unreadable, failures::FromRegister,
    )
)]
pub async fn register(
    State(api): State<Api>,
    by: By<Platform>,
    Body(new): Body<NewOrganisation>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<OrganisationView>), Problem> {
    let organisation = register::registered(&api, &by.actor, new).await?;
    let location = format!("/v1/organisations/{}", organisation.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(organisation)))
}

/// Read an organisation; `active` and `activated_at` are the tick.
#[utoipa::path(
    get, path = "/v1/organisations/{id}", operation_id = "readOrganisation",
    tag = "organisations",
    params(("id" = String, Path, description = "The organisation's id.")),
    responses(
        (status = 200, description = "As it is now.", body = shapes::Organisation),
        failures::Failures, failures::Missing,
    )
)]
pub async fn read(
    State(api): State<Api>,
    _by: By<Any>,
    Path(id): Path<String>,
) -> Result<Json<OrganisationView>, Problem> {
    Ok(Json(api.desk.organisation(&id).await?))
}

/// Change an organisation, until it is active.
///
/// Fields that are left out stay as they are. Names and identifiers can't change while an
/// activation is open.
#[utoipa::path(
    patch, path = "/v1/organisations/{id}", operation_id = "changeOrganisation",
    tag = "organisations",
    params(("id" = String, Path, description = "The organisation's id.")),
    request_body = shapes::OrganisationChange,
    responses(
        (status = 200, description = "As it is now.", body = shapes::Organisation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::InTheWay,
    )
)]
pub async fn change(
    State(api): State<Api>,
    by: By<Platform>,
    Path(id): Path<String>,
    Body(change): Body<OrganisationChange>,
) -> Result<Json<OrganisationView>, Problem> {
    Ok(Json(api.desk.change(&by.actor, &id, change).await?))
}

/// Delete an organisation, until it is active.
#[utoipa::path(
    delete, path = "/v1/organisations/{id}", operation_id = "deleteOrganisation",
    tag = "organisations",
    params(("id" = String, Path, description = "The organisation's id.")),
    responses(
        (status = 204, description = "Deleted."),
        failures::Failures, failures::Missing, failures::InTheWay,
    )
)]
pub async fn delete(State(api): State<Api>, by: By<Platform>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    api.desk.delete(&by.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
