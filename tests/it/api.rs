//! The platform API, as the platform calls it.

use serde_json::{Value, json};

use crate::http::request;
use crate::payments::{NAME, activation, mollie_paid, organisation, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, KEY};

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
    ] {
        assert!(paths.iter().any(|known| *known == path), "{path} is not in {paths:?}");
    }
    assert!(document["components"]["securitySchemes"].is_object());
}
