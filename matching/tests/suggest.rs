//! Finding the name an account holder is likely to be, among many.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may stop"
)]

use eencent_matching::Index;
use proptest::prelude::*;

const TRADES: [&str; 12] = [
    "Bakkerij",
    "Slagerij",
    "Bouwbedrijf",
    "Garage",
    "Kapsalon",
    "Administratiekantoor",
    "Hoveniersbedrijf",
    "Transport",
    "Visserij",
    "Installatietechniek",
    "Fysiotherapie",
    "Advies",
];
const PLACES: [&str; 8] = [
    "Zeewolde",
    "Lutjebroek",
    "Breukelen",
    "Vaals",
    "Den Helder",
    "Assen",
    "Goes",
    "Nederland",
];
const FORMS: [&str; 4] = ["B.V.", "B.V.", "V.O.F.", "Stichting"];

/// An invented word, another for every number.
fn word(mut number: u32) -> String {
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b"bdfgklmnprstvwz"[usize::try_from(number % 15).unwrap()]));
        number /= 15;
        word.push(char::from(b"aeiou"[usize::try_from(number % 5).unwrap()]));
        number /= 5;
    }
    let capital = word.remove(0).to_ascii_uppercase();
    format!("{capital}{word}")
}

fn name(number: u32) -> String {
    let pick =
        |list: &[&'static str], salt: u32| list[usize::try_from(number.wrapping_mul(salt) >> 7).unwrap() % list.len()];
    let (trade, place, form) = (pick(&TRADES, 2_654_435_761), pick(&PLACES, 40_503), pick(&FORMS, 97));
    // A word is shared by some three names.
    let brand = word(number / 3 * 7919);
    match form {
        "Stichting" => format!("Stichting {trade} {brand} {place}"),
        form => format!("{trade} {brand} {place} {form}"),
    }
}

/// What an account makes of a name.
type Way = Box<dyn Fn(&str) -> String>;

fn index() -> Index {
    (0..50_000).map(|number| (number, name(number))).collect()
}

#[test]
fn the_right_name_is_among_the_first_five_however_the_account_writes_it() {
    let index = index();
    let cut = |text: &str| text.chars().take(35).collect::<String>();
    let ways: [(&str, Way); 8] = [
        ("as registered", Box::new(str::to_owned)),
        (
            "capitals without dots",
            Box::new(|name| name.to_uppercase().replace('.', "")),
        ),
        (
            "without its form",
            Box::new(|name| name.replace(" B.V.", "").replace("Stichting ", "")),
        ),
        ("a word added", Box::new(|name| format!("{name} crediteuren"))),
        (
            "words in another order",
            Box::new(|name| name.split(' ').rev().collect::<Vec<_>>().join(" ")),
        ),
        (
            "with an owner in front",
            Box::new(|name| format!("J. de Vries h/o {name}")),
        ),
        ("cut at 35", Box::new(move |name| cut(name))),
        (
            "one letter off",
            Box::new(|name| {
                let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
                let at = usize::from(words[0] == "Stichting") + 1;
                words[at].replace_range(5..6, "q");
                words.join(" ")
            }),
        ),
    ];
    for (way, changed) in ways {
        let missed: Vec<String> = (0..50_000)
            .step_by(997)
            .filter(|key| {
                !index
                    .suggest(&changed(&name(*key)), 5)
                    .iter()
                    .any(|found| found.key == *key)
            })
            .map(|key| changed(&name(key)))
            .collect();
        assert!(missed.is_empty(), "{way}: {missed:?}");
    }
}

#[test]
fn words_glued_or_split_are_found() {
    let index: Index = (0..)
        .zip([
            "RebLL Network B.V.",
            "Zeewolf Visserij B.V.",
            "Meeuwenkolonie B.V.",
            "Kwal B.V.",
        ])
        .collect();
    for (asked, key) in [
        ("REBLLNETWORK BV", 0),
        ("Zee wolf Visserij", 1),
        ("MEEUWEN KOLONIE BV", 2),
        ("Kwall B.V.", 3),
    ] {
        assert_eq!(
            index.suggest(asked, 1).first().map(|found| found.key),
            Some(key),
            "{asked}"
        );
    }
    assert!(index.suggest("Stichting Niets Daarvan", 5).is_empty());
}

#[test]
fn one_organisation_is_suggested_once() {
    let index: Index = [(7, "Zeewolf B.V."), (7, "De Zeewolf"), (8, "Zeewolf Beheer B.V.")]
        .into_iter()
        .collect();
    let found: Vec<(u32, &str)> = index
        .suggest("ZEEWOLF BV", 10)
        .iter()
        .map(|found| (found.key, found.name))
        .collect();
    assert_eq!(found, [(7, "Zeewolf B.V."), (8, "Zeewolf Beheer B.V.")]);
    assert_eq!(index.suggest("Zeewolf B.V.", 1)[0].likeness, 100);
}

#[test]
fn nothing_is_found_where_there_is_nothing() {
    let empty: Index = std::iter::empty::<(u32, &str)>().collect();
    assert!(empty.is_empty() && empty.suggest("Zeewolf", 5).is_empty());
    let index = index();
    for asked in ["", " .-", "Морской волк", "\u{200b}"] {
        assert!(index.suggest(asked, 5).is_empty(), "{asked:?}");
    }
    assert!(index.suggest("Bakkerij", 0).is_empty());
}

#[test]
fn fault_49_hostile_questions_are_answered() {
    let index = index();
    for pattern in ["a", "ba ", "B.V. ", "Bakkerij ", "Bakkerij Zeewolde B.V. ", "é", "& "] {
        let asked: String = pattern.chars().cycle().take(5000).collect();
        assert!(index.suggest(&asked, 5).len() <= 5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_name_itself_is_the_likeliest(names in prop::collection::vec("[A-Za-z&. ]{0,30}", 1..30), pick in any::<prop::sample::Index>()) {
        let index: Index = (0..).zip(&names).collect();
        let asked = pick.get(&names);
        let found = index.suggest(asked, 100);
        prop_assert!(found.is_sorted_by(|a, b| a.likeness >= b.likeness));
        if asked.chars().any(char::is_alphabetic) && asked.split([' ', '&', '.']).any(|word| !["", "en", "et"].contains(&word.to_lowercase().as_str()) && word.to_lowercase() != "and" && word.to_lowercase() != "und") {
            prop_assert_eq!(found.first().map(|found| found.likeness), Some(100));
            prop_assert!(found.iter().any(|found| found.name == asked && found.likeness == 100));
        }
    }

    #[test]
    fn any_text_is_answered_and_never_with_too_many(names in prop::collection::vec("\\PC{0,40}", 0..20), asked in "\\PC{0,60}", limit in 0usize..10) {
        let index: Index = (0..).zip(&names).collect();
        prop_assert!(index.suggest(&asked, limit).len() <= limit);
        prop_assert_eq!(index.suggest(&asked, limit), index.suggest(&asked, limit));
    }
}
