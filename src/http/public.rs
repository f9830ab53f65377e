//! The public listener: notifications, the platform API, and the page to round off on.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::routing::get;
use minijinja::context;
use tower::ServiceExt as _;

use super::language::Language;
use super::round_off::{self, RoundOffPage};
use super::{api, layers};

/// Under which path the providers post.
const WEBHOOKS: &str = "/webhooks/";

/// What the public listener answers.
pub fn router(webhooks: Router, api: api::Api, round_off: RoundOffPage) -> Router {
    let pages = Arc::clone(&round_off.pages);
    let front = get(async move |headers: HeaderMap| {
        pages.show(
            StatusCode::OK,
            "front.html",
            Language::preferred(&headers),
            &context! {},
        )
    });
    let rest = Router::new()
        .route("/", front)
        .merge(api::router(api))
        .merge(round_off::router(round_off))
        .layer(middleware::from_fn(layers::logged));
    let rest = layers::with_problems(rest);
    // Providers get the receiver's own answers, to the byte: no layer of ours stands before them.
    Router::new().fallback(async move |request: Request| {
        let endpoint = request.uri().path().strip_prefix(WEBHOOKS);
        let posted = endpoint.is_some_and(|name| !name.is_empty() && !name.contains('/'));
        let to = if posted { webhooks.clone() } else { rest.clone() };
        to.oneshot(request).await
    })
}
