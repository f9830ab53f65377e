//! Signing in through an identity provider: OpenID Connect, with a code that only we can use (PKCE).
//!
//! - [`settings`]: which provider, and which of its groups give which role.
//! - [`provider`](IdentityProvider): what is asked of it, by us.
//! - `token`: whether what it says is to be believed; `foreign`: addresses and words that it writes.
//!
//! The browser sets off by a link: a form would be held back by our own policy (`form-action`), in some browsers also when
//! it is sent on. It comes back with a state that fits its cookie, once, within ten minutes. Everything that isn't exactly
//! so ends on the page to sign in on, with what to do; texts of the provider's are never shown.

mod foreign;
mod provider;
pub mod settings;
mod token;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use eencent_activations::desk::ProviderPerson;
use eencent_activations::language::{Language, Sentence};
use eencent_activations::refused::DeskError;
use serde::Deserialize;
use serde_json::Value;

use self::foreign::plain;
use self::provider::{Wrong, text_of};
use self::settings::Checked;
use crate::sign_in::{local, page, signed_in};
use crate::trouble::Trouble;
use crate::visitor::cookie;
use crate::{Console, Side};

pub use self::provider::{Asks, IdentityProvider};

/// The cookie of a trip. With its prefix no other host can put one there.
const TRIP: &str = "__Host-eencent-trip";

/// Where the provider sends people back.
const BACK: &str = "/sign-in/provider/answer";

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/sign-in/provider", get(set_off))
        .route(BACK, get(back))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

async fn set_off(
    State(console): State<Console>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Trouble> {
    let Some(provider) = &console.identity_provider else {
        return Err(Trouble::NotFound);
    };
    if !console.may_try(peer.ip(), &headers) {
        return Ok(Failed::Often.page(&console, &headers));
    }
    let trip = console.desk.begin_trip(local(next.as_deref()).unwrap_or_default())?;
    let entrance = provider.entrance(&trip, &address(&console), console.clock.now()).await;
    match entrance.map_err(Failed::of) {
        Ok(entrance) => {
            let mut response = sent_on(&entrance)?;
            put(&mut response, &trip.cookie(), 600)?;
            Ok(response)
        }
        Err(failed) => Ok(failed.page(&console, &headers)),
    }
}

/// What the provider answers. What else it says isn't read.
#[derive(Deserialize)]
struct Came {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn back(
    State(console): State<Console>,
    headers: HeaderMap,
    came: Result<Query<Came>, QueryRejection>,
) -> Result<Response, Trouble> {
    let Some(provider) = &console.identity_provider else {
        return Err(Trouble::NotFound);
    };
    // Not counted as an attempt: setting off was, and one comes back once.
    let came = came.map(|Query(came)| came).ok();
    let mut response = match signed_in_by(&console, provider, &headers, came).await {
        Ok(response) => response,
        Err(Failed::Store(trouble)) => return Err(trouble),
        Err(failed) => failed.page(&console, &headers),
    };
    put(&mut response, "", 0)?;
    Ok(response)
}

async fn signed_in_by(
    console: &Console,
    provider: &IdentityProvider,
    headers: &HeaderMap,
    came: Option<Came>,
) -> Result<Response, Failed> {
    let now = console.clock.now();
    let trip = cookie(headers, TRIP, 1_000);
    let (Some(came), Some(trip)) = (came, trip) else {
        return Err(Failed::Forgotten);
    };
    let state = came.state.as_deref().unwrap_or_default();
    let Some(trip) = console.desk.end_trip(&trip, state).await? else {
        return Err(Failed::Forgotten);
    };
    if !provider.may_say(came.iss.as_deref(), now).await.map_err(Failed::of)? {
        return Err(Failed::of(Wrong::Unbelieved(
            "the answer names another issuer, or none".to_owned(),
        )));
    }
    let Some(code) = came.code.filter(|_| came.error.is_none()) else {
        let error = plain(came.error.as_deref().unwrap_or("no code"));
        tracing::info!(error, "the identity provider let somebody go again");
        return Err(Failed::Denied);
    };
    let back = address(console);
    let claims = provider.claims(&code, &trip, &back, now).await.map_err(Failed::of)?;
    let person = person(&provider.settings, &claims, asked(headers));
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let session = console
        .desk
        .sign_in_by_provider(&person, agent.unwrap_or_default(), console.limits())
        .await?;
    Ok(signed_in(&session, local(Some(trip.next())).unwrap_or("/"))?)
}

/// Who it is, as the claims say.
fn person(settings: &Checked, claims: &Value, asked: Language) -> ProviderPerson {
    let text = |name: &str| text_of(claims, name).map(str::trim).filter(|text| !text.is_empty());
    let proven =
        !matches!(claims.get("email_verified"), Some(Value::Bool(false))) && text("email_verified") != Some("false");
    let parts = || {
        let both: Vec<&str> = ["given_name", "family_name"].into_iter().filter_map(text).collect();
        (!both.is_empty()).then(|| both.join(" "))
    };
    let language = match text("locale").and_then(|locale| locale.get(..2)) {
        Some("nl") => Language::Dutch,
        Some("en") => Language::English,
        _ => asked,
    };
    ProviderPerson {
        issuer: settings.issuer.clone(),
        subject: text_of(claims, "sub").unwrap_or_default().to_owned(),
        email: text("email").filter(|_| proven).map(str::to_owned),
        name: text("name").map(str::to_owned).or_else(parts),
        roles: settings.roles_of(claims),
        language,
    }
}

/// Where the provider sends people back to this console.
fn address(console: &Console) -> String {
    let base = match console.side {
        Side::Staff => &console.settings.url,
        Side::Operations => &console.settings.operations_url,
    };
    format!("{base}{BACK}")
}

fn asked(headers: &HeaderMap) -> Language {
    let asked = headers.get(header::ACCEPT_LANGUAGE);
    Language::preferred(asked.and_then(|value| value.to_str().ok()))
}

fn sent_on(to: &str) -> Result<Response, Trouble> {
    HeaderValue::try_from(to).map_err(|_| Trouble::Ours)?;
    Ok(Redirect::to(to).into_response())
}

fn put(response: &mut Response, trip: &str, seconds: u32) -> Result<(), Trouble> {
    // Lax: the provider sends the browser back from a page of its own.
    let cookie = format!("{TRIP}={trip}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let cookie = HeaderValue::try_from(cookie).map_err(|_| Trouble::Ours)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}

/// Why somebody didn't get in.
enum Failed {
    /// The answer fits no trip of this browser.
    Forgotten,
    /// The provider said no, or the person broke off.
    Denied,
    /// The provider asked too little of the person.
    Weak,
    /// The provider doesn't answer.
    Unreachable,
    /// What the provider says isn't believed.
    Unbelieved,
    /// Too many attempts.
    Often,
    /// The desk says no, and why.
    Refused(StatusCode, Sentence),
    /// The store doesn't do its part.
    Store(Trouble),
}

impl From<DeskError> for Failed {
    fn from(error: DeskError) -> Self {
        match Trouble::from(error) {
            Trouble::Refused(refused) => {
                tracing::info!(
                    code = refused.code,
                    "the identity provider vouches for somebody who isn't let in"
                );
                let status = Trouble::Refused(refused.clone()).status();
                Self::Refused(status, Sentence::new(refused.text, refused.text_nl))
            }
            trouble => Self::Store(trouble),
        }
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Store(trouble)
    }
}

impl Failed {
    fn of(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Unreachable(why) => {
                tracing::warn!(why, "the identity provider can't be used");
                Self::Unreachable
            }
            Wrong::Unbelieved(why) => {
                tracing::warn!(why, "the identity provider's answer isn't believed");
                Self::Unbelieved
            }
            Wrong::Weak => {
                tracing::info!("the identity provider did not ask for what acr_values wants");
                Self::Weak
            }
        }
    }

    fn page(self, console: &Console, headers: &HeaderMap) -> Response {
        let (status, told) = match self {
            Self::Forgotten => (
                StatusCode::BAD_REQUEST,
                Sentence::new(
                    "This sign-in was begun in another browser, more than ten minutes ago, or has ended already. Begin again here.",
                    "Dit inloggen is in een andere browser begonnen, langer dan tien minuten geleden, of al afgelopen. Begin hier opnieuw.",
                ),
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                Sentence::new(
                    "The identity provider did not let you in, or you broke off. Try again; if it stays so, ask whoever manages it whether you may use Eencent.",
                    "De identity provider liet u niet toe, of u brak af. Probeer het opnieuw; blijft het zo, vraag dan wie hem beheert of u Eencent mag gebruiken.",
                ),
            ),
            Self::Weak => (
                StatusCode::FORBIDDEN,
                Sentence::new(
                    "The identity provider did not ask for the second factor that Eencent wants. Set one up there, sign out there, and sign in again.",
                    "De identity provider vroeg niet om de tweede factor die Eencent verlangt. Stel er daar een in, log daar uit, en log opnieuw in.",
                ),
            ),
            Self::Unreachable => (
                StatusCode::SERVICE_UNAVAILABLE,
                Sentence::new(
                    "The identity provider can't be reached, or does not answer as it should. Try again in a minute; the log tells operations what is wrong.",
                    "De identity provider is niet bereikbaar, of antwoordt niet zoals het hoort. Probeer het over een minuut opnieuw; in het log staat voor beheer wat er mis is.",
                ),
            ),
            Self::Unbelieved => (
                StatusCode::BAD_GATEWAY,
                Sentence::new(
                    "What the identity provider answered can't be relied on, so nobody was let in. Try again; if it stays so, tell operations: the log says why.",
                    "Op wat de identity provider antwoordde valt niet te vertrouwen, dus is er niemand toegelaten. Probeer het opnieuw; blijft het zo, meld het dan aan beheer: in het log staat waarom.",
                ),
            ),
            Self::Often => (
                StatusCode::TOO_MANY_REQUESTS,
                Sentence::new(
                    "Too many attempts from your address. Wait a minute, and try again.",
                    "Te veel pogingen vanaf uw adres. Wacht een minuut en probeer het opnieuw.",
                ),
            ),
            Self::Refused(status, told) => (status, told),
            Self::Store(trouble) => return trouble.into_response(),
        };
        page(console, status, headers, "", told.text(asked(headers)), "", None)
    }
}
