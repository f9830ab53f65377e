#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;
use chrono::Weekday;

/// Wall time in Amsterdam, such as `2026-03-10 09:00:00`; RFC 3339 text with an offset as it is.
pub(super) fn at(text: &str) -> Timestamp {
    if let Some(exact) = Timestamp::parse_rfc3339(text) {
        return exact;
    }
    let wall = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    let zoned = chrono_tz::Europe::Amsterdam.from_local_datetime(&wall);
    Timestamp::from(zoned.single().unwrap().with_timezone(&Utc))
}

fn office(expression: &str) -> OfficeHours {
    OfficeHours::parse(expression, "Europe/Amsterdam", at("2020-01-01 00:00:00")).unwrap()
}

fn usual() -> OfficeHours {
    office(OfficeHours::DEFAULT_EXPRESSION)
}

/// Each row: decided (and paid) at, takes effect at.
fn takes_effect(office: &OfficeHours, rows: &[(&str, &str)]) {
    for (decided, effect) in rows {
        assert_eq!(office.takes_effect(None, at(decided)), Some(at(effect)), "{decided}");
        assert_eq!(
            office.takes_effect(Some(at(decided)), at(decided)),
            Some(at(effect)),
            "{decided}, paid then too"
        );
    }
}

/// Easter Sunday by Carter's rule (1900 to 2099), which shares nothing with the crate's.
fn easter(year: i32) -> NaiveDate {
    let mut moon = 225 - 11 * (year % 19);
    while moon > 50 {
        moon -= 30;
    }
    if moon > 48 {
        moon -= 1;
    }
    let weekday = (year + year / 4 + moon + 1) % 7;
    let march = NaiveDate::from_ymd_opt(year, 3, 1).unwrap();
    march + TimeDelta::days(i64::from(moon + 7 - weekday) - 1)
}

/// The public holidays of a year since 2014, by the law on working hours of civil servants.
fn dutch_holidays(year: i32) -> BTreeSet<NaiveDate> {
    let date = |month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let kings_day = match date(4, 27) {
        sunday if sunday.weekday() == Weekday::Sun => date(4, 26),
        other => other,
    };
    [0, 1, 39, 49, 50]
        .map(|days| easter(year) + TimeDelta::days(days))
        .into_iter()
        .chain([date(1, 1), kings_day, date(12, 25), date(12, 26)])
        .collect()
}

#[test]
fn fault_42_friday_17_00_00_waits_until_monday() {
    takes_effect(
        &usual(),
        &[
            ("2026-03-13 16:59:59", "2026-03-13 16:59:59"),
            ("2026-03-13 17:00:00", "2026-03-16 09:00:00"),
            ("2026-03-14 12:00:00", "2026-03-16 09:00:00"),
            ("2026-03-15 23:59:59", "2026-03-16 09:00:00"),
            ("2026-03-16 08:59:59", "2026-03-16 09:00:00"),
            ("2026-03-16 09:00:00", "2026-03-16 09:00:00"),
        ],
    );
}

#[test]
fn paid_at_16_59_and_handled_at_17_02_takes_effect_at_once() {
    let (paid, handled) = (at("2026-03-13 16:59:59"), at("2026-03-13 17:02:00"));
    assert_eq!(usual().takes_effect(Some(paid), handled), Some(handled));
    let (paid, handled) = (at("2026-03-14 03:00:00"), at("2026-03-16 10:00:00"));
    assert_eq!(usual().takes_effect(Some(paid), handled), Some(handled));
    let (paid, handled) = (at("2026-03-13 17:00:00"), at("2026-03-16 22:00:00"));
    let next = at("2026-03-17 09:00:00");
    assert_eq!(usual().takes_effect(Some(paid), handled), Some(next));
}

#[test]
fn early_on_a_tuesday_waits_until_nine_that_tuesday() {
    takes_effect(&usual(), &[("2026-03-10 07:00:00", "2026-03-10 09:00:00")]);
}

#[test]
fn fault_42_every_holiday_and_chain_of_them_waits_for_the_next_working_day() {
    takes_effect(
        &usual(),
        &[
            // Year's end: 1 January 2026 is a Thursday, that of 2027 a Friday.
            ("2025-12-31 17:00:00", "2026-01-02 09:00:00"),
            ("2026-12-31 17:00:00", "2027-01-04 09:00:00"),
            // Easter: from Good Friday, a working day, past Easter Monday.
            ("2026-04-03 12:00:00", "2026-04-03 12:00:00"),
            ("2026-04-03 17:00:00", "2026-04-07 09:00:00"),
            ("2026-04-06 10:00:00", "2026-04-07 09:00:00"),
            // King's Day on a Monday, and moved from Sunday to Saturday in 2025.
            ("2026-04-27 10:00:00", "2026-04-28 09:00:00"),
            ("2025-04-26 10:00:00", "2025-04-28 09:00:00"),
            ("2025-04-28 10:00:00", "2025-04-28 10:00:00"),
            // Ascension Day; the Friday after it is a working day.
            ("2026-05-13 18:00:00", "2026-05-15 09:00:00"),
            ("2026-05-14 12:00:00", "2026-05-15 09:00:00"),
            // Whit Sunday and Whit Monday.
            ("2026-05-22 17:00:00", "2026-05-26 09:00:00"),
            ("2026-05-25 09:00:00", "2026-05-26 09:00:00"),
            // Both days of Christmas on Friday and Saturday, and on Thursday and Friday.
            ("2026-12-24 18:00:00", "2026-12-28 09:00:00"),
            ("2026-12-25 12:00:00", "2026-12-28 09:00:00"),
            ("2025-12-24 18:00:00", "2025-12-29 09:00:00"),
            ("2025-12-26 12:00:00", "2025-12-29 09:00:00"),
            // 5 May is a working day by default.
            ("2026-05-05 10:00:00", "2026-05-05 10:00:00"),
        ],
    );
    // The moved King's Day lies on a Saturday: only an office that is open then can tell.
    let daily = office("Mo-Su 09:00-17:00; PH off");
    assert!(!daily.is_open(at("2025-04-26 12:00:00")));
    assert!(daily.is_open(at("2025-04-27 12:00:00")));
}

#[test]
fn fault_42_each_day_until_2060_is_open_from_nine_to_five_unless_weekend_or_holiday() {
    let office = usual();
    for year in 2024..=2060 {
        let holidays = dutch_holidays(year);
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        for date in first.iter_days().take_while(|date| date.year() == year) {
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let working = !weekend && !holidays.contains(&date);
            for (time, open) in [
                ("08:59:59", false),
                ("09:00:00", working),
                ("16:59:59", working),
                ("17:00:00", false),
            ] {
                assert_eq!(office.is_open(at(&format!("{date} {time}"))), open, "{date} {time}");
            }
        }
    }
}

#[test]
fn the_expression_can_close_good_friday_and_5_may_and_shorten_christmas_eve() {
    let office = office(
        "Mo-Fr 09:00-17:00; PH off; easter -2 days off; May 05 off; Dec 24 Mo-Fr 09:00-12:00; 2026 Aug 03-2026 Aug 07 off",
    );
    takes_effect(
        &office,
        &[
            ("2026-04-03 10:00:00", "2026-04-07 09:00:00"),
            ("2026-05-05 10:00:00", "2026-05-06 09:00:00"),
            ("2026-12-24 11:59:59", "2026-12-24 11:59:59"),
            ("2026-12-24 12:00:00", "2026-12-28 09:00:00"),
            ("2026-08-01 12:00:00", "2026-08-10 09:00:00"),
            ("2027-08-03 12:00:00", "2027-08-03 12:00:00"),
        ],
    );
    assert!(!office.is_open(at("2028-12-24 10:00:00")), "a Sunday stays closed");
}

#[test]
fn fault_41_a_change_of_the_clock_does_not_move_an_opening() {
    takes_effect(
        &usual(),
        &[
            ("2026-03-27T16:00:00Z", "2026-03-30T07:00:00Z"),
            ("2026-10-23T15:00:00Z", "2026-10-26T08:00:00Z"),
        ],
    );
    assert!(usual().is_open(at("2026-03-27T15:59:59Z")));
    assert!(usual().is_open(at("2026-10-23T14:59:59Z")));
}

#[test]
fn fault_41_an_opening_at_02_30_has_one_instant_on_the_night_that_skips_it() {
    let partly = office("Su 02:30-04:00");
    let change = at("2026-03-29T01:00:00Z");
    assert_eq!(partly.next_opening(at("2026-03-28 12:00:00")), Some(change));
    assert!(!partly.is_open(at("2026-03-29T00:59:59Z")));
    assert!(partly.is_open(at("2026-03-29T01:59:59Z")));
    assert!(!partly.is_open(at("2026-03-29T02:00:00Z")));

    let skipped = office("Su 02:15-02:45");
    let week_later = at("2026-04-05T00:15:00Z");
    assert_eq!(skipped.next_opening(at("2026-03-28 12:00:00")), Some(week_later));
}

#[test]
fn fault_41_an_opening_at_02_30_happens_once_on_the_night_that_repeats_it() {
    let late = office("Su 02:30-04:00");
    assert_eq!(
        late.next_opening(at("2026-10-24 12:00:00")),
        Some(at("2026-10-25T00:30:00Z"))
    );
    for open in ["2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z", "2026-10-25T02:59:59Z"] {
        assert!(late.is_open(at(open)), "{open}");
    }
    assert!(!late.is_open(at("2026-10-25T03:00:00Z")));

    let early = office("Su 01:00-02:30");
    assert!(early.is_open(at("2026-10-25T00:29:59Z")));
    for closed in ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:29:59Z"] {
        assert!(!early.is_open(at(closed)), "{closed}");
    }
}

#[test]
fn always_open_is_always_open() {
    let always = office("24/7");
    for instant in ["2026-03-29T01:30:00Z", "2026-10-25T01:30:00Z", "2026-12-25 12:00:00"] {
        assert_eq!(always.takes_effect(None, at(instant)), Some(at(instant)));
    }
    assert_eq!(always.holidays_known_until(), None);
    assert!(!always.holidays_end_soon(at("2090-01-01 00:00:00")));
}

#[test]
fn hours_past_midnight_run_on_into_the_next_day() {
    let night = office("Fr 22:00-26:00");
    assert!(night.is_open(at("2026-03-14 01:59:59")));
    assert!(!night.is_open(at("2026-03-14 02:00:00")));
}

#[test]
fn an_opening_years_away_is_found_in_a_moment() {
    let now = at("2026-03-10 12:00:00");
    for (expression, opens) in [
        ("2031 Jan 05 10:00-12:00", "2031-01-05 10:00:00"),
        ("2040 Mar 01-2040 Mar 31 Mo-Fr 09:00-17:00", "2040-03-01 09:00:00"),
        ("2075 Dec 31 09:00-17:00", "2075-12-31 09:00:00"),
    ] {
        let started = Instant::now();
        let office = OfficeHours::parse(expression, "Europe/Amsterdam", now).unwrap();
        assert_eq!(office.next_opening(now), Some(at(opens)), "{expression}");
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{expression}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn what_never_opens_again_is_refused_with_an_example() {
    let longest = vec!["2025 Feb 28 00:00-00:01"; 40].join("; ");
    for expression in [
        "off",
        "2025 Dec 01-2025 Dec 31 Mo-Fr 09:00-17:00",
        "Mo-Fr 09:00-17:00 unknown",
        "Mo-Fr 09:00-17:00; Mo-Su off",
        "2027 Jan-Jun off",
        &longest,
    ] {
        let started = Instant::now();
        let refusal = OfficeHours::parse(expression, "Europe/Amsterdam", at("2026-03-10 12:00:00"));
        assert!(
            matches!(refusal, Err(OfficeHoursError::NeverOpens { .. })),
            "{expression}: {refusal:?}"
        );
        assert!(
            refusal
                .unwrap_err()
                .to_string()
                .contains("such as `Mo-Fr 09:00-17:00; PH off`")
        );
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{expression}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn what_can_not_be_read_is_refused_with_an_example() {
    let now = at("2026-03-10 12:00:00");
    let refused = |expression: &str, zone: &str| OfficeHours::parse(expression, zone, now).unwrap_err().to_string();
    for expression in [
        "",
        " ",
        "weekdays nine to five",
        "Mo-Fr 09:00-25:99",
        "Ma-Vr 09:00-17:00",
    ] {
        assert!(
            refused(expression, "Europe/Amsterdam").contains("such as `Mo-Fr"),
            "{expression}"
        );
    }
    for zone in ["", "Amsterdam", "Europe/Amsterdm", "CET+1"] {
        assert!(refused("24/7", zone).contains("such as `Europe/Amsterdam`"), "{zone}");
    }
    assert!(refused("Mo-Fr sunrise-17:00", "UTC").contains("name times, such as"));
    assert!(refused("Mo-Fr 09:00-17:00; SH off", "UTC").contains("name the dates, such as"));
    for date in ["Jun 31", "2027 Feb 29", "Feb 30", "Jun 29-31", "Nov 31-Dec 24"] {
        let closed = format!("Mo-Fr 09:00-17:00; {date} off");
        assert!(refused(&closed, "UTC").contains("does not exist"), "{date}");
    }
    assert!(office("Mo-Fr 09:00-17:00; Feb 29 off").is_open(at("2027-03-01 12:00:00")));
    assert!(refused(&"24/7; ".repeat(400), "UTC").contains("leave out"));
}

#[test]
fn fault_43_the_end_of_the_holiday_calendar_is_told_90_days_ahead_and_then_nothing_opens() {
    let office = usual();
    let until = office.holidays_known_until().unwrap();
    assert!(until >= at("2061-01-01 00:00:00"));
    assert_eq!(office.local(until).format("%m-%d %H:%M").to_string(), "01-01 00:00");

    let days = |count: u64| Duration::from_secs(count * 86_400);
    assert!(!office.holidays_end_soon(until.minus(days(91))));
    assert!(office.holidays_end_soon(until.minus(days(90))));
    assert!(office.holidays_end_soon(until.plus(days(1))));

    for later in 0..14 {
        assert!(!office.is_open(until.plus(days(later) + days(1) / 2)));
    }
    assert_eq!(office.takes_effect(None, until), None);
    let refusal = OfficeHours::parse("Mo-Fr 09:00-17:00; PH off", "UTC", until.plus(days(2)));
    assert!(matches!(refusal, Err(OfficeHoursError::HolidaysUnknown { .. })));
    assert!(OfficeHours::parse("Mo-Fr 09:00-17:00", "UTC", until.plus(days(2))).is_ok());
}

#[test]
fn an_instant_from_the_far_ends_of_time_is_answered_too() {
    let always = office("24/7");
    let last = Timestamp::from_micros(i64::MAX);
    assert!(!always.is_open(last));
    assert_eq!(always.next_opening(last), None);
    let first = Timestamp::from_micros(i64::MIN);
    assert!(always.next_opening(first).unwrap() > first);
    assert_eq!(always.local(last).year(), 10_000, "one hour into it, in Amsterdam");
}

#[test]
fn another_zone_is_another_office_and_spaces_around_are_not() {
    let now = at("2026-03-10 12:00:00");
    let parse = |expression, zone| OfficeHours::parse(expression, zone, now).unwrap();
    let brussels = parse(" Mo-Fr 09:00-17:00 ", "Europe/Brussels");
    assert_eq!(brussels.expression(), "Mo-Fr 09:00-17:00");
    assert_eq!(brussels.zone(), chrono_tz::Europe::Brussels);
    assert_eq!(brussels, parse("Mo-Fr 09:00-17:00", "Europe/Brussels"));
    assert_ne!(brussels, parse("Mo-Fr 09:00-17:00", "Asia/Tokyo"));
    let in_tokyo = parse("Mo-Fr 09:00-17:00", "Asia/Tokyo");
    assert_eq!(
        in_tokyo.next_opening(at("2026-03-10T12:00:00Z")),
        Some(at("2026-03-11T00:00:00Z"))
    );
    assert_eq!(
        in_tokyo.local(at("2026-03-11T00:00:00Z")).to_rfc3339(),
        "2026-03-11T09:00:00+09:00"
    );
}
