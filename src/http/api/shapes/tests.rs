use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use eencent_activations::clock::{ManualClock, Timestamp};
use eencent_activations::desk::Desk;
use eencent_activations::entropy::CountedEntropy;
use eencent_activations::ledger::NoNudge;
use eencent_activations::links::LinksKey;
use eencent_activations::store::Store;
use eencent_registers::Registers;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::http::api::{self, Api, PlainKeys};
use crate::http::layers;
use crate::http::request_id::RequestIds;
use crate::settings;

const KEY: &str = "a-key-of-the-settings-with-all-scopes";

async fn platform() -> (tempfile::TempDir, Router, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}", folder.path().join("e.db").display()))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let now = Timestamp::parse_rfc3339("2026-03-10T09:00:00Z").unwrap();
    let seller = [
        ("IBAN", "NL91ABNA0417164300"),
        ("SELLER_NAME", "Eencent B.V."),
        ("SELLER_STREET", "Keizersgracht 1"),
        ("SELLER_POSTCODE", "1015 CJ"),
        ("SELLER_CITY", "Amsterdam"),
        ("SELLER_KVK", "68750110"),
        ("SELLER_VAT", "NL822010690B01"),
    ];
    let seller = seller.map(|(key, value)| (format!("EENCENT__INVOICE__{key}"), value.to_owned()));
    let subject = settings::load_from(None, seller).unwrap().subject;
    let rules = subject
        .validate(LinksKey::from_hex(&"0".repeat(64)).unwrap(), "http://x", now)
        .unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let entropy = Arc::new(CountedEntropy::default());
    let desk = Desk::new(
        store,
        clock.clone(),
        entropy.clone(),
        Arc::new(NoNudge),
        Arc::new(rules),
    );
    let plain_keys = Arc::new(PlainKeys::of(&[KEY.to_owned()]));
    let router = layers::with_problems(
        "test",
        &RequestIds::new(clock.clone(), entropy.clone()),
        api::router(Api {
            desk: desk.clone(),
            plain_keys,
            registers: Arc::new(Registers::new(&settings::load_from(None, []).unwrap().register, clock)),
            under_way: api::UnderWay::default(),
        }),
    );
    (folder, router, desk)
}

async fn call(router: &Router, key: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// An answer says what its shape says, no more and no less.
fn fits<Shape: DeserializeOwned + Serialize>(answer: &Value) {
    let shape: Shape = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(&serde_json::to_value(shape).unwrap(), answer);
}

fn bakery() -> Value {
    json!({
        "environment": "env-1", "legal_name": "Bakkerij De Korenaar B.V.", "legal_form": "Besloten Vennootschap",
        "country": "NL", "names_source": "register", "identifiers": [{"scheme": "NL:KVK", "value": "68750110"}],
        "creator": {"name": "J. Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator"}
    })
}

#[tokio::test]
async fn answers_have_the_shapes_that_the_description_says() {
    let (_folder, router, _) = platform().await;
    let (status, organisation) = call(&router, KEY, "POST", "/v1/organisations", bakery()).await;
    assert_eq!(status, 201, "{organisation}");
    fits::<Organisation>(&organisation);
    let id = organisation["id"].as_str().unwrap();
    let path = format!("/v1/organisations/{id}/activations");
    let (status, activation) = call(&router, KEY, "POST", &path, json!({"method": "invoice"})).await;
    assert_eq!(status, 201, "{activation}");
    fits::<Activation>(&activation);
    let id = activation["id"].as_str().unwrap();
    let (status, explanation) = call(
        &router,
        KEY,
        "GET",
        &format!("/v1/activations/{id}/explanation"),
        Value::Null,
    )
    .await;
    assert_eq!(status, 200);
    fits::<Explanation>(&explanation);
    let (_, list) = call(
        &router,
        KEY,
        "GET",
        "/v1/activations?state=awaiting_payment&limit=1",
        Value::Null,
    )
    .await;
    fits::<Vec<Activation>>(&list);
    let act = json!({"version": 99, "actor": "M.", "reason": "because"});
    let (status, problem) = call(&router, KEY, "POST", &format!("/v1/activations/{id}/reject"), act).await;
    assert_eq!(status, 409, "{problem}");
    let shape: Problem = serde_json::from_value(problem).unwrap();
    assert_eq!(shape.activation.unwrap().id, id);
}

#[tokio::test]
async fn a_key_does_only_what_its_scopes_allow() {
    let (_folder, router, desk) = platform().await;
    let review = desk
        .make_key("support", &[eencent_activations::desk::Scope::Review])
        .await
        .unwrap();
    let (status, problem) = call(&router, &review, "POST", "/v1/organisations", bakery()).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (403, Some("scope_missing"))
    );
    assert!(problem["detail"].as_str().unwrap().contains("`platform`"));
    assert_eq!(
        call(&router, &review, "GET", "/v1/activations", Value::Null).await.0,
        200
    );
    desk.revoke_key("support").await.unwrap();
    assert_eq!(
        call(&router, &review, "GET", "/v1/activations", Value::Null).await.0,
        401
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_by_field() {
    let (_folder, router, _) = platform().await;
    let mut wrong = bakery();
    wrong["creator"]["email"] = json!(5);
    let (status, problem) = call(&router, KEY, "POST", "/v1/organisations", wrong).await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["field"]),
        (422, &json!("creator.email")),
        "{problem}"
    );
    let (status, problem) = call(
        &router,
        KEY,
        "POST",
        "/v1/activations/act_1/reject",
        json!({"actor": "M."}),
    )
    .await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["field"]),
        (422, &json!("version")),
        "{problem}"
    );
    let (status, problem) = call(&router, KEY, "POST", "/v1/organisations", json!([])).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("unreadable")));
    for limit in ["0", ""] {
        let (status, problem) = call(
            &router,
            KEY,
            "GET",
            &format!("/v1/activations?limit={limit}"),
            Value::Null,
        )
        .await;
        assert_eq!(
            (status.as_u16(), &problem["errors"][0]["field"]),
            (422, &json!("limit"))
        );
    }
}

#[tokio::test]
async fn everything_that_an_act_lacks_is_said_at_once() {
    let (_folder, router, _) = platform().await;
    let wrong = async |act: &str, body: Value| {
        let (status, problem) = call(&router, KEY, "POST", &format!("/v1/activations/act_1/{act}"), body).await;
        assert_eq!(status, 422, "{problem}");
        let errors: Vec<FieldProblem> = serde_json::from_value(problem["errors"].clone()).unwrap();
        errors
            .into_iter()
            .map(|one| format!("{} {} {}", one.field, one.code, one.detail))
            .collect::<Vec<_>>()
    };
    let all = [
        "version required Send the `version` that you looked at.",
        "actor required Say who acts.",
        "reason required Say why.",
    ];
    for act in ["approve", "reject", "request-information", "resume"] {
        assert_eq!(wrong(act, json!({})).await, all, "{act}");
    }
    assert_eq!(
        wrong(
            "approve",
            json!({"version": "4", "actor": 1, "reason": " ", "when": "soon"})
        )
        .await,
        [
            "version wrong_type `version` is a whole number.",
            "actor wrong_type `actor` is text.",
            "reason required Say why.",
            "when invalid `when` must be `office_hours` or `now`.",
        ]
    );
}
