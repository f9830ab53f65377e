//! What every answer of a listener passes through.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use eencent_activations::trace;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Span;

use super::problem::{self, Problem};
use super::request_id::{RequestIds, identified};

/// The longest that an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Problem documents for everything that goes wrong, also for what isn't there, what takes too long
/// and for our own mistakes; and all of it is measured under the listener's name,
/// and has an id.
pub fn with_problems(listener: &'static str, ids: &RequestIds, router: Router) -> Router {
    with_problems_within(listener, ids, router, ANSWER)
}

/// The same, where an answer may take so long.
pub fn with_problems_within(listener: &'static str, ids: &RequestIds, router: Router, longest: Duration) -> Router {
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn Any + Send>| {
            Problem::internal().into_response()
        }))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, longest))
        .layer(middleware::from_fn(problem::written))
        .layer(middleware::from_fn_with_state(listener, logged))
        .layer(middleware::from_fn_with_state(ids.clone(), identified))
}

/// The consoles, which make pages of what goes wrong themselves.
pub fn noted(listener: &'static str, ids: &RequestIds, router: Router) -> Router {
    router
        .layer(middleware::from_fn_with_state(listener, logged))
        .layer(middleware::from_fn_with_state(ids.clone(), identified))
}

/// One line in the log for each request, and what is measured of it: method, the address's pattern, status and
/// duration. Never the address itself: it may hold the token of a link, and a query may hold anything.
async fn logged(State(listener): State<&'static str>, request: Request, next: Next) -> Response {
    let asked = Asked::of(listener, &request, None);
    let response = next.run(request).await;
    asked.note(response.status());
    asked.answered(response.status());
    response
}

/// A request that is being answered.
pub struct Asked {
    listener: &'static str,
    method: &'static str,
    route: String,
    begun: Instant,
}

impl Asked {
    /// `route` where no router of ours has found one.
    pub fn of(listener: &'static str, request: &Request, route: Option<&'static str>) -> Self {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        Self {
            listener,
            method: known(request.method()),
            route: route.or(matched).unwrap_or("(none)").to_owned(),
            begun: Instant::now(),
        }
    }

    /// In its trace.
    fn note(&self, status: StatusCode) {
        let span = Span::current();
        trace::note(&span, "method", self.method);
        trace::note(&span, "route", self.route.clone());
        trace::note(&span, "status", i64::from(status.as_u16()));
        if status.is_server_error() {
            trace::failed(&span);
        }
    }

    /// Measures and logs it.
    pub fn answered(self, status: StatusCode) {
        let Self {
            listener,
            method,
            route,
            begun,
        } = self;
        let took = begun.elapsed();
        tracing::debug!(
            method,
            route,
            status = status.as_u16(),
            milliseconds = took.as_millis(),
            "answered"
        );
        metrics::histogram!("eencent_http_seconds", "listener" => listener, "route" => route.clone())
            .record(took.as_secs_f64());
        metrics::counter!(
            "eencent_http_requests_total",
            "listener" => listener, "method" => method, "route" => route, "status" => status.as_str().to_owned()
        )
        .increment(1);
    }
}

/// Strangers make no labels by methods of their own.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "(other)",
    }
}
