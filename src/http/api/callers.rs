//! Who is calling: the key in the request, and what it may do.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use eencent_activations::desk::idempotency::KeyedRequest;
use eencent_activations::desk::{Actor, Desk, Scope};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::Api;
use crate::http::problem::Problem;

/// Under which name history and audit know the keys of the settings, with their place in the list.
const PLAIN: &str = "settings-key";

/// The keys that stand in the settings: all scopes. Only their digests are kept.
#[derive(Default)]
pub struct PlainKeys(Vec<[u8; 32]>);

impl PlainKeys {
    /// Of the keys as they stand in the settings.
    pub fn of(keys: &[String]) -> Self {
        Self(keys.iter().map(|key| Sha256::digest(key.as_bytes()).into()).collect())
    }

    /// The place of a key in the list, counted from one. Looks at every key, in the same time for each.
    fn place(&self, secret: &str) -> Option<usize> {
        let digest: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let mut found = None;
        for (place, key) in self.0.iter().enumerate() {
            let same: Choice = key.ct_eq(&digest);
            if bool::from(same) {
                found = Some(place + 1);
            }
        }
        found
    }
}

/// A scope that an address asks for.
pub trait Asks {
    /// Which; `None` when any key will do.
    const SCOPE: Option<Scope>;
}

/// The platform's own backend.
pub struct Platform;
impl Asks for Platform {
    const SCOPE: Option<Scope> = Some(Scope::Platform);
}

/// Support.
pub struct Review;
impl Asks for Review {
    const SCOPE: Option<Scope> = Some(Scope::Review);
}

/// Anybody with a key: both scopes read.
pub struct Any;
impl Asks for Any {
    const SCOPE: Option<Scope> = None;
}

/// Whoever grants environments more.
pub struct Operator;
impl Asks for Operator {
    const SCOPE: Option<Scope> = Some(Scope::Operator);
}

/// Who calls, whatever is asked.
#[derive(Clone)]
pub struct Caller {
    name: String,
    /// `None`: all of them.
    scopes: Option<Vec<Scope>>,
}

impl Caller {
    /// The holder of the key in the request; looked up once for each request.
    ///
    /// # Errors
    /// When there is no key, or it isn't known (any more).
    pub async fn of(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let secret = bearer(parts).ok_or_else(Problem::unauthenticated)?;
        let caller = match api.plain_keys.place(secret) {
            Some(place) => Self {
                name: format!("{PLAIN}-{place}"),
                scopes: None,
            },
            None => {
                let key = api.desk.key_of(secret).await?.ok_or_else(Problem::unauthenticated)?;
                Self {
                    name: key.name,
                    scopes: Some(key.scopes),
                }
            }
        };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }

    /// The name that history and audit will say.
    pub fn actor(&self) -> Actor {
        Actor::key(&self.name)
    }

    fn may(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
    }
}

/// A caller who may do what this address does.
pub struct By<A> {
    /// The name that history and audit will say.
    pub actor: Actor,
    /// Where it is done: once, if the request came with an `Idempotency-Key`.
    pub desk: Desk,
    asked: PhantomData<A>,
}

impl<A: Asks> FromRequestParts<Api> for By<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Caller::of(parts, api).await?;
        if let Some(scope) = A::SCOPE
            && !caller.may(scope)
        {
            return Err(Problem::scope_missing(scope.as_str()));
        }
        let request = parts.extensions.get::<Arc<KeyedRequest>>();
        Ok(Self {
            actor: caller.actor(),
            desk: request.map_or_else(|| api.desk.clone(), |request| api.desk.on_request(Arc::clone(request))),
            asked: PhantomData,
        })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_settings_is_found_by_all_of_its_text() {
        let keys = PlainKeys::of(&["a".repeat(32), "b".repeat(32)]);
        assert_eq!(keys.place(&"b".repeat(32)), Some(2));
        assert_eq!(keys.place(&"b".repeat(31)), None);
        assert_eq!(keys.place(""), None);
    }
}
