//! What the receiver bounds: what an address may send unproven, how long an answer takes, and what it says
//! when the clock is wrong. The clock is turned by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use eencent_activations::clock::ManualClock;
use eencent_activations::entropy::CountedEntropy;
use eencent_activations::notification::{Receipt, Refusal};
use eencent_webhooks::endpoint::{Endpoints, Settings};
use eencent_webhooks::providers::{ALL, Provider};
use eencent_webhooks::receiver::{Allowance, Limits, Remote, Sink, Unavailable, router};
use http::{HeaderMap, Request, Response};
use tower::ServiceExt as _;

use crate::desk::{now, settings, signed};
use crate::every_provider::genuine;

/// Takes everything, or never answers.
#[derive(Default)]
struct Store {
    hangs: bool,
    refusals: Mutex<Vec<Refusal>>,
}

#[async_trait]
impl Sink for Store {
    async fn commit(&self, _: Receipt) -> Result<(), Unavailable> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn refused(&self, refusal: Refusal) {
        self.refusals.lock().unwrap().push(refusal);
    }
}

/// A receiver with an endpoint for every provider, each by its provider's name.
struct Bench {
    router: Router,
    clock: Arc<ManualClock>,
    store: Arc<Store>,
}

impl Bench {
    /// Three refusals at once, and one back every second.
    fn new() -> Self {
        Self::with(Store::default())
    }

    fn with(store: Store) -> Self {
        let all = ALL.map(|provider| (provider.name().to_owned(), settings(provider.name())));
        let settings = Settings {
            endpoints: BTreeMap::from(all),
        };
        let clock = Arc::new(ManualClock::at(now()));
        let store = Arc::new(store);
        let router = router(
            Endpoints::from_settings(&settings).unwrap(),
            store.clone(),
            clock.clone(),
            Arc::new(CountedEntropy::default()),
            Limits {
                unproven: Allowance {
                    at_once: 3,
                    a_minute: 60,
                },
                ..Limits::default()
            },
        );
        Self { router, clock, store }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The status that a genuine message gets.
    async fn genuine(&self, provider: &str, from: &str) -> u16 {
        let (headers, body) = signed(provider, &genuine(provider));
        self.send(request(provider, from, &headers, body))
            .await
            .status()
            .as_u16()
    }

    /// The status that a forgery gets.
    async fn forged(&self, provider: &str, from: &str) -> u16 {
        let request = request(provider, from, &HeaderMap::new(), "{}");
        self.send(request).await.status().as_u16()
    }

    async fn exhaust(&self, provider: &str, from: &str) {
        for _ in 0..3 {
            assert_eq!(self.forged(provider, from).await, 401);
        }
        assert_eq!(self.forged(provider, from).await, 429);
    }
}

fn request(endpoint: &str, from: &str, headers: &HeaderMap, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(format!("/webhooks/{endpoint}"))
        .body(body.into())
        .unwrap();
    request.headers_mut().extend(headers.clone());
    request.extensions_mut().insert(Remote::Client(from.parse().unwrap()));
    request
}

#[tokio::test]
async fn fault_21_a_flood_of_forgeries_is_answered_before_anything_of_it_is_read() {
    let bench = Bench::new();
    bench.exhaust("mollie", "192.0.2.1").await;
    // A body that never comes: whoever reads it waits for ever.
    let endless = endless_body();
    let answer = bench
        .send(request("mollie", "192.0.2.1", &HeaderMap::new(), endless))
        .await;
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "1")
    );
    for _ in 0..1_000 {
        assert_eq!(bench.forged("mollie", "192.0.2.1").await, 429);
    }
    assert_eq!(
        bench.store.refusals.lock().unwrap().len(),
        3,
        "nothing is written for the rest"
    );
}

/// A body of which no byte ever comes.
fn endless_body() -> Body {
    Body::new(Never)
}

struct Never;

impl axum::body::HttpBody for Never {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn fault_21_other_addresses_and_other_endpoints_are_not_held_to_it() {
    let bench = Bench::new();
    bench.exhaust("mollie", "192.0.2.1").await;
    assert_eq!(bench.genuine("mollie", "192.0.2.2").await, 200);
    assert_eq!(
        bench.genuine("stripe", "192.0.2.1").await,
        200,
        "a wrong secret silences its own endpoint only"
    );
    bench.exhaust("stripe", "2001:db8::1").await;
    assert_eq!(
        bench.forged("stripe", "2001:db8::ffff:2").await,
        429,
        "an IPv6 client has its whole network"
    );
    assert_eq!(bench.genuine("stripe", "2001:db8:0:1::1").await, 200);
}

#[tokio::test]
async fn fault_21_once_the_secret_is_right_a_provider_is_heard_within_a_second() {
    let bench = Bench::new();
    bench.exhaust("mollie", "192.0.2.1").await;
    assert_eq!(bench.genuine("mollie", "192.0.2.1").await, 429);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.genuine("mollie", "192.0.2.1").await, 200);
    assert_eq!(
        bench.genuine("mollie", "192.0.2.1").await,
        200,
        "what was owed is forgiven"
    );
}

#[tokio::test]
async fn fault_21_who_proved_a_message_is_heard_for_an_hour_whatever_comes_from_there() {
    let bench = Bench::new();
    assert_eq!(bench.genuine("mollie", "192.0.2.1").await, 200);
    for _ in 0..100 {
        assert_eq!(bench.forged("mollie", "192.0.2.1").await, 401);
        assert_eq!(bench.genuine("mollie", "192.0.2.1").await, 200);
    }
    bench.clock.advance(Duration::from_secs(3_601));
    bench.exhaust("mollie", "192.0.2.1").await;
}

#[tokio::test]
async fn fault_21_behind_a_proxy_that_names_nobody_one_flood_is_not_everybodys() {
    let bench = Bench::new();
    for _ in 0..100 {
        let mut flood = request("mollie", "192.0.2.1", &HeaderMap::new(), "{}");
        flood
            .extensions_mut()
            .insert(Remote::Proxy("192.0.2.1".parse().unwrap()));
        assert_eq!(bench.send(flood).await.status(), 401);
    }
}

#[tokio::test]
async fn fault_21_pings_that_prove_nothing_are_bounded_too_and_weigh_a_tenth() {
    let bench = Bench::new();
    // Twenty-one, and not thirty: a request is read only while there is room for a refusal.
    for _ in 0..21 {
        assert_eq!(bench.genuine("mollie_classic", "192.0.2.1").await, 200);
    }
    assert_eq!(bench.genuine("mollie_classic", "192.0.2.1").await, 429);
    assert_eq!(bench.genuine("mollie_classic", "192.0.2.2").await, 200);
    bench.clock.advance(Duration::from_secs(1));
    for _ in 0..10 {
        assert_eq!(bench.genuine("mollie_classic", "192.0.2.1").await, 200);
    }
    assert_eq!(bench.genuine("mollie_classic", "192.0.2.1").await, 429);
}

#[tokio::test(start_paused = true)]
async fn fault_25_every_provider_hears_503_before_it_gives_up() {
    let bench = Bench::with(Store {
        hangs: true,
        ..Store::default()
    });
    for provider in ALL {
        let (headers, body) = signed(provider.name(), &genuine(provider.name()));
        let begun = tokio::time::Instant::now();
        let answer = bench.send(request(provider.name(), "192.0.2.1", &headers, body)).await;
        assert_eq!(answer.status().as_u16(), 503, "{}", provider.name());
        assert!(answer.headers().contains_key("retry-after"));
        assert!(
            begun.elapsed() < provider.deadline().mul_f64(0.85),
            "{} after {:?}",
            provider.name(),
            begun.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn fault_25_a_body_that_dribbles_is_given_up_before_the_provider_gives_up() {
    let bench = Bench::new();
    let begun = tokio::time::Instant::now();
    let answer = bench
        .send(request("qonto", "192.0.2.1", &HeaderMap::new(), endless_body()))
        .await;
    assert_eq!(answer.status().as_u16(), 408);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// Keeps what gauges are set to.
#[derive(Default)]
struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

struct Gauge(String, Arc<Mutex<BTreeMap<String, f64>>>);

impl metrics::GaugeFn for Gauge {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        self.1.lock().unwrap().insert(self.0.clone(), value);
    }
}

impl metrics::Recorder for Gauges {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        metrics::Counter::noop()
    }
    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        metrics::Gauge::from_arc(Arc::new(Gauge(name, self.0.clone())))
    }
    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[tokio::test]
async fn fault_07_a_clock_that_is_wrong_is_told_apart_from_forgeries_and_mended_nothing_is_lost() {
    let gauges = Gauges::default();
    let told = gauges.0.clone();
    let _recording = metrics::set_default_local_recorder(&gauges);
    let doubted = |provider: &str| {
        let told = told.lock().unwrap();
        told.get(&format!("eencent_webhook_clock_doubted {provider}")).copied()
    };
    let (mut ahead, mut behind) = (0, 0);
    for provider in ALL.map(Provider::name) {
        for (count, set) in [(&mut ahead, 600_i64), (&mut behind, -600)] {
            let bench = Bench::new();
            told.lock().unwrap().clear();
            for _ in 0..5 {
                bench.forged(provider, "192.0.2.9").await;
            }
            assert_eq!(doubted(provider), None, "forgeries say nothing about the clock");
            bench
                .clock
                .set(eencent_activations::clock::Timestamp::from_unix_seconds(
                    now().unix_seconds() + set,
                ));
            let mut refused = 0;
            for _ in 0..3 {
                refused += u32::from(bench.genuine(provider, "192.0.2.1").await == 401);
            }
            if refused == 0 {
                assert_eq!(doubted(provider), None, "{provider}");
                continue;
            }
            assert_eq!((refused, doubted(provider)), (3, Some(1.0)), "{provider}");
            *count += 1;
            // The clock is set right; a second later the provider's next try is taken.
            bench.clock.set(now());
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(bench.genuine(provider, "192.0.2.1").await, 200, "{provider}");
            assert_eq!(doubted(provider), Some(0.0), "{provider}");
        }
    }
    assert!(
        ahead >= 5 && behind >= 5,
        "schemes that sign the time: {ahead}, {behind}"
    );
}
