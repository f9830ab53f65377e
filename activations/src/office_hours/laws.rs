#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::time::Duration;

use proptest::prelude::*;

use super::tests::at;
use super::*;

/// Expressions and zones in which something odd happens at the changes of the clock.
fn offices() -> impl Strategy<Value = OfficeHours> {
    let expressions = prop::sample::select(vec![
        "Mo-Fr 09:00-17:00; PH off",
        "Mo-Fr 08:17-12:01,13:03-17:59; PH off; Dec 24 Mo-Fr 09:00-12:00",
        "Mo-Su 02:30-04:00",
        "Mo-Su 01:00-02:15,02:45-03:10,23:30-24:10",
        "24/7; Su 02:00-03:00 off",
    ]);
    let zones = prop::sample::select(vec![
        "Europe/Amsterdam",
        "America/Havana",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "UTC",
    ]);
    (expressions, zones)
        .prop_map(|(expression, zone)| OfficeHours::parse(expression, zone, at("2020-01-01 00:00:00")).unwrap())
}

/// Anywhere from 2020 to 2060, and often within a day of a change of the clock in Amsterdam.
fn instants() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (at("2020-01-01 00:00:00").micros(), at("2060-01-01 00:00:00").micros());
    let changes = prop::sample::select(vec!["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"])
        .prop_flat_map(|change| (at(change).micros() - days(1))..(at(change).micros() + days(1)));
    prop_oneof![first..last, changes].prop_map(Timestamp::from_micros)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_next_opening_is_the_first_open_instant_from_then_on(office in offices(), from in instants()) {
        let next = office.next_opening(from).unwrap();
        prop_assert!(next >= from);
        prop_assert!(office.is_open(next));
        prop_assert_eq!(office.next_opening(next), Some(next));
        prop_assert_eq!(office.is_open(from), next == from);
        let minute = Duration::from_secs(60);
        let mut before = next.minus(Duration::from_micros(1));
        for _ in 0..2_000 {
            if before < from {
                break;
            }
            prop_assert!(!office.is_open(before), "open at {} already, not at {}", before, next);
            before = before.minus(minute);
        }
    }

    #[test]
    fn nothing_takes_effect_before_it_is_decided(
        office in offices(),
        paid in proptest::option::of(instants()),
        decided in instants(),
    ) {
        let effect = office.takes_effect(paid, decided).unwrap();
        prop_assert!(effect >= decided);
        prop_assert!(effect == decided || office.is_open(effect));
        prop_assert!(!paid.is_some_and(|paid| office.is_open(paid)) || effect == decided);
    }

    #[test]
    fn no_expression_stops_the_program(
        parts in proptest::collection::vec(prop::sample::select(vec![
            "Mo", "-", "Fr", " ", "09:00", "17:00", ";", ",", "PH", "off", "easter", "+1 day", "-2 days",
            "Dec", "24", "2026", "week", "53", "[-1]", "||", "24/7", "\"x\"", "unknown", "02:30", "/", "+", "Feb 29",
        ]), 0..12),
        from in instants(),
    ) {
        if let Ok(office) = OfficeHours::parse(&parts.concat(), "Europe/Amsterdam", from) {
            prop_assert!(office.next_opening(from).is_some_and(|next| next >= from));
        }
    }
}
