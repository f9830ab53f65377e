//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that comes again is answered as it was the
//! first time, and not done again.
//!
//! | the key | answer |
//! |---|---|
//! | is new | the request's own; kept for a day when something was done |
//! | came with the same request | the kept one, with `Idempotency-Replayed: true` |
//! | came with another request | 422 `idempotency_key_reused` |
//! | belongs to a request that is under way | 409 `idempotency_key_in_use` |
//! | isn't one | 400 `idempotency_key_invalid` |
//!
//! That something is done once is the database's to hold, whatever is under way in which process
//! (`activations/src/desk/idempotency.rs`); this asks first, and keeps the answer before it is given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use eencent_activations::desk::idempotency::{KeptAnswer, KeyedRequest, under_way};
use sha2::{Digest as _, Sha256};

use super::callers::Caller;
use super::{Api, body};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// The header with the key.
pub const HEADER: &str = "idempotency-key";
/// Says of an answer that it was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
pub const LONGEST: usize = 255;

/// More than any answer is; it is one of ours.
const ANSWER: usize = 16 * 1024 * 1024;

/// The requests with a key that this process works on, with what tells each from others.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashMap<(String, String), String>>>);

/// That a request is under way, until it is dropped.
struct Place {
    all: UnderWay,
    place: (String, String),
}

impl UnderWay {
    fn begin(&self, request: &KeyedRequest) -> Result<Place, Problem> {
        let (who, key) = request.who_and_key();
        let place = (who.to_owned(), key.to_owned());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&place) {
            Some(digest) if digest == request.digest() => Err(under_way().into()),
            Some(_) => Err(reused()),
            None => {
                all.insert(place.clone(), request.digest().to_owned());
                Ok(Place {
                    all: self.clone(),
                    place,
                })
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.place);
    }
}

/// Stands before the API: answers what came before, and lets through what didn't.
pub async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    done_once(&api, request, next)
        .await
        .unwrap_or_else(|problem| problem.into_response())
}

async fn done_once(api: &Api, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, content) = request.into_parts();
    let caller = Caller::of(&mut parts, api).await?;
    let key = key(&parts.headers).ok_or_else(invalid)?;
    let bytes = Bytes::from_request(Request::from_parts(parts.clone(), content), &())
        .await
        .map_err(body::unread)?;
    let mut digest = Sha256::new();
    digest.update(format!("{}\n", parts.uri).as_bytes());
    digest.update(&bytes);
    let keyed = Arc::new(KeyedRequest::new(
        &caller.actor(),
        &key,
        &hex::encode(digest.finalize()),
    ));
    let _place = api.under_way.begin(&keyed)?;
    if let Some(kept) = api.desk.kept(&keyed).await? {
        if kept.digest != keyed.digest() {
            return Err(reused());
        }
        let answer = match kept.answer {
            Some(answer) => answer,
            // It was done, and whoever did it died before it could answer.
            None => answer_anew(api, &keyed, &kept.subject, parts.uri.path()).await?,
        };
        return Ok(given(&answer, true));
    }
    parts.extensions.insert(Arc::clone(&keyed));
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bytes = axum::body::to_bytes(response.into_body(), ANSWER)
        .await
        .map_err(|_| Problem::internal())?;
    let body = String::from_utf8(bytes.to_vec()).map_err(|_| Problem::internal())?;
    let answer = KeptAnswer { status, location, body };
    if !api.desk.keep_answer(&keyed, &answer).await? {
        // Whoever added an act has to give it the desk of its request: `By::desk`.
        tracing::error!("a request with an Idempotency-Key was done without it");
        return Err(Problem::internal());
    }
    Ok(given(&answer, false))
}

/// The answer to what was done: how what was made, or acted on, is now.
async fn answer_anew(api: &Api, keyed: &KeyedRequest, subject: &str, path: &str) -> Result<KeptAnswer, Problem> {
    // Whatever is no organisation belongs to an activation.
    let (place, view) = if subject.starts_with("org_") {
        (
            "organisations",
            Json(api.desk.organisation(subject).await?).into_response(),
        )
    } else {
        ("activations", Json(api.desk.activation(subject).await?).into_response())
    };
    let bytes = axum::body::to_bytes(view.into_body(), ANSWER)
        .await
        .map_err(|_| Problem::internal())?;
    // What is posted to a collection is made; to anything else, done.
    let made = path.ends_with("/organisations") || path.ends_with("/activations");
    let answer = KeptAnswer {
        status: if made { 201 } else { 200 },
        location: made.then(|| format!("/v1/{place}/{subject}")),
        body: String::from_utf8(bytes.to_vec()).map_err(|_| Problem::internal())?,
    };
    api.desk.keep_answer(keyed, &answer).await?;
    Ok(answer)
}

fn given(answer: &KeptAnswer, again: bool) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(Ok(location)) = answer.location.as_deref().map(HeaderValue::try_from) {
        headers.insert(header::LOCATION, location);
    }
    if again {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The key, bare or as a string in double quotes (RFC 9651), which is how the draft has it.
fn key(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(HEADER).iter();
    let (Some(one), None) = (all.next(), all.next()) else {
        return None;
    };
    let text = one.to_str().ok()?.trim();
    let key = match text.strip_prefix('"') {
        None => text,
        Some(rest) => rest.strip_suffix('"')?,
    };
    let fits =
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    fits.then(|| key.to_owned())
}

fn invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_invalid",
        Sentence::new(
            "Send one `Idempotency-Key` of 1 to 255 visible ASCII characters, without quotes and backslashes inside; a UUID is fine.",
            "Stuur één `Idempotency-Key` van 1 tot 255 zichtbare ASCII-tekens, zonder aanhalingstekens en backslashes erin; een UUID is prima.",
        ),
    )
}

fn reused() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        Sentence::new(
            "This Idempotency-Key came with another request within the last day: give each request a key of its own, and repeat a request unchanged.",
            "Deze Idempotency-Key kwam de afgelopen dag met een ander verzoek: geef elk verzoek een eigen sleutel, en herhaal een verzoek ongewijzigd.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        key(&headers)
    }

    #[test]
    fn a_key_is_read_bare_and_as_the_draft_has_it() {
        for text in [
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
            "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"",
        ] {
            assert_eq!(read(&[text]).as_deref(), Some("8e03978e-40d5-43e8-bc93-6894a57f9324"));
        }
        assert!(read(&["a".repeat(255).as_str()]).is_some());
        let long = "a".repeat(256);
        for wrong in ["", "\"\"", "\"a", "a\"", "a b", "a\\b", "é", long.as_str()] {
            assert_eq!(read(&[wrong]), None, "{wrong:?}");
        }
        assert_eq!(read(&["a", "a"]), None);
    }

    #[test]
    fn one_request_is_under_way_at_a_time_and_its_place_is_free_when_it_has_ended() {
        let all = UnderWay::default();
        let actor = eencent_activations::desk::Actor::key("shop");
        let request = |key, digest| KeyedRequest::new(&actor, key, digest);
        let place = all.begin(&request("a", "1")).ok().unwrap();
        let status = |request| all.begin(&request).err().map(|problem| problem.status().as_u16());
        assert_eq!(status(request("a", "1")), Some(409));
        assert_eq!(status(request("a", "2")), Some(422));
        assert_eq!(status(request("b", "1")), None);
        drop(place);
        assert_eq!(status(request("a", "2")), None);
    }
}
