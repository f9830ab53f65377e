//! The e-mails of an activation, as they were sent; and sending again what was given up.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use super::acts::back;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// An e-mail has its styles inline, as mail programs want them. Nothing else of it does anything, and it stands in a
/// frame of its own.
const AS_MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox";

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/activations/{id}/emails/{email}", get(show))
        .route("/activations/{id}/emails/{email}/html", get(html))
        .route("/activations/{id}/emails/{email}/again", post(again))
}

async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, email)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let email = console.desk.email_as_sent(&id, &email).await?;
    Ok(console.page(&visitor, "queue", "support/email.html", &context! { id, email }))
}

async fn html(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, email)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let email = console.desk.email_as_sent(&id, &email).await?;
    let rendered = email.rendered.ok_or(Trouble::NotFound)?;
    let mut response = Html(rendered.html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(AS_MAIL));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

async fn again(
    State(console): State<Console>,
    Path((id, email)): Path<(String, String)>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    // It is one of this activation's.
    console.desk.email_as_sent(&id, &email).await?;
    let by = visitor.actor().to_string();
    console.desk.send_again(&email, (&by, form.reason.trim())).await?;
    Ok(back(&id))
}
