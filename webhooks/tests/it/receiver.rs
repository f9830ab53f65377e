//! The receiver over HTTP: through its router, and over a real connection where bytes dribble.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use eencent_activations::clock::ManualClock;
use eencent_activations::entropy::CountedEntropy;
use eencent_activations::notification::{Mode, Receipt, Refusal, Told};
use eencent_webhooks::endpoint::{Endpoints, Settings};
use eencent_webhooks::receiver::{Limits, Remote, Sink, Unavailable, router};
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::desk::{ADYEN, MOLLIE, STANDARD, STRIPE, fixture, now, signed};

/// How the sink takes what it is given.
#[derive(Clone, Copy, Default, PartialEq)]
enum Takes {
    #[default]
    All,
    Nothing,
    Forever,
}

#[derive(Default)]
struct Kept {
    takes: Takes,
    receipts: Mutex<Vec<Receipt>>,
    refusals: Mutex<Vec<Refusal>>,
}

#[async_trait]
impl Sink for Kept {
    async fn commit(&self, receipt: Receipt) -> Result<(), Unavailable> {
        match self.takes {
            Takes::All => {
                self.receipts.lock().unwrap().push(receipt);
                Ok(())
            }
            Takes::Nothing => Err(Unavailable::because("the disk is full")),
            Takes::Forever => std::future::pending().await,
        }
    }

    fn refused(&self, refusal: Refusal) {
        self.refusals.lock().unwrap().push(refusal);
    }
}

fn receiver(takes: Takes, limits: Limits) -> (Router, Arc<Kept>) {
    let settings: Settings = serde_json::from_value(json!({
        "mollie": {"provider": "mollie", "secrets": MOLLIE},
        "stripe": {"provider": "stripe", "secrets": [STRIPE], "account": "acct_1", "mode": "test"},
        "adyen": {"provider": "adyen", "secrets": ADYEN},
        "bank": {"provider": "standard_webhooks", "secrets": STANDARD},
    }))
    .unwrap();
    let kept = Arc::new(Kept {
        takes,
        ..Kept::default()
    });
    let router = router(
        Endpoints::from_settings(&settings).unwrap(),
        kept.clone(),
        Arc::new(ManualClock::at(now())),
        Arc::new(CountedEntropy::default()),
        limits,
    );
    (router, kept)
}

fn post(path: &str, headers: &HeaderMap, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(path).body(body.into()).unwrap();
    request.headers_mut().extend(headers.clone());
    request
}

async fn answer(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn mollie() -> (HeaderMap, Vec<u8>) {
    signed(
        "mollie",
        fixture("payloads/mollie/event_payment.paid.ideal.json").as_bytes(),
    )
}

#[tokio::test]
async fn each_provider_hears_what_it_expects() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    for (name, provider, file, expected) in [
        ("mollie", "mollie", "mollie/event_payment.paid.ideal.json", ""),
        ("stripe", "stripe", "stripe/charge.succeeded.ideal.json", ""),
        ("adyen", "adyen", "adyen/batch.two_items.json", "[accepted]"),
        (
            "bank",
            "standard_webhooks",
            "standard_webhooks/bank_transfer.received.json",
            "",
        ),
    ] {
        let (headers, body) = signed(provider, fixture(&format!("payloads/{file}")).as_bytes());
        let (status, answered, said) =
            answer(&router, post(&format!("/webhooks/{name}"), &headers, body.clone())).await;
        assert_eq!((status, said.as_str()), (StatusCode::OK, expected), "{provider}");
        let receipt = kept.receipts.lock().unwrap().pop().unwrap();
        assert_eq!((receipt.endpoint.as_str(), receipt.provider.as_str()), (name, provider));
        assert_eq!((receipt.body, receipt.received_at), (body, now()));
        assert_eq!(answered["x-request-id"], receipt.request_id.as_str());
        assert_eq!(receipt.events.len(), if name == "adyen" { 2 } else { 1 });
        assert!(
            receipt
                .events
                .iter()
                .all(|event| matches!(event.told, Told::Payment(_)))
        );
        assert_eq!(receipt.account, if name == "stripe" { "acct_1" } else { name });
        assert_eq!(receipt.mode, if name == "stripe" { Mode::Test } else { Mode::Live });
        assert_eq!(receipt.headers.is_empty(), name == "adyen", "{:?}", receipt.headers);
    }
}

#[tokio::test]
async fn what_cannot_be_read_but_is_authentic_is_stored_and_answered_with_success() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    for body in ["", "not json", "{\"id\":\"event_1\"}"] {
        let (headers, body) = signed("mollie", body.as_bytes());
        assert_eq!(
            answer(&router, post("/webhooks/mollie", &headers, body)).await.0,
            StatusCode::OK
        );
        let receipt = kept.receipts.lock().unwrap().pop().unwrap();
        assert!(matches!(receipt.events[0].told, Told::Quarantined(_)));
    }
}

#[tokio::test]
async fn basic_auth_is_never_kept() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    let (mut headers, body) = mollie();
    headers.insert("authorization", "Basic Z2VoZWlt".parse().unwrap());
    headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
    answer(&router, post("/webhooks/mollie", &headers, body)).await;
    let receipt = kept.receipts.lock().unwrap().pop().unwrap();
    let names: Vec<&str> = receipt.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-mollie-signature"]);
}

#[tokio::test]
async fn fault_01_whatever_is_wrong_the_sender_hears_the_same() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    let (good, body) = mollie();
    let mut malformed = good.clone();
    malformed.insert("x-mollie-signature", "sha256=xyz".parse().unwrap());
    let mut other = good.clone();
    other.insert("x-mollie-signature", "0".repeat(64).parse().unwrap());
    let mut answers = Vec::new();
    for headers in [HeaderMap::new(), malformed, other] {
        let mut request = post("/webhooks/mollie", &headers, body.clone());
        request
            .extensions_mut()
            .insert(Remote::Client("192.0.2.7".parse().unwrap()));
        let (status, mut answered, said) = answer(&router, request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(answered["content-type"], "application/problem+json");
        assert!(answered.remove("x-request-id").is_some());
        answers.push((answered, said));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].1.contains("\"code\":\"not_authentic\""));

    let refusals = kept.refusals.lock().unwrap();
    let codes: Vec<&str> = refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(
        codes,
        ["missing_signature", "malformed_signature", "signature_mismatch"]
    );
    assert!(
        refusals
            .iter()
            .all(|refusal| refusal.claimed_id.as_deref() == Some("event_GvJ8WHrp5isUdRub9CJyH"))
    );
    assert!(refusals.iter().all(|refusal| refusal.remote == "192.0.2.7"));
    assert!(kept.receipts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn fault_02_keys_are_bound_to_the_endpoint() {
    let (router, _) = receiver(Takes::All, Limits::default());
    let (headers, body) = mollie();
    for (path, status) in [
        ("/webhooks/stripe", 401),
        ("/webhooks/bank", 401),
        ("/webhooks/adyen", 401),
        ("/webhooks/mollie", 200),
    ] {
        assert_eq!(
            answer(&router, post(path, &headers, body.clone())).await.0,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn fault_16_bodies_of_no_bytes_and_of_too_many() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    let (headers, _) = mollie();
    assert_eq!(answer(&router, post("/webhooks/mollie", &headers, "")).await.0, 401);
    assert_eq!(
        answer(&router, post("/webhooks/mollie", &headers, vec![b'x'; 65_536]))
            .await
            .0,
        401
    );
    assert_eq!(
        answer(&router, post("/webhooks/mollie", &headers, vec![b'x'; 65_537]))
            .await
            .0,
        413
    );
    assert_eq!(
        answer(&router, post("/webhooks/mollie", &headers, vec![b'x'; 10_000_000]))
            .await
            .0,
        413
    );
    let mut announced = headers.clone();
    announced.insert("content-length", "99999999999".parse().unwrap());
    assert_eq!(answer(&router, post("/webhooks/mollie", &announced, "")).await.0, 413);
    assert!(kept.receipts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn fault_17_nothing_is_unpacked() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    let (headers, body) = mollie();
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", ""] {
        let mut encoded = headers.clone();
        encoded.insert("content-encoding", encoding.parse().unwrap());
        assert_eq!(
            answer(&router, post("/webhooks/mollie", &encoded, body.clone()))
                .await
                .0,
            415,
            "{encoding}"
        );
    }
    let mut plain = headers;
    plain.insert("content-encoding", "Identity".parse().unwrap());
    assert_eq!(answer(&router, post("/webhooks/mollie", &plain, body)).await.0, 200);
    assert_eq!(kept.receipts.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn fault_22_other_methods_and_other_addresses() {
    let (router, kept) = receiver(Takes::All, Limits::default());
    let (headers, body) = mollie();
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let request = Request::builder()
            .method(method)
            .uri("/webhooks/mollie")
            .body(Body::empty())
            .unwrap();
        let (status, answered, _) = answer(&router, request).await;
        assert_eq!(
            (status, answered["allow"].to_str().unwrap()),
            (StatusCode::METHOD_NOT_ALLOWED, "POST"),
            "{method}"
        );
        assert!(answered.contains_key("x-request-id"));
    }
    for path in [
        "/webhooks/unknown",
        "/webhooks/Mollie",
        "/webhooks/mollie/",
        "/webhooks//mollie",
        "/webhooks/",
        "/webhooks",
        "/webhooks/mollie%2f",
        "/webhooks/%6dollie",
        "/webhooks/%256dollie",
        "/webhooks/../webhooks/mollie",
        "/webhooks/mollie/../mollie",
        "/webhooks/mollie;a",
    ] {
        let (status, answered, _) = answer(&router, post(path, &headers, body.clone())).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answered.contains_key("location"), "{path}");
    }
    assert!(kept.receipts.lock().unwrap().is_empty());
    assert_eq!(
        answer(&router, post("/webhooks/mollie?a=b", &headers, body)).await.0,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn fault_25_a_store_that_does_not_answer_is_not_waited_for_past_the_deadline() {
    let (router, _) = receiver(Takes::Forever, Limits::default());
    let (headers, body) = mollie();
    let begun = tokio::time::Instant::now();
    let (status, answered, said) = answer(&router, post("/webhooks/mollie", &headers, body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered["retry-after"], "5");
    assert!(said.contains("\"code\":\"unavailable\""));
    assert!(begun.elapsed() < Duration::from_secs(9), "Adyen waits ten seconds");
}

#[tokio::test]
async fn fault_26_what_is_not_stored_is_not_acknowledged() {
    let (router, _) = receiver(Takes::Nothing, Limits::default());
    let (headers, body) = mollie();
    let (status, answered, said) = answer(&router, post("/webhooks/mollie", &headers, body)).await;
    assert_eq!(
        (status, answered["retry-after"].to_str().unwrap()),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    assert!(!said.contains("disk"), "the cause is for the log");
}

/// Serves on a real connection; bodies may take a fifth of a second.
async fn served() -> (SocketAddr, Arc<Kept>) {
    let limits = Limits {
        body_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let (router, kept) = receiver(Takes::All, limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(
        async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await },
    );
    (address, kept)
}

async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(sent).await;
    let mut answered = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answered))
        .await
        .unwrap();
    String::from_utf8_lossy(&answered).into_owned()
}

#[tokio::test]
async fn fault_19_a_body_that_dribbles_is_given_up_and_others_are_not_held_back() {
    let (address, _) = served().await;
    let slow = tokio::spawn(exchange_slowly(address));
    let (headers, body) = mollie();
    let signature = headers["x-mollie-signature"].to_str().unwrap();
    let head = format!(
        "POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-mollie-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    assert!(
        exchange(address, &[head.as_bytes(), &body].concat())
            .await
            .starts_with("HTTP/1.1 200")
    );
    let answered = slow.await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 408"), "{answered}");
}

async fn exchange_slowly(address: SocketAddr) -> String {
    exchange(
        address,
        b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
    )
    .await
}

#[tokio::test]
async fn fault_16_lies_about_length_and_endless_chunks_are_cut_off() {
    let (address, kept) = served().await;
    let mut endless = b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..2_000 {
        endless.extend_from_slice(b"400\r\n");
        endless.extend_from_slice(&[b'x'; 1024]);
        endless.extend_from_slice(b"\r\n");
    }
    let answered = exchange(address, &endless).await;
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 413"),
        "{answered}"
    );

    let too_much = [
        b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n".as_slice(),
        &[b'x'; 1000],
    ]
    .concat();
    assert!(exchange(address, &too_much).await.starts_with("HTTP/1.1 413"));

    let broken = exchange(
        address,
        b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    )
    .await;
    assert!(broken.starts_with("HTTP/1.1 400"), "{broken}");
    assert!(kept.receipts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_peer_is_recorded_where_no_proxy_is_trusted() {
    let (address, kept) = served().await;
    let sent = b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    assert!(exchange(address, sent).await.starts_with("HTTP/1.1 401"));
    assert_eq!(kept.refusals.lock().unwrap()[0].remote, "127.0.0.1");
}

/// Collects the labels that counters are registered with.
#[derive(Default)]
struct Labels(Mutex<Vec<String>>);

impl metrics::Recorder for Labels {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        self.0
            .lock()
            .unwrap()
            .push(format!("{} {}", key.name(), labels.join(" ")));
        metrics::Counter::noop()
    }
    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::noop()
    }
    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[tokio::test]
async fn strangers_make_no_labels() {
    let labels = Labels::default();
    let recording = metrics::set_default_local_recorder(&labels);
    let (router, _) = receiver(Takes::All, Limits::default());
    let (headers, body) = mollie();
    answer(&router, post("/webhooks/a-stranger's", &headers, body.clone())).await;
    answer(&router, post("/webhooks/mollie", &HeaderMap::new(), body.clone())).await;
    answer(&router, post("/webhooks/mollie", &headers, body)).await;
    drop(recording);
    assert_eq!(
        *labels.0.lock().unwrap(),
        [
            "eencent_webhook_requests_total endpoint=unknown outcome=unknown_endpoint",
            "eencent_webhook_refused_total endpoint=mollie code=missing_signature",
            "eencent_webhook_requests_total endpoint=mollie outcome=not_authentic",
            "eencent_webhook_requests_total endpoint=mollie outcome=accepted",
        ]
    );
}
