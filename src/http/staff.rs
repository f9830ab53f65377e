//! The staff listener: support's console, which a later version brings. Bound from the start, so
//! that its address and what stands before it can be set up.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use minijinja::context;

use super::language::Language;
use super::layers;
use super::pages::Pages;
use super::request_id::RequestIds;

/// What the staff listener answers.
pub fn router(pages: Arc<Pages>, ids: &RequestIds) -> Router {
    let page = get(async move || pages.show(StatusCode::OK, "staff.html", Language::English, &context! {}));
    layers::with_problems("staff", ids, Router::new().route("/", page))
}
