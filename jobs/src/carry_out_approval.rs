//! Makes an approval take effect: now, or when the office opens.
//!
//! | | |
//! |---|---|
//! | Work | `approval`: an activation is approved, or scheduled and due. What `process_notification` approves it carries out itself |
//! | Does | schedules it for the next opening, sends the round-off link, or activates |
//! | Attempts | without end, 1 s to 10 min apart; set apart when it panics or hangs `jobs.set_apart_after` times |
//! | Time limit | `jobs.time_limit_seconds` |
//! | Twice? | does nothing twice: each move starts from the state it belongs to and ends the claim in the same transaction; who comes second finds another state |

use std::time::Duration;

use async_trait::async_trait;

use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::rows::Row;

/// See the datasheet above.
pub(crate) struct CarryOutApproval {
    pub(crate) limit: Duration,
}

#[async_trait]
impl Job for CarryOutApproval {
    fn limit(&self) -> Duration {
        self.limit
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(1), Duration::from_secs(600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        match row.carry_out().await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::again(&error),
        }
    }
}
