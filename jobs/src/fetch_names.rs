//! Fetches an organisation's names again from its register, because they are too old to decide on.
//!
//! | | |
//! |---|---|
//! | Work | `names`: a payment came in, and the names that it is to be held against are old |
//! | Does | asks the register; the organisation gets the names that it says, and the decision is made |
//! | Attempts | 2 s to 10 min apart, for a day; then it is decided without the register, which is a reason for review |
//! | Time limit | 45 s: the register's own limits end well before it |
//! | Twice? | asking changes nothing; the names, the decision and the end of the claim are one transaction |

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::desk::Fetched;
use eencent_activations::register::{Lookup, NoEntry};

use crate::attempt::{Job, Outcome};
use crate::backoff::Pace;
use crate::rows::Row;

/// So long a decision waits for a register that doesn't answer.
const WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Beyond what a register may take: an attempt that is cut off counts as one that hangs.
const LIMIT: Duration = Duration::from_secs(45);

/// See the datasheet above.
pub(crate) struct FetchNames {
    pub(crate) registers: Arc<dyn Lookup>,
}

#[async_trait]
impl Job for FetchNames {
    fn limit(&self) -> Duration {
        LIMIT
    }

    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(2), Duration::from_secs(600))
    }

    async fn run(&self, row: &dyn Row) -> Outcome {
        let number = match row.number_to_look_up().await {
            Ok(number) => number,
            Err(error) => return Outcome::again(&error),
        };
        let fetched = match self.registers.entry(&number).await {
            Ok(entry) => Fetched::Entry(Box::new(entry)),
            Err(NoEntry::Unknown) => Fetched::Unknown,
            Err(NoEntry::NotConfigured) => Fetched::NotConfigured,
            Err(error) => {
                return Outcome::Again {
                    error: error.to_string(),
                    until: Some(row.waiting_since().plus(WAIT)),
                };
            }
        };
        match row.names_fetched(&fetched).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::again(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use eencent_activations::clock::ManualClock;
    use eencent_activations::identifier::Identifier;
    use eencent_activations::ledger::Work;
    use eencent_activations::register::Entry;

    use crate::testing::{Behaviour, PretendRows, at, attempt, attempts_at};

    /// A register that never has an entry.
    struct Says(NoEntry);

    #[async_trait]
    impl Lookup for Says {
        async fn entry(&self, _: &Identifier) -> Result<Entry, NoEntry> {
            Err(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_register_that_does_not_answer_is_asked_for_a_day_further_and_further_apart() {
        let rows = PretendRows::default();
        rows.add(Work::Names, "rfr_1", Behaviour::Works);
        let begun = at("2026-03-10T09:00:00Z");
        let clock = ManualClock::at(begun);
        let job = Arc::new(FetchNames {
            registers: Arc::new(Says(NoEntry::Down("told to be".to_owned()))),
        });
        let attempts = attempts_at(&rows, job, Arc::new(clock.clone()));
        let mut last = begun;
        loop {
            attempt(&attempts, Work::Names, "rfr_1").await;
            let state = rows.state(Work::Names, "rfr_1");
            if state.given_up.is_some() {
                break;
            }
            last = state.retry_at.unwrap();
            clock.set(last);
        }
        let state = rows.state(Work::Names, "rfr_1");
        assert!(last > begun.plus(WAIT).minus(Duration::from_secs(600)) && last < begun.plus(WAIT));
        assert!((140..200).contains(&state.attempts), "{}", state.attempts);
        assert!(state.given_up.unwrap().contains("told to be"));
    }

    #[tokio::test]
    async fn what_the_register_knows_nothing_of_is_settled_at_once() {
        for says in [NoEntry::Unknown, NoEntry::NotConfigured] {
            let rows = PretendRows::default();
            rows.add(Work::Names, "rfr_1", Behaviour::Works);
            let job = Arc::new(FetchNames {
                registers: Arc::new(Says(says)),
            });
            let clock = ManualClock::at(at("2026-03-10T09:00:00Z"));
            attempt(&attempts_at(&rows, job, Arc::new(clock)), Work::Names, "rfr_1").await;
            assert_eq!(rows.state(Work::Names, "rfr_1").done, 1);
        }
    }
}
