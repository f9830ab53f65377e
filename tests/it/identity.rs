//! An identity provider, as it should be and as it should not: it signs with keys of its own, and says what a test
//! tells it to. And a browser's trip to it and back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::people::{between, cookie};
use crate::server::{Installation, Server};
use crate::stand_in::{Reply, StandIn};

pub const SECRET: &str = "geheim en: meer";

/// A key that the provider signs with.
pub struct Key {
    pub id: &'static str,
    pub algorithm: Algorithm,
    pub private: EncodingKey,
    pub public: Value,
}

impl Key {
    pub fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let private = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        Self {
            id,
            algorithm: Algorithm::ES256,
            private: EncodingKey::from_ec_der(private.as_ref()),
            public: json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) }),
        }
    }

    pub fn rsa(id: &'static str) -> Self {
        let pem = include_str!("../../webhooks/tests/fixtures/sender.private.pem");
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
        let (modulus, exponent) = (number(&public.n), number(&public.e));
        Self {
            id,
            algorithm: Algorithm::RS256,
            private: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            public: json!({ "kty": "RSA", "alg": "RS256", "kid": id, "n": modulus, "e": exponent }),
        }
    }

    pub fn head(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "kid": self.id, "typ": "JWT" })
    }

    pub fn signs(&self, claims: &Value) -> String {
        let message = message(&self.head(), claims);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

pub fn message(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(head), part(claims))
}

/// The provider.
pub struct Provider {
    pub api: StandIn,
    pub key: Key,
}

impl Provider {
    pub fn start() -> Self {
        Self::with(Key::new("one"))
    }

    pub fn with(key: Key) -> Self {
        let provider = Self {
            api: StandIn::start(),
            key,
        };
        provider.describes_itself(&json!({}));
        provider.publishes(&[&provider.key]);
        provider
    }

    pub fn describes_itself(&self, otherwise: &Value) {
        let url = &self.api.url;
        let mut parts = json!({
            "issuer": url, "authorization_endpoint": format!("{url}/authorize?tenant=x"), "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"), "userinfo_endpoint": format!("{url}/userinfo"),
        });
        for (name, value) in otherwise.as_object().unwrap() {
            parts[name] = value.clone();
        }
        self.api
            .answers("GET /.well-known/openid-configuration", &[Reply::Json(200, parts)]);
    }

    pub fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        self.api
            .answers("GET /keys", &[Reply::Json(200, json!({ "keys": keys }))]);
    }

    pub fn hands_out(&self, token: &str) {
        let tokens = json!({ "id_token": token, "access_token": "acc3ss", "token_type": "Bearer" });
        self.api.answers("POST /token", &[Reply::Json(200, tokens)]);
    }

    /// An installation whose consoles it is the door of.
    pub fn installation(&self) -> Installation {
        let set = |installation: Installation, key: &str, value: &str| {
            installation.with(&format!("CONSOLE__IDENTITY_PROVIDER__{key}"), value)
        };
        let of = [
            ("ISSUER", self.api.url.as_str()),
            ("NAME", "Voorbeeld ID"),
            ("CLIENT_ID", "eencent"),
            ("CLIENT_SECRET", SECRET),
            ("ROLES__SUPPORT", "Team Klanten"),
            ("ROLES__ADMINISTRATOR", "[\"bazen\", \"beheer\"]"),
        ];
        of.into_iter().fold(Installation::new(), |installation, (key, value)| {
            set(installation, key, value)
        })
    }

    /// What it says of somebody who is in these groups.
    pub fn claims(&self, trip: &Trip, groups: &[&str]) -> Value {
        let now = now();
        json!({
            "iss": self.api.url, "sub": "u-1", "aud": "eencent", "exp": now + 300, "iat": now, "nonce": trip.asked("nonce"),
            "email": "Marja.Jansen@example.nl", "email_verified": true, "name": "Marja Jansen", "groups": groups, "locale": "en-GB",
        })
    }

    /// Somebody in these groups signs in.
    pub fn signs_in(&self, server: &Server, groups: &[&str]) -> Answer {
        self.signs_in_as(server, |claims| claims["groups"] = json!(groups))
    }

    /// The same, of whom something else is said.
    pub fn signs_in_as(&self, server: &Server, change: impl FnOnce(&mut Value)) -> Answer {
        let trip = Trip::begins(&server.staff, "");
        let mut claims = self.claims(&trip, &["beheer"]);
        change(&mut claims);
        self.hands_out(&self.key.signs(&claims));
        trip.ends()
    }

    pub fn asked_for(&self, line: &str) -> usize {
        self.api
            .asked()
            .iter()
            .filter(|asked| asked.head.starts_with(line))
            .count()
    }
}

pub fn now() -> u64 {
    u64::try_from(crate::payments::now().micros() / 1_000_000).unwrap()
}

/// A browser's way to the provider and back.
pub struct Trip {
    pub listener: String,
    pub cookie: String,
    pub to: String,
}

impl Trip {
    pub fn begins(listener: &str, next: &str) -> Self {
        let answer = request(listener, "GET", &format!("/sign-in/provider{next}"), &[], b"").unwrap();
        assert_eq!(answer.status, 303, "{}", answer.body);
        let set = answer.header("set-cookie").unwrap();
        assert!(set.starts_with("__Host-eencent-trip="), "{set}");
        assert!(
            set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"),
            "{set}"
        );
        Self {
            listener: listener.to_owned(),
            cookie: cookie(&answer),
            to: answer.header("location").unwrap().to_owned(),
        }
    }

    /// What the provider is asked, as it is written.
    pub fn asked(&self, name: &str) -> String {
        between(&format!("{}&", self.to), &format!("&{name}="), "&").to_owned()
    }

    pub fn ends(&self) -> Answer {
        self.ends_with(&format!("code=c0de&state={}", self.asked("state")))
    }

    pub fn ends_with(&self, query: &str) -> Answer {
        let path = format!("/sign-in/provider/answer?{query}");
        request(&self.listener, "GET", &path, &[("cookie", &self.cookie)], b"").unwrap()
    }
}

/// The session that an answer hands out, if any.
pub fn session(answer: &Answer) -> Option<String> {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut sessions =
        set.filter_map(|(_, value)| value.split(';').next().filter(|it| it.starts_with("__Host-eencent=")));
    sessions.next().map(str::to_owned)
}

pub fn account(listener: &str, session: &str) -> Answer {
    request(listener, "GET", "/account", &[("cookie", session)], b"").unwrap()
}

pub fn refused(answer: &Answer, status: u16, told: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(told), "{told}: {}", answer.body);
    assert!(session(answer).is_none());
}
