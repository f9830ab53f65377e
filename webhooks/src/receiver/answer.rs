//! Answers.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::providers::Reply;

/// What came of a request.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// Committed: what the provider expects to hear.
    Accepted(Reply),
    /// Too much was not proven; how long to wait.
    Limited(Duration),
    /// Anything else.
    Problem(Problem),
}

impl Outcome {
    /// The stable name, a label of the counter.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Limited(_) => Problem::TOO_MANY_UNPROVEN.code,
            Self::Problem(problem) => problem.code,
        }
    }
}

/// A problem document (RFC 9457), always the same bytes for one code.
#[derive(Clone, Copy)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    /// A header that HTTP asks for with this status.
    header: Option<(&'static str, &'static str)>,
}

impl Problem {
    pub(super) const NOT_AUTHENTIC: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "not_authentic",
        detail: "The signature could not be verified. The receiver's operator can see why under this request's id.",
        header: Some(("www-authenticate", "Signature realm=\"webhooks\"")),
    };
    pub(super) const UNKNOWN_ENDPOINT: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: "unknown_endpoint",
        detail: "There is no webhook endpoint of this name. Compare the address with the receiver's settings.",
        header: None,
    };
    pub(super) const METHOD_NOT_ALLOWED: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        detail: "Webhooks are posted. Use POST.",
        header: Some(("allow", "POST")),
    };
    pub(super) const BODY_TOO_SLOW: Self = Self {
        status: StatusCode::REQUEST_TIMEOUT,
        code: "body_too_slow",
        detail: "The body did not come in time. Send it again.",
        header: Some(("connection", "close")),
    };
    pub(super) const BODY_TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "body_too_large",
        detail: "The body is larger than a webhook may be.",
        header: Some(("connection", "close")),
    };
    pub(super) const ENCODED_BODY: Self = Self {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code: "encoded_body",
        detail: "Send the body without Content-Encoding.",
        header: Some(("accept-encoding", "identity")),
    };
    pub(super) const BODY_BROKEN_OFF: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "body_broken_off",
        detail: "The body broke off. Send it again.",
        header: Some(("connection", "close")),
    };
    /// `Retry-After` comes with the answer.
    const TOO_MANY_UNPROVEN: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "too_many_unproven",
        detail: "Too many requests from this address were not proven. Compare the secret with the receiver's settings, and send it again later.",
        header: None,
    };
    pub(super) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "unavailable",
        detail: "The notification could not be stored. Send it again.",
        header: Some(("retry-after", "5")),
    };

    fn body(self) -> String {
        let title = self.status.canonical_reason().unwrap_or_default();
        serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        })
        .to_string()
    }
}

/// The answer on the wire.
pub(super) fn respond(outcome: Outcome, request_id: Option<&str>) -> Response {
    let mut response = match outcome {
        Outcome::Accepted(reply) => {
            let mut response = Response::new(Body::from(reply.body));
            *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
            if let Some(kind) = reply.content_type {
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            response
        }
        Outcome::Limited(wait) => {
            let mut response = problem_document(Problem::TOO_MANY_UNPROVEN);
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            if let Ok(seconds) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            response
        }
        Outcome::Problem(problem) => problem_document(problem),
    };
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn problem_document(problem: Problem) -> Response {
    let mut response = Response::new(Body::from(problem.body()));
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if let Some((name, value)) = problem.header {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
