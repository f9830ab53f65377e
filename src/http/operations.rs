//! The operations listener: is it alive, is it ready, what does it measure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use eencent_activations::clock::Clock;
use eencent_activations::store::Store;
use serde::Serialize;

use super::layers;
use super::request_id::RequestIds;
use crate::metrics::Metrics;

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// What health is told from.
#[derive(Clone)]
pub struct Vitals {
    /// Whether it answers.
    pub store: Store,
    /// Ages are counted by it.
    pub clock: Arc<dyn Clock>,
    /// What is measured.
    pub metrics: Metrics,
    /// Whether all listeners accept.
    pub accepting: Arc<AtomicBool>,
    /// Whether the workers run; none in a role without workers.
    pub workers: Option<Workers>,
}

/// Tells whether the workers run.
pub type Workers = Arc<dyn Fn() -> bool + Send + Sync>;

/// How each part is.
#[derive(Serialize)]
struct Ready {
    ready: bool,
    listeners: &'static str,
    database: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<&'static str>,
}

/// What the operations listener answers: health and measurements to machines, everything else is `pages` for people.
pub fn router(vitals: Vitals, ids: &RequestIds, pages: Router) -> Router {
    let router = Router::new()
        .route("/live", get(async || ([(header::CACHE_CONTROL, "no-store")], "live\n")))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(vitals);
    layers::with_problems("operations", ids, router).fallback_service(pages)
}

type NoStore = [(HeaderName, &'static str); 1];

async fn ready(State(vitals): State<Vitals>) -> (StatusCode, NoStore, Json<Ready>) {
    let told = |well: bool, otherwise| if well { "ok" } else { otherwise };
    let listeners = vitals.accepting.load(Ordering::SeqCst);
    let database = matches!(tokio::time::timeout(PATIENCE, vitals.store.ping()).await, Ok(Ok(())));
    let workers = vitals.workers.as_ref().map(|run| run());
    let ready = listeners && database && workers.unwrap_or(true);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Ready {
        ready,
        listeners: told(listeners, "not accepting"),
        database: told(database, "does not answer"),
        workers: workers.map(|run| told(run, "not running")),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}

async fn metrics(State(vitals): State<Vitals>) -> ([(HeaderName, &'static str); 2], String) {
    let text = vitals.metrics.render(&vitals.store, vitals.clock.as_ref()).await;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text)
}
