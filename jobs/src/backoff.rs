//! How long to wait before the next attempt: doubling, with a spread that needs no dice.
//!
//! When a mail server comes back after an hour, a thousand letters wait for it. Were they all put
//! back to the same second they would fall on it together, and again at the next power of two. So
//! each pause is shortened by up to a fifth, by a hash of what is waiting: the same row waits the
//! same time at each run, which tests like, and different rows come apart.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The shortest and the longest pause between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// After the first failure.
    pub(crate) first: Duration,
    /// Never longer than this.
    pub(crate) most: Duration,
}

impl Pace {
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// The pause after `failures` failures (counted from 1) of the thing called `name`: between
    /// four fifths of the doubled pause and all of it.
    pub(crate) fn after(self, failures: u32, name: &str) -> Duration {
        let doublings = failures.saturating_sub(1).min(32);
        let whole = self
            .first
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.most);
        let mut hasher = DefaultHasher::new();
        (name, failures).hash(&mut hasher);
        let spread = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
        whole - (whole / 5_000).saturating_mul(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace::new(Duration::from_secs(1), Duration::from_secs(600));

    #[test]
    fn it_doubles_up_to_the_longest() {
        let near = |failures, seconds: f64| {
            let pause = PACE.after(failures, "evt_1").as_secs_f64();
            assert!(pause <= seconds && pause >= seconds * 0.79, "{failures}: {pause}");
        };
        near(1, 1.0);
        near(2, 2.0);
        near(5, 16.0);
        near(11, 600.0);
        near(u32::MAX, 600.0);
    }

    #[test]
    fn rows_that_failed_together_do_not_come_back_together() {
        let pauses: std::collections::HashSet<Duration> =
            (0..100).map(|row| PACE.after(5, &format!("evt_{row}"))).collect();
        assert!(pauses.len() > 80, "{}", pauses.len());
    }

    proptest! {
        #[test]
        fn it_stays_between_its_bounds(failures in 0_u32.., name in ".{0,20}") {
            let pause = PACE.after(failures, &name);
            prop_assert!(pause >= Duration::from_millis(790) && pause <= PACE.most);
        }
    }
}
