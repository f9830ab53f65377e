//! Reads a payment from its provider's API, because a message left something out or proved nothing.
//!
//! | | |
//! |---|---|
//! | Work | `reread`: a committed message named something to read |
//! | Does | asks the API, question by question; commits what it says as an event like any other |
//! | Attempts | 1 s to 10 min apart, for seven days; then it is set apart |
//! | Time limit | twice `jobs.time_limit_seconds` for all questions together; ten seconds for one |
//! | Twice? | reading changes nothing, and what was read is known by what it says: a repeat |
//!
//! An API may lag behind its own messages: while it says less than the message did, it is asked a few
//! times more before its word is taken.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::clock::Clock;
use eencent_activations::entropy::{Entropy, new_id};
use eencent_activations::inbox::Question;
use eencent_activations::notification::{Event, Receipt, Told};
use eencent_activations::reread::{Answer, MOST_QUESTIONS, Rereading, Step};

use crate::api_client::ApiClient;
use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::rows::Row;

/// For so long it is tried; a provider's own retries end sooner.
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// After so many attempts the API's word is taken, though it says less than the message.
const PATIENCE: u32 = 3;

/// See the datasheet above.
pub(crate) struct ReadBack {
    pub(crate) rereading: Arc<dyn Rereading>,
    pub(crate) client: ApiClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limit: Duration,
}

#[async_trait]
impl Job for ReadBack {
    fn limit(&self) -> Duration {
        self.limit
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(1), Duration::from_secs(600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        let question = match row.question().await {
            Ok(question) => question,
            Err(error) => return Outcome::again(&error),
        };
        let again = |error: String| Outcome::Again {
            error,
            until: Some(question.asked_at.plus(GIVE_UP_AFTER)),
        };
        let (events, last) = match self.read(&question).await {
            Ok(read) => read,
            Err(Unread::Later(why)) => return again(why),
            Err(Unread::Never(error)) => return Outcome::Never { error },
        };
        if row.attempts() < PATIENCE && lags(&question, &events) {
            return again("the provider's API doesn't say yet what its message said".to_owned());
        }
        let receipt = match self.receipt(&question, events, last) {
            Ok(receipt) => receipt,
            Err(why) => return again(why),
        };
        match row.was_read(&question, receipt, self.clock.now()).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::again(&error),
        }
    }
}

enum Unread {
    Later(String),
    Never(String),
}

impl ReadBack {
    /// Everything that is to be asked, and what it comes to, with the last answer.
    async fn read(&self, question: &Question) -> Result<(Vec<Event>, Answer), Unread> {
        let mut answers = Vec::new();
        loop {
            match self.rereading.next(&question.endpoint, &question.subject, &answers) {
                Step::Ask(_) if answers.len() == MOST_QUESTIONS => {
                    return Err(Unread::Never(
                        "the provider's API wants to be asked without end".to_owned(),
                    ));
                }
                Step::Ask(request) => {
                    let answer = self.client.ask(&request).await;
                    answers.push(answer.map_err(|unanswered| Unread::Later(unanswered.to_string()))?);
                }
                Step::Told(events) => {
                    let last = answers.pop().unwrap_or(Answer {
                        status: 0,
                        body: Vec::new(),
                    });
                    return Ok((events, last));
                }
                Step::Made(_) => return Err(Unread::Never("something was made that was to be read".to_owned())),
                Step::Later(why) => return Err(Unread::Later(why)),
                Step::Never(why) => return Err(Unread::Never(why)),
            }
        }
    }

    /// What was read, as a message to be committed; `None` when it says nothing.
    fn receipt(&self, question: &Question, events: Vec<Event>, last: Answer) -> Result<Option<Receipt>, String> {
        if events.is_empty() {
            return Ok(None);
        }
        let endpoint = question.endpoint.clone();
        let origin = self.rereading.origin(&endpoint);
        let origin = origin.ok_or_else(|| format!("the settings have no endpoint {endpoint} any longer"))?;
        let now = self.clock.now();
        let request_id = new_id("req", now, self.entropy.as_ref()).map_err(|error| error.to_string())?;
        Ok(Some(Receipt {
            endpoint,
            provider: origin.provider,
            account: origin.account,
            mode: origin.mode,
            received_at: now,
            request_id,
            proven_by: "read from the provider's API over TLS, with the endpoint's credentials".to_owned(),
            headers: Vec::new(),
            body: last.body,
            events,
        }))
    }
}

/// Whether the API says less of a payment than the message that sent us there.
fn lags(question: &Question, events: &[Event]) -> bool {
    let Some(claimed) = question.claimed else {
        return false;
    };
    events.iter().any(|event| match &event.told {
        Told::Payment(payment) => payment.status.rank() < claimed.rank(),
        Told::Ignored(_) | Told::Quarantined(_) => false,
    })
}
