//! Organisations: register, find, read, change, delete.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use eencent_activations::desk::{NewOrganisation, OrganisationChange, OrganisationFilter};
use eencent_activations::identifier::Identifier;
use eencent_activations::views::OrganisationView;
use serde::Deserialize;

use super::Api;
use super::body::{Asked, Body, Id};
use super::callers::{Any, By, Platform};
use super::paging::{Page, plain};
use super::{failures, register, shapes};
use crate::http::language::Sentence;
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
    let organisation = register::registered(&api, &by, new).await?;
    let location = format!("/v1/organisations/{}", organisation.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(organisation)))
}

/// Which organisations are wanted.
#[derive(Deserialize)]
pub struct Wanted {
    environment: Option<String>,
    identifier: Option<String>,
    active: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// Find organisations, in the order of registering; deleted ones are left out.
///
/// A page that isn't the last has a header `Link: <…>; rel="next"`.
#[utoipa::path(
    get, path = "/v1/organisations", operation_id = "findOrganisations",
    tag = "organisations",
    params(
        ("environment" = Option<String>, Query, min_length = 1, max_length = 200, description = "Only those of this environment."),
        ("identifier" = Option<String>, Query, min_length = 3, max_length = 200, example = "NL:KVK 12345678",
            description = "Only those with this identifier: scheme and value with a space between, or as Peppol has it, `0106:12345678`."),
        ("active" = Option<bool>, Query, description = "Only those that are active, or that aren't."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 unless asked."),
        ("after" = Option<String>, Query, min_length = 1, max_length = 200, description = "Those that come after the organisation with this id."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Vec<shapes::Organisation>,
            headers(("Link" = Option<String>, description = "The next page, when there is one."))),
        failures::Failures, failures::Invalid,
    )
)]
pub async fn list(
    State(api): State<Api>,
    _by: By<Any>,
    Asked(wanted): Asked<Wanted>,
) -> Result<(HeaderMap, Json<Vec<OrganisationView>>), Problem> {
    let mut page = Page::of("/v1/organisations", wanted.limit.as_deref())?;
    let identifier = page.asked("identifier", wanted.identifier)?;
    let identifier = identifier.map(|text| Identifier::parse_text(&text)).transpose();
    let identifier = identifier.map_err(|wrong| {
        let sentence = Sentence::new(
            format!("`identifier` can't be used: {wrong}."),
            format!("`identifier` is niet te gebruiken: {}.", wrong.dutch()),
        );
        Problem::invalid_parameter("identifier", sentence)
    })?;
    let active = match page.asked("active", wanted.active)?.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            let sentence = Sentence::new(
                "`active` must be `true` or `false`.",
                "`active` moet `true` of `false` zijn.",
            );
            return Err(Problem::invalid_parameter("active", sentence));
        }
    };
    let filter = OrganisationFilter {
        environment: page.asked("environment", wanted.environment)?,
        identifier,
        active,
        limit: page.to_look_for(),
        after: plain("after", wanted.after)?,
    };
    let found = api.desk.organisations(&filter).await?;
    let (headers, found) = page.cut(found, |one| &one.id);
    Ok((headers, Json(found)))
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
pub async fn read(State(api): State<Api>, _by: By<Any>, Id(id): Id) -> Result<Json<OrganisationView>, Problem> {
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
    by: By<Platform>,
    Id(id): Id,
    Body(change): Body<OrganisationChange>,
) -> Result<Json<OrganisationView>, Problem> {
    Ok(Json(by.desk.change(&by.actor, &id, change).await?))
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
pub async fn delete(by: By<Platform>, Id(id): Id) -> Result<StatusCode, Problem> {
    by.desk.delete(&by.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
