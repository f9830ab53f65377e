//! No more often than a register allows: evenly spaced, so many a second, and not at all while it says "later", or
//! just after it didn't answer at all: then nobody else has to find that out by waiting.
//!
//! Each process counts for itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whoever would have to wait longer for his turn is told to come back instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a register that didn't answer is not asked.
const SILENT: Duration = Duration::from_secs(10);

/// Why there is no turn now, and after how long there may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// It is asked too much.
    TooMuch(Duration),
    /// It didn't answer a moment ago.
    Silent(Duration),
}

/// The turns to ask a register.
pub(crate) struct Pace {
    apart: Duration,
    turns: Mutex<Turns>,
}

struct Turns {
    next: Instant,
    /// Until when the register wants to be left alone.
    closed_until: Instant,
    /// Until when it is taken to be silent.
    silent_until: Instant,
}

impl Pace {
    /// So many turns a second.
    pub(crate) fn a_second(many: u32) -> Self {
        let now = Instant::now();
        Self {
            apart: Duration::from_secs(1) / many.max(1),
            turns: Mutex::new(Turns {
                next: now,
                closed_until: now,
                silent_until: now,
            }),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// When there is none to be had soon.
    pub(crate) async fn turn(&self) -> Result<(), NoTurn> {
        let slot = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if turns.closed_until > now {
                return Err(NoTurn::TooMuch(turns.closed_until - now));
            }
            if turns.silent_until > now {
                return Err(NoTurn::Silent(turns.silent_until - now));
            }
            let slot = turns.next.max(now);
            if slot - now > PATIENCE {
                return Err(NoTurn::TooMuch(slot - now));
            }
            turns.next = slot + self.apart;
            slot
        };
        tokio::time::sleep_until(slot).await;
        Ok(())
    }

    /// The register wants to be left alone for so long.
    pub(crate) fn leave_alone(&self, how_long: Duration) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.closed_until = turns.closed_until.max(Instant::now() + how_long);
    }

    /// The register didn't answer in time.
    pub(crate) fn is_silent(&self) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.silent_until = Instant::now() + SILENT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_come_evenly_and_who_would_wait_too_long_is_told_when() {
        let pace = Pace::a_second(10);
        let begun = Instant::now();
        for _ in 0..21 {
            assert_eq!(pace.turn().await, Ok(()));
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let slow = Pace::a_second(1);
        let all: Vec<_> = (0..9).map(|_| slow.turn()).collect();
        let mut told = 0;
        for turn in futures_of(all).await {
            told += u32::from(turn.is_err());
        }
        assert_eq!(told, 3, "six fit into five seconds and the first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_register_that_wants_to_be_left_alone_or_is_silent_is_left_alone() {
        let pace = Pace::a_second(10);
        pace.leave_alone(Duration::from_secs(30));
        pace.leave_alone(Duration::from_secs(3));
        pace.is_silent();
        assert_eq!(pace.turn().await, Err(NoTurn::TooMuch(Duration::from_secs(30))));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(pace.turn().await, Ok(()));
        pace.is_silent();
        assert_eq!(pace.turn().await, Err(NoTurn::Silent(SILENT)));
        tokio::time::advance(SILENT).await;
        assert_eq!(pace.turn().await, Ok(()));
    }

    /// All at once, each until its end.
    async fn futures_of<F: Future>(all: Vec<F>) -> Vec<F::Output> {
        let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
        std::future::poll_fn(|context| {
            for (one, done) in all.iter_mut().filter(|(_, done)| done.is_none()) {
                if let std::task::Poll::Ready(output) = one.as_mut().poll(context) {
                    *done = Some(output);
                }
            }
            match all.iter().all(|(_, done)| done.is_some()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        all.into_iter().filter_map(|(_, done)| done).collect()
    }
}
