//! Signing in through an identity provider, which the test is: it has a key, groups, and bad intentions.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::browser::{Browser, Visitor};
use crate::http::{Answer, request};
use crate::people::{Member, PASSWORD, between, cookie, invited, post};
use crate::server::{Installation, Server, wait_for};
use crate::stand_in::{Reply, StandIn};

const SECRET: &str = "geheim en: meer";

/// A key that the provider signs with.
struct Key {
    id: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
    public: Value,
}

impl Key {
    fn new(id: &'static str) -> Self {
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

    fn rsa(id: &'static str) -> Self {
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

    fn head(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "kid": self.id, "typ": "JWT" })
    }

    fn signs(&self, claims: &Value) -> String {
        let message = message(&self.head(), claims);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Changes one claim.
type Spoiling = fn(&mut Value);

/// Makes a token of claims.
type Forging<'a> = Box<dyn Fn(&Value) -> String + 'a>;

fn message(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(head), part(claims))
}

/// The provider.
struct Provider {
    api: StandIn,
    key: Key,
}

impl Provider {
    fn start() -> Self {
        Self::with(Key::new("one"))
    }

    fn with(key: Key) -> Self {
        let provider = Self {
            api: StandIn::start(),
            key,
        };
        provider.describes_itself(&json!({}));
        provider.publishes(&[&provider.key]);
        provider
    }

    fn describes_itself(&self, otherwise: &Value) {
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

    fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        self.api
            .answers("GET /keys", &[Reply::Json(200, json!({ "keys": keys }))]);
    }

    fn hands_out(&self, token: &str) {
        let tokens = json!({ "id_token": token, "access_token": "acc3ss", "token_type": "Bearer" });
        self.api.answers("POST /token", &[Reply::Json(200, tokens)]);
    }

    /// An installation whose consoles it is the door of.
    fn installation(&self) -> Installation {
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
    fn claims(&self, trip: &Trip, groups: &[&str]) -> Value {
        let now = now();
        json!({
            "iss": self.api.url, "sub": "u-1", "aud": "eencent", "exp": now + 300, "iat": now, "nonce": trip.asked("nonce"),
            "email": "Marja.Jansen@example.nl", "email_verified": true, "name": "Marja Jansen", "groups": groups, "locale": "en-GB",
        })
    }

    /// Somebody in these groups signs in.
    fn signs_in(&self, server: &Server, groups: &[&str]) -> Answer {
        self.signs_in_as(server, |claims| claims["groups"] = json!(groups))
    }

    /// The same, of whom something else is said.
    fn signs_in_as(&self, server: &Server, change: impl FnOnce(&mut Value)) -> Answer {
        let trip = Trip::begins(&server.staff, "");
        let mut claims = self.claims(&trip, &["beheer"]);
        change(&mut claims);
        self.hands_out(&self.key.signs(&claims));
        trip.ends()
    }

    fn asked_for(&self, line: &str) -> usize {
        self.api
            .asked()
            .iter()
            .filter(|asked| asked.head.starts_with(line))
            .count()
    }
}

fn now() -> u64 {
    u64::try_from(crate::payments::now().micros() / 1_000_000).unwrap()
}

/// A browser's way to the provider and back.
struct Trip {
    listener: String,
    cookie: String,
    to: String,
}

impl Trip {
    fn begins(listener: &str, next: &str) -> Self {
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
    fn asked(&self, name: &str) -> String {
        between(&format!("{}&", self.to), &format!("&{name}="), "&").to_owned()
    }

    fn ends(&self) -> Answer {
        self.ends_with(&format!("code=c0de&state={}", self.asked("state")))
    }

    fn ends_with(&self, query: &str) -> Answer {
        let path = format!("/sign-in/provider/answer?{query}");
        request(&self.listener, "GET", &path, &[("cookie", &self.cookie)], b"").unwrap()
    }
}

/// The session that an answer hands out, if any.
fn session(answer: &Answer) -> Option<String> {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut sessions =
        set.filter_map(|(_, value)| value.split(';').next().filter(|it| it.starts_with("__Host-eencent=")));
    sessions.next().map(str::to_owned)
}

fn account(listener: &str, session: &str) -> Answer {
    request(listener, "GET", "/account", &[("cookie", session)], b"").unwrap()
}

fn refused(answer: &Answer, status: u16, told: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(told), "{told}: {}", answer.body);
    assert!(session(answer).is_none());
}

#[test]
fn whoever_is_in_a_group_signs_in_through_the_provider_with_the_roles_that_it_gives() {
    for key in [Key::new("one"), Key::rsa("two")] {
        let provider = Provider::with(key);
        let installation = provider.installation();
        let server = installation.serve();
        for (listener, next) in [(&server.staff, "?next=/people"), (&server.operations, "")] {
            let trip = Trip::begins(listener, next);
            let back = format!(
                "http%3A%2F%2F{}%2Fsign-in%2Fprovider%2Fanswer",
                listener.replace(':', "%3A")
            );
            assert!(
                trip.to
                    .starts_with(&format!("{}/authorize?tenant=x&", provider.api.url))
            );
            assert_eq!(trip.asked("redirect_uri"), back);
            assert_eq!(trip.asked("scope"), "openid+profile+email");
            assert_eq!(
                (
                    trip.asked("response_type").as_str(),
                    trip.asked("code_challenge_method").as_str()
                ),
                ("code", "S256")
            );
            provider.hands_out(
                &provider
                    .key
                    .signs(&provider.claims(&trip, &["iedereen", "bazen", "Team Klanten"])),
            );
            let answer = trip.ends();
            assert_eq!(answer.status, 303, "{}", answer.body);
            assert_eq!(
                answer.header("location"),
                Some(if next.is_empty() { "/" } else { "/people" })
            );
            // The code was redeemed by whoever had asked for it, and by nobody else.
            let asked = provider.api.asked();
            let redeemed = asked
                .iter()
                .rfind(|asked| asked.head.starts_with("POST /token"))
                .unwrap();
            let verifier = redeemed.body.rsplit_once("code_verifier=").unwrap().1.to_owned();
            assert_eq!(
                URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)),
                trip.asked("code_challenge")
            );
            assert!(
                redeemed
                    .body
                    .starts_with(&format!("grant_type=authorization_code&code=c0de&redirect_uri={back}&"))
            );
            let basic = STANDARD.encode("eencent:geheim+en%3A+meer");
            assert!(
                redeemed.head.contains(&format!("authorization: Basic {basic}")),
                "{}",
                redeemed.head
            );
            let page = account(&server.staff, &session(&answer).unwrap());
            assert!(
                page.body.contains("marja.jansen@example.nl · support, administrator"),
                "{}",
                page.body
            );
            assert!(
                page.body.contains("through the identity provider"),
                "in the language of their locale"
            );
        }
        let people = installation.run(&["user", "list"]);
        assert_eq!(
            people.stdout.lines().count(),
            1,
            "one person, one account: {}",
            people.stdout
        );
    }
}

#[test]
fn a_token_that_is_not_exactly_for_this_sign_in_lets_nobody_in() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let wrong: [(&str, Spoiling); 14] = [
        ("another sign-in's", |it| it["nonce"] = json!("x")),
        ("no nonce", |it| drop(it.as_object_mut().unwrap().remove("nonce"))),
        ("another client's", |it| it["aud"] = json!("other")),
        ("no audience", |it| drop(it.as_object_mut().unwrap().remove("aud"))),
        ("of several, without a party", |it| {
            it["aud"] = json!(["eencent", "other"])
        }),
        ("another party's", |it| it["azp"] = json!("other")),
        ("another issuer's", |it| it["iss"] = json!("https://evil.example")),
        ("expired", |it| it["exp"] = json!(now() - 61)),
        ("without end", |it| drop(it.as_object_mut().unwrap().remove("exp"))),
        ("from the future", |it| it["iat"] = json!(now() + 3_600)),
        ("not yet valid", |it| it["nbf"] = json!(now() + 3_600)),
        ("an end that is no number", |it| it["exp"] = json!("9999999999")),
        ("an issuer that is longer", |it| {
            it["iss"] = json!(format!("{}/", it["iss"].as_str().unwrap()))
        }),
        ("a client that is none", |it| it["aud"] = json!({ "eencent": true })),
    ];
    for (what, change) in wrong {
        let answer = provider.signs_in_as(&server, change);
        assert_eq!(
            (answer.status, session(&answer)),
            (502, None),
            "{what}: {}",
            answer.body
        );
        assert!(answer.body.contains("relied on"), "{what}");
    }
    // Signed by nobody, by somebody else under the same name, with what is public, or not at all.
    let other = Key::new("one");
    let forged: [(&str, Forging<'_>); 6] = [
        (
            "none",
            Box::new(|claims| format!("{}.", message(&json!({ "alg": "none" }), claims))),
        ),
        (
            "none of ours",
            Box::new(|claims| format!("{}.", message(&json!({ "alg": "none", "kid": "one" }), claims))),
        ),
        ("another's", Box::new(|claims| other.signs(claims))),
        (
            "by a public key as a secret",
            Box::new(|claims| {
                let message = message(&json!({ "alg": "HS256", "kid": "one" }), claims);
                let secret = EncodingKey::from_secret(provider.key.public.to_string().as_bytes());
                let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
                format!("{message}.{signature}")
            }),
        ),
        (
            "changed",
            Box::new(|claims| {
                let whole = provider.key.signs(claims);
                let mut poorer = claims.clone();
                poorer["sub"] = json!("u-2");
                format!(
                    "{}.{}",
                    message(&provider.key.head(), &poorer),
                    whole.rsplit_once('.').unwrap().1
                )
            }),
        ),
        ("no token", Box::new(|_| "a.b".to_owned())),
    ];
    for (what, forge) in forged {
        let trip = Trip::begins(&server.staff, "");
        provider.hands_out(&forge(&provider.claims(&trip, &["beheer"])));
        let answer = trip.ends();
        assert_eq!(
            (answer.status, session(&answer)),
            (502, None),
            "{what}: {}",
            answer.body
        );
    }
    assert_eq!(
        provider.signs_in(&server, &["beheer"]).status,
        303,
        "and a right one does"
    );
    assert!(!server.log().contains("u-1"), "who it was isn't in the log");
}

#[test]
fn an_answer_counts_once_in_the_browser_that_set_off_and_with_its_state() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let (ours, other) = (Trip::begins(&server.staff, ""), Trip::begins(&server.staff, ""));
    provider.hands_out(&provider.key.signs(&provider.claims(&ours, &["beheer"])));
    let begin_again = "Begin again here";
    refused(
        &ours.ends_with(&format!("code=c0de&state={}", other.asked("state"))),
        400,
        begin_again,
    );
    refused(&ours.ends_with("code=c0de"), 400, begin_again);
    refused(
        &ours.ends_with(&format!("code=c0de&state={0}&state={0}", ours.asked("state"))),
        400,
        begin_again,
    );
    let path = format!("/sign-in/provider/answer?code=c0de&state={}", ours.asked("state"));
    refused(
        &request(&server.staff, "GET", &path, &[], b"").unwrap(),
        400,
        begin_again,
    );
    assert_eq!(
        provider.asked_for("POST /token"),
        0,
        "nobody asks the provider for that"
    );
    let answer = ours.ends();
    assert!(session(&answer).is_some(), "{}", answer.body);
    let forgotten = answer
        .headers
        .iter()
        .any(|(_, value)| value.starts_with("__Host-eencent-trip=;") && value.ends_with("Max-Age=0"));
    assert!(forgotten);
    refused(&ours.ends(), 400, begin_again);
    // One who is sent elsewhere afterwards stays here.
    let trip = Trip::begins(&server.staff, "?next=https://evil.example/");
    provider.hands_out(&provider.key.signs(&provider.claims(&trip, &["beheer"])));
    assert_eq!(trip.ends().header("location"), Some("/"));
}

#[test]
fn what_the_provider_refuses_is_told_in_our_words_and_an_answer_of_another_provider_is_none() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let trip = Trip::begins(&server.staff, "");
    let query = format!(
        "error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={}",
        trip.asked("state")
    );
    let answer = trip.ends_with(&query);
    refused(&answer, 403, "did not let you in");
    assert!(!answer.body.contains("alert(1)"));
    let trip = Trip::begins(&server.staff, "");
    let mixed = format!("code=c0de&iss=https://evil.example&state={}", trip.asked("state"));
    refused(&trip.ends_with(&mixed), 502, "relied on");
    assert_eq!(provider.asked_for("POST /token"), 0);
    let trip = Trip::begins(&server.staff, "");
    let error = json!({ "error": "invalid_client", "error_description": "<script>alert(1)</script>" });
    provider.api.answers("POST /token", &[Reply::Json(401, error)]);
    let answer = trip.ends();
    refused(&answer, 502, "tell operations");
    assert!(!answer.body.contains("alert(1)"));
    wait_for("the reason in the log", || {
        server.log().contains("invalid_client").then_some(())
    });
}

#[test]
fn a_provider_that_says_that_it_names_itself_has_to() {
    let provider = Provider::start();
    provider.describes_itself(&json!({ "authorization_response_iss_parameter_supported": true }));
    let installation = provider.installation();
    let server = installation.serve();
    refused(&provider.signs_in(&server, &["beheer"]), 502, "relied on");
    let trip = Trip::begins(&server.staff, "");
    provider.hands_out(&provider.key.signs(&provider.claims(&trip, &["beheer"])));
    let answer = trip.ends_with(&format!(
        "code=c0de&iss={}&state={}",
        provider.api.url,
        trip.asked("state")
    ));
    assert!(session(&answer).is_some(), "{}", answer.body);
}

#[test]
fn a_provider_that_is_down_or_is_another_keeps_everybody_out_and_says_so_until_it_is_back() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let discovery = "GET /.well-known/openid-configuration";
    let sets_off = || request(&server.staff, "GET", "/sign-in/provider", &[], b"").unwrap();
    provider.api.answers(discovery, &[Reply::HangsUp]);
    refused(&sets_off(), 503, "be reached");
    provider.describes_itself(&json!({ "issuer": "https://evil.example" }));
    // Right after a failure nobody waits for another one.
    wait_for("another question", || {
        refused(&sets_off(), 503, "be reached");
        server.log().contains("calls itself https://evil.example").then_some(())
    });
    provider.describes_itself(&json!({ "token_endpoint": "http://login.example.nl/token" }));
    wait_for("another question", || {
        refused(&sets_off(), 503, "be reached");
        server.log().contains("isn't https://").then_some(())
    });
    provider.describes_itself(&json!({}));
    wait_for("the provider", || (sets_off().status == 303).then_some(()));
    for reply in [
        Reply::HangsUp,
        Reply::Giant,
        Reply::Json(500, json!({})),
        Reply::Redirect(provider.api.url.clone()),
    ] {
        let trip = Trip::begins(&server.staff, "");
        provider.api.answers("POST /token", &[reply]);
        refused(&trip.ends(), 503, "be reached");
    }
    provider.api.answers("GET /keys", &[Reply::HangsUp]);
    refused(&provider.signs_in(&server, &["beheer"]), 503, "be reached");
    // Local accounts don't need it.
    Member::of(&installation, &server, "Ada Beheer", &["administrator"]);
}

#[test]
fn a_new_key_of_the_provider_is_asked_for_and_a_forger_has_us_ask_once_a_minute() {
    let mut provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    assert_eq!(provider.signs_in(&server, &["beheer"]).status, 303);
    assert_eq!(provider.asked_for("GET /keys"), 1);
    provider.key = Key::new("two");
    provider.publishes(&[&provider.key]);
    assert_eq!(provider.signs_in(&server, &["beheer"]).status, 303);
    assert_eq!(provider.asked_for("GET /keys"), 2);
    provider.key = Key::new("three");
    for _ in 0..3 {
        refused(&provider.signs_in(&server, &["beheer"]), 502, "relied on");
    }
    assert_eq!(provider.asked_for("GET /keys"), 2);
    assert_eq!(provider.asked_for("GET /.well-known"), 1);
}

#[test]
fn roles_follow_the_groups_and_whoever_is_in_none_is_out_at_once() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    refused(&provider.signs_in(&server, &["iedereen"]), 403, "None of your groups");
    refused(
        &provider.signs_in_as(&server, |it| drop(it.as_object_mut().unwrap().remove("groups"))),
        503,
        "be reached",
    );
    assert!(
        installation
            .run(&["user", "list"])
            .stdout
            .starts_with("There is nobody yet")
    );
    let boss = session(&provider.signs_in(&server, &["beheer"])).unwrap();
    assert_eq!(
        request(&server.staff, "GET", "/people", &[("cookie", &boss)], b"")
            .unwrap()
            .status,
        200
    );
    let desk = session(&provider.signs_in(&server, &["Team Klanten"])).unwrap();
    for session in [&boss, &desk] {
        assert_eq!(
            request(&server.staff, "GET", "/people", &[("cookie", session)], b"")
                .unwrap()
                .status,
            404
        );
        assert!(account(&server.staff, session).body.contains("· support<"));
    }
    refused(&provider.signs_in(&server, &[]), 403, "ask whoever manages the groups");
    assert_eq!(
        account(&server.staff, &desk).status,
        303,
        "also where they were signed in"
    );
    let list = installation.run(&["user", "list"]).stdout;
    assert!(
        list.starts_with("marja.jansen@example.nl  Marja Jansen    signed in"),
        "{list}"
    );
    // What they are there for isn't changed here: it would be back at their next sign-in.
    let order = ["--by", "Bakker", "--reason", "r"];
    let changed = installation.run(
        &[
            &["user", "roles", "marja.jansen@example.nl", "--role", "lead"],
            &order[..],
        ]
        .concat(),
    );
    assert!(
        changed.stderr.contains("change the person's groups there"),
        "{}",
        changed.stderr
    );
    let disabled = installation.run(&[&["user", "disable", "marja.jansen@example.nl"], &order[..]].concat());
    assert!(disabled.status.success());
    refused(
        &provider.signs_in(&server, &["beheer"]),
        403,
        "Your account is disabled",
    );
}

#[test]
fn a_name_or_address_that_changes_at_the_provider_changes_here_and_an_address_of_somebody_else_stays_theirs() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    invited(&installation, "Piet Bakker", "p.bakker@example.nl", &["support"]);
    provider.signs_in(&server, &["beheer"]);
    let answer = provider.signs_in_as(&server, |it| {
        it["name"] = json!("Marja <b>de Wit</b>");
        it["email"] = json!("m.dewit@example.nl");
    });
    let page = account(&server.staff, &session(&answer).unwrap());
    assert!(
        page.body.contains("m.dewit@example.nl") && page.body.contains("Marja Jansen"),
        "{}",
        page.body
    );
    let answer = provider.signs_in_as(&server, |it| {
        it["name"] = json!("Marja de Wit");
        it["email"] = json!("p.bakker@example.nl");
    });
    let page = account(&server.staff, &session(&answer).unwrap());
    assert!(
        page.body.contains("m.dewit@example.nl") && page.body.contains("Marja de Wit"),
        "{}",
        page.body
    );
}

#[test]
fn an_account_with_the_same_address_is_not_taken_over_before_an_administrator_ties_it() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let local = Member::of(&installation, &server, "Marja Jansen", &["support"]);
    let command = "eencent user link marja.jansen@example.nl --subject &#x27;u-1&#x27;";
    refused(&provider.signs_in(&server, &["beheer"]), 409, command);
    assert_eq!(account(&server.staff, &local.cookie).status, 200, "nothing changed");
    let order = ["--by", "Bakker", "--reason", "single sign-on"];
    let link = |who: &str| installation.run(&[&["user", "link", who, "--subject", "u-1"], &order[..]].concat());
    let linked = link("marja.jansen@example.nl");
    assert!(linked.status.success(), "{}", linked.stderr);
    assert_eq!(account(&server.staff, &local.cookie).status, 303, "what there was ends");
    let form = format!(
        "email=marja.jansen%40example.nl&password={}&code={}",
        PASSWORD.replace(' ', "+"),
        local.next_code()
    );
    let by_password = post(&server.staff, "/sign-in", &[("sec-fetch-site", "same-origin")], &form);
    assert_eq!(by_password.status, 422, "{}", by_password.body);
    let session = session(&provider.signs_in(&server, &["beheer"])).unwrap();
    assert!(account(&server.staff, &session).body.contains("· administrator<"));
    // Nobody else can be the same subject, and there is a way back.
    invited(&installation, "Piet Bakker", "p.bakker@example.nl", &["support"]);
    let twice = link("p.bakker@example.nl");
    assert!(twice.stderr.contains("already"), "{}", twice.stderr);
    let unlinked = installation.run(&[&["user", "unlink", "marja.jansen@example.nl"], &order[..]].concat());
    assert!(unlinked.status.success(), "{}", unlinked.stderr);
    assert_eq!(account(&server.staff, &session).status, 303);
    Member::accepts(&server.staff, "marja.jansen@example.nl", unlinked.stdout.trim());
    refused(&provider.signs_in(&server, &["beheer"]), 409, command);
}

#[test]
fn an_address_that_the_provider_does_not_vouch_for_makes_no_account() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    for unproven in [json!(false), json!("false")] {
        let answer = provider.signs_in_as(&server, |it| it["email_verified"] = unproven);
        refused(&answer, 403, "vouches for no e-mail address");
    }
    refused(
        &provider.signs_in_as(&server, |it| it["email"] = json!("no address")),
        403,
        "vouches for no e-mail",
    );
    refused(
        &provider.signs_in_as(&server, |it| it["sub"] = json!("")),
        422,
        "subject",
    );
    assert!(
        installation
            .run(&["user", "list"])
            .stdout
            .starts_with("There is nobody yet")
    );
}

#[test]
fn what_the_token_leaves_out_is_asked_for_and_of_nobody_else() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let thin = |it: &mut Value| {
        for left_out in ["email", "email_verified", "name", "groups"] {
            it.as_object_mut().unwrap().remove(left_out);
        }
    };
    let told = json!({ "sub": "u-1", "email": "m@example.nl", "email_verified": true, "name": "Marja", "groups": ["beheer"], "iss": "x" });
    let mut others = told.clone();
    others["sub"] = json!("u-2");
    provider
        .api
        .answers("GET /userinfo", &[Reply::Json(200, others), Reply::Json(200, told)]);
    refused(&provider.signs_in_as(&server, thin), 502, "relied on");
    let answer = provider.signs_in_as(&server, thin);
    let page = account(&server.staff, &session(&answer).unwrap());
    assert!(page.body.contains("m@example.nl · administrator"), "{}", page.body);
    let asked = provider.api.asked();
    let asked = asked
        .iter()
        .rfind(|asked| asked.head.starts_with("GET /userinfo"))
        .unwrap();
    assert!(asked.head.contains("authorization: Bearer acc3ss"), "{}", asked.head);
}

#[test]
fn the_second_factor_is_the_providers_and_can_be_asked_for() {
    let provider = Provider::start();
    let installation = provider
        .installation()
        .with("CONSOLE__IDENTITY_PROVIDER__ACR_VALUES", "[\"phr\", \"mfa\"]");
    let server = installation.serve();
    assert_eq!(Trip::begins(&server.staff, "").asked("acr_values"), "phr+mfa");
    refused(&provider.signs_in(&server, &["beheer"]), 403, "second factor");
    refused(
        &provider.signs_in_as(&server, |it| it["acr"] = json!("pwd")),
        403,
        "second factor",
    );
    assert!(session(&provider.signs_in_as(&server, |it| it["acr"] = json!("mfa"))).is_some());
}

#[test]
fn where_local_accounts_are_off_only_the_provider_lets_people_in() {
    let provider = Provider::start();
    let installation = provider.installation();
    let link = invited(&installation, "Piet Bakker", "p.bakker@example.nl", &["support"]);
    let installation = installation.with("CONSOLE__IDENTITY_PROVIDER__LOCAL", "false");
    let server = installation.serve();
    let page = request(&server.staff, "GET", "/sign-in", &[], b"").unwrap();
    assert!(
        page.body.contains("href=\"&#x2f;sign-in&#x2f;provider\"") && !page.body.contains("type=\"password\""),
        "{}",
        page.body
    );
    let form = format!(
        "email=p.bakker%40example.nl&password={}&code=123456",
        PASSWORD.replace(' ', "+")
    );
    assert_eq!(post(&server.staff, "/sign-in", &[], &form).status, 404);
    let path = &link[link.find("/invitation/").unwrap()..];
    assert_eq!(request(&server.staff, "GET", path, &[], b"").unwrap().status, 404);
    let boss = session(&provider.signs_in(&server, &["beheer"])).unwrap();
    let people = request(&server.staff, "GET", "/people", &[("cookie", &boss)], b"").unwrap();
    assert!(
        people.body.contains("People come from the identity provider"),
        "{}",
        people.body
    );
}

#[test]
fn without_a_provider_there_is_no_such_way_in_and_wrong_settings_are_told() {
    let installation = Installation::new();
    let server = installation.serve();
    for path in ["/sign-in/provider", "/sign-in/provider/answer?code=x&state=y"] {
        assert_eq!(request(&server.staff, "GET", path, &[], b"").unwrap().status, 404);
    }
    assert!(
        !request(&server.staff, "GET", "/sign-in", &[], b"")
            .unwrap()
            .body
            .contains("provider")
    );
    let checked = Installation::new()
        .with("CONSOLE__IDENTITY_PROVIDER__ISSUER", "http://login.example.nl")
        .with("CONSOLE__IDENTITY_PROVIDER__ROLES__BOSS", "bazen")
        .run(&["check"]);
    for told in [
        "identity_provider.issuer` must be",
        "client_id` is missing",
        "ROLES__BOSS",
        "names no group",
    ] {
        assert!(checked.stdout.contains(told), "{told}: {}", checked.stdout);
    }
}

#[test]
fn whoever_sets_off_again_and_again_has_to_wait() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let sets_off = |from| {
        request(
            &server.staff,
            "GET",
            "/sign-in/provider",
            &[("x-forwarded-for", from)],
            b"",
        )
        .unwrap()
    };
    let statuses: Vec<u16> = (0..12).map(|_| sets_off("192.0.2.1").status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 303).count(),
        10,
        "{statuses:?}"
    );
    assert_eq!(sets_off("192.0.2.1").status, 429);
    assert_eq!(sets_off("192.0.2.2").status, 303);
}

#[test]
fn somebody_signs_in_with_the_button_and_goes_on_where_they_wanted_to_be() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let browser = Browser::of(Visitor::speaking("nl"));
    browser.open(&format!("http://{}/people", server.staff));
    browser.sees("main", "Inloggen met Voorbeeld ID");
    browser.finds_it_accessible();
    browser.picture("console-sign-in-provider");
    browser.click("main .button");
    let to = wait_for("the provider", || {
        Some(browser.url()).filter(|url| url.contains("/authorize"))
    });
    let trip = Trip {
        listener: server.staff.clone(),
        cookie: String::new(),
        to,
    };
    provider.hands_out(&provider.key.signs(&provider.claims(&trip, &["bazen"])));
    let back = format!(
        "http://{}/sign-in/provider/answer?code=c0de&state={}",
        server.staff,
        trip.asked("state")
    );
    browser.open(&back);
    browser.sees("h1", "People");
    browser.sees("table", "Marja Jansen");
    browser.click("table a");
    browser.sees("main", "They follow the person's groups");
    browser.finds_it_accessible();
    browser.open(&back);
    browser.sees(".wrong", "Begin hier opnieuw");
    browser.finds_it_accessible();
    browser.picture("console-sign-in-forgotten");
}
