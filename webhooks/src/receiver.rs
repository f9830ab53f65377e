//! The HTTP side: `POST /webhooks/{endpoint}`.
//!
//! | answer | when | what the provider does |
//! |---|---|---|
//! | the provider's own success | the message is committed, also when it is of no concern, unreadable, or a repeat | is content |
//! | 401 `not_authentic` | it wasn't proven; the same bytes whatever was wrong | retries, and shows it in its dashboard |
//! | 404 `unknown_endpoint` | the settings have no such endpoint | the same |
//! | 405 `method_not_allowed` | not a POST; `Allow` says so | – |
//! | 408 `body_too_slow` | the body didn't come within [`Limits::body_time`] | retries |
//! | 413 `body_too_large` | more than [`Limits::body_bytes`] | – |
//! | 415 `encoded_body` | a `Content-Encoding`: what is signed is what is sent, and nothing is unpacked here | – |
//! | 400 `body_broken_off` | the connection ended, or its framing broke, within the body | retries |
//! | 429 `too_many_unproven` with `Retry-After` | too much came from this address to this endpoint that wasn't proven; said before anything is read | retries |
//! | 503 `unavailable` with `Retry-After` | nothing was stored, or not within [`Limits::commit_time`] or the provider's own [deadline](crate::providers::Provider::deadline) | retries |
//!
//! Problems are `application/problem+json` (RFC 9457). Every answer carries `X-Request-Id`. The name in
//! the address is compared as it stands, without decoding, and nothing is redirected.
//!
//! The counter `eencent_webhook_requests_total{endpoint, outcome}` counts every request (`endpoint` is
//! `unknown` for names that aren't in the settings, so that strangers can't make labels), and
//! `eencent_webhook_refused_total{endpoint, code}` the 401s by [`Code`](crate::refused::Code).
//! `eencent_webhook_clock_doubted{endpoint}` is 1 while rightly signed messages are refused for their time.

mod answer;
mod body;
mod remote;
mod sink;
mod skew;
mod unproven;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use axum::routing::any;
use eencent_activations::clock::{Clock, Timestamp};
use eencent_activations::entropy::{Entropy, new_id};
use eencent_activations::notification::{Event, Proof, Receipt, Refusal};
use eencent_activations::trace;
use http::{HeaderMap, Method, header};
use metrics::counter;
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

pub use self::remote::{Network, Remote};
pub use self::sink::{Limits, Sink, Unavailable};
pub use self::unproven::Allowance;

use self::answer::{Outcome, Problem};
use self::body::Unread;
use self::skew::Skew;
use self::unproven::Unproven;
use crate::endpoint::{Endpoint, Endpoints};
use crate::providers::{Authentic, Request};
use crate::refused::Refused;
use crate::translation::unreadable;

/// The routes that receive webhooks, to be merged into the public listener. Nothing in front of them
/// may decompress, redirect, or read the body.
pub fn router(
    endpoints: Endpoints,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
) -> Router {
    let watches = endpoints.iter().map(|endpoint| {
        let watch = Watch {
            unproven: Unproven::new(limits.unproven),
            skew: Skew::default(),
        };
        (endpoint.name().to_owned(), watch)
    });
    let receiver = Arc::new(Receiver {
        watches: watches.collect(),
        endpoints,
        sink,
        clock,
        entropy,
        limits,
    });
    Router::new()
        .route("/webhooks/{endpoint}", any(receive))
        .with_state(receiver)
}

/// What is remembered of an endpoint's traffic, in memory alone.
struct Watch {
    unproven: Unproven,
    skew: Skew,
}

struct Receiver {
    endpoints: Endpoints,
    watches: BTreeMap<String, Watch>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
}

async fn receive(State(receiver): State<Arc<Receiver>>, request: HttpRequest) -> Response {
    let now = receiver.clock.now();
    let Ok(request_id) = new_id("req", now, receiver.entropy.as_ref()) else {
        tracing::error!("the operating system gave no random bytes");
        return answer::respond(Outcome::Problem(Problem::UNAVAILABLE), None);
    };
    // The last part of the address as it stands (axum's extractors decode it): an encoded name is
    // another name.
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let endpoint = receiver.endpoints.get(name).zip(receiver.watches.get(name));
    let label = endpoint.map_or("unknown", |(endpoint, _)| endpoint.name()).to_owned();
    let outcome = match endpoint {
        Some((endpoint, watch)) => {
            let span = tracing::info_span!(
                "notification",
                id = request_id,
                endpoint = endpoint.name(),
                trace = Empty
            );
            trace::log_by(&span);
            trace::note(&span, "provider", endpoint.provider().name());
            let handled = receiver.handle(endpoint, watch, request, now, &request_id);
            let outcome = handled.instrument(span.clone()).await;
            trace::note(&span, "outcome", outcome.name());
            if !matches!(outcome, Outcome::Accepted(_)) {
                trace::failed(&span);
            }
            outcome
        }
        None => Outcome::Problem(Problem::UNKNOWN_ENDPOINT),
    };
    counter!("eencent_webhook_requests_total", "endpoint" => label, "outcome" => outcome.name()).increment(1);
    answer::respond(outcome, Some(&request_id))
}

impl Receiver {
    async fn handle(
        &self,
        endpoint: &Endpoint,
        watch: &Watch,
        request: HttpRequest,
        now: Timestamp,
        request_id: &str,
    ) -> Outcome {
        let provider = endpoint.provider();
        // Whatever is said, it is said while the provider still listens.
        let answer_by = Instant::now() + self.limits.answer_within(provider.deadline());
        if request.method() != Method::POST {
            return Outcome::Problem(Problem::METHOD_NOT_ALLOWED);
        }
        let remote = Remote::of(request.extensions());
        let from = remote.network();
        if let Some(Err(wait)) = from.map(|from| watch.unproven.admit(from, now)) {
            return Outcome::Limited(wait);
        }
        if is_encoded(request.headers()) {
            return Outcome::Problem(Problem::ENCODED_BODY);
        }
        let (parts, incoming) = request.into_parts();
        let body = match body::read(incoming, &parts.headers, &self.limits, answer_by).await {
            Ok(body) => body,
            Err(Unread::TooLarge) => return Outcome::Problem(Problem::BODY_TOO_LARGE),
            Err(Unread::TooSlow) => return Outcome::Problem(Problem::BODY_TOO_SLOW),
            Err(Unread::BrokenOff) => return Outcome::Problem(Problem::BODY_BROKEN_OFF),
        };
        let url = parts.uri.to_string();
        let request = Request {
            method: "POST",
            url: &url,
            headers: &parts.headers,
            body: &body,
        };
        let (proven_by, events) = match provider.authenticate(&request, endpoint, now) {
            Ok(authentic) => {
                match (authentic.proof(), from) {
                    (Proof::Nothing, Some(from)) => watch.unproven.pinged(from, now),
                    (Proof::Nothing, None) => {}
                    (_, from) => {
                        watch.skew.in_time(endpoint.name());
                        from.into_iter().for_each(|from| watch.unproven.proven(from, now));
                    }
                }
                (authentic.proven_by().to_owned(), translate(&authentic, endpoint))
            }
            Err(refused) => {
                watch.skew.refused(endpoint.name(), &refused, now);
                from.into_iter().for_each(|from| watch.unproven.refused(from, now));
                self.refuse(endpoint, &request, &refused, remote, now, request_id);
                return Outcome::Problem(Problem::NOT_AUTHENTIC);
            }
        };
        let headers = kept_headers(endpoint, &parts.headers);
        let told = events.len();
        let receipt = Receipt {
            endpoint: endpoint.name().to_owned(),
            provider: provider.name().to_owned(),
            account: endpoint.account().to_owned(),
            mode: endpoint.mode(),
            received_at: now,
            request_id: request_id.to_owned(),
            proven_by,
            headers,
            body,
            events,
        };
        let committing = self
            .sink
            .commit(receipt)
            .instrument(tracing::debug_span!("commit", events = told));
        match tokio::time::timeout_at(answer_by, committing).await {
            Ok(Ok(())) => {
                tracing::info!(
                    endpoint = endpoint.name(),
                    request_id,
                    events = told,
                    "notification committed"
                );
                Outcome::Accepted(provider.reply())
            }
            Ok(Err(unavailable)) => {
                tracing::warn!(endpoint = endpoint.name(), request_id, error = %unavailable, "notification not stored");
                Outcome::Problem(Problem::UNAVAILABLE)
            }
            Err(_) => {
                tracing::warn!(
                    endpoint = endpoint.name(),
                    request_id,
                    "notification not stored in time"
                );
                Outcome::Problem(Problem::UNAVAILABLE)
            }
        }
    }

    fn refuse(
        &self,
        endpoint: &Endpoint,
        request: &Request<'_>,
        refused: &Refused,
        remote: Remote,
        now: Timestamp,
        request_id: &str,
    ) {
        let code = refused.code().as_str();
        // Not louder: a flood of forgeries must not fill the log. The sink keeps samples.
        tracing::debug!(endpoint = endpoint.name(), request_id, code, "notification refused");
        counter!("eencent_webhook_refused_total", "endpoint" => endpoint.name().to_owned(), "code" => code)
            .increment(1);
        self.sink.refused(Refusal {
            endpoint: endpoint.name().to_owned(),
            received_at: now,
            request_id: request_id.to_owned(),
            code: code.to_owned(),
            reason: refused.to_string(),
            claimed_id: endpoint.provider().claimed_id(request),
            remote: remote.to_string(),
        });
    }
}

/// Whether the body is sent in any encoding but its own.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// Translates; a mistake of ours in it costs the translation, never the message.
pub(crate) fn translate(authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
    let body = authentic.request().body;
    match catch_unwind(AssertUnwindSafe(|| endpoint.provider().translate(authentic, endpoint))) {
        Ok(events) if !events.is_empty() => events,
        Ok(_) => vec![unreadable(
            body,
            "The translation found nothing in it, which is a mistake of the program's.".to_owned(),
        )],
        Err(_) => vec![unreadable(
            body,
            "The translation panicked, which is a mistake of the program's.".to_owned(),
        )],
    }
}

/// The headers that the provider's scheme reads, as they came.
fn kept_headers(endpoint: &Endpoint, headers: &HeaderMap) -> Vec<(String, String)> {
    let names = endpoint.provider().headers().iter();
    names
        .flat_map(|name| headers.get_all(*name).iter().map(move |value| (name, value)))
        .filter_map(|(name, value)| Some(((*name).to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}
