//! Signing in through an identity provider, which the test is: it has a key, groups, and bad intentions.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::browser::{Browser, Visitor};
use crate::http::request;
use crate::identity::{Key, Provider, Trip, account, message, now, refused, session};
use crate::people::{Member, PASSWORD, invited, post};
use crate::server::{Installation, wait_for};
use crate::stand_in::Reply;

/// Changes one claim.
type Spoiling = fn(&mut Value);

/// Makes a token of claims.
type Forging<'a> = Box<dyn Fn(&Value) -> String + 'a>;

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
fn check_asks_the_provider_what_a_sign_in_would_and_says_why_nobody_could() {
    let provider = Provider::start();
    let installation = provider.installation();
    let checked = installation.run(&["check"]);
    assert!(
        checked.stdout.contains("people sign in through") && checked.stdout.contains("has 1 key"),
        "{}",
        checked.stdout
    );
    provider.describes_itself(&json!({ "issuer": "https://evil.example" }));
    let checked = installation.run(&["check"]);
    assert!(!checked.status.success());
    assert!(
        checked.stdout.contains("nobody can sign in through")
            && checked.stdout.contains("calls itself https://evil.example"),
        "{}",
        checked.stdout
    );
    provider.describes_itself(&json!({}));
    provider
        .api
        .answers("GET /keys", &[Reply::Json(200, json!({ "keys": [] }))]);
    let checked = installation.run(&["check"]);
    assert!(checked.stdout.contains("publishes no key"), "{}", checked.stdout);
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
