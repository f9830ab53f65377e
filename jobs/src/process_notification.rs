//! Decides on an event that a notification told.
//!
//! | | |
//! |---|---|
//! | Work | `event`: an event is committed and not yet processed |
//! | Does | ties it to an activation, decides (approve, review, wait), moves, and carries out what it approved once all that is processed with it was heard; writes e-mails and events for the platform |
//! | Attempts | without end, 1 s to 10 min apart: money that came in is never dropped because a store was away; set apart when it panics or hangs `jobs.set_apart_after` times |
//! | Time limit | `jobs.time_limit_seconds` |
//! | Twice? | does nothing twice: the decision, the moves and the end of the claim are one transaction, and a later holder of the row makes an earlier one's claim void |

use std::time::Duration;

use async_trait::async_trait;

use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::rows::Row;

/// See the datasheet above.
pub(crate) struct ProcessNotification {
    pub(crate) limit: Duration,
}

#[async_trait]
impl Job for ProcessNotification {
    fn limit(&self) -> Duration {
        self.limit
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(1), Duration::from_secs(600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        match row.process_event().await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::again(&error),
        }
    }
}
