//! The page on which somebody who was invited chooses a password and sets up the codes of their app.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use eencent_activations::desk::Invited;
use eencent_activations::language::{Language, Sentence};
use eencent_activations::refused::{DeskError, Kind};
use minijinja::context;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Deserialize;

use crate::Console;
use crate::sent::{fields, read};
use crate::sign_in::signed_in;
use crate::trouble::Trouble;
use crate::words::in_fours;

/// Light modules around the code, as its standard asks.
const QUIET: i32 = 4;

pub(crate) fn router() -> Router<Console> {
    Router::new().route("/invitation/{token}", get(show).post(accept))
}

/// Longer texts are no tokens of ours.
fn may_be_a_token(token: &str) -> bool {
    token.len() <= 100
        && token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

async fn show(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response, Trouble> {
    match invited(&console, &token).await? {
        Some(invited) => Ok(page(&console, StatusCode::OK, &invited, None)),
        None => Ok(ended(&console, &headers)),
    }
}

#[derive(Deserialize)]
struct Chosen {
    password: String,
    again: String,
    code: String,
}

async fn accept(
    State(console): State<Console>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let chosen: Chosen = read(&fields(request).await?)?;
    let Some(invited) = invited(&console, &token).await? else {
        return Ok(ended(&console, &headers));
    };
    if chosen.password != chosen.again {
        let told = Sentence::new(
            "The two passwords are not the same. Type the same one twice.",
            "De twee wachtwoorden zijn niet gelijk. Typ twee keer hetzelfde.",
        );
        return Ok(page(&console, StatusCode::UNPROCESSABLE_ENTITY, &invited, Some(&told)));
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let given = (chosen.password.as_str(), chosen.code.as_str());
    let accepted = console
        .desk
        .accept_invitation(&token, given, agent.unwrap_or_default(), console.limits())
        .await;
    match accepted {
        Ok(session) => signed_in(&session, "/"),
        Err(DeskError::Refused(refused)) if refused.kind == Kind::Invalid => {
            let told = Sentence::new(refused.text, refused.text_nl);
            Ok(page(&console, StatusCode::UNPROCESSABLE_ENTITY, &invited, Some(&told)))
        }
        Err(DeskError::Refused(_)) => Ok(ended(&console, &headers)),
        Err(error) => Err(error.into()),
    }
}

async fn invited(console: &Console, token: &str) -> Result<Option<Invited>, Trouble> {
    if !console.is_local() || !may_be_a_token(token) {
        return Ok(None);
    }
    Ok(console.desk.invited(token).await?)
}

fn page(console: &Console, status: StatusCode, invited: &Invited, wrong: Option<&Sentence>) -> Response {
    let address = invited.second_factor.address(&invited.email);
    let code = QrCode::encode_text(&address, QrCodeEcc::Medium).ok();
    let size = code.as_ref().map_or(0, QrCode::size);
    let with = context! {
        heading => (),
        name => invited.name,
        email => invited.email,
        typed => in_fours(&invited.second_factor.typed()),
        address,
        code => code.as_ref().map(drawn),
        side => size + 2 * QUIET,
        wrong => wrong.map(|told| told.text(invited.language)),
    };
    console.pages.bare(status, "invitation.html", invited.language, &with)
}

fn ended(console: &Console, headers: &HeaderMap) -> Response {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let language = Language::preferred(asked);
    let heading = Sentence::new("This invitation does not work", "Deze uitnodiging werkt niet");
    let told = Sentence::new(
        "It was used, replaced by a newer one, or is older than three days. Ask an administrator for another.",
        "Zij is gebruikt, vervangen door een nieuwere, of ouder dan drie dagen. Vraag een beheerder om een nieuwe.",
    );
    let with = context! { heading => heading.text(language), told => told.text(language) };
    console
        .pages
        .bare(StatusCode::NOT_FOUND, "trouble.html", language, &with)
}

/// The dark modules as one path of an SVG.
fn drawn(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                path.push_str(&format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET));
            }
        }
    }
    path
}
