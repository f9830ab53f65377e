//! The section `webhooks` of the settings, read into endpoints: all that is wrong is told at once, by key.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use eencent_activations::notification::Mode;
use serde::Deserialize;

use super::{Api, Endpoint, Published};
use crate::hash::Hash;
use crate::jws;
use crate::providers::{self, ProvenWith, Provider};
use crate::secret::{self, Secret};
use crate::signature::sha256;

/// The section `webhooks` of the settings: endpoints by name. The name is the last part of the
/// endpoint's address, `POST /webhooks/{name}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    /// The endpoints; names are of lower-case letters, digits, `_` and `-`, at most 64.
    pub endpoints: BTreeMap<String, EndpointSettings>,
}

/// The keys of one endpoint. Whatever is wrong with them is said by [`Endpoints::from_settings`](super::Endpoints::from_settings),
/// all at once; reading them fails only on a wrong type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct EndpointSettings {
    /// Who posts here, by the name of [`providers::ALL`].
    pub provider: String,
    /// The account that event and payment ids are unique within; by default the endpoint's name.
    /// Two endpoints that hear of the same account should name the same one. For Adyen it is the
    /// merchant account, for Buckaroo the website key, for Ponto the application: a message for another
    /// one is refused.
    pub account: Option<String>,
    /// `live` (the default) or `test`: which money counts here.
    pub mode: Option<String>,
    /// One secret, or a list: all are tried, so that one can be changed without losing messages.
    #[serde(deserialize_with = "secret::one_or_several")]
    pub secrets: Vec<Secret>,
    /// Secrets by the id of the key that a message names, where the provider's scheme has one.
    pub keys: BTreeMap<String, Secret>,
    /// Public keys that the provider publishes (JWKS), as text; with `jwks_url` those to begin with.
    pub jwks: Option<String>,
    /// Where the provider publishes its public keys; fetched at start, hourly, and when a message names
    /// one that isn't known.
    pub jwks_url: Option<String>,
    /// Who has to have issued a signed token; by default the provider's own address.
    pub issuer: Option<String>,
    /// The hash function of the signature, where the provider lets its customer choose: the sender never does.
    pub algorithm: Option<String>,
    /// The address as the provider knows it, where the scheme signs it; never rebuilt from `Host`.
    pub url: Option<String>,
    /// Key or token for the provider's API, with which payments are read back and made.
    pub api_key: Option<Secret>,
    /// Who holds that key, where the API asks for it: a client id, a merchant, an account.
    pub api_user: Option<String>,
    /// The address of the provider's API, where it isn't the provider's usual one.
    pub api_url: Option<String>,
    /// User name of Basic auth; with `password`, a request without it is refused.
    pub username: Option<String>,
    /// Password of Basic auth.
    pub password: Option<Secret>,
    /// How many seconds a signature may be away from now, before or after, where the scheme signs a
    /// time; by default [`DEFAULT_TOLERANCE_SECONDS`](super::DEFAULT_TOLERANCE_SECONDS).
    pub tolerance_seconds: Option<u64>,
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

        let proven_with = provider.map(Provider::proven_with);
        let given = settings.secrets.len() + settings.keys.len();
        match proven_with {
            Some(ProvenWith::Secrets) | None if given == 0 => problem(
                ".secrets",
                "is missing: copy the secret that the provider shows for this webhook.",
            ),
            Some(ProvenWith::PublishedKeys) if given > 0 => problem(
                ".secrets",
                "has no use here: this provider signs with keys that it publishes. Set jwks_url, and take the secret out.",
            ),
            Some(ProvenWith::PublishedKeys) if settings.jwks.is_none() && settings.jwks_url.is_none() => problem(
                ".jwks_url",
                "is missing: the address at which the provider publishes its public keys (see its page).",
            ),
            Some(ProvenWith::Nothing) if given > 0 => problem(
                ".secrets",
                "has no use here: these messages are not signed. Take it out; what they announce is read from the provider's API.",
            ),
            _ => {}
        }
        let mut keys = Vec::new();
        let mut published = Published {
            url: settings.jwks_url.clone(),
            ..Published::default()
        };
        if let Some(text) = &settings.jwks {
            match jws::keys(text) {
                Ok(set) => published.keys = RwLock::new(Some(Arc::new(set))),
                Err(why) => problem(".jwks", &format!("{why}.")),
            }
        }
        for (key, address) in [
            (".jwks_url", &settings.jwks_url),
            (".api_url", &settings.api_url),
            (".url", &settings.url),
        ] {
            if let Some(why) = address
                .as_deref()
                .and_then(|address| unusable_address(address, key == ".url"))
            {
                problem(key, why);
            }
        }
        let algorithm = settings.algorithm.as_deref().map(Hash::parse);
        if algorithm == Some(None) {
            problem(
                ".algorithm",
                "must be sha1, sha256 or sha512, as the provider's settings say.",
            );
        }
        if settings.api_key.as_ref().is_some_and(|key| key.reveal().is_empty()) {
            problem(".api_key", "is empty: leave it out, or copy it from the provider.");
        }
        for (id, secret) in &settings.keys {
            if id.is_empty() || secret.reveal().is_empty() {
                problem(".keys", "has an empty id or secret.");
            } else if let Some(provider) = provider {
                match provider.key(secret.reveal()) {
                    Ok(key) => keys.push(key.named(id)),
                    Err(why) => problem(".keys", &format!("{why} (id {id}).")),
                }
            }
        }
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

        let (Some(provider), Some(mode)) = (provider, mode) else {
            return Err(problems);
        };
        let endpoint = Self {
            name: name.to_owned(),
            provider,
            account: settings.account.clone(),
            mode,
            keys,
            basic,
            basic_passed: None,
            tolerance: settings.tolerance_seconds.map(Duration::from_secs),
            algorithm: algorithm.flatten(),
            issuer: settings.issuer.clone(),
            url: settings.url.clone(),
            published,
            api: Api {
                url: settings
                    .api_url
                    .as_deref()
                    .map(|url| url.trim_end_matches('/').to_owned()),
                user: settings.api_user.clone(),
                key: settings.api_key.clone(),
            },
        };
        if problems.is_empty() {
            let lacks = provider.lacks(&endpoint);
            problems.extend(lacks.iter().map(|(key, what)| format!("webhooks.{name}.{key} {what}")));
        }
        if problems.is_empty() {
            Ok(endpoint)
        } else {
            Err(problems)
        }
    }
}

/// Why an address can't be used, as a sentence without subject. What is fetched or carries credentials
/// goes over TLS, except on this machine.
fn unusable_address(address: &str, ours: bool) -> Option<&'static str> {
    let Ok(uri) = address.parse::<http::Uri>() else {
        return Some("is no address.");
    };
    let host = uri.host()?;
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match uri.scheme_str() {
        Some("https") => None,
        Some("http") if here || ours => None,
        Some("http") => Some("must begin with https://, since credentials or keys come over it."),
        _ => Some("must be a whole address that begins with https://."),
    }
}
