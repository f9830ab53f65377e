//! When the office is open, and when an approval takes effect.
//!
//! The hours are written as an OpenStreetMap `opening_hours` expression and read in one time zone
//! with the Dutch public holidays (`PH`). Good Friday and 5 May are working days unless the
//! expression says otherwise. A later rule wins from an earlier one on the days it names, so `PH off`
//! stands behind the hours, and a short day says on which weekdays it counts:
//! `Mo-Fr 09:00-17:00; PH off; easter -2 days off; May 05 off; Dec 24 Mo-Fr 09:00-12:00`.
//!
//! A time on the wall becomes one instant, always: a time that the change to summer time skips is
//! the moment of the change, and a time that comes twice in autumn is its first occurrence. So an
//! opening happens once, none moves by an hour, and while the hour repeats the office stays as it
//! was at the hour's end.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use opening_hours::localization::Country;
use opening_hours::{Context, OpeningHours, RuleKind};
use opening_hours_syntax::rules::RuleSequence;
use opening_hours_syntax::rules::day::{Date, HolidayKind, MonthdayRange, WeekDayRange};
use opening_hours_syntax::rules::time::Time;

use crate::clock::Timestamp;

/// How far ahead an opening is looked for: 50 years, day by day. A bound, so that an expression
/// that never opens is found out in a moment rather than at the end of the calendar.
const SEARCH_DAYS: usize = 50 * 366;

/// The longest stretch that a time zone has ever skipped is a whole day (Samoa, 2011).
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// How long before the calendar of public holidays ends the operator is told.
const HOLIDAY_WARNING_DAYS: i64 = 90;

/// The first and last instants that wall time is told for: the years 1900 to 9999 in UTC, in
/// microseconds. An expression can't name any other year.
const FIRST_INSTANT: i64 = -2_208_988_800_000_000;
const LAST_INSTANT: i64 = 253_402_300_799_999_999;

/// Office hours: an expression, the time zone it is read in, and the Dutch public holidays.
///
/// Two are equal when their expression (as written) and zone are: what a change of settings is
/// recognised by.
#[derive(Clone)]
pub struct OfficeHours {
    expression: String,
    zone: Tz,
    hours: OpeningHours,
    /// The last year whose public holidays are known; none when the expression doesn't name them.
    last_holiday_year: Option<i32>,
}

/// Why an expression can't serve as office hours. Each sentence says what to write instead.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OfficeHoursError {
    /// The expression isn't in OpenStreetMap's syntax; the source says where it stops making sense.
    #[error(
        "the office hours `{expression}` can't be read: write them in OpenStreetMap's syntax, such as `{}`",
        OfficeHours::DEFAULT_EXPRESSION
    )]
    Syntax {
        /// What was written.
        expression: String,
        /// Where reading stopped.
        #[source]
        source: Box<opening_hours_syntax::Error>,
    },
    /// The expression is longer than [`OfficeHours::MAX_CHARS`].
    #[error(
        "the office hours take {chars} characters and may take {}: leave out days that have passed",
        OfficeHours::MAX_CHARS
    )]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// The zone isn't in the IANA time zone database.
    #[error(
        "`{zone}` is not a time zone: use a name from the IANA database, such as `{}`",
        OfficeHours::DEFAULT_ZONE
    )]
    UnknownZone {
        /// What was written.
        zone: String,
    },
    /// Sunrise, sunset, dawn or dusk: an office has no coordinates here to reckon them from.
    #[error(
        "the office hours `{expression}` follow the sun, and where the office stands is not known: name times, such as `Mo-Fr 08:30-17:00`"
    )]
    FollowsTheSun {
        /// What was written.
        expression: String,
    },
    /// `SH`: there is no calendar of Dutch school holidays.
    #[error(
        "the office hours `{expression}` name school holidays (SH), which are not known: name the dates, such as `2027 Jul 17-2027 Aug 29 off`"
    )]
    SchoolHolidays {
        /// What was written.
        expression: String,
    },
    /// A date that no year has, such as 31 June: it would be read as the whole year, or as never.
    #[error(
        "the office hours `{expression}` name a date that does not exist: look for a day past the end of its month, such as `Jun 31`"
    )]
    NoSuchDate {
        /// What was written.
        expression: String,
    },
    /// The expression names public holidays (`PH`) and the calendar of them has ended.
    #[error(
        "the calendar of public holidays ends with the year {last_year}: update this program, or name the closing days, such as `Dec 25-26 off`, instead of `PH off`"
    )]
    HolidaysUnknown {
        /// The last year that is known.
        last_year: i32,
    },
    /// Nothing opens in the 50 years to come.
    #[error(
        "the office hours `{expression}` never open from now on, so nothing would ever be activated: name days and times to come, such as `{}`",
        OfficeHours::DEFAULT_EXPRESSION
    )]
    NeverOpens {
        /// What was written.
        expression: String,
    },
}

impl OfficeHours {
    /// Working days from nine to five, closed on public holidays.
    pub const DEFAULT_EXPRESSION: &'static str = "Mo-Fr 09:00-17:00; PH off";

    /// The zone that the default expression is read in.
    pub const DEFAULT_ZONE: &'static str = "Europe/Amsterdam";

    /// The longest expression that is read, in characters: room for some thirty closing periods, and a
    /// bound to the time that it takes to find that nothing opens (seconds, at the very worst).
    pub const MAX_CHARS: usize = 1_000;

    /// Reads office hours. `expression` is in OpenStreetMap's syntax (`24/7` for always), `zone` an
    /// IANA name, `now` the time from which there has to be an opening (within 50 years).
    ///
    /// # Errors
    /// When the expression can't be read or is too long, the zone isn't known, the expression needs
    /// what isn't known here (the sun, school holidays, public holidays past the calendar's end)
    /// or names a date that doesn't exist, or it never opens after `now`.
    pub fn parse(expression: &str, zone: &str, now: Timestamp) -> Result<Self, OfficeHoursError> {
        let written = || expression.trim().to_owned();
        let chars = expression.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(OfficeHoursError::TooLong { chars });
        }
        let parsed_zone: Tz = zone
            .trim()
            .parse()
            .map_err(|_| OfficeHoursError::UnknownZone { zone: zone.to_owned() })?;
        let hours: OpeningHours = expression.trim().parse().map_err(|source| OfficeHoursError::Syntax {
            expression: written(),
            source: Box::new(source),
        })?;
        let rules = hours.get_expression();
        if rules.rules.iter().any(follows_the_sun) {
            return Err(OfficeHoursError::FollowsTheSun { expression: written() });
        }
        if rules.rules.iter().any(|rule| names_holidays(rule, HolidayKind::School)) {
            return Err(OfficeHoursError::SchoolHolidays { expression: written() });
        }

        if rules.rules.iter().any(names_no_date) {
            return Err(OfficeHoursError::NoSuchDate { expression: written() });
        }

        let holidays = Country::NL.holidays();
        let last_holiday_year = rules
            .rules
            .iter()
            .any(|rule| names_holidays(rule, HolidayKind::Public))
            .then(|| holidays.get_public().iter().last().map_or(0, |day| day.year()));
        let office = Self {
            expression: written(),
            zone: parsed_zone,
            hours: hours.with_context(Context::default().with_holidays(holidays)),
            last_holiday_year,
        };
        if let Some(last_year) = last_holiday_year
            && office.local(now).year() > last_year
        {
            return Err(OfficeHoursError::HolidaysUnknown { last_year });
        }
        if office.next_opening(now).is_none() {
            return Err(OfficeHoursError::NeverOpens {
                expression: office.expression,
            });
        }
        Ok(office)
    }

    /// The expression as it was written, without surrounding white space.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The time zone that the expression is read in.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Whether the office is open at this instant. The opening instant is open, the closing instant
    /// is closed; what the expression calls `unknown` is closed, and so is every day of a year whose
    /// public holidays the expression names and nobody knows yet.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.days_around(at)
            .take(3)
            .flat_map(|date| self.openings(date))
            .any(|(opens, closes)| opens <= at && at < closes)
    }

    /// The first instant from `at` on at which the office is open: `at` itself when it is open then,
    /// else the start of the next opening. `None` when there is none in the next 50 years, or the
    /// public holidays of the years to come aren't known: then a person has to decide.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        self.days_around(at)
            .take(SEARCH_DAYS)
            .flat_map(|date| self.openings(date))
            .map(|(opens, _)| opens)
            .find(|opens| *opens > at)
    }

    /// When an approval takes effect: at once (`decided_at`) when the payment was made or the
    /// decision falls within office hours, otherwise at the next opening after the decision.
    ///
    /// `paid_at` is when the payment was made (when the amount became complete, if it came in
    /// parts); `None` when only the moment of deciding counts, as for a reviewer. `None` comes back
    /// when no opening is known, as for [`Self::next_opening`].
    pub fn takes_effect(&self, paid_at: Option<Timestamp>, decided_at: Timestamp) -> Option<Timestamp> {
        if paid_at.is_some_and(|paid_at| self.is_open(paid_at)) {
            return Some(decided_at);
        }
        self.next_opening(decided_at)
    }

    /// Until when the public holidays are known: the first instant, in the office's zone, of the
    /// year after the last one in the calendar. `None` when the expression names no public holidays,
    /// and so doesn't depend on the calendar.
    pub fn holidays_known_until(&self) -> Option<Timestamp> {
        let first_day = NaiveDate::from_ymd_opt(self.last_holiday_year? + 1, 1, 1)?;
        self.instant(first_day, 0)
    }

    /// Whether the calendar of public holidays that the expression depends on ends within 90 days of
    /// `now`, or has ended: time to tell the operator.
    pub fn holidays_end_soon(&self, now: Timestamp) -> bool {
        self.holidays_known_until()
            .is_some_and(|until| until.micros() - days(HOLIDAY_WARNING_DAYS) <= now.micros())
    }

    /// The same instant on the office's wall clock, to show to people. Instants outside the years
    /// 1900 to 9999 show as the nearest end of that range.
    pub fn local(&self, at: Timestamp) -> DateTime<Tz> {
        let told = at.micros().clamp(FIRST_INSTANT, LAST_INSTANT);
        Timestamp::from_micros(told).to_utc().with_timezone(&self.zone)
    }

    /// The local dates from the day before `at` on. A day early, because in a repeated hour across
    /// midnight the date steps back, and three of them (yesterday, today, tomorrow) hold every
    /// opening that can be going on.
    fn days_around(&self, at: Timestamp) -> impl Iterator<Item = NaiveDate> + use<> {
        let today = self.local(at).date_naive();
        today.pred_opt().unwrap_or(today).iter_days()
    }

    /// When the office opens and closes on a local date, in order; an opening that falls within the
    /// hour that the change to summer time skips doesn't happen.
    fn openings(&self, date: NaiveDate) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let known = self.last_holiday_year.is_none_or(|last| date.year() <= last);
        // Day by day, not with the crate's own iterator over changes: that one has no bound on the
        // days it looks through, and it takes the second of two equal wall times.
        let schedule = known.then(|| self.hours.schedule_at(date));
        schedule
            .into_iter()
            .flatten()
            .filter(|span| span.kind == RuleKind::Open)
            .filter_map(move |span| {
                let opens = self.instant(date, span.range.start.mins_from_midnight())?;
                let closes = self.instant(date, span.range.end.mins_from_midnight())?;
                (opens < closes).then_some((opens, closes))
            })
    }

    /// The one instant of a wall time, `minutes` after the midnight that `date` begins with.
    fn instant(&self, date: NaiveDate, minutes: u16) -> Option<Timestamp> {
        let wall = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes.into());
        (0..=LONGEST_GAP_MINUTES)
            .find_map(|skipped| {
                let wall = wall + TimeDelta::minutes(skipped);
                self.zone.from_local_datetime(&wall).earliest()
            })
            .map(|at| Timestamp::from(at.with_timezone(&Utc)))
    }
}

impl fmt::Debug for OfficeHours {
    /// Without the calendar, which would fill a screen of the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfficeHours({:?}, {})", self.expression, self.zone)
    }
}

impl PartialEq for OfficeHours {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.zone == other.zone
    }
}

impl Eq for OfficeHours {}

/// So many days in microseconds.
const fn days(count: i64) -> i64 {
    count * 24 * 60 * 60 * 1_000_000
}

fn follows_the_sun(rule: &RuleSequence) -> bool {
    rule.time_selector.spans.iter().any(|span| {
        [span.range.start, span.range.end]
            .iter()
            .any(|time| matches!(time, Time::Variable(_)))
    })
}

fn names_holidays(rule: &RuleSequence, wanted: HolidayKind) -> bool {
    rule.day_selector
        .weekday
        .iter()
        .any(|day| matches!(day, WeekDayRange::Holiday { kind, .. } if *kind == wanted))
}

/// Whether a rule names a date that doesn't exist. Without a year, 29 February does.
fn names_no_date(rule: &RuleSequence) -> bool {
    const LEAP_YEAR: i32 = 2000;
    let exists = |date: &Date| match *date {
        Date::Fixed { year, month, day } => {
            let year = year.map_or(LEAP_YEAR, |year| *year);
            NaiveDate::from_ymd_opt(year, month.into(), day.into()).is_some()
        }
        Date::Easter { .. } | Date::Weekday { .. } => true,
    };
    rule.day_selector.monthday.iter().any(|range| match range {
        MonthdayRange::Date { start, end } => !exists(&start.0) || !exists(&end.0),
        MonthdayRange::Month { .. } => false,
    })
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
