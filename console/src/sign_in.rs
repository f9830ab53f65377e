//! Signing in and out.
//!
//! Address, password and code are asked at once, and whoever is wrong learns only that something was. An account has a
//! lock of its own (`desk/sessions.rs`); here an address that tries often has to wait, and no more than two passwords are
//! looked at at the same time: each costs a core some tens of milliseconds, and others use it too.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::SignIn;
use eencent_activations::language::Language;
use lru::LruCache;
use minijinja::context;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::sent::{Sent, fields, read};
use crate::trouble::Trouble;
use crate::visitor::COOKIE;
use crate::{Console, Side};

/// How many addresses are remembered.
const ADDRESSES: usize = 10_000;

/// How often an address may try at once.
const AT_ONCE: u32 = 10;

/// After so long one more time.
const ONE_MORE_AFTER: Duration = Duration::from_secs(6);

/// How many passwords are looked at at the same time.
const PASSWORDS_AT_ONCE: usize = 2;

/// How often addresses tried to sign in.
pub struct Attempts {
    of: Mutex<LruCache<IpAddr, (u32, Timestamp)>>,
    looking: Semaphore,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            of: Mutex::new(LruCache::new(NonZeroUsize::new(ADDRESSES).unwrap_or(NonZeroUsize::MIN))),
            looking: Semaphore::new(PASSWORDS_AT_ONCE),
        }
    }
}

impl Attempts {
    /// Counts an attempt; `false` when it is one too many. In IPv6 one /64 counts as one address.
    pub(crate) fn may(&self, from: IpAddr, now: Timestamp) -> bool {
        let from = match from {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 @ IpAddr::V4(_) => v4,
        };
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let (tried, since) = of.get(&from).copied().unwrap_or((0, now));
        let forgiven = now.since(since).as_secs() / ONE_MORE_AFTER.as_secs().max(1);
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        let left = tried.saturating_sub(forgiven);
        if left >= AT_ONCE {
            return false;
        }
        // Time that was counted isn't counted again; what is left of it is.
        let counted = if left == 0 {
            now
        } else {
            since.plus(ONE_MORE_AFTER * forgiven)
        };
        of.put(from, (left + 1, counted));
        true
    }
}

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/language", post(choose_language))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

async fn show(
    State(console): State<Console>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Trouble> {
    // Where there is an identity provider, whoever comes first needs nobody to add them.
    let nobody = console.identity_provider.is_none() && console.desk.accounts().await?.is_empty();
    let told = if nobody { "nobody" } else { "" };
    Ok(page(&console, StatusCode::OK, &headers, told, "", "", next.as_deref()))
}

#[derive(Deserialize)]
struct Given {
    email: String,
    password: String,
    code: String,
    next: Option<String>,
}

async fn sign_in(
    State(console): State<Console>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Trouble> {
    if !console.is_local() {
        return Err(Trouble::NotFound);
    }
    let headers = request.headers().clone();
    let given: Given = read(&fields(request).await?)?;
    let next = given.next.as_deref();
    let told = |status, told| page(&console, status, &headers, told, "", &given.email, next);
    if is_unencrypted(&headers) {
        return Ok(told(StatusCode::UNPROCESSABLE_ENTITY, "unencrypted"));
    }
    if !console.may_try(peer.ip(), &headers) {
        return Ok(told(StatusCode::TOO_MANY_REQUESTS, "often"));
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let _looking = console.attempts.looking.acquire().await.map_err(|_| Trouble::Ours)?;
    let came = console
        .desk
        .sign_in(
            &given.email,
            &given.password,
            &given.code,
            agent.unwrap_or_default(),
            console.limits(),
        )
        .await?;
    match came {
        SignIn::Wrong => Ok(told(StatusCode::UNPROCESSABLE_ENTITY, "wrong")),
        SignIn::In(session) => signed_in(&session, local(next).unwrap_or("/")),
    }
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(State(console): State<Console>, sent: Sent<Nothing>) -> Result<Response, Trouble> {
    console.desk.sign_out(&sent.visitor.session).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    put_cookie(&mut response, "", "; Max-Age=0")?;
    Ok(response)
}

#[derive(Deserialize)]
struct Chosen {
    language: String,
    back: Option<String>,
}

async fn choose_language(State(console): State<Console>, sent: Sent<Chosen>) -> Result<Redirect, Trouble> {
    let language = Language::of_code(&sent.form.language);
    console.desk.read_in(&sent.visitor.person.account, language).await?;
    Ok(Redirect::to(local(sent.form.back.as_deref()).unwrap_or("/")))
}

/// Goes on there, with a session.
pub(crate) fn signed_in(session: &str, there: &str) -> Result<Response, Trouble> {
    let mut response = Redirect::to(there).into_response();
    put_cookie(&mut response, session, "")?;
    Ok(response)
}

fn put_cookie(response: &mut Response, session: &str, more: &str) -> Result<(), Trouble> {
    // Lax: a link in an e-mail leads in. What changes something is guarded apart.
    let cookie = format!("{COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    let cookie = HeaderValue::try_from(cookie).map_err(|_| Trouble::Ours)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}

/// An address of ours to go on at; nothing that a browser takes for another site.
pub(crate) fn local(next: Option<&str>) -> Option<&str> {
    next.filter(|next| {
        next.starts_with('/') && !next.starts_with("//") && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    })
}

/// Over plain HTTP to another machine no browser keeps the session: it would look like a wrong password.
fn is_unencrypted(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let Some(host) = origin.and_then(|origin| origin.strip_prefix("http://")) else {
        return false;
    };
    let name = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |v6| v6.split(']').next().unwrap_or_default(),
    );
    let here =
        name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    !here
}

/// The page to sign in on. `told` is one of the things that it knows how to say; `wrong` is said as it is.
pub(crate) fn page(
    console: &Console,
    status: StatusCode,
    headers: &HeaderMap,
    told: &str,
    wrong: &str,
    email: &str,
    next: Option<&str>,
) -> Response {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let next = local(next).unwrap_or_default();
    let provider = console.identity_provider.as_ref().map(|provider| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("next", next)
            .finish();
        let address = if next.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        context! { name => provider.settings.name, address => format!("/sign-in/provider{address}") }
    });
    let with = context! {
        told, wrong, email, next, provider,
        local => console.is_local(),
        staff => console.side == Side::Staff,
    };
    console
        .pages
        .bare(status, "sign_in.html", Language::preferred(asked), &with)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn fault_63_an_address_that_tries_often_has_to_wait_and_others_do_not() {
        let attempts = Attempts::default();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let tries = |from, at| (0..20).filter(|_| attempts.may(from, at)).count();
        assert_eq!(tries(one, now), 10);
        assert_eq!(tries(other, now), 10);
        assert_eq!(tries(one, now.plus(Duration::from_secs(5))), 0);
        assert_eq!(tries(one, now.plus(Duration::from_secs(13))), 2);
        assert_eq!(tries(one, now.plus(Duration::from_secs(3_600))), 10);
        let same: (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        assert_eq!((tries(same.0, now), tries(same.1, now)), (10, 0));
    }

    #[test]
    fn fault_68_after_signing_in_one_goes_on_here_and_nowhere_else() {
        assert_eq!(local(Some("/cases?state=x")), Some("/cases?state=x"));
        for away in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "cases",
            "/a b",
            "/\t/evil",
        ] {
            assert_eq!(local(Some(away)), None, "{away}");
        }
    }

    #[test]
    fn a_session_that_no_browser_would_keep_is_not_begun() {
        let of = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            is_unencrypted(&headers)
        };
        assert!(of("http://10.0.0.5:8081") && of("http://console.example.nl"));
        for kept in [
            "https://console.example.nl",
            "http://127.0.0.1:8081",
            "http://localhost:8081",
            "http://[::1]:8081",
        ] {
            assert!(!of(kept), "{kept}");
        }
    }
}
