//! Every request has an id, in its answer and in each line that the log says about it.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use eencent_activations::clock::Clock;
use eencent_activations::entropy::{Entropy, new_id};
use eencent_activations::trace;
use tracing::Instrument as _;
use tracing::field::Empty;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from the caller.
const LONGEST: usize = 64;

/// Makes ids.
#[derive(Clone)]
pub struct RequestIds {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for RequestIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestIds").finish_non_exhaustive()
    }
}

impl RequestIds {
    /// With this clock and this randomness.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The caller's own, where it is one; else a new one.
    fn of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut all = headers.get_all(HEADER).iter();
        if let (Some(theirs), None) = (all.next(), all.next())
            && may_be_taken_over(theirs.as_bytes())
        {
            return Some(theirs.clone());
        }
        let id = new_id("req", self.clock.now(), self.entropy.as_ref()).ok()?;
        HeaderValue::from_str(&id).ok()
    }
}

/// Whether an id can stand in a log as it is: it breaks no line, quotes nothing, and looks for nothing.
fn may_be_taken_over(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
}

/// Gives a request its id.
pub async fn identified(State(ids): State<RequestIds>, request: Request, next: Next) -> Response {
    let Some(id) = ids.of(request.headers()) else {
        return next.run(request).await;
    };
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), trace = Empty);
    trace::log_by(&span);
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(HEADER, id);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_forge_a_line_of_the_log_is_not_taken_over() {
        for good in ["a", "req_01JAB.cd-9", &"x".repeat(64)] {
            assert!(may_be_taken_over(good.as_bytes()), "{good}");
        }
        for bad in ["", "a b", "a\"", "a\tb", "<a>", "é", "a/b", &"x".repeat(65)] {
            assert!(!may_be_taken_over(bad.as_bytes()), "{bad}");
        }
    }
}
