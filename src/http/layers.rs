//! What every answer of a listener passes through.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::problem::{self, Problem};

/// The longest that an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Problem documents for everything that goes wrong, also for what isn't there, what takes too long
/// and for our own mistakes.
pub fn with_problems(router: Router) -> Router {
    with_problems_within(router, ANSWER)
}

/// The same, where an answer may take so long.
pub fn with_problems_within(router: Router, longest: Duration) -> Router {
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn Any + Send>| {
            Problem::internal().into_response()
        }))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, longest))
        .layer(middleware::from_fn(problem::written))
}

/// The consoles, which make pages of what goes wrong themselves.
pub fn noted(router: Router) -> Router {
    router.layer(middleware::from_fn(logged))
}

/// One line in the log for each request: method, the address's pattern, status and duration. Never
/// the address itself: it may hold the token of a link, and a query may hold anything.
pub async fn logged(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        route,
        status = response.status().as_u16(),
        milliseconds = begun.elapsed().as_millis(),
        "answered"
    );
    response
}
