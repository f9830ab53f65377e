#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::entropy::CountedEntropy;

/// Gives the same bytes every time.
struct Fixed([u8; 16]);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        buffer.copy_from_slice(&self.0);
        Ok(())
    }
}

struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

/// Puts a separator after every fourth character.
fn grouped(text: &str, separator: &str) -> String {
    let groups: Vec<&str> = (0..text.len())
        .step_by(4)
        .filter_map(|at| text.get(at..text.len().min(at + 4)))
        .collect();
    groups.join(separator)
}

#[test]
fn a_new_reference_is_a_creditor_reference_without_look_alikes() {
    let entropy = CountedEntropy::default();
    let mut given = HashSet::new();
    for _ in 0..2_000 {
        let reference = Reference::generate(&entropy).unwrap();
        let text = reference.as_str();
        assert_eq!(text.len(), 16);
        assert!(has_right_check_digits(text), "{text}");
        assert!(
            text.bytes()
                .skip(4)
                .all(|b| !b"01OIL".contains(&b) && ALPHABET.contains(&b))
        );
        assert_eq!(Reference::parse(text), Ok(reference.clone()));
        assert!(given.insert(reference), "given twice");
    }
}

#[test]
fn each_character_is_as_likely_in_each_place() {
    let entropy = CountedEntropy::default();
    let mut counts = vec![[0_u32; 256]; OWN_CHARS];
    for _ in 0..31_000 {
        let reference = Reference::generate(&entropy).unwrap();
        for (count, b) in counts.iter_mut().zip(reference.as_str().bytes().skip(HEAD)) {
            *count.get_mut(usize::from(b)).unwrap() += 1;
        }
    }
    for count in counts {
        for b in ALPHABET {
            let seen = *count.get(usize::from(*b)).unwrap();
            assert!((820..1_180).contains(&seen), "{} came {seen} times", char::from(*b));
        }
    }
}

#[test]
fn without_randomness_there_is_no_reference() {
    assert!(Reference::generate(&Dry).is_err());
}

#[test]
fn check_digits_are_those_of_the_standard() {
    // RF18 5390 0754 7034 is the example of the standard's own explanations.
    for right in ["RF18539007547034", "RF712348231", "RF332348236", "RF45G72UUR"] {
        assert!(has_right_check_digits(right), "{right}");
    }
    for wrong in [
        "RF19539007547034",
        "RF18539007547043",
        "RF",
        "RF18",
        "RF00A",
        "RFXXA",
        "RF+8A",
    ] {
        assert!(!has_right_check_digits(wrong), "{wrong}");
    }
}

#[test]
fn any_reference_from_elsewhere_is_kept_as_it_is() {
    for text in [
        "ACT-00000001",
        "act_01JD5W9A4H8S6P0D2E7XGK5NQM",
        "RF00wrong",
        "abcd",
        &"x".repeat(64),
    ] {
        assert_eq!(Reference::parse(text).map(|r| r.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "abc", " abcd", "ab cd", "abcd\n", "abcdé", "a.bcd", &"x".repeat(65)] {
        assert_eq!(Reference::parse(text), Err(NotAReference), "{text:?}");
    }
    assert_eq!(
        serde_json::to_string(&Reference::parse("ACT-00000001").unwrap()).unwrap(),
        "\"ACT-00000001\""
    );
    assert!(serde_json::from_str::<Reference>("\"a b\"").is_err());
}

#[test]
fn the_likeliest_reference_of_a_text_comes_first() {
    let own = Reference::generate(&Fixed([7; 16])).unwrap();
    let own = own.as_str();
    let lower = own.to_lowercase();
    for text in [
        own.to_owned(),
        lower.clone(),
        format!("Betalingskenmerk:{} factuur 2026-0042", grouped(own, " ")),
        format!("betalingskenmerk{lower}bedankt"),
        format!("F2026-0042, RF18 5390 0754 7034 en {}.", grouped(&lower, "-")),
        format!("/RFB/{}", grouped(own, " \r\n ")),
        format!("RF R rf {}", grouped(own, "\u{A0}")),
    ] {
        assert_eq!(candidates(&text).first().map(String::as_str), Some(own), "{text}");
    }
    for (text, first) in [
        ("RF18 5390 0754 7034", "RF18539007547034"),
        ("rf 18 5390 0754 7034 20260310", "RF18539007547034"),
        ("RFI8 5390 0754 7034", "RF18539007547034"),
        ("20260310 kenmerk: ACT-00000001", "ACT-00000001"),
        ("act_01JD5W9A4H8S6P0D2E7XGK5NQM.", "act_01JD5W9A4H8S6P0D2E7XGK5NQM"),
        ("(ACT-00000001-)", "ACT-00000001"),
        ("factuur 12345678", "12345678"),
    ] {
        assert_eq!(candidates(text).first().map(String::as_str), Some(first), "{text}");
    }
}

#[test]
fn an_o_for_a_zero_in_the_check_digits_is_read_as_a_zero() {
    let with_zero = (0..=255)
        .map(|byte| Reference::generate(&Fixed([byte; 16])).unwrap().to_string())
        .find(|reference| reference.get(2..3) == Some("0"))
        .unwrap();
    let typed = format!("RFO{}", with_zero.get(3..).unwrap());
    assert_eq!(candidates(&typed).first(), Some(&with_zero));
    assert_eq!(
        candidates(&grouped(&typed.to_lowercase(), " ")).first(),
        Some(&with_zero)
    );
}

#[test]
fn a_mistyped_creditor_reference_is_only_a_word() {
    assert_eq!(candidates("RF18539007547043"), ["RF18539007547043"]);
    assert_eq!(candidates("RF18 5390 0754 7043"), ["RF18", "5390", "0754", "7043"]);
}

#[test]
fn a_text_without_digits_or_with_too_much_in_it_gives_few() {
    for text in [
        "",
        " ",
        "bedankt voor alles",
        "a1 b2",
        &"9".repeat(65),
        &"🦀".repeat(3_000),
    ] {
        assert!(candidates(text).is_empty(), "{text}");
    }
    let many: String = (1_000..1_400).map(|number| format!("{number} ")).collect();
    assert_eq!(candidates(&many).len(), MAX_CANDIDATES);
    assert!(candidates(&format!("{}ACT-00000001", " ".repeat(MAX_TEXT_CHARS))).is_empty());
}

#[test]
fn a_hostile_text_takes_no_time() {
    for text in [
        "RF".repeat(100_000),
        "RF -".repeat(100_000),
        "rf1 ".repeat(100_000),
        "RF98A ".repeat(100_000),
    ] {
        let started = Instant::now();
        candidates(&text);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

proptest! {
    #[test]
    fn a_given_reference_is_found_in_any_text_around_it(
        bytes: [u8; 16],
        before in prop_oneof![any::<String>(), "[RFrf0-9A-Za-z :/-]{0,60}"],
        after in prop_oneof![any::<String>(), "[RFrf0-9A-Za-z :/-]{0,60}"],
        lower: bool,
        separator in prop::sample::select(vec!["", " ", "-", "  ", "\u{A0}", "\n", " - "]),
    ) {
        let reference = Reference::generate(&Fixed(bytes)).unwrap();
        let mut written = grouped(reference.as_str(), separator);
        if lower {
            written = written.to_lowercase();
        }
        let found = candidates(&format!("{before}{written}{after}"));
        prop_assert!(found.iter().any(|one| one == reference.as_str()), "{:?}", found);
    }

    #[test]
    fn every_candidate_can_be_a_reference(text in prop_oneof![any::<String>(), "([RFrf0-9A-Z_-]{1,9}[ :]?){0,80}"]) {
        let found = candidates(&text);
        prop_assert!(found.len() <= MAX_CANDIDATES);
        for one in &found {
            prop_assert!(Reference::parse(one).is_ok(), "{}", one);
        }
    }

    /// A letter for a digit can go unnoticed, once in 97 times: it counts as two digits.
    #[test]
    fn a_wrong_letter_or_digit_is_noticed(
        bytes: [u8; 16],
        place in 0..OWN_CHARS,
        other in prop::sample::select(ALPHABET.to_vec()),
    ) {
        let right = Reference::generate(&Fixed(bytes)).unwrap().to_string();
        let mut typed = right.clone().into_bytes();
        let typed_over = typed.get_mut(HEAD + place).unwrap();
        prop_assume!(typed_over.is_ascii_digit() == other.is_ascii_digit());
        *typed_over = other;
        let typed = String::from_utf8(typed).unwrap();
        prop_assert_eq!(has_right_check_digits(&typed), typed == right);
    }
}

proptest! {
    #[test]
    fn a_betalingskenmerk_is_found_however_it_is_written(
        bytes: [u8; 16],
        before in prop::sample::select(vec!["", "BETALINGSKENMERK", "kenmerk:", "Betreft ", "/REMI/", "factuur 2026-00482 "]),
        after in prop::sample::select(vec!["", " dank u", "/", ".", " 21-11-2026"]),
        separator in prop::sample::select(vec!["", " ", "-", ".", "\n", " - "]),
        letters: bool,
    ) {
        let reference = Reference::generate_betalingskenmerk(&Fixed(bytes)).unwrap();
        prop_assert!(reference.is_betalingskenmerk() && !reference.is_creditor_reference());
        prop_assert_eq!(reference.grouped().replace(' ', ""), reference.as_str());
        let mut written = grouped(reference.as_str(), separator);
        if letters {
            // A letter never begins it.
            let (first, rest) = written.split_at(1);
            written = format!("{first}{}", rest.replace('0', "O").replace('1', "l"));
        }
        let found = candidates(&format!("{before}{written}{after}"));
        prop_assert!(found.iter().any(|one| one == reference.as_str()), "{:?}", found);
    }
}

#[test]
fn a_betalingskenmerk_within_a_longer_number_is_none() {
    let found = |text: &str| candidates(text).iter().any(|one| one == "5000056789012345");
    assert!(Reference::parse("5000056789012345").unwrap().is_betalingskenmerk());
    assert!(found("5000 0567 8901 2345") && found("x 5000056789012345Leverancier"));
    for text in [
        "15000056789012345",
        "50000567890123451",
        "500005678901234",
        "5000056789012346",
    ] {
        assert!(!found(text), "{text}");
    }
}

#[test]
fn most_slips_in_a_betalingskenmerk_show() {
    let (mut missed, mut slips) = (0_u32, 0_u32);
    for byte in 0..=255 {
        let right = Reference::generate_betalingskenmerk(&Fixed([byte; 16])).unwrap();
        for place in 0..16 {
            for digit in b'0'..=b'9' {
                let mut typed = right.as_str().as_bytes().to_vec();
                if std::mem::replace(typed.get_mut(place).unwrap(), digit) == digit {
                    continue;
                }
                slips += 1;
                let typed = Reference::parse(std::str::from_utf8(&typed).unwrap()).unwrap();
                missed += u32::from(typed.is_betalingskenmerk());
            }
        }
    }
    assert!(missed * 100 < slips * 3, "{missed} of {slips}");
}
