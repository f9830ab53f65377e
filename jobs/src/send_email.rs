//! Hands an e-mail to the mail server, or to a folder.
//!
//! | | |
//! |---|---|
//! | Work | `email`: an e-mail isn't sent |
//! | Does | renders it once and keeps that; puts the secret link in place; hands it over |
//! | Attempts | 5 s to 1 h apart until its `give_up_at` (three days), then given up; at once when the server refuses the recipient or the message for good (5xx). Why stands on the row, with a code (`Trouble`) |
//! | Pace | `mail.most_a_minute` of all machines together; whoever is over isn't claimed, and waits |
//! | Time limit | three times `mail.timeout_seconds` and a little: the transport's own limits come first, as they know whether anything was handed over |
//! | Twice? | a repeat is the same mail: same bytes, same `Message-ID`. It repeats only when the process dies, or the server falls silent, between taking the mail and saying so; recorded as *maybe sent* |

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::clock::Clock;
use eencent_activations::desk::{Letter, Rendered, Trouble};
use eencent_activations::failpoint::{self, Moment};
use tracing::Instrument as _;

use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::mail::{Mailer, Refused};
use crate::rows::{Row, RowError, told};

/// See the datasheet above.
pub(crate) struct SendEmail {
    pub(crate) mailer: Mailer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limit: Duration,
}

#[async_trait]
impl Job for SendEmail {
    fn limit(&self) -> Duration {
        self.limit
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(5), Duration::from_secs(3_600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        let letter = match row.letter().await {
            Ok(letter) => letter,
            Err(error) => return Outcome::again(&error),
        };
        let outcome = self.send(row, &letter).await;
        let word = match &outcome {
            Outcome::Done => "sent",
            Outcome::Again { .. } => "again",
            Outcome::Uncertain { .. } => "maybe_sent",
            Outcome::Never { .. } | Outcome::Broke { .. } => "given_up",
        };
        metrics::counter!("eencent_emails_total", "kind" => letter.kind.as_str(), "outcome" => word).increment(1);
        outcome
    }

    /// The limit is longer than the transport's own, so something unforeseen hung. It can't be
    /// told where; a repeat of the same mail is better than a promise nobody gets.
    fn cut_off(&self, error: String) -> Outcome {
        Outcome::Uncertain { error }
    }
}

impl SendEmail {
    async fn send(&self, row: &dyn Row, letter: &Letter) -> Outcome {
        if self.clock.now() >= letter.give_up_at {
            return Outcome::Never {
                error: Trouble::TooLate.told("not delivered before its time was over"),
            };
        }
        let again = |error: String| Outcome::Again {
            error,
            until: Some(letter.give_up_at),
        };
        let rendered = match self.rendered(row, letter).await {
            Ok(rendered) => rendered,
            Err(error) => return again(told(&error)),
        };
        let sealed = match self.mailer.stationery.seal(letter, &rendered) {
            Ok(sealed) => sealed,
            Err(error) => return again(Trouble::NotWritten.told(error)),
        };
        // It can't be taken back. A process that the others may take for dead leaves it to them.
        if !row.is_ours() {
            return again("no sign of life could be given, so another process may be at it".to_owned());
        }
        failpoint::pass(Moment::EmailRendered);
        let handing_over = tracing::debug_span!("hand_over", kind = letter.kind.as_str());
        match self.mailer.transport.hand_over(&sealed).instrument(handing_over).await {
            Ok(()) => {
                failpoint::pass(Moment::EmailHandedOver);
                if let Err(error) = row.sent().await {
                    // The server has it and our store doesn't know: the same as no answer.
                    return Outcome::Uncertain {
                        error: Trouble::NoAnswer.told(format_args!(
                            "handed over, but that could not be recorded: {}",
                            told(&error)
                        )),
                    };
                }
                failpoint::pass(Moment::EmailRecorded);
                Outcome::Done
            }
            Err(Refused::Later(error)) => again(error),
            Err(Refused::Uncertain(error)) => Outcome::Uncertain { error },
            Err(Refused::Never(error)) => Outcome::Never { error },
        }
    }

    /// What was kept at the first attempt, else rendered now and kept. Templates may change between
    /// two attempts; a mail that may have arrived must not come again with other words.
    async fn rendered(&self, row: &dyn Row, letter: &Letter) -> Result<Rendered, RowError> {
        if let Some(kept) = &letter.rendered {
            return Ok(kept.clone());
        }
        let rendered = self.mailer.renderer.render(letter.kind, &letter.language, &letter.data);
        let rendered = rendered.map_err(|error| Trouble::NotWritten.told(error))?;
        row.keep_rendering(&rendered).await?;
        Ok(rendered)
    }
}
