//! Instants as operators write them: a time, a day, or how long ago.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Europe::Amsterdam;
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};

/// Reads `2026-11-25T10:00:00Z`, `2026-11-25` (midnight in Amsterdam), or `90m`, `12h`, `3d` ago.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(Amsterdam).earliest();
        return midnight
            .map(|at| at.to_utc().into())
            .ok_or_else(|| format!("{text} has no midnight; write a time, such as {text}T01:00:00Z"));
    }
    ago(text).map(|span| SystemClock.now().minus(span)).ok_or_else(|| {
        "write a time (2026-11-25T10:00:00Z), a day (2026-11-25), or how long ago (90m, 12h, 3d)".to_owned()
    })
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let many: u64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(many.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_days_and_spans_are_read_and_nothing_else() {
        assert_eq!(
            parse("2026-03-10").map(|at| at.to_string()),
            Ok("2026-03-09T23:00:00Z".to_owned())
        );
        assert_eq!(
            parse("2026-07-10").map(|at| at.to_string()),
            Ok("2026-07-09T22:00:00Z".to_owned())
        );
        assert_eq!(
            parse("2026-03-10T09:00:00+01:00").map(|at| at.to_string()),
            Ok("2026-03-10T08:00:00Z".to_owned())
        );
        assert!(parse("90m").is_ok_and(|at| at < SystemClock.now()));
        for bad in ["", "m", "-1d", "1w", "yesterday", "2026-13-01"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
