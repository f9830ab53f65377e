//! Everything that can be wrong with a request, as a problem document (RFC 9457): the one place
//! that maps errors to statuses.
//!
//! A [`Problem`] knows its sentence in English and in Dutch. The answer is written by [`written`],
//! a layer that has seen which language the caller prefers; it also gives bare 4xx answers of the
//! framework (no such address, wrong method) the same form.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use eencent_activations::refused::{DeskError, Kind, Refused};
use eencent_activations::views::ActivationView;
use serde::Serialize;

use super::language::{self, Language, Sentence};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What is wrong with one field.
#[derive(Debug, Clone)]
struct Field {
    field: String,
    code: String,
    detail: Sentence,
}

/// Something is wrong; an answer says what and what to do.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Sentence,
    fields: Vec<Field>,
    activation: Option<Box<ActivationView>>,
    /// After how many seconds it may be different.
    again_after: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<&'a ActivationView>,
}

#[derive(Serialize)]
struct FieldDocument<'a> {
    field: &'a str,
    code: &'a str,
    detail: &'a str,
}

impl Problem {
    /// A problem without fields.
    pub fn new(status: StatusCode, code: &'static str, detail: Sentence) -> Self {
        Self {
            status,
            code,
            detail,
            fields: Vec::new(),
            activation: None,
            again_after: None,
        }
    }

    /// The same, and so many seconds from now it may be different.
    #[must_use]
    pub fn again_after(self, seconds: u64) -> Self {
        Self {
            again_after: Some(seconds),
            ..self
        }
    }

    /// No key, or one that isn't known (any more).
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            Sentence::new(
                "Send a valid API key as `Authorization: Bearer KEY`. An operator makes one with `eencent api-key make`.",
                "Stuur een geldige API-sleutel mee als `Authorization: Bearer SLEUTEL`. Een beheerder maakt er een met `eencent api-key make`.",
            ),
        )
    }

    /// The key is known, but not for this.
    pub fn scope_missing(scope: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "scope_missing",
            Sentence::new(
                format!("This key does not have the scope `{scope}`, which this needs: use a key that has it."),
                format!(
                    "Deze sleutel heeft de bevoegdheid `{scope}` niet, die hiervoor nodig is: gebruik een sleutel die haar wel heeft."
                ),
            ),
        )
    }

    /// The address or the thing it names doesn't exist.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            Sentence::new(
                "There is nothing at this address: check it against /openapi.json.",
                "Er is niets op dit adres: vergelijk het met /openapi.json.",
            ),
        )
    }

    /// The address exists, the method on it doesn't.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            Sentence::new(
                "This address does not take this method: the header `Allow` names the ones that it takes.",
                "Dit adres kent deze methode niet: de header `Allow` noemt de methoden die het wel kent.",
            ),
        )
    }

    /// The body isn't JSON, or not of the right shape. The reason is the parser's, which names
    /// places and kinds, never values of ours.
    pub fn unreadable(reason: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            Sentence::new(
                format!("The request can't be read ({reason}): mend it and send it again."),
                format!("Het verzoek is niet te lezen ({reason}): verbeter het en stuur het opnieuw."),
            ),
        )
    }

    /// The body is well-formed JSON, with a value of the wrong type in it.
    pub fn wrong_type(field: &str, reason: &str) -> Self {
        let detail = Sentence::new(
            format!("A value in the request is of the wrong type ({reason}): mend it and send it again."),
            format!(
                "Een waarde in het verzoek is van het verkeerde type ({reason}): verbeter haar en stuur het verzoek opnieuw."
            ),
        );
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail.clone());
        if !field.is_empty() {
            problem.fields.push(Field {
                field: field.to_owned(),
                code: "wrong_type".to_owned(),
                detail,
            });
        }
        problem
    }

    /// A value in the address or the query can't be used.
    pub fn invalid_parameter(name: &str, detail: Sentence) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail.clone());
        problem.fields.push(Field {
            field: name.to_owned(),
            code: "invalid".to_owned(),
            detail,
        });
        problem
    }

    /// Several fields of a body are missing or wrong: each with its code and what to do.
    pub fn invalid_fields(wrong: impl IntoIterator<Item = (&'static str, &'static str, Sentence)>) -> Self {
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            Sentence::new(
                "Some fields are missing or wrong; each is named.",
                "Sommige velden ontbreken of kloppen niet; elk is genoemd.",
            ),
        );
        problem
            .fields
            .extend(wrong.into_iter().map(|(field, code, detail)| Field {
                field: field.to_owned(),
                code: code.to_owned(),
                detail,
            }));
        problem
    }

    /// Not declared to be JSON.
    pub fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            Sentence::new(
                "Send the body as JSON, with `Content-Type: application/json`.",
                "Stuur de inhoud als JSON, met `Content-Type: application/json`.",
            ),
        )
    }

    /// More than is read.
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            Sentence::new(
                "The request is larger than is accepted here: send less.",
                "Het verzoek is groter dan hier wordt aangenomen: stuur minder.",
            ),
        )
    }

    /// It took too long.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_slow",
            Sentence::new(
                "This took too long and may or may not have been done: look first, then try again in a while.",
                "Dit duurde te lang en is misschien wel, misschien niet gedaan: kijk eerst, en probeer het straks opnieuw.",
            ),
        )
    }

    /// The store didn't answer.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            Sentence::new(
                "This can't be done at the moment: try again in a while.",
                "Dit kan op dit moment niet: probeer het straks opnieuw.",
            ),
        )
    }

    /// A mistake of ours.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            Sentence::new(
                "Something went wrong here; it has been logged. Try again, and tell us if it stays.",
                "Er ging hier iets mis; het is vastgelegd. Probeer het opnieuw, en meld het als het zo blijft.",
            ),
        )
    }

    /// For an answer of the framework that says nothing by itself.
    fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::not_found()),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::method_not_allowed()),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::too_large()),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(Self::not_json()),
            StatusCode::REQUEST_TIMEOUT => Some(Self::too_slow()),
            StatusCode::BAD_REQUEST => Some(Self::unreadable("it is malformed")),
            StatusCode::INTERNAL_SERVER_ERROR => Some(Self::internal()),
            StatusCode::SERVICE_UNAVAILABLE => Some(Self::unavailable()),
            _ => None,
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document in a language.
    pub fn document(&self, language: Language) -> String {
        let document = Document {
            kind: format!("urn:eencent:problem:{}", self.code),
            title: title(self.status, language),
            status: self.status.as_u16(),
            detail: self.detail.text(language),
            code: self.code,
            errors: self
                .fields
                .iter()
                .map(|field| FieldDocument {
                    field: &field.field,
                    code: &field.code,
                    detail: field.detail.text(language),
                })
                .collect(),
            activation: self.activation.as_deref(),
        };
        serde_json::to_string(&document).unwrap_or_else(|_| "{}".to_owned())
    }
}

fn title(status: StatusCode, language: Language) -> &'static str {
    let (en, nl) = match status {
        StatusCode::BAD_REQUEST => ("Unreadable request", "Onleesbaar verzoek"),
        StatusCode::UNAUTHORIZED => ("Who are you?", "Wie bent u?"),
        StatusCode::FORBIDDEN => ("Not allowed", "Niet toegestaan"),
        StatusCode::NOT_FOUND => ("Not found", "Niet gevonden"),
        StatusCode::METHOD_NOT_ALLOWED => ("Method not allowed", "Methode niet toegestaan"),
        StatusCode::CONFLICT => ("Not as things stand", "Kan niet zoals het er nu voor staat"),
        StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "Te groot"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("Unsupported media type", "Onbekend mediatype"),
        StatusCode::UNPROCESSABLE_ENTITY => ("Not right yet", "Nog niet juist"),
        StatusCode::BAD_GATEWAY => ("Another system's fault", "Fout bij een ander systeem"),
        StatusCode::SERVICE_UNAVAILABLE => ("Not available", "Niet beschikbaar"),
        _ => ("Something went wrong", "Er ging iets mis"),
    };
    match language {
        Language::English => en,
        Language::Dutch => nl,
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
        };
        let fields = refused.fields.into_iter().map(|field| Field {
            field: field.field,
            code: field.code.to_owned(),
            detail: Sentence::new(field.text, field.text_nl),
        });
        Self {
            status,
            code: refused.code,
            detail: Sentence::new(refused.text, refused.text_nl),
            fields: fields.collect(),
            activation: refused.activation,
            again_after: None,
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refused) => Self::from(*refused),
            DeskError::Store(cause) => {
                tracing::error!(error = %chain(&cause), "the store did not do what was asked");
                Self::unavailable()
            }
        }
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        told.push_str(": ");
        told.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    told
}

impl IntoResponse for Problem {
    /// Status and headers; the document is written by [`written`].
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Writes the document of a problem, in the language that the caller prefers.
pub async fn written(request: Request, next: Next) -> Response {
    let language = language::preferred(request.headers());
    let mut response = next.run(request).await;
    let told = response.extensions_mut().remove::<Arc<Problem>>();
    let bare = || {
        let content = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let plain = content.is_none_or(|content| content.starts_with("text/plain"));
        plain
            .then(|| Problem::of_status(response.status()).map(Arc::new))
            .flatten()
    };
    let Some(problem) = told.or_else(bare) else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.status = problem.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut put = |name: HeaderName, value: &'static str| {
        parts.headers.insert(name, HeaderValue::from_static(value));
    };
    put(header::CONTENT_TYPE, MEDIA_TYPE);
    put(header::CONTENT_LANGUAGE, language.code());
    put(header::CACHE_CONTROL, "no-store");
    put(header::VARY, "accept-language");
    if problem.status == StatusCode::UNAUTHORIZED {
        put(header::WWW_AUTHENTICATE, "Bearer realm=\"eencent\"");
    }
    if problem.status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderValue::from(problem.again_after.unwrap_or(10));
        parts.headers.insert(header::RETRY_AFTER, seconds);
    }
    Response::from_parts(parts, Body::from(problem.document(language)))
}

mod register;
#[cfg(test)]
mod tests;
