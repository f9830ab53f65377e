//! Reads bodies and queries; what can't be read becomes a problem document.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = is_json(&request);
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        if !declared {
            return Err(Problem::not_json());
        }
        parsed(&bytes).map(Self)
    }
}

/// A JSON body that may be left out altogether.
pub struct OptionalBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = is_json(&request);
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !declared {
            return Err(Problem::not_json());
        }
        if bytes.trim_ascii() == b"null" {
            return Ok(Self(T::default()));
        }
        parsed(&bytes).map(Self)
    }
}

/// A whole number, however it is written: in JSON `4.0` is one.
pub fn whole(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}

/// What stands in the query.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(_) => Err(Problem::invalid_parameter(
                "query",
                Sentence::new(
                    "The query can't be read: see /openapi.json for what can be asked.",
                    "De zoekvraag is niet te lezen: zie /openapi.json voor wat er gevraagd kan worden.",
                ),
            )),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let content = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content.is_some_and(|content| {
        let kind = content
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    })
}

/// What an address names. Nothing is named by what isn't text, or by characters that can't be seen.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) if !id.chars().any(char::is_control) => Ok(Self(id)),
            _ => Err(Problem::not_found()),
        }
    }
}

/// A thing and another within it.
pub struct Ids(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((outer, inner))) if !outer.chars().chain(inner.chars()).any(char::is_control) => {
                Ok(Self(outer, inner))
            }
            _ => Err(Problem::not_found()),
        }
    }
}

/// What became of a body that didn't arrive.
#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
pub fn unread(rejection: BytesRejection) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Problem::too_large(),
        _ => Problem::unreadable("it broke off"),
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::unreadable(&format!(
            "no valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    if !value.is_object() {
        return Err(Problem::unreadable("it must be a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let told = error.into_inner().to_string();
        let field = match path.as_str() {
            "." | "?" => missing_in(&told),
            path => path,
        };
        Problem::wrong_type(field, &told)
    })
}

/// The field that is missing, which serde names in its message.
fn missing_in(told: &str) -> &str {
    told.split('`')
        .nth(1)
        .filter(|_| told.starts_with("missing field"))
        .unwrap_or_default()
}
