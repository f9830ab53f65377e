//! Endpoints: which provider may post where, with which secrets. `settings` reads them.

mod settings;

pub use settings::{EndpointSettings, Settings};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::notification::Mode;
use http::{HeaderMap, header};
use jsonwebtoken::jwk::JwkSet;
use subtle::ConstantTimeEq as _;

use crate::hash::Hash;
use crate::jws;
use crate::providers::{Key, Provider};
use crate::refused::{Code, Refused};
use crate::secret::Secret;
use crate::signature::{Sum, sha256};

/// Seconds between a message's signing and its arrival that are allowed, both ways, unless the
/// settings say otherwise: five minutes, as Stripe's libraries and the Standard Webhooks
/// specification have it.
pub const DEFAULT_TOLERANCE_SECONDS: u64 = 300;

/// One address to which one provider posts.
pub struct Endpoint {
    name: String,
    provider: &'static dyn Provider,
    account: Option<String>,
    mode: Mode,
    keys: Vec<Key>,
    basic: Option<Sum>,
    /// For a stored message: whether Basic auth was asked and passed when it came in.
    basic_passed: Option<bool>,
    tolerance: Option<Duration>,
    algorithm: Option<Hash>,
    issuer: Option<String>,
    url: Option<String>,
    published: Published,
    api: Api,
}

/// The public keys that a provider publishes, as last fetched.
#[derive(Default)]
struct Published {
    url: Option<String>,
    keys: RwLock<Option<Arc<JwkSet>>>,
    wanted: AtomicBool,
}

/// How a provider's API is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Api {
    /// Without a slash at its end.
    pub(crate) url: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) key: Option<Secret>,
}

impl Endpoint {
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

    /// The same for a message that is stored: Basic auth was checked when it came in, if the endpoint asked it then, and
    /// isn't kept.
    pub(crate) fn for_stored(&self, basic_passed: bool) -> Self {
        Self {
            name: self.name.clone(),
            provider: self.provider,
            account: self.account.clone(),
            mode: self.mode,
            keys: self.keys.clone(),
            basic: self.basic,
            basic_passed: Some(basic_passed),
            tolerance: self.tolerance,
            algorithm: self.algorithm,
            issuer: self.issuer.clone(),
            url: self.url.clone(),
            published: Published {
                url: self.published.url.clone(),
                keys: RwLock::new(self.published()),
                wanted: AtomicBool::new(false),
            },
            api: self.api.clone(),
        }
    }

    /// How far a signature's time may be from now, before or after; by default
    /// [`DEFAULT_TOLERANCE_SECONDS`].
    pub fn tolerance(&self) -> Duration {
        self.tolerance_or(DEFAULT_TOLERANCE_SECONDS)
    }

    /// The same, for a scheme with a default of its own.
    pub(crate) fn tolerance_or(&self, seconds: u64) -> Duration {
        self.tolerance.unwrap_or(Duration::from_secs(seconds))
    }

    /// The hash function that the settings pin.
    pub(crate) const fn algorithm(&self) -> Option<Hash> {
        self.algorithm
    }

    /// Who has to have issued a token.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The address as the provider knows it, where the settings say it.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// How the provider's API is reached.
    pub(crate) const fn api(&self) -> &Api {
        &self.api
    }

    /// Whether payments can be read back with what the settings hold.
    pub const fn has_api_key(&self) -> bool {
        self.api.key.is_some()
    }

    /// Where the provider's public keys are to be fetched.
    pub fn published_at(&self) -> Option<&str> {
        self.published.url.as_deref()
    }

    /// Takes the public keys as they were just fetched.
    ///
    /// # Errors
    /// A sentence without subject when they can't be used; those from before stay.
    pub fn take_published(&self, json: &str) -> Result<(), &'static str> {
        let set = jws::keys(json)?;
        if let Ok(mut keys) = self.published.keys.write() {
            *keys = Some(Arc::new(set));
        }
        Ok(())
    }

    /// The provider's public keys, once there are any.
    pub(crate) fn published(&self) -> Option<Arc<JwkSet>> {
        self.published.keys.read().ok()?.clone()
    }

    /// A message named a key that isn't among them.
    pub(crate) fn want_published(&self) {
        self.published.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a message named a key that isn't known, since this was last asked.
    pub fn wants_published(&self) -> bool {
        self.published.wanted.swap(false, Ordering::Relaxed)
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
        if let Some(passed) = self.basic_passed {
            return Ok(passed);
        }
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
