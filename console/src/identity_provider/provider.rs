//! What is asked of the provider itself: where its parts are, its keys, the token for a code, and what it tells of
//! somebody.
//!
//! Where its parts are and its keys are kept for an hour; keys are asked for again when a token names another one, once a
//! minute at most. Every address has to be encrypted, or on this machine. What the provider says is never shown to anybody:
//! the log has it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::people::trip::Trip;
use eencent_activations::reread::{Answer, ApiRequest, Method};
use form_urlencoded::Serializer;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::foreign::{is_safe, plain};
use super::settings::{Checked, claim};
use super::token::{self, Expected, Unbelieved};

/// How long what was asked is used.
const FRESH: Duration = Duration::from_secs(3_600);

/// How long it is used when it can't be asked again.
const USABLE: Duration = Duration::from_secs(24 * 3_600);

/// At most so often keys are asked for because of a token.
const KEYS_EVERY: Duration = Duration::from_secs(60);

/// After a failure nobody else waits for the same one.
const PAUSE: Duration = Duration::from_secs(5);

/// The way out over HTTP, with its limits: the program hands it in.
#[async_trait]
pub trait Asks: Send + Sync {
    /// Asks once, and follows nothing. An error is a sentence for the log, without addresses.
    async fn ask(&self, request: &ApiRequest) -> Result<Answer, String>;
}

/// What went wrong between the provider and us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It didn't answer, or not as a provider does.
    Unreachable(String),
    /// What it answered isn't believed.
    Unbelieved(String),
    /// Believed, but it didn't ask enough of the person.
    Weak,
}

/// Where the parts of the provider are (OpenID Connect Discovery).
#[derive(Debug, Clone, Deserialize)]
struct Parts {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Default)]
struct Known {
    parts: Option<(Arc<Parts>, Timestamp)>,
    keys: Option<(Arc<JwkSet>, Timestamp)>,
    /// When keys were last asked for because of a token.
    other_keys: Option<Timestamp>,
    failed: Option<(String, Timestamp)>,
}

/// Whom people sign in through.
pub struct IdentityProvider {
    pub(crate) settings: Checked,
    asks: Arc<dyn Asks>,
    known: Mutex<Known>,
}

impl IdentityProvider {
    /// The one of the settings. It is asked nothing before somebody signs in.
    pub fn new(settings: Checked, asks: Arc<dyn Asks>) -> Self {
        Self {
            settings,
            asks,
            known: Mutex::default(),
        }
    }

    /// Asks it where its parts are and what its keys are, as a sign-in would; how many keys it has.
    ///
    /// # Errors
    /// Why nobody could sign in, as a sentence for an operator.
    pub async fn check(&self, now: Timestamp) -> Result<usize, String> {
        let parts = self.parts(now).await.map_err(|wrong| told(&wrong))?;
        let keys = self.keys(&parts, now, false).await.map_err(|wrong| told(&wrong))?;
        if keys.keys.is_empty() {
            return Err("it publishes no key: none of its tokens could be believed".to_owned());
        }
        Ok(keys.keys.len())
    }

    /// Where somebody is sent to sign in.
    pub(crate) async fn entrance(&self, trip: &Trip, back: &str, now: Timestamp) -> Result<String, Wrong> {
        let parts = self.parts(now).await?;
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", &self.settings.scopes)
            .append_pair("state", &trip.state())
            .append_pair("nonce", &trip.nonce())
            .append_pair("code_challenge", &trip.challenge())
            .append_pair("code_challenge_method", "S256");
        if !self.settings.acr_values.is_empty() {
            query.append_pair("acr_values", &self.settings.acr_values.join(" "));
        }
        let to = &parts.authorization_endpoint;
        let joint = if to.contains('?') { '&' } else { '?' };
        Ok(format!("{to}{joint}{}", query.finish()))
    }

    /// Whether an answer that says this issuer, or none, may be this provider's (RFC 9207).
    pub(crate) async fn may_say(&self, issuer: Option<&str>, now: Timestamp) -> Result<bool, Wrong> {
        match issuer {
            Some(issuer) => Ok(issuer == self.settings.issuer),
            None => Ok(!self.parts(now).await?.authorization_response_iss_parameter_supported),
        }
    }

    /// What the provider says of whoever has this code.
    pub(crate) async fn claims(&self, code: &str, trip: &Trip, back: &str, now: Timestamp) -> Result<Value, Wrong> {
        let parts = self.parts(now).await?;
        let tokens = self.tokens(&parts, code, trip, back).await?;
        let token = text_of(&tokens, "id_token").ok_or_else(|| unreadable("token_endpoint"))?;
        let nonce = trip.nonce();
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &nonce,
            acr_values: &self.settings.acr_values,
            now,
        };
        let keys = self.keys(&parts, now, false).await?;
        let mut believed = token::believed(token, &keys, &expected);
        if believed == Err(Unbelieved::UnknownKey) {
            let newer = self.keys(&parts, now, true).await?;
            believed = token::believed(token, &newer, &expected);
        }
        let mut claims = believed.map_err(|why| match why {
            Unbelieved::UnknownKey => {
                Wrong::Unbelieved("the token is signed with a key that isn't published".to_owned())
            }
            Unbelieved::Weak => Wrong::Weak,
            Unbelieved::Because(why) => Wrong::Unbelieved(format!("the token isn't believed: {why}")),
        })?;
        let wanted = [self.settings.groups_claim.as_str(), "email", "name"];
        let lacks = wanted.iter().any(|name| claim(&claims, name).is_none());
        if let (true, Some(at), Some(access)) = (lacks, &parts.userinfo_endpoint, text_of(&tokens, "access_token")) {
            self.complete(&mut claims, at, access).await?;
        }
        Ok(claims)
    }

    /// The tokens for a code.
    async fn tokens(&self, parts: &Parts, code: &str, trip: &Trip, back: &str) -> Result<Value, Wrong> {
        let request = self.redeeming(parts, code, trip, back);
        let answer = self.asks.ask(&request).await.map_err(Wrong::Unreachable)?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| unreadable("token_endpoint")),
            status @ 400..500 => {
                let read: Option<Value> = serde_json::from_slice(&answer.body).ok();
                let code = read.as_ref().and_then(|read| text_of(read, "error")).map(plain);
                Err(Wrong::Unbelieved(format!(
                    "the token_endpoint answered {status} {}; at invalid_client check client_id and client_secret",
                    code.unwrap_or_default()
                )))
            }
            status => Err(Wrong::Unreachable(format!("the token_endpoint answered {status}"))),
        }
    }

    fn redeeming(&self, parts: &Parts, code: &str, trip: &Trip, back: &str) -> ApiRequest {
        let Checked {
            client_id,
            client_secret,
            ..
        } = &self.settings;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", &trip.verifier());
        let mut headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        let ways = parts.token_endpoint_auth_methods_supported.as_deref();
        let by_header = ways.is_none_or(|ways| ways.iter().any(|way| way == "client_secret_basic"));
        if client_secret.is_empty() {
            form.append_pair("client_id", client_id);
        } else if by_header {
            // Each encoded as in a form, before both are encoded as one (RFC 6749, 2.3.1).
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let both = format!("{}:{}", encoded(client_id), encoded(client_secret));
            headers.push(("authorization", format!("Basic {}", STANDARD.encode(both))));
        } else {
            form.append_pair("client_id", client_id)
                .append_pair("client_secret", client_secret);
        }
        ApiRequest {
            method: Method::Post,
            url: parts.token_endpoint.clone(),
            headers,
            body: form.finish().into_bytes(),
        }
    }

    /// Adds what the token doesn't say. What it says counts: it is signed.
    async fn complete(&self, claims: &mut Value, at: &str, access: &str) -> Result<(), Wrong> {
        // What a header can't hold is no token.
        if !access.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(());
        }
        let headers = vec![
            ("authorization", format!("Bearer {access}")),
            ("accept", "application/json".to_owned()),
        ];
        let told = self.fetch("userinfo_endpoint", at, headers).await?;
        let told: Value = serde_json::from_slice(&told).map_err(|_| unreadable("userinfo_endpoint"))?;
        if text_of(&told, "sub") != text_of(claims, "sub") {
            return Err(Wrong::Unbelieved(
                "the userinfo_endpoint tells of somebody else".to_owned(),
            ));
        }
        if let (Value::Object(claims), Value::Object(told)) = (claims, told) {
            // Whether an address is proven is said of that address, and of no other.
            let says_address = claims.contains_key("email");
            for (name, value) in told {
                if !(says_address && name == "email_verified") {
                    claims.entry(name).or_insert(value);
                }
            }
        }
        Ok(())
    }

    async fn parts(&self, now: Timestamp) -> Result<Arc<Parts>, Wrong> {
        let mut known = self.known.lock().await;
        if let Some((parts, at)) = &known.parts
            && now.since(*at) < FRESH
        {
            return Ok(Arc::clone(parts));
        }
        if let Some((why, at)) = &known.failed
            && now.since(*at) < PAUSE
        {
            return old(known.parts.as_ref(), now).ok_or_else(|| Wrong::Unreachable(why.clone()));
        }
        match self.fetch_parts().await {
            Ok(parts) => {
                let parts = Arc::new(parts);
                known.parts = Some((Arc::clone(&parts), now));
                known.failed = None;
                Ok(parts)
            }
            Err(wrong) => {
                known.failed = Some((told(&wrong), now));
                old(known.parts.as_ref(), now).ok_or(wrong)
            }
        }
    }

    async fn fetch_parts(&self) -> Result<Parts, Wrong> {
        let issuer = &self.settings.issuer;
        let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = self
            .fetch("issuer", &at, vec![("accept", "application/json".to_owned())])
            .await?;
        let parts: Parts = serde_json::from_slice(&document).map_err(|_| unreadable("issuer"))?;
        if parts.issuer != *issuer {
            return Err(Wrong::Unreachable(format!(
                "the provider calls itself {}, and console.identity_provider.issuer says otherwise",
                plain(&parts.issuer)
            )));
        }
        let userinfo = parts.userinfo_endpoint.as_deref();
        let of_parts = [
            parts.authorization_endpoint.as_str(),
            &parts.token_endpoint,
            &parts.jwks_uri,
        ];
        if !of_parts.into_iter().chain(userinfo).all(is_safe) {
            return Err(Wrong::Unreachable(
                "one of the provider's addresses isn't https://".to_owned(),
            ));
        }
        Ok(parts)
    }

    /// The keys, asked for again when they are old; with `other` also else, once a minute.
    async fn keys(&self, parts: &Parts, now: Timestamp, other: bool) -> Result<Arc<JwkSet>, Wrong> {
        let mut known = self.known.lock().await;
        let asked = known.other_keys.is_some_and(|at| now.since(at) < KEYS_EVERY);
        if let Some((keys, at)) = &known.keys
            && if other { asked } else { now.since(*at) < FRESH }
        {
            return Ok(Arc::clone(keys));
        }
        if other {
            known.other_keys = Some(now);
        }
        let fetched = self.fetch("jwks_uri", &parts.jwks_uri, Vec::new()).await;
        match fetched.and_then(|document| token::keys(&document).ok_or_else(|| unreadable("jwks_uri"))) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((Arc::clone(&keys), now));
                Ok(keys)
            }
            Err(wrong) => old(known.keys.as_ref(), now).ok_or(wrong),
        }
    }

    async fn fetch(&self, part: &str, at: &str, headers: Vec<(&'static str, String)>) -> Result<Vec<u8>, Wrong> {
        let request = ApiRequest {
            method: Method::Get,
            url: at.to_owned(),
            headers,
            body: Vec::new(),
        };
        let answer = self.asks.ask(&request).await.map_err(Wrong::Unreachable)?;
        if answer.status != 200 {
            return Err(Wrong::Unreachable(format!("the {part} answered {}", answer.status)));
        }
        Ok(answer.body)
    }
}

/// What was known before, as long as it may be used.
fn old<T>(known: Option<&(Arc<T>, Timestamp)>, now: Timestamp) -> Option<Arc<T>> {
    let (value, at) = known?;
    (now.since(*at) < USABLE).then(|| Arc::clone(value))
}

pub(super) fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn unreadable(part: &str) -> Wrong {
    Wrong::Unreachable(format!("the answer of the {part} isn't what a provider answers"))
}

fn told(wrong: &Wrong) -> String {
    match wrong {
        Wrong::Unreachable(why) | Wrong::Unbelieved(why) => why.clone(),
        Wrong::Weak => String::new(),
    }
}
