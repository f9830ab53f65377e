//! Instants as people tell them: local time, in words, in Dutch or English.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeZone, Timelike as _};

use crate::language::Language;

const DAYS: [(&str, &str); 7] = [
    ("Monday", "maandag"),
    ("Tuesday", "dinsdag"),
    ("Wednesday", "woensdag"),
    ("Thursday", "donderdag"),
    ("Friday", "vrijdag"),
    ("Saturday", "zaterdag"),
    ("Sunday", "zondag"),
];

const MONTHS: [(&str, &str); 12] = [
    ("January", "januari"),
    ("February", "februari"),
    ("March", "maart"),
    ("April", "april"),
    ("May", "mei"),
    ("June", "juni"),
    ("July", "juli"),
    ("August", "augustus"),
    ("September", "september"),
    ("October", "oktober"),
    ("November", "november"),
    ("December", "december"),
];

/// `maandag 12 januari 2026 om 09:00`, `Monday 12 January 2026 at 09:00`.
pub fn told<Zone: TimeZone>(at: &DateTime<Zone>, language: Language) -> String {
    let pick = |pair: Option<&(&'static str, &'static str)>| {
        pair.map_or("", |(en, nl)| if language == Language::Dutch { nl } else { en })
    };
    let day = pick(DAYS.get(at.weekday().num_days_from_monday() as usize));
    let at_word = if language == Language::Dutch { "om" } else { "at" };
    let date = day_told(at.date_naive(), language);
    format!("{day} {date} {at_word} {:02}:{:02}", at.hour(), at.minute())
}

/// `12 januari 2026`, `12 January 2026`.
pub fn day_told(day: NaiveDate, language: Language) -> String {
    let (en, nl) = MONTHS.get(day.month0() as usize).copied().unwrap_or_default();
    let month = if language == Language::Dutch { nl } else { en };
    format!("{} {month} {}", day.day(), day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_in_words() {
        let at = chrono_tz::Europe::Amsterdam
            .with_ymd_and_hms(2026, 1, 12, 9, 0, 0)
            .unwrap();
        assert_eq!(told(&at, Language::Dutch), "maandag 12 januari 2026 om 09:00");
        assert_eq!(told(&at, Language::English), "Monday 12 January 2026 at 09:00");
    }
}
