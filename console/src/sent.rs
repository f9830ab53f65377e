//! What a form sends: who sent it, the token of the page that it stood on, and its fields.

use axum::extract::{FromRequest, Request};
use axum::http::header;
use hmac::{Hmac, Mac as _};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::Console;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// The largest form: notes and reasons have at most some thousands of characters.
const LARGEST: usize = 64 * 1024;

/// A form that somebody sent from a page of theirs.
pub struct Sent<T> {
    /// Who sent it.
    pub visitor: Visitor,
    /// Its fields.
    pub form: T,
}

impl<T: DeserializeOwned> FromRequest<Console> for Sent<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::of(&mut parts, console).await?;
        let fields = fields(Request::from_parts(parts, body)).await?;
        let token = fields.iter().find(|(name, _)| name == "token");
        let right = token.is_some_and(|(_, token)| token.as_bytes().ct_eq(visitor.form_token.as_bytes()).into());
        if !right {
            return Err(Trouble::Stale);
        }
        Ok(Self {
            visitor,
            form: read(&fields)?,
        })
    }
}

/// The fields of a form, in their order.
pub(crate) async fn fields(request: Request) -> Result<Vec<(String, String)>, Trouble> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_form = kind
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(Trouble::Unreadable);
    }
    let body = axum::body::to_bytes(request.into_body(), LARGEST)
        .await
        .map_err(|_| Trouble::TooLarge)?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).map_err(|_| Trouble::Unreadable)?;
    // What a database can't hold can't have been typed.
    if fields.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Trouble::Unreadable);
    }
    Ok(fields)
}

/// Reads the fields as a type. What is sent several times is a list only where the type says so: the last one counts.
pub(crate) fn read<T: DeserializeOwned>(fields: &[(String, String)]) -> Result<T, Trouble> {
    let text = serde_urlencoded::to_string(fields).map_err(|_| Trouble::Unreadable)?;
    serde_urlencoded::from_str(&text).map_err(|_| Trouble::Unreadable)
}

/// The token of forms in a session: who doesn't hold the session can't make it, and it says nothing of it.
pub(crate) fn token_of(session: &str) -> String {
    Hmac::<Sha256>::new_from_slice(session.as_bytes()).map_or_else(
        // A key of any length will do: this can't occur, and an empty token fits no form that was shown.
        |_| String::new(),
        |mut mac| {
            mac.update(b"form");
            hex::encode(mac.finalize().into_bytes())
        },
    )
}
