use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Request as HttpRequest};
use axum::middleware;
use axum::routing::{get, post};
use eencent_activations::clock::SystemClock;
use eencent_activations::entropy::OsEntropy;
use eencent_activations::refused::FieldProblem;
use eencent_activations::store::StoreError;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::http::request_id::RequestIds;

async fn asked(router: Router, method: &str, language: &str) -> (StatusCode, HeaderMap, Value) {
    let request = HttpRequest::builder()
        .method(method)
        .uri("/x")
        .header("accept-language", language);
    let router = router.layer(middleware::from_fn(written));
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 65_536).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
}

fn ids() -> RequestIds {
    RequestIds::new(Arc::new(SystemClock), Arc::new(OsEntropy))
}

fn refused(kind: Kind) -> Refused {
    Refused {
        kind,
        code: "some_code",
        text: "Do this.".into(),
        text_nl: "Doe dit.".into(),
        fields: vec![FieldProblem {
            field: "creator.email".into(),
            code: "invalid",
            text: "Write an address.".into(),
            text_nl: "Schrijf een adres.".into(),
        }],
        activation: None,
    }
}

#[test]
fn each_kind_of_refusal_has_its_status() {
    for (kind, status) in [
        (Kind::Invalid, 422),
        (Kind::Forbidden, 403),
        (Kind::NotFound, 404),
        (Kind::Conflict, 409),
    ] {
        assert_eq!(Problem::from(refused(kind)).status().as_u16(), status, "{kind:?}");
    }
    let unavailable = Problem::from(DeskError::Store(StoreError::Unreadable("x".into())));
    assert_eq!(unavailable.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        !unavailable.document(Language::English).contains("value"),
        "what went wrong inside stays inside"
    );
}

#[tokio::test]
async fn a_refusal_names_its_fields_in_the_language_that_is_preferred() {
    let router = || Router::new().route("/x", get(async || Problem::from(refused(Kind::Invalid))));
    let (status, headers, document) = asked(router(), "GET", "nl-NL,nl;q=0.9,en;q=0.8").await;
    assert_eq!(status, 422);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["content-language"], "nl");
    assert_eq!(document["detail"], "Doe dit.");
    assert_eq!(document["errors"][0]["field"], "creator.email");
    assert_eq!(document["errors"][0]["detail"], "Schrijf een adres.");
    let (_, _, document) = asked(router(), "GET", "en, nl;q=0.5").await;
    assert_eq!(document["detail"], "Do this.");
    assert_eq!(document["code"], "some_code");
    assert_eq!(document["type"], "urn:eencent:problem:some_code");
    assert!(document.get("activation").is_none());
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document_too() {
    let router = crate::http::layers::with_problems("test", &ids(), Router::new().route("/x", post(async || "")));
    let (status, headers, document) = asked(router, "GET", "").await;
    assert_eq!(
        (status.as_u16(), document["code"].as_str()),
        (405, Some("method_not_allowed"))
    );
    assert_eq!(headers["allow"], "POST");
    let (status, _, document) = asked(
        crate::http::layers::with_problems("test", &ids(), Router::new()),
        "GET",
        "",
    )
    .await;
    assert_eq!((status.as_u16(), document["code"].as_str()), (404, Some("not_found")));
}

#[tokio::test]
async fn a_panic_leaks_nothing() {
    async fn handler() -> &'static str {
        panic!("hunter2")
    }
    let router = crate::http::layers::with_problems("test", &ids(), Router::new().route("/x", get(handler)));
    let (status, _, document) = asked(router, "GET", "").await;
    assert_eq!(status, 500);
    assert!(!document.to_string().contains("hunter2"), "{document}");
}

#[tokio::test]
async fn without_a_key_it_says_which_scheme_to_use() {
    let router = Router::new().route("/x", get(async || Problem::unauthenticated()));
    let (status, headers, _) = asked(router, "GET", "").await;
    assert_eq!(status, 401);
    assert_eq!(headers["www-authenticate"], "Bearer realm=\"eencent\"");
}
