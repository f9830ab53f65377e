//! What holds for every name.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use eencent_matching::{RegisteredNames, Verdict, compare, visible};
use proptest::prelude::*;

fn verdict(account: &str, legal: &str, trade: &[String], form: &str) -> Verdict {
    let names = RegisteredNames {
        legal_name: legal,
        trade_names: trade,
        legal_form: Some(form),
        country: None,
    };
    compare(account, &names).verdict
}

/// Invented words, long enough to be distinctive and ending in what no listed word ends in.
fn word() -> impl Strategy<Value = String> {
    "[A-Z][a-z]{3,8}ixq".prop_map(|word| word)
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..5).prop_map(|words| words.join(" "))
}

const FORMS: [(&str, &[&str]); 3] = [
    (
        "Besloten Vennootschap",
        &["B.V.", "BV", "b.v.", "B V", "B. V.", "Besloten Vennootschap"],
    ),
    (
        "Naamloze Vennootschap",
        &["N.V.", "NV", "n.v.", "N V", "naamloze vennootschap"],
    ),
    ("Commanditaire vennootschap", &["C.V.", "CV", "c.v.", "C V"]),
];

fn accented(text: &str) -> String {
    text.replace('e', "é")
        .replace('a', "à")
        .replace('u', "ú")
        .replace('n', "ñ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fault_52_a_distinctive_name_matches_itself(name in words()) {
        let legal = format!("{name} B.V.");
        prop_assert_eq!(verdict(&legal, &legal, &[], "Besloten Vennootschap"), Verdict::Match);
        prop_assert_eq!(verdict(&name, "Meeuw B.V.", std::slice::from_ref(&name), "Besloten Vennootschap"), Verdict::Match);
    }

    #[test]
    fn fault_46_case_and_accents_never_change_a_verdict(name in words(), other in words(), same in any::<bool>()) {
        let legal = format!("{name} B.V.");
        let account = if same { legal.clone() } else { format!("{other} B.V.") };
        let expected = verdict(&account, &legal, &[], "Besloten Vennootschap");
        for changed in [account.to_uppercase(), account.to_lowercase(), accented(&account)] {
            prop_assert_eq!(verdict(&changed, &legal, &[], "Besloten Vennootschap"), expected);
        }
        prop_assert_eq!(verdict(&account, &accented(&legal), &[], "Besloten Vennootschap"), expected);
    }

    #[test]
    fn the_notation_of_a_legal_form_never_changes_a_verdict(name in words(), mine in 0usize..3, theirs in 0usize..3) {
        let (wording, theirs_written) = *FORMS.get(theirs).unwrap();
        let (_, mine_written) = *FORMS.get(mine).unwrap();
        for registered in theirs_written {
            for account in mine_written {
                let found = verdict(&format!("{name} {account}"), &format!("{name} {registered}"), &[], wording);
                let expected = if mine == theirs { Verdict::Match } else { Verdict::Review };
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn fault_52_a_word_that_no_registered_name_has_never_makes_a_match(
        account in "[A-Za-z&. ]{0,40}",
        name in words(),
        trade in prop::collection::vec(words(), 0..3),
        added in "[b-d]{4,7}zzk",
        at in any::<prop::sample::Index>(),
    ) {
        let legal = format!("{name} B.V.");
        for account in [account, legal.clone(), name.clone()] {
            let mut parts: Vec<&str> = account.split(' ').collect();
            parts.insert(at.index(parts.len() + 1), &added);
            prop_assert_eq!(verdict(&parts.join(" "), &legal, &trade, "Besloten Vennootschap"), Verdict::Review);
        }
    }

    #[test]
    fn fault_52_a_word_before_or_behind_the_owner_of_a_business_never_makes_a_match(
        owner in "[A-Za-z. ]{0,12}",
        trade in words(),
        added in "[b-d]{4,7}zzk",
        at in any::<prop::sample::Index>(),
    ) {
        let account = format!("{owner} h/o {trade}");
        let trade = vec![trade];
        let legal = trade.first().unwrap();
        if verdict(&account, legal, &trade, "Eenmanszaak") == Verdict::Review {
            let mut parts: Vec<&str> = account.split(' ').collect();
            parts.insert(at.index(parts.len() + 1), &added);
            prop_assert_eq!(verdict(&parts.join(" "), legal, &trade, "Eenmanszaak"), Verdict::Review);
        }
    }

    #[test]
    fn fewer_trade_names_never_make_a_match_and_their_order_is_nothing(
        mut trade in prop::collection::vec(words(), 1..5),
        name in words(),
        pick in any::<prop::sample::Index>(),
    ) {
        let account = pick.get(&trade).clone();
        let legal = format!("{name} B.V.");
        let whole = verdict(&account, &legal, &trade, "Besloten Vennootschap");
        prop_assert_eq!(whole, Verdict::Match);
        trade.reverse();
        prop_assert_eq!(verdict(&account, &legal, &trade, "Besloten Vennootschap"), whole);
        trade.retain(|name| *name != account);
        prop_assert_eq!(verdict(&account, &legal, &trade, "Besloten Vennootschap"), Verdict::Review);
    }

    #[test]
    fn any_text_is_answered_with_a_reason(
        account in "\\PC{0,80}",
        legal in "\\PC{0,80}",
        trade in prop::collection::vec("\\PC{0,40}", 0..3),
        form in "\\PC{0,30}",
    ) {
        let names = RegisteredNames { legal_name: &legal, trade_names: &trade, legal_form: Some(&form), country: None };
        let evidence = compare(&account, &names);
        prop_assert!(!evidence.reasons.is_empty());
        prop_assert_eq!(evidence.verdict == Verdict::Match, evidence.score == 100);
        prop_assert_eq!(compare(&account, &names), evidence);
    }

    #[test]
    fn fault_49_any_characters_at_all_are_answered(account in prop::collection::vec(any::<char>(), 0..60)) {
        let account: String = account.into_iter().collect();
        let names = RegisteredNames { legal_name: &account, trade_names: &[], legal_form: None, country: None };
        prop_assert!(!compare(&account, &names).reasons.is_empty());
        prop_assert_eq!(visible(&visible(&account)), visible(&account));
    }
}

#[test]
fn fault_49_the_longest_names_are_answered_at_once() {
    let started = std::time::Instant::now();
    for pattern in ["a", "a ", "a & ", "ö", "oe ö ", "b v ", "st. ", "1 ", "(a) ", "en/of "] {
        let name: String = pattern.chars().cycle().take(1000).collect();
        let trade = vec![format!("{name}x").chars().skip(1).collect::<String>(); 2];
        verdict(&name, &name, &trade, "Stichting");
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
