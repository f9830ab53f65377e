//! The files that creators send with an answer: for support, to be saved and not to be shown.

use axum::extract::State;
use axum::response::Response;
use eencent_console::download::download;

use super::body::Ids;
use super::callers::{By, Review};
use super::{Api, failures};
use crate::http::problem::Problem;

/// Fetch a file that the creator sent with an answer.
///
/// A stranger made it. It comes as a download, of the type that its bytes are; that it was fetched is recorded. What
/// files there are stands in the explanation, under `questions`.
#[utoipa::path(
    get, path = "/v1/activations/{id}/files/{file}", operation_id = "fetchFile",
    tag = "review",
    params(
        ("id" = String, Path, description = "The activation's id."),
        ("file" = String, Path, description = "The file's id."),
    ),
    responses(
        (status = 200, description = "The file.", content((Vec<u8> = "application/pdf"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"))),
        failures::Failures, failures::Missing,
    )
)]
pub async fn fetch(State(api): State<Api>, by: By<Review>, Ids(id, file): Ids) -> Result<Response, Problem> {
    let (file, content) = api.desk.upload(&by.actor, &id, &file).await?;
    Ok(download(&file.media_type, &file.name, content))
}
