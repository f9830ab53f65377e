//! How requests can fail, for `/openapi.json`. Each is a problem document; `http/problem.rs` makes them.
#![expect(dead_code, reason = "these describe answers and are never made")]

use utoipa::IntoResponses;

use super::shapes::Problem;

/// How everything can fail.
#[derive(IntoResponses)]
pub enum Failures {
    /// No key, or not a valid one.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The key lacks the scope, or this may not be done by it.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// A mistake of ours.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Not at the moment: try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What is named in the address doesn't exist.
#[derive(IntoResponses)]
pub enum Missing {
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// What is asked can't be.
#[derive(IntoResponses)]
pub enum Invalid {
    /// Not right yet: `errors` names the fields.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// How a body can be wrong.
#[derive(IntoResponses)]
pub enum Unreadable {
    /// Not JSON.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// Too much.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Not declared to be JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
    /// Not right yet: `errors` names the fields.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// Something is in the way.
#[derive(IntoResponses)]
pub enum InTheWay {
    /// Not as things stand.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
}

/// Somebody was first.
#[derive(IntoResponses)]
pub enum Stale {
    /// The version is out of date (`activation` holds it as it is now), or its state has no such act.
    #[response(status = 409, content_type = "application/problem+json")]
    Stale(Problem),
}

/// How the register can fail; that it doesn't answer at the moment is a 503 as any other.
#[derive(IntoResponses)]
pub enum FromRegister {
    /// No register is connected here.
    #[response(status = 409, content_type = "application/problem+json")]
    NotConfigured(Problem),
    /// Its answer can't be read.
    #[response(status = 502, content_type = "application/problem+json")]
    Unreadable(Problem),
}
