//! The files that creators send with an answer: for support, to be saved and not to be shown.

use axum::extract::State;
use axum::http::header::{self, HeaderName};
use axum::response::{IntoResponse as _, Response};

use super::body::Ids;
use super::callers::{By, Review};
use super::{Api, failures};
use crate::http::problem::Problem;

/// Nothing in it runs, wherever it is opened.
const LOCKED_UP: &str = "default-src 'none'; sandbox";

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
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_DISPOSITION, attachment(&file.name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, LOCKED_UP.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, content).into_response())
}

/// The name for a program that knows only ASCII, and for the others (RFC 6266).
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii() && !"\"\\".contains(c) { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_outside_ascii_is_told_in_both_ways() {
        assert_eq!(
            attachment("Überzicht (1).pdf"),
            "attachment; filename=\"_berzicht (1).pdf\"; filename*=UTF-8''%C3%9Cberzicht%20%281%29.pdf"
        );
    }
}
