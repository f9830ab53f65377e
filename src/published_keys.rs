//! The public keys that providers publish, fetched at start, hourly, and when a message names a new one.
//!
//! Until they are here, messages of such an endpoint are refused and the provider tries again; keys that
//! can't be fetched anew stay as they were.

use std::time::Duration;

use eencent_activations::reread::{ApiRequest, Method};
use eencent_jobs::ApiClient;
use eencent_webhooks::endpoint::{Endpoint, Endpoints};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a message named a new key; a forgery can't make us ask more often.
const LOOK: Duration = Duration::from_secs(10);

/// How old keys may get.
const AGE: Duration = Duration::from_secs(60 * 60);

/// After a failure, the next try.
const AGAIN: Duration = Duration::from_secs(60);

/// Fetches until `stop`. Does nothing where no endpoint has published keys.
pub async fn keep(endpoints: Endpoints, stop: CancellationToken) {
    let client = ApiClient::new();
    let mut due: Vec<(String, Instant)> = endpoints
        .iter()
        .filter(|endpoint| endpoint.published_at().is_some())
        .map(|endpoint| (endpoint.name().to_owned(), Instant::now()))
        .collect();
    while !stop.is_cancelled() {
        for (name, next) in &mut due {
            let Some(endpoint) = endpoints.get(name) else { continue };
            if endpoint.wants_published() || *next <= Instant::now() {
                *next = Instant::now() + if fetch(&client, endpoint).await { AGE } else { AGAIN };
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Fetches those of all endpoints once, for a command.
pub async fn once(endpoints: &Endpoints) {
    let client = ApiClient::new();
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.published_at().is_some()) {
        // What can't be fetched can't be proven, and is told as that.
        let _ = fetch(&client, endpoint).await;
    }
}

/// Whether keys came that can be used.
async fn fetch(client: &ApiClient, endpoint: &Endpoint) -> bool {
    let Some(url) = endpoint.published_at() else {
        return true;
    };
    let request = ApiRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("accept", "application/json".to_owned())],
        body: Vec::new(),
    };
    let taken = match client.ask(&request).await {
        Ok(answer) if answer.status == 200 => {
            let json = String::from_utf8_lossy(&answer.body);
            endpoint
                .take_published(&json)
                .map_err(|why| format!("the answer {why}"))
        }
        Ok(answer) => Err(format!("the answer has status {}", answer.status)),
        Err(unanswered) => Err(unanswered.to_string()),
    };
    match taken {
        Ok(()) => {
            tracing::info!(endpoint = endpoint.name(), "the provider's public keys are here");
            true
        }
        Err(why) => {
            tracing::warn!(
                endpoint = endpoint.name(),
                why,
                "the provider's public keys could not be fetched; check webhooks.….jwks_url. Those from before stay"
            );
            false
        }
    }
}
