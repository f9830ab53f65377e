//! Endpoints: which provider may post where, with which secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::notification::Mode;
use http::{HeaderMap, header};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::providers::{self, Key, Provider};
use crate::refused::{Code, Refused};
use crate::secret::{self, Secret};
use crate::signature::{Sum, sha256};

/// Seconds between a message's signing and its arrival that are allowed, both ways, unless the
/// settings say otherwise: five minutes, as Stripe's libraries and the Standard Webhooks
/// specification have it.
pub const DEFAULT_TOLERANCE_SECONDS: u64 = 300;

/// The section `webhooks` of the settings: endpoints by name. The name is the last part of the
/// endpoint's address, `POST /webhooks/{name}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    /// The endpoints; names are of lower-case letters, digits, `_` and `-`, at most 64.
    pub endpoints: BTreeMap<String, EndpointSettings>,
}

/// The keys of one endpoint. Whatever is wrong with them is said by [`Endpoints::from_settings`],
/// all at once; reading them fails only on a wrong type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct EndpointSettings {
    /// Who posts here: `mollie`, `adyen`, `stripe` or `standard_webhooks`.
    pub provider: String,
    /// The account that event and payment ids are unique within; by default the endpoint's name.
    /// Two endpoints that hear of the same account should name the same one. For Adyen it is the
    /// merchant account, and a message for another one is refused.
    pub account: Option<String>,
    /// `live` (the default) or `test`: which money counts here.
    pub mode: Option<String>,
    /// One secret, or a list: all are tried, so that one can be changed without losing messages.
    #[serde(deserialize_with = "secret::one_or_several")]
    pub secrets: Vec<Secret>,
    /// User name of Basic auth; with `password`, a request without it is refused.
    pub username: Option<String>,
    /// Password of Basic auth.
    pub password: Option<Secret>,
    /// How many seconds a signature may be away from now, before or after, where the scheme signs a
    /// time; by default [`DEFAULT_TOLERANCE_SECONDS`].
    pub tolerance_seconds: Option<u64>,
}

/// One address to which one provider posts.
pub struct Endpoint {
    name: String,
    provider: &'static dyn Provider,
    account: Option<String>,
    mode: Mode,
    keys: Vec<Key>,
    basic: Option<Sum>,
    tolerance: Duration,
}

impl Endpoint {
    /// Reads one endpoint's settings.
    ///
    /// # Errors
    /// Every problem as a sentence that begins with the key, such as `webhooks.mollie.secrets`.
    /// No sentence holds a secret.
    pub fn from_settings(name: &str, settings: &EndpointSettings) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut problem = |key: &str, what: &str| problems.push(format!("webhooks.{name}{key} {what}"));

        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            problem(
                "",
                "is no name for an endpoint: it stands in an address, so use lower-case letters, digits, `_` and `-`, at most 64.",
            );
        }

        let provider = providers::by_name(&settings.provider);
        if provider.is_none() {
            let known = providers::ALL.map(Provider::name).join(", ");
            problem(".provider", &format!("must be one of {known}."));
        }

        if settings.secrets.is_empty() {
            problem(
                ".secrets",
                "is missing: copy the secret that the provider shows for this webhook.",
            );
        }
        let mut keys = Vec::new();
        for (secret, number) in settings.secrets.iter().zip(1..) {
            let which = if settings.secrets.len() == 1 {
                String::new()
            } else {
                format!(" (number {number})")
            };
            if secret.reveal().is_empty() {
                problem(".secrets", &format!("is empty{which}."));
            } else if let Some(provider) = provider {
                match provider.key(secret.reveal()) {
                    Ok(key) if secret.reveal().trim() != secret.reveal() => keys.push(key.with_advice(
                        "has white space around it, which is taken as part of the secret. If messages are refused, remove it.",
                    )),
                    Ok(key) => keys.push(key),
                    Err(why) => problem(".secrets", &format!("{why}{which}.")),
                }
            }
        }

        let mode = settings.mode.as_deref().map_or(Some(Mode::Live), Mode::parse);
        if mode.is_none() {
            problem(".mode", "must be live or test.");
        }
        if settings
            .account
            .as_deref()
            .is_some_and(|account| account.trim().is_empty())
        {
            problem(
                ".account",
                "is empty: leave it out, or say which account the endpoint is for.",
            );
        }

        let basic = match (&settings.username, &settings.password) {
            (Some(username), Some(_)) if username.is_empty() || username.contains(':') => {
                problem(
                    ".username",
                    "must not be empty or hold a colon: Basic auth can't carry it.",
                );
                None
            }
            (Some(_), Some(password)) if password.reveal().is_empty() => {
                problem(".password", "is empty.");
                None
            }
            (Some(username), Some(password)) => Some(sha256(format!("{username}:{}", password.reveal()).as_bytes())),
            (Some(_), None) => {
                problem(".password", "is missing: Basic auth needs it beside the username.");
                None
            }
            (None, Some(_)) => {
                problem(".username", "is missing: Basic auth needs it beside the password.");
                None
            }
            (None, None) => None,
        };

        match (provider, mode) {
            (Some(provider), Some(mode)) if problems.is_empty() => Ok(Self {
                name: name.to_owned(),
                provider,
                account: settings.account.clone(),
                mode,
                keys,
                basic,
                tolerance: Duration::from_secs(settings.tolerance_seconds.unwrap_or(DEFAULT_TOLERANCE_SECONDS)),
            }),
            _ => Err(problems),
        }
    }

    /// The name in the settings, and the last part of the address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who posts here.
    pub const fn provider(&self) -> &'static dyn Provider {
        self.provider
    }

    /// The account that ids are unique within.
    pub fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.name)
    }

    /// The account, only where the settings name one.
    pub fn named_account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Which money counts here.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a request must carry Basic auth.
    pub const fn asks_basic_auth(&self) -> bool {
        self.basic.is_some()
    }

    /// How far a signature's time may be from now, before or after.
    pub const fn tolerance(&self) -> Duration {
        self.tolerance
    }

    /// How many secrets are tried.
    pub const fn secrets(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// That Basic auth is right, where the endpoint asks it. True when it was asked and passed.
    pub(crate) fn check_basic_auth(&self, headers: &HeaderMap) -> Result<bool, Refused> {
        let Some(expected) = &self.basic else {
            return Ok(false);
        };
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        match given {
            // Hashes of both are compared, so that neither contents nor length shows in the time.
            Some(pair) if sha256(&pair).ct_eq(expected).into() => Ok(true),
            Some(_) => Err(Refused::new(
                Code::BadBasicAuth,
                "The user name or password of Basic auth is wrong. It was probably changed on one side only.",
            )),
            None => Err(Refused::new(
                Code::BadBasicAuth,
                "This endpoint asks Basic auth and the request carries none that can be read. Set user name and password at the provider, and see that no proxy removes the Authorization header.",
            )),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("provider", &self.provider.name())
            .field("account", &self.account())
            .field("mode", &self.mode)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// All endpoints by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Endpoints(Arc<BTreeMap<String, Endpoint>>);

impl Endpoints {
    /// Reads the section.
    ///
    /// # Errors
    /// All problems of all endpoints at once, as sentences that begin with the key.
    pub fn from_settings(settings: &Settings) -> Result<Self, Vec<String>> {
        let mut endpoints = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, settings) in &settings.endpoints {
            match Endpoint::from_settings(name, settings) {
                Ok(endpoint) => {
                    endpoints.insert(name.clone(), endpoint);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(Self(Arc::new(endpoints)))
        } else {
            Err(problems)
        }
    }

    /// The endpoint of that name.
    pub fn get(&self, name: &str) -> Option<&Endpoint> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.0.values()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What works but could be better, as sentences that begin with the key: for `eencent check`
    /// and the log at start.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        for endpoint in self.iter() {
            for what in endpoint.keys.iter().filter_map(Key::advice) {
                advice.push(format!("webhooks.{}.secrets {what}", endpoint.name));
            }
            advice.extend(endpoint.provider.advice(endpoint));
        }
        advice
    }
}
