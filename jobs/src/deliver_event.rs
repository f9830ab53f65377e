//! Delivers an event to the platform, signed as the Standard Webhooks specification (1.0.0) says.
//!
//! | | |
//! |---|---|
//! | Work | `delivery`: an event isn't with one of the endpoints of `[events]` |
//! | Does | posts it, signed with each of the endpoint's secrets |
//! | Attempts | 5 s to 6 h apart for three days, then given up; at once when the platform says 410, which it says for ever |
//! | Time limit | 15 seconds an attempt, and a little |
//! | Twice? | when the process dies between the platform's yes and its record; `webhook-id` is the same then |

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::clock::Clock;
use eencent_activations::failpoint::{self, Moment};
use tracing::Instrument as _;

use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::platform::{Endpoints, Taken};
use crate::rows::Row;

/// See the datasheet above.
pub(crate) struct DeliverEvent {
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Job for DeliverEvent {
    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(5), Duration::from_secs(6 * 3_600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        let parcel = match row.parcel().await {
            Ok(parcel) => parcel,
            Err(error) => return Outcome::again(&error),
        };
        let now = self.clock.now();
        if now >= parcel.give_up_at {
            return Outcome::Never {
                error: "not taken before its time was over".to_owned(),
            };
        }
        let again = |error: String| Outcome::Again {
            error,
            until: Some(parcel.give_up_at),
        };
        // Only endpoints of the settings make labels: rows may name one that was taken out of them.
        let Some(endpoint) = self.endpoints.get(&parcel.endpoint) else {
            return again(format!("the settings have no [events.{}]", parcel.endpoint));
        };
        let posting = tracing::debug_span!("deliver", endpoint = parcel.endpoint, event = parcel.event);
        let posted = endpoint.post(&parcel.event, now, &parcel.payload).instrument(posting);
        let outcome = match posted.await {
            Taken::Yes => {
                failpoint::pass(Moment::EventTaken);
                match row.delivered().await {
                    Ok(()) => Outcome::Done,
                    Err(error) => Outcome::again(&error),
                }
            }
            Taken::NotNow(error) => again(error),
            Taken::Never(error) => Outcome::Never { error },
        };
        let word = match &outcome {
            Outcome::Done => "delivered",
            Outcome::Again { .. } | Outcome::Uncertain { .. } => "again",
            Outcome::Never { .. } | Outcome::Broke { .. } => "given_up",
        };
        metrics::counter!("eencent_deliveries_total", "endpoint" => parcel.endpoint.clone(), "outcome" => word)
            .increment(1);
        outcome
    }
}
