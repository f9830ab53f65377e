//! How messages were answered, and after how long.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// 2xx: it is kept.
    Accepted,
    /// 429 or 503: to be sent again later.
    Deferred,
    /// Any other status.
    Refused,
    /// No answer: the connection broke, or it took too long.
    Unanswered,
}

impl Settled {
    pub const fn from_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            429 | 503 => Self::Deferred,
            _ => Self::Refused,
        }
    }
}

/// Counted answers. Every latency is kept, four bytes each, so that the rarest ones are exact.
#[derive(Debug, Default)]
pub struct Answers {
    counts: BTreeMap<u8, u64>,
    /// Microseconds, of all that were answered.
    latencies: Vec<u32>,
}

impl Answers {
    pub fn count(&mut self, settled: Settled, latency: Duration) {
        *self.counts.entry(settled as u8).or_default() += 1;
        if settled != Settled::Unanswered {
            self.latencies
                .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        }
    }

    pub fn add(&mut self, other: Self) {
        for (settled, many) in other.counts {
            *self.counts.entry(settled).or_default() += many;
        }
        self.latencies.extend(other.latencies);
    }

    pub fn report(mut self, counted_for: Duration) -> Report {
        self.latencies.sort_unstable();
        let many = |settled: Settled| self.counts.get(&(settled as u8)).copied().unwrap_or(0);
        let accepted = many(Settled::Accepted);
        let per_second = accepted as f64 / counted_for.as_secs_f64();
        Report {
            seconds: counted_for.as_secs(),
            accepted,
            accepted_per_second: (per_second * 10.0).round() / 10.0,
            deferred: many(Settled::Deferred),
            refused: many(Settled::Refused),
            unanswered: many(Settled::Unanswered),
            p50_ms: self.at_most(500),
            p99_ms: self.at_most(990),
            p999_ms: self.at_most(999),
            max_ms: self.at_most(1_000),
        }
    }

    /// The latency that so many of a thousand answers didn't exceed, in milliseconds.
    fn at_most(&self, of_thousand: usize) -> Option<f64> {
        let place = (self.latencies.len() * of_thousand).div_ceil(1_000).checked_sub(1)?;
        self.latencies.get(place).map(|micros| f64::from(*micros) / 1_000.0)
    }
}

/// What is told of a load.
#[derive(Debug, Serialize)]
pub struct Report {
    seconds: u64,
    /// Answered with 2xx.
    pub accepted: u64,
    accepted_per_second: f64,
    /// Answered with 429 or 503.
    deferred: u64,
    /// Answered otherwise.
    refused: u64,
    unanswered: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    p999_ms: Option<f64>,
    max_ms: Option<f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, accepted, .. } = self;
        writeln!(
            f,
            "accepted    {accepted} in {seconds} s: {} a second",
            self.accepted_per_second
        )?;
        writeln!(f, "deferred    {} (429, 503)", self.deferred)?;
        writeln!(f, "refused     {} (any other status)", self.refused)?;
        writeln!(f, "unanswered  {}", self.unanswered)?;
        let ms = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1} ms"));
        writeln!(
            f,
            "latency     p50 {}, p99 {}, p99.9 {}, longest {}",
            ms(self.p50_ms),
            ms(self.p99_ms),
            ms(self.p999_ms),
            ms(self.max_ms)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_answers_and_of_no_others() {
        let (mut one, mut other) = (Answers::default(), Answers::default());
        for millis in 1..=999 {
            let answers = if millis % 2 == 0 { &mut one } else { &mut other };
            answers.count(Settled::from_status(200), Duration::from_millis(millis));
        }
        one.count(Settled::from_status(503), Duration::from_secs(7));
        one.count(Settled::from_status(401), Duration::from_millis(1));
        one.count(Settled::Unanswered, Duration::from_secs(10));
        one.add(other);
        let report = one.report(Duration::from_secs(10));
        assert_eq!(
            (report.accepted, report.deferred, report.refused, report.unanswered),
            (999, 1, 1, 1)
        );
        assert_eq!((report.p50_ms, report.max_ms), (Some(500.0), Some(7_000.0)));
        assert_eq!((report.p99_ms, report.accepted_per_second), (Some(990.0), 99.9));
    }

    #[test]
    fn nothing_answered_has_no_latency() {
        let report = Answers::default().report(Duration::from_secs(1));
        assert!(report.p50_ms.is_none() && report.to_string().contains("p50 –"));
    }
}
