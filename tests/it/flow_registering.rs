//! "Registering an organisation", sentence by sentence.

use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::main_job::{click, round_off_link};
use crate::payments::{NAME, mollie_paid, organisation, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, Server};

fn register(server: &Server, change: impl FnOnce(&mut Value)) -> Answer {
    let mut new = organisation(12_345_678);
    change(&mut new);
    server.api("POST", "/v1/organisations", &new)
}

/// The organisation's id, where it was registered.
fn registered(server: &Server, change: impl FnOnce(&mut Value)) -> String {
    let made = register(server, change);
    assert_eq!(made.status, 201, "{}", made.body);
    text(&made.json(), "id").to_owned()
}

fn start(server: &Server, organisation: &str) -> Answer {
    let path = format!("/v1/organisations/{organisation}/activations");
    server.api("POST", &path, &json!({ "method": "ideal" }))
}

/// Refused with this status and code, and these words in the sentence that says what to do.
fn refused(answer: &Answer, status: u16, code: &str, words: &[&str]) {
    let problem = answer.json();
    assert_eq!((answer.status, text(&problem, "code")), (status, code), "{problem}");
    for word in words {
        assert!(text(&problem, "detail").contains(word), "{word}: {problem}");
    }
}

/// The same call by somebody who reads Dutch.
fn in_dutch(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let key = format!("Bearer {}", crate::server::KEY);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
        ("accept-language", "nl"),
    ];
    request(&server.public, method, path, &headers, body.to_string().as_bytes()).unwrap()
}

#[test]
fn registering_1_only_an_administrator_adds_one_and_anyone_else_is_told_to_ask_an_administrator() {
    let home = Installation::new();
    let server = home.serve();
    for role in ["member", "viewer", "accountant", "not an administrator"] {
        let answer = register(&server, |new| new["creator"]["role"] = role.into());
        refused(&answer, 403, "administrator_required", &["ask an administrator"]);
    }
    let mut new = organisation(1);
    new["creator"]["role"] = "member".into();
    let answer = in_dutch(&server, "POST", "/v1/organisations", &new);
    refused(&answer, 403, "administrator_required", &["vraag een beheerder"]);
    assert_eq!(server.api("GET", "/v1/organisations", &Value::Null).json(), json!([]));
    registered(&server, |new| new["creator"]["role"] = "Administrator".into());
}

#[test]
fn registering_2_belgian_and_other_foreign_organisations_are_saved_and_not_activated() {
    let home = Installation::new()
        .with("CONTACT__BELGIUM_URL", "https://platform.example.nl/belgie")
        .with("CONTACT__SUPPORT_EMAIL", "support@example.nl");
    let server = home.serve();
    let belgian = registered(&server, |new| {
        new["country"] = "BE".into();
        new["identifiers"] = json!([{ "scheme": "BE:EN", "value": "BE 0123.456.749" }]);
    });
    let page = "https://platform.example.nl/belgie";
    refused(
        &start(&server, &belgian),
        422,
        "country_belgium",
        &["can be saved", page],
    );
    let path = format!("/v1/organisations/{belgian}/activations");
    let dutch = in_dutch(&server, "POST", &path, &json!({ "method": "invoice" }));
    refused(&dutch, 422, "country_belgium", &["kan wel worden bewaard", page]);
    let german = registered(&server, |new| {
        new["country"] = "DE".into();
        new["identifiers"] = json!([{ "scheme": "DE:HRB", "value": "HRB 86891" }]);
    });
    refused(
        &start(&server, &german),
        422,
        "country_not_supported",
        &["contact support", "support@example.nl"],
    );
    let kept = server
        .api("GET", &format!("/v1/organisations/{german}"), &Value::Null)
        .json();
    assert_eq!(kept["identifiers"][0]["value"], "HRB 86891");
}

#[test]
fn registering_2_a_number_with_a_wrong_digit_is_refused_with_what_to_do() {
    let home = Installation::new();
    let server = home.serve();
    for (scheme, value, words) in [
        ("NL:KVK", "1234567", "8 digits"),
        ("NL:RSIN", "123456789", "wrong digit"),
        ("NL:VAT", "NL123456789B14", "wrong digit"),
        ("BE:EN", "0123456789", "wrong digit"),
        ("9944", "NL12B01", "9 digits"),
        ("KVK", "12345678", "country and a register"),
    ] {
        let answer = register(&server, |new| {
            new["identifiers"] = json!([{ "scheme": scheme, "value": value }])
        });
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["errors"][0]["field"]),
            (422, &json!("identifiers[0]")),
            "{problem}"
        );
        assert!(text(&problem["errors"][0], "detail").contains(words), "{problem}");
    }
}

#[test]
fn registering_3_names_that_were_entered_are_never_approved_without_a_human() {
    let home = Installation::new();
    let server = home.serve();
    for (event, source) in [("event_1", json!("entered")), ("event_2", Value::Null)] {
        let id = registered(&server, |new| {
            new["names_source"] = source;
            new["identifiers"][0]["value"] = format!("1234567{}", &event[6..]).into();
        });
        let view = start(&server, &id).json();
        let payment = format!("tr_{event}");
        post_mollie(&server, &mollie_paid(event, &payment, text(&view, "reference"), NAME)).unwrap();
        let now = wait_for_state(&server, text(&view, "id"), "under_review");
        assert_eq!(now["reasons"][0]["code"], "names_entered", "{now}");
    }
    // Names that somebody changed are entered, also where they were a register's.
    let id = registered(&server, |_| ());
    let path = format!("/v1/organisations/{id}");
    let changed = server
        .api("PATCH", &path, &json!({ "legal_name": "Another B.V." }))
        .json();
    assert_eq!(changed["names_source"], "entered");
}

#[test]
fn registering_4_a_third_organisation_is_refused_with_the_address_of_sales() {
    let home = Installation::new()
        .without("ORGANISATIONS__FREE")
        .with("CONTACT__SALES", "sales@platform.example.nl");
    let server = home.serve();
    let first = registered(&server, |_| ());
    registered(&server, |_| ());
    let third = register(&server, |_| ());
    refused(
        &third,
        403,
        "organisation_limit_reached",
        &["(2)", "sales@platform.example.nl"],
    );
    let dutch = in_dutch(&server, "POST", "/v1/organisations", &organisation(1));
    refused(
        &dutch,
        403,
        "organisation_limit_reached",
        &["vraag sales@platform.example.nl"],
    );
    // Another environment has its own, and deleted ones don't count.
    registered(&server, |new| new["environment"] = "another".into());
    let path = format!("/v1/organisations/{first}");
    assert_eq!(server.api("DELETE", &path, &Value::Null).status, 204);
    registered(&server, |_| ());
    refused(&register(&server, |_| ()), 403, "organisation_limit_reached", &[]);
}

#[test]
fn registering_4_an_operator_grants_an_environment_another_limit_and_a_platform_cannot() {
    let home = Installation::new().without("ORGANISATIONS__FREE");
    let server = home.serve();
    let key = |name: &str, scope: &str| {
        let made = home.run(&["api-key", "make", "--name", name, "--scope", scope]);
        format!("Bearer {}", made.stdout.trim())
    };
    let (shop, operator) = (key("shop", "platform"), key("sales desk", "operator"));
    let call = |key: &str, method: &str, path: &str, body: &Value| {
        let headers = [("authorization", key), ("content-type", "application/json")];
        request(&server.public, method, path, &headers, body.to_string().as_bytes()).unwrap()
    };
    let limit = "/v1/environments/my%20shop%2Ftests/limit";
    let more = json!({ "limit": 3, "reason": "Order 2026-114" });
    refused(&call(&shop, "PUT", limit, &more), 403, "scope_missing", &["`operator`"]);
    refused(
        &call(&operator, "POST", "/v1/organisations", &organisation(1)),
        403,
        "scope_missing",
        &[],
    );
    let wrong = call(&operator, "PUT", limit, &json!({ "limit": -1 }));
    let fields: Vec<_> = wrong.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "field").to_owned())
        .collect();
    assert_eq!(
        (wrong.status, fields),
        (422, vec!["reason".to_owned(), "limit".to_owned()])
    );
    let granted = call(&operator, "PUT", limit, &more);
    assert_eq!(granted.status, 200, "{}", granted.body);
    for _ in 0..3 {
        registered(&server, |new| new["environment"] = "my shop/tests".into());
    }
    refused(
        &register(&server, |new| new["environment"] = "my shop/tests".into()),
        403,
        "organisation_limit_reached",
        &["(3)"],
    );
    let shown = call(&shop, "GET", "/v1/environments/my%20shop%2Ftests", &Value::Null);
    let expected = json!({ "environment": "my shop/tests", "limit": 3, "granted": true, "used": 3 });
    assert_eq!(shown.json(), expected);
    let command = home.run(&[
        "environment",
        "limit",
        "my shop/tests",
        "4",
        "--by",
        "Jansen",
        "--reason",
        "Order 2026-115",
    ]);
    assert!(command.status.success(), "{}", command.stderr);
    registered(&server, |new| new["environment"] = "my shop/tests".into());
    let shown = home.run(&["environment", "show", "my shop/tests"]);
    assert_eq!(
        shown.stdout,
        "my shop/tests has 4 of 4 organisations; its limit was granted.\n"
    );
}

#[test]
fn registering_5_it_can_be_changed_and_deleted_until_it_is_active_and_its_names_are_fixed_while_one_is_open() {
    let home = Installation::new();
    let server = home.serve();
    let view = started(&server, 1, "ideal");
    let path = format!("/v1/organisations/{}", text(&view, "organisation"));
    for change in [
        json!({ "legal_name": "Another B.V." }),
        json!({ "trade_names": ["Another"] }),
        json!({ "identifiers": [{ "scheme": "NL:KVK", "value": "87654321" }] }),
    ] {
        refused(
            &server.api("PATCH", &path, &change),
            409,
            "activation_open",
            &["cancel the activation first"],
        );
    }
    refused(
        &server.api("DELETE", &path, &Value::Null),
        409,
        "activation_open",
        &["cancel it first"],
    );
    let elsewhere = json!({ "creator": { "email": "anna@example.nl" } });
    let changed = server.api("PATCH", &path, &elsewhere);
    assert_eq!(
        (changed.status, &changed.json()["creator"]["email"]),
        (200, &json!("anna@example.nl"))
    );
    let back = json!({ "creator": { "email": "jansen@example.nl" } });
    assert_eq!(server.api("PATCH", &path, &back).status, 200);
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    click(&server, &round_off_link(&home, text(&view, "reference")));
    for (method, body) in [("PATCH", json!({ "trade_names": [] })), ("DELETE", Value::Null)] {
        refused(
            &server.api(method, &path, &body),
            409,
            "organisation_active",
            &["contact support"],
        );
    }
}

#[test]
fn registering_5_exactly_one_identifier_at_activation_and_the_organisation_can_be_mended() {
    let home = Installation::new();
    let server = home.serve();
    let id = registered(&server, |new| new["identifiers"] = json!([]));
    refused(
        &start(&server, &id),
        422,
        "identifier_missing",
        &["preferably the KvK number"],
    );
    let path = format!("/v1/organisations/{id}");
    let both = json!({ "identifiers": [
        { "scheme": "NL:KVK", "value": "12345678" }, { "scheme": "NL:RSIN", "value": "123456782" }] });
    assert_eq!(server.api("PATCH", &path, &both).status, 200);
    let named = &["NL:KVK 12345678", "NL:RSIN 123456782", "Keep exactly one"];
    refused(&start(&server, &id), 422, "identifiers_several", named);
    // The same number in two spellings is one.
    let one = json!({ "identifiers": [
        { "scheme": "NL:KVK", "value": "12345678" }, { "scheme": "0106", "value": "12345678" }] });
    assert_eq!(server.api("PATCH", &path, &one).status, 200);
    assert_eq!(start(&server, &id).status, 201);
}

#[test]
fn registering_6_an_identifier_that_is_active_in_any_environment_and_spelling_is_refused() {
    let home = Installation::new();
    let server = home.serve();
    let view = started(&server, 12_345_678, "ideal");
    // Started while the other isn't active yet: the click is where the race is lost.
    let slow = registered(&server, |new| new["environment"] = "elsewhere".into());
    let loser = start(&server, &slow).json();
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    post_mollie(
        &server,
        &mollie_paid("event_2", "tr_2", text(&loser, "reference"), NAME),
    )
    .unwrap();
    let link = round_off_link(&home, text(&loser, "reference"));
    click(&server, &round_off_link(&home, text(&view, "reference")));
    for (scheme, value) in [
        ("NL:KVK", "12345678"),
        ("0106", "12345678"),
        ("0190", "00000003123456780000"),
    ] {
        let other = registered(&server, |new| {
            new["environment"] = "another".into();
            new["identifiers"] = json!([{ "scheme": scheme, "value": value }]);
        });
        let told = &[
            "Another organisation with identifier NL:KVK 12345678 is active already",
            "contact support",
        ];
        refused(&start(&server, &other), 409, "identifier_active", told);
    }
    let same = start(&server, text(&view, "organisation"));
    refused(
        &same,
        409,
        "identifier_active",
        &["This organisation is active already"],
    );
    request(&server.public, "POST", &link, &[], b"").unwrap();
    let lost = wait_for_state(&server, text(&loser, "id"), "under_review");
    assert_eq!(lost["reasons"][0]["code"], "identifier_active", "{lost}");
}

#[test]
fn registering_6_one_activation_at_a_time_and_a_new_one_after_it_has_ended() {
    let home = Installation::new();
    let server = home.serve();
    let first = started(&server, 1, "ideal");
    let organisation = text(&first, "organisation");
    refused(
        &start(&server, organisation),
        409,
        "activation_open",
        &[text(&first, "id"), "finish or cancel that one"],
    );
    let path = format!("/v1/activations/{}/cancel", text(&first, "id"));
    assert_eq!(server.api("POST", &path, &Value::Null).status, 200);
    let second = start(&server, organisation).json();
    assert_ne!(second["reference"], first["reference"]);
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&second, "reference"), "Slagerij Van Dam B.V."),
    )
    .unwrap();
    let now = wait_for_state(&server, text(&second, "id"), "under_review");
    let act = json!({ "version": now["version"], "actor": "Sanne", "reason": "no extract" });
    let path = format!("/v1/activations/{}/reject", text(&second, "id"));
    assert_eq!(server.api("POST", &path, &act).status, 200);
    assert_eq!(start(&server, organisation).status, 201);
}
