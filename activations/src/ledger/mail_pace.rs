//! How many e-mails are begun in a minute, on all machines together, so that a burst doesn't get the sender blocked.
//!
//! A bucket that fills at a steady rate: a tenth of what a minute allows may go at once, the rest is spread, and no
//! minute ever has more than was allowed. All that is remembered is when the bucket is full again, in one row that
//! machines take in turn. What is over keeps waiting: nothing is written on it, no attempt is counted, and its time
//! to be delivered in begins when its turn comes. Without a limit none of this is asked.

use crate::clock::Timestamp;
use crate::store::{Store, StoreError, Tx, text};

const MINUTE: i64 = 60_000_000;

/// So many e-mails may be begun in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MailPace(i64);

impl MailPace {
    /// `None` for 0: no limit.
    pub(crate) fn new(most_a_minute: u32) -> Option<Self> {
        (most_a_minute > 0).then(|| Self(most_a_minute.into()))
    }

    /// So many at once.
    const fn at_once(self) -> i64 {
        (self.0 + 9) / 10
    }

    /// Microseconds until there is room for one more; rounded up. With those that go at once, a minute has no more
    /// than it may.
    const fn apart(self) -> i64 {
        let spread = self.0 - self.at_once() + 1;
        (MINUTE + spread - 1) / spread
    }

    /// How many may be begun; `full_at` is when the bucket is full again.
    fn free(self, full_at: i64, now: i64) -> i64 {
        let lacking = self.lacking(full_at, now);
        (self.at_once() * self.apart() - lacking) / self.apart()
    }

    /// When it is full again, after so many were begun.
    fn after(self, full_at: i64, now: i64, begun: i64) -> i64 {
        now + self.lacking(full_at, now) + begun * self.apart()
    }

    /// More than the bucket holds was remembered by a clock that was set back since, or under another limit. It says
    /// nothing: to wait for it could be to wait for days.
    fn lacking(self, full_at: i64, now: i64) -> i64 {
        let lacking = full_at.saturating_sub(now).max(0);
        if lacking > self.at_once() * self.apart() {
            0
        } else {
            lacking
        }
    }
}

impl Store {
    /// The same, and in a minute no more e-mails than so many are begun, by all processes together that were told so;
    /// 0: as many as there are.
    #[must_use]
    pub fn pacing_mail(mut self, most_a_minute: u32) -> Self {
        self.mail_pace = MailPace::new(most_a_minute);
        self
    }

    /// How many e-mails may be begun now, for who only looks.
    pub(super) async fn mail_free(&self, pace: MailPace, now: Timestamp) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT value FROM remembered WHERE name = 'mail_pace'")
            .fetch_optional(self.reader())
            .await?;
        let full_at = row.map(|row| text(&row, "value")).transpose()?;
        let free = pace.free(read(full_at), self.lease_time(now).micros());
        Ok(u32::try_from(free).unwrap_or(0))
    }

    /// How many may be begun, for who takes them; nobody else does until the end of the transaction.
    pub(super) async fn mail_turn(&self, tx: &mut Tx, pace: MailPace, now: i64) -> Result<Turn, StoreError> {
        self.alone(tx, "mail_pace").await?;
        let row = sqlx::query("SELECT value FROM remembered WHERE name = 'mail_pace'")
            .fetch_optional(&mut **tx)
            .await?;
        let full_at = read(row.map(|row| text(&row, "value")).transpose()?);
        Ok(Turn { pace, full_at, now })
    }
}

fn read(value: Option<String>) -> i64 {
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// The right to begin some.
pub(super) struct Turn {
    pace: MailPace,
    full_at: i64,
    now: i64,
}

impl Turn {
    pub(super) fn free(&self) -> usize {
        usize::try_from(self.pace.free(self.full_at, self.now)).unwrap_or(0)
    }

    pub(super) async fn took(&self, tx: &mut Tx, begun: usize) -> Result<(), StoreError> {
        if begun == 0 {
            return Ok(());
        }
        let begun = i64::try_from(begun).unwrap_or(i64::MAX);
        let full_at = self.pace.after(self.full_at, self.now, begun);
        sqlx::query("INSERT INTO remembered (name, value) VALUES ('mail_pace', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(full_at.to_string())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whoever comes, whenever and for however many.
        #[test]
        fn no_minute_has_more_than_it_may_and_none_that_is_asked_for_starves(
            most in 1_u32..2_000,
            asked in proptest::collection::vec((0_i64..20_000_000, 0_i64..400), 1..60),
        ) {
            let pace = MailPace::new(most).unwrap();
            let (mut now, mut full_at) = (1_700_000_000_000_000, 0);
            let mut begun: Vec<(i64, i64)> = Vec::new();
            for (pause, wanted) in asked {
                now += pause;
                let many = wanted.min(pace.free(full_at, now));
                full_at = pace.after(full_at, now, many);
                begun.push((now, many));
                let minute: i64 = begun.iter().filter(|(at, _)| *at > now - MINUTE).map(|(_, many)| many).sum();
                prop_assert!(minute <= i64::from(most), "{minute} of {most}");
            }
            prop_assert!(pace.free(full_at, now + MINUTE) >= 1);
        }

        #[test]
        fn whatever_is_remembered_nobody_waits_longer_than_a_minute_for_it(
            most in 1_u32..5_000,
            full_at in proptest::prop_oneof![proptest::num::i64::ANY, 1_699_999_900_000_000_i64..1_700_000_200_000_000],
        ) {
            let pace = MailPace::new(most).unwrap();
            let now = 1_700_000_000_000_000;
            for at in [now, now + MINUTE] {
                prop_assert!((0..=pace.at_once()).contains(&pace.free(full_at, at)));
            }
            prop_assert!(pace.free(full_at, now) >= 1 || pace.free(full_at, now + MINUTE) >= 1);
        }
    }

    #[test]
    fn a_steady_stream_gets_nearly_all_of_it() {
        for most in [1, 7, 30, 600] {
            let pace = MailPace::new(most).unwrap();
            let (mut full_at, mut many) = (0, 0);
            // Ten minutes, looked at each second, as the sweep does.
            for second in 0..600 {
                let now = 1_700_000_000_000_000 + second * 1_000_000;
                let free = pace.free(full_at, now);
                full_at = pace.after(full_at, now, free);
                many += free;
            }
            let most = i64::from(most) * 10;
            assert!(many <= most && many >= most * 8 / 10, "{many} of {most}");
        }
        assert_eq!(MailPace::new(0), None);
    }
}
