//! The platform API, as the platform calls it.

use eencent_activations::failpoint::Moment;
use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::moments::runs_into;
use crate::payments::{NAME, activation, mollie_paid, organisation, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, KEY, Server};

#[test]
fn an_organisation_is_registered_read_changed_and_deleted() {
    let installation = Installation::new();
    let server = installation.serve();
    let made = server.api("POST", "/v1/organisations", &organisation(1));
    assert_eq!(made.status, 201);
    let id = text(&made.json(), "id").to_owned();
    assert!(
        made.header("location")
            .is_some_and(|location| location.ends_with(&format!("/v1/organisations/{id}")))
    );
    let path = format!("/v1/organisations/{id}");
    let read = server.api("GET", &path, &Value::Null).json();
    assert_eq!(
        (read["active"].as_bool(), &read["activated_at"]),
        (Some(false), &Value::Null)
    );
    assert_eq!(
        read["identifiers"],
        json!([{ "scheme": "NL:KVK", "value": "00000001" }])
    );
    let changed = server.api("PATCH", &path, &json!({ "trade_names": ["Korenaar"] }));
    assert_eq!(
        (changed.status, changed.json()["trade_names"].clone()),
        (200, json!(["Korenaar"]))
    );
    assert_eq!(server.api("DELETE", &path, &Value::Null).status, 204);
    let gone = server.api("GET", &path, &Value::Null);
    assert_eq!(
        (gone.status, gone.json()["code"].clone()),
        (404, json!("organisation_not_found"))
    );
}

#[test]
fn an_activation_has_the_shape_that_others_build_on() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    assert_eq!(view["amount"], json!({ "value": "0.01", "currency": "EUR" }));
    assert!(text(&view["instructions"], "nl").contains("twee keer betalen helpt niet"));
    for field in [
        "id",
        "organisation",
        "method",
        "reference",
        "state",
        "due_at",
        "expires_at",
        "version",
        "reasons",
        "payments",
        "emails",
        "history",
    ] {
        assert!(view.get(field).is_some(), "{field}");
    }
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    let now = wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    let has = |value: &Value, fields: &[&str]| fields.iter().all(|field| value.get(field).is_some());
    assert!(
        has(
            &now["payments"][0],
            &[
                "id",
                "provider",
                "status",
                "amount",
                "paid_at",
                "holder_name",
                "iban_masked"
            ]
        ),
        "{now}"
    );
    assert!(
        has(&now["emails"][0], &["kind", "message_id", "state", "sent_at"]),
        "{now}"
    );
    assert!(
        has(&now["history"][0], &["at", "event", "from", "to", "actor", "reason"]),
        "{now}"
    );
    assert!(text(&now["history"][0], "at").ends_with('Z'));
    let listed = server
        .api(
            "GET",
            &format!("/v1/activations?reference={}", text(&view, "reference")),
            &Value::Null,
        )
        .json();
    assert_eq!(listed[0]["id"], view["id"]);
    let listed = server
        .api("GET", "/v1/activations?state=under_review", &Value::Null)
        .json();
    assert_eq!(listed, json!([]));
    let explained = server
        .api(
            "GET",
            &format!("/v1/activations/{}/explanation", text(&view, "id")),
            &Value::Null,
        )
        .json();
    assert_eq!(explained["decisions"][0]["outcome"], "approved");
}

#[test]
fn every_refusal_is_a_problem_document_with_a_code_and_what_to_do() {
    let installation = Installation::new();
    let server = installation.serve();
    let key = format!("Bearer {KEY}");
    let bad_json = request(
        &server.public,
        "POST",
        "/v1/organisations",
        &[("authorization", &key), ("content-type", "application/json")],
        b"{",
    )
    .unwrap();
    let cases = [
        (server.api("POST", "/v1/organisations", &json!({})), 422, "invalid"),
        (
            server.api("GET", "/v1/activations/nonsense", &Value::Null),
            404,
            "activation_not_found",
        ),
        (
            server.api("GET", "/v1/activations?state=nonsense", &Value::Null),
            422,
            "invalid",
        ),
        (bad_json, 400, "json"),
        (
            request(&server.public, "GET", "/v1/activations/x", &[], b"").unwrap(),
            401,
            "key_missing",
        ),
        (
            request(
                &server.public,
                "GET",
                "/v1/activations/x",
                &[("authorization", "Bearer wrong")],
                b"",
            )
            .unwrap(),
            401,
            "key_unknown",
        ),
        (server.api("GET", "/v1/nonsense", &Value::Null), 404, "not_found"),
        (
            server.api("PUT", "/v1/organisations", &json!({})),
            405,
            "method_not_allowed",
        ),
    ];
    for (answer, status, _code) in cases {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{answer:?}"
        );
        let problem = answer.json();
        assert!(
            !text(&problem, "code").is_empty() && text(&problem, "detail").len() > 20,
            "{problem}"
        );
    }
    let dutch = request(
        &server.public,
        "GET",
        "/v1/activations/x",
        &[("accept-language", "nl"), ("authorization", &key)],
        b"",
    )
    .unwrap();
    assert!(
        text(&dutch.json(), "detail").contains("Er is geen activering"),
        "{dutch:?}"
    );
}

#[test]
fn a_key_may_do_what_its_scopes_say_and_what_it_did_is_recorded_under_its_name() {
    let installation = Installation::new();
    let server = installation.serve();
    let make = |name: &str, scope: &str| {
        let made = installation.run(&["api-key", "make", "--name", name, "--scope", scope]);
        assert!(made.status.success(), "{}", made.stderr);
        made.stdout
            .split_whitespace()
            .find(|word| word.starts_with("eck_"))
            .unwrap()
            .to_owned()
    };
    let (platform, review) = (make("shop", "platform"), make("support", "review"));
    let call = |key: &str, method: &str, path: &str, body: &Value| {
        let key = format!("Bearer {key}");
        let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
        request(&server.public, method, path, &headers, body.to_string().as_bytes()).unwrap()
    };
    let refused = call(&review, "POST", "/v1/organisations", &organisation(1));
    assert_eq!(
        (refused.status, text(&refused.json(), "code").to_owned()),
        (403, "scope_missing".to_owned())
    );
    let made = call(&platform, "POST", "/v1/organisations", &organisation(1));
    assert_eq!(made.status, 201);
    let path = format!("/v1/organisations/{}/activations", text(&made.json(), "id"));
    let view = call(&platform, "POST", &path, &json!({ "method": "ideal" })).json();
    let id = text(&view, "id");
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&view, "reference"), "Slagerij Van Dam B.V."),
    )
    .unwrap();
    let now = wait_for_state(&server, id, "under_review");
    let act = json!({ "version": now["version"], "actor": "Sanne", "reason": "no extract" });
    assert_eq!(
        call(&platform, "POST", &format!("/v1/activations/{id}/reject"), &act).status,
        403
    );
    assert_eq!(
        call(&review, "POST", &format!("/v1/activations/{id}/reject"), &act).status,
        200
    );
    let line = activation(&server, id)["history"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(text(&line, "actor"), "Sanne (key support)");
    assert!(installation.run(&["api-key", "revoke", "shop"]).status.success());
    assert_eq!(
        call(&platform, "POST", "/v1/organisations", &organisation(2)).status,
        401
    );
}

#[test]
fn the_openapi_document_names_every_path_that_answers() {
    let installation = Installation::new();
    let server = installation.serve();
    let answer = request(&server.public, "GET", "/openapi.json", &[], b"").unwrap();
    let document = answer.json();
    assert!(text(&document, "openapi").starts_with("3."));
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/v1/organisations",
        "/v1/organisations/{id}",
        "/v1/register",
        "/v1/organisations/{id}/activations",
        "/v1/activations",
        "/v1/activations/{id}",
        "/v1/activations/{id}/cancel",
        "/v1/activations/{id}/resend",
        "/v1/activations/{id}/approve",
        "/v1/activations/{id}/reject",
        "/v1/activations/{id}/request-information",
        "/v1/activations/{id}/explanation",
        "/v1/activations/{id}/checkout",
        "/v1/environments/{environment}",
        "/v1/environments/{environment}/limit",
    ] {
        assert!(paths.iter().any(|known| *known == path), "{path} is not in {paths:?}");
    }
    assert!(document["components"]["securitySchemes"].is_object());
}

/// The same POST with a key; what was answered.
fn keyed(server: &Server, key: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {KEY}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    request(&server.public, "POST", path, &headers, &bytes).unwrap()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, text(&answer.json(), "code").to_owned())
}

fn how_many(server: &Server) -> usize {
    server
        .api("GET", "/v1/organisations", &Value::Null)
        .json()
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn the_same_request_with_the_same_key_is_done_once_and_answered_alike() {
    let installation = Installation::new();
    let server = installation.serve();
    let key = "8e03978e-40d5-43e8-bc93-6894a57f9324";
    let first = keyed(&server, key, "/v1/organisations", &organisation(1));
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    // A string in quotes, as the draft has it, is the same key.
    for same in [key.to_owned(), format!("\"{key}\"")] {
        let again = keyed(&server, &same, "/v1/organisations", &organisation(1));
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    assert_eq!(how_many(&server), 1);
    let other = keyed(&server, key, "/v1/organisations", &organisation(2));
    assert_eq!(code(&other), (422, "idempotency_key_reused".to_owned()));
    for wrong in ["", "two words", "\"open", &"k".repeat(256)] {
        let answer = keyed(&server, wrong, "/v1/organisations", &organisation(2));
        assert_eq!(code(&answer), (400, "idempotency_key_invalid".to_owned()), "{wrong}");
    }

    // A start, though the activation has gone on since; and an act.
    let id = text(&first.json(), "id").to_owned();
    let path = format!("/v1/organisations/{id}/activations");
    let started = keyed(&server, "start", &path, &json!({ "method": "ideal" }));
    assert_eq!(started.status, 201);
    let activation = format!("/v1/activations/{}/cancel", text(&started.json(), "id"));
    let cancelled = keyed(&server, "cancel", &activation, &Value::Null);
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (200, &json!("cancelled"))
    );
    let again = keyed(&server, "start", &path, &json!({ "method": "ideal" }));
    assert_eq!((again.status, &again.body), (201, &started.body));
    let again = keyed(&server, "cancel", &activation, &Value::Null);
    assert_eq!((again.status, &again.body), (200, &cancelled.body));
    assert_eq!(
        code(&keyed(&server, "another", &activation, &Value::Null)),
        (409, "activation_over".to_owned())
    );

    // A refusal did nothing: mended, the same request with the same key is done.
    let mut new = organisation(3);
    new["identifiers"] = json!([]);
    let bare = text(&server.api("POST", "/v1/organisations", &new).json(), "id").to_owned();
    let path = format!("/v1/organisations/{bare}/activations");
    let start = || keyed(&server, "mended", &path, &json!({ "method": "ideal" }));
    assert_eq!(code(&start()), (422, "identifier_missing".to_owned()));
    let identifiers = json!({ "identifiers": [{ "scheme": "NL:KVK", "value": "00000003" }] });
    server.api("PATCH", &format!("/v1/organisations/{bare}"), &identifiers);
    assert_eq!(start().status, 201);

    // A key is its caller's alone, and strangers learn nothing by one.
    let made = installation.run(&["api-key", "make", "--name", "shop", "--scope", "platform"]);
    let bearer = format!("Bearer {}", made.stdout.trim());
    let with = |bearer: &str| {
        let headers = [
            ("authorization", bearer),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        request(
            &server.public,
            "POST",
            "/v1/organisations",
            &headers,
            organisation(1).to_string().as_bytes(),
        )
        .unwrap()
    };
    let theirs = with(&bearer);
    assert_eq!((theirs.status, theirs.header("idempotency-replayed")), (201, None));
    assert_eq!(with("Bearer wrong").status, 401);
}

#[test]
fn of_many_at_once_with_one_key_one_is_done_and_the_rest_are_told_to_wait_or_get_its_answer() {
    let installation = Installation::new();
    let server = installation.serve();
    let answers: Vec<Answer> = std::thread::scope(|all| {
        let calls: Vec<_> = (0..20)
            .map(|_| all.spawn(|| keyed(&server, "at-once", "/v1/organisations", &organisation(1))))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(how_many(&server), 1);
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty() && made.iter().all(|answer| answer.body == made[0].body));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(code(answer), (409, "idempotency_key_in_use".to_owned()));
    }
    let later = keyed(&server, "at-once", "/v1/organisations", &organisation(1));
    assert_eq!((later.status, &later.body), (201, &made[0].body));
}

#[test]
fn fault_28_a_request_with_a_key_killed_before_or_after_its_commit_is_done_once_and_answered() {
    for (moment, done) in [(Moment::RequestWritten, 0), (Moment::RequestCommitted, 1)] {
        let installation = Installation::new();
        let mut server = installation.launch_until(moment, 1, "serve");
        server.wait_until_ready();
        let bearer = format!("Bearer {KEY}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "once"),
        ];
        let body = organisation(1).to_string();
        assert!(request(&server.public, "POST", "/v1/organisations", &headers, body.as_bytes()).is_err());
        assert!(runs_into(server, || false));
        let server = installation.serve();
        assert_eq!(how_many(&server), done, "{}", moment.as_str());
        let answer = keyed(&server, "once", "/v1/organisations", &organisation(1));
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = text(&answer.json(), "id").to_owned();
        assert!(answer.header("location").unwrap().ends_with(&id));
        assert_eq!(how_many(&server), 1);
        let again = keyed(&server, "once", "/v1/organisations", &organisation(1));
        assert_eq!((again.status, again.body), (201, answer.body));
    }
}

#[test]
fn lists_come_a_page_at_a_time_and_the_next_page_is_asked_for_with_the_same_words() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut wanted = Vec::new();
    for kvk in 1..=5 {
        let mut new = organisation(kvk);
        new["environment"] = "café & co".into();
        wanted.push(text(&server.api("POST", "/v1/organisations", &new).json(), "id").to_owned());
        server.api("POST", "/v1/organisations", &organisation(10 + kvk));
    }
    let mut next = Some("/v1/organisations?limit=2&environment=caf%C3%A9%20%26%20co&active=false".to_owned());
    let mut found = Vec::new();
    let mut pages = 0;
    while let Some(path) = next {
        let answer = server.api("GET", &path, &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let page = answer.json();
        found.extend(page.as_array().unwrap().iter().map(|one| text(one, "id").to_owned()));
        pages += 1;
        next = answer.header("link").map(|link| {
            let (address, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            address.to_owned()
        });
    }
    wanted.sort();
    assert_eq!((found, pages), (wanted, 3));
    let by_number = server
        .api("GET", "/v1/organisations?identifier=0106:00000003", &Value::Null)
        .json();
    assert_eq!(
        by_number[0]["identifiers"],
        json!([{ "scheme": "NL:KVK", "value": "00000003" }])
    );
    for wrong in [
        "identifier=12345678",
        "active=yes",
        "environment=",
        "limit=201",
        "after=%00",
    ] {
        let answer = server.api("GET", &format!("/v1/organisations?{wrong}"), &Value::Null);
        let field = wrong.split('=').next().unwrap();
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["field"]),
            (422, &json!(field)),
            "{wrong}"
        );
    }
    for nothing in [
        "/v1/organisations/%00",
        "/v1/activations/%FF",
        "/v1/organisations/a%0Ab",
    ] {
        assert_eq!(server.api("GET", nothing, &Value::Null).status, 404, "{nothing}");
    }
}
