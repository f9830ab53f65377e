//! Bars of the overview: one for each hour, as shapes whose sizes are attributes, which no policy forbids.

use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::Flow;
use serde::Serialize;

/// How high bars may get.
const HIGH: i64 = 56;

/// How wide an hour is.
const WIDE: i64 = 10;

/// One figure: the bars of a day.
#[derive(Debug, Serialize)]
pub(super) struct Bars {
    /// What they are of, by its stable name.
    pub what: &'static str,
    /// All of them together; the most of them for what isn't added up.
    pub total: i64,
    /// Of these, the upper parts.
    pub upper_total: i64,
    /// The most in one hour, and which.
    pub most: i64,
    /// When that hour began.
    pub most_at: Option<Timestamp>,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One hour: two parts on top of each other.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    pub from: Timestamp,
    pub x: i64,
    pub lower: i64,
    pub lower_y: i64,
    pub lower_high: i64,
    pub upper: i64,
    pub upper_y: i64,
    pub upper_high: i64,
}

/// The figures of a day.
pub(super) fn all(hours: &[Flow]) -> Vec<Bars> {
    vec![
        bars("received", hours, |hour| (hour.taken, hour.refused)),
        bars("decided", hours, |hour| {
            (hour.decided.saturating_sub(hour.to_review), hour.to_review)
        }),
        bars("waiting", hours, |hour| (hour.waiting, 0)),
        bars("failed", hours, |hour| (hour.failed, hour.given_up)),
    ]
}

fn bars(what: &'static str, hours: &[Flow], parts: impl Fn(&Flow) -> (i64, i64)) -> Bars {
    let both = |hour: &Flow| {
        let (lower, upper) = parts(hour);
        lower.saturating_add(upper)
    };
    let highest = hours.iter().max_by_key(|hour| both(hour)).filter(|hour| both(hour) > 0);
    let most = highest.map_or(0, &both);
    // What there is, is seen, however little.
    let high = |many: i64| {
        if many == 0 {
            0
        } else {
            (many.saturating_mul(HIGH) / most.max(1)).max(1)
        }
    };
    let drawn = (0..).zip(hours).map(|(place, hour)| {
        let (lower, upper) = parts(hour);
        let (lower_high, upper_high) = (high(lower), high(upper));
        Bar {
            from: hour.from,
            x: place * WIDE,
            lower,
            lower_y: HIGH - lower_high,
            lower_high,
            upper,
            upper_y: (HIGH - lower_high - upper_high).max(0),
            upper_high,
        }
    });
    Bars {
        what,
        total: match what {
            "waiting" => most,
            _ => hours.iter().map(both).sum(),
        },
        upper_total: hours.iter().map(|hour| parts(hour).1).sum(),
        most,
        most_at: highest.map(|hour| hour.from),
        bars: drawn.collect(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    fn hour(taken: i64, refused: i64) -> Flow {
        Flow {
            from: Timestamp::from_micros(0),
            taken,
            refused,
            decided: 0,
            approved: 0,
            to_review: 0,
            failed: 0,
            given_up: 0,
            waiting: 0,
        }
    }

    #[test]
    fn the_highest_bar_is_as_high_as_can_be_and_the_least_is_seen() {
        let all = all(&[hour(0, 0), hour(1, 0), hour(900, 100)]);
        let received = all.first().unwrap();
        assert_eq!(
            (received.total, received.upper_total, received.most),
            (1_001, 100, 1_000)
        );
        let sizes: Vec<_> = received
            .bars
            .iter()
            .map(|bar| (bar.lower_high, bar.upper_high))
            .collect();
        assert_eq!(sizes, [(0, 0), (1, 0), (50, 5)]);
        // An idle day has figures as well.
        assert!(all.iter().skip(1).all(|bars| bars.most == 0 && bars.most_at.is_none()));
    }
}
