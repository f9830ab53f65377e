//! Makes a payment at a provider, for an activation that waits for one.
//!
//! | | |
//! |---|---|
//! | Work | `checkout`: an activation by iDEAL was started, and the settings name who makes its payment |
//! | Does | asks the provider; keeps the payment's id, and the address that the payer is sent to |
//! | Attempts | without end, 1 s to 10 min apart, while the activation waits; set apart when the provider refuses |
//! | Time limit | `jobs.time_limit_seconds` |
//! | Twice? | the activation's id is the provider's idempotency key: a second attempt hears of the same payment |

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::reread::{Rereading, Step};

use crate::api_client::ApiClient;
use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::rows::Row;

/// See the datasheet above.
pub(crate) struct MakeCheckout {
    pub(crate) rereading: Arc<dyn Rereading>,
    pub(crate) client: ApiClient,
    pub(crate) limit: Duration,
}

#[async_trait]
impl Job for MakeCheckout {
    fn limit(&self) -> Duration {
        self.limit
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(1), Duration::from_secs(600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        let again = |error: String| Outcome::Again { error, until: None };
        let (endpoint, order) = match row.order().await {
            Ok(Some(wanted)) => wanted,
            Ok(None) => {
                let error = "the activation doesn't wait for a payment any more".to_owned();
                return Outcome::Never { error };
            }
            Err(error) => return Outcome::again(&error),
        };
        let mut answers = Vec::new();
        loop {
            match self.rereading.make(&endpoint, &order, &answers) {
                // Making one takes one question; a second would be of a provider that isn't written yet.
                Step::Ask(request) if answers.len() < 5 => match self.client.ask(&request).await {
                    Ok(answer) => answers.push(answer),
                    Err(unanswered) => return again(unanswered.to_string()),
                },
                Step::Made(made) => {
                    return match row.checkout_made(&made).await {
                        Ok(()) => Outcome::Done,
                        Err(error) => Outcome::again(&error),
                    };
                }
                Step::Later(why) => return again(why),
                Step::Never(error) => return Outcome::Never { error },
                Step::Ask(_) | Step::Told(_) => {
                    let error = "the provider's API made nothing".to_owned();
                    return Outcome::Never { error };
                }
            }
        }
    }
}
