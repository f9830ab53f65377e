//! Plays the platform's endpoint: takes the events that it is told, and keeps each as it was posted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::http::accept::{Limits, Listener};
use crate::http::proxies::Proxies;

/// Test value, known to everybody who reads this.
const SECRET: &str = "whsec_ZGVtby1zZWNyZXQtb2YtdGhlLXBsYXRmb3Jt";

/// So many are kept; then the oldest go.
const MOST: usize = 2_000;

/// How many connections it holds.
const CONNECTIONS: usize = 50;

/// An event that came.
#[derive(Clone)]
pub struct Told {
    /// Of which activation.
    pub activation: String,
    /// Its type.
    pub kind: String,
    /// When it happened, as it says.
    pub at: String,
    /// The request as it came.
    pub written: String,
}

/// The endpoint, listening. Clones share what came.
#[derive(Clone)]
pub struct Endpoint {
    url: String,
    told: Arc<Mutex<VecDeque<Told>>>,
}

impl Endpoint {
    /// Listens on this machine.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open(stop: CancellationToken) -> anyhow::Result<Self> {
        let listener = Listener::bind("platform", "127.0.0.1:0").await?;
        let endpoint = Self {
            url: listener.url(),
            told: Arc::default(),
        };
        let router = Router::new().route("/events", post(take)).with_state(endpoint.clone());
        let limits = Limits {
            connections: CONNECTIONS,
            per_address: CONNECTIONS,
            proxies: Arc::new(Proxies::default()),
            head: Duration::from_secs(30),
        };
        tokio::spawn(listener.serve(router, limits, stop));
        Ok(endpoint)
    }

    /// What the program is told of it.
    pub fn settings(&self) -> Vec<(String, String)> {
        [
            ("URL", format!("{}/events", self.url)),
            ("SECRETS", SECRET.to_owned()),
            ("PRIVATE", "true".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (format!("EENCENT__EVENTS__PLATFORM__{name}"), value))
        .collect()
    }

    /// What was told of an activation, in the order of its coming.
    pub fn of(&self, activation: &str) -> Vec<Told> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter()
            .filter(|one| one.activation == activation)
            .cloned()
            .collect()
    }
}

async fn take(State(endpoint): State<Endpoint>, headers: HeaderMap, body: String) -> StatusCode {
    let Ok(event) = serde_json::from_str::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let text = |pointer: &str| {
        let value = event.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let mut written = "POST /events\n".to_owned();
    for (name, value) in &headers {
        written.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    written.push('\n');
    // Easier to read than the line that it came as.
    written.push_str(&serde_json::to_string_pretty(&event).unwrap_or(body));
    let told = Told {
        activation: text("/data/activation"),
        kind: text("/type"),
        at: text("/timestamp"),
        written,
    };
    let mut all = endpoint.told.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MOST {
        all.pop_front();
    }
    all.push_back(told);
    StatusCode::NO_CONTENT
}
