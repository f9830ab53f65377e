//! Faults 46 to 52: whatever the names, the answer has a reason, says the same twice, and no word that the
//! registered names lack turns a review into a match.
#![no_main]

use eencent_matching::{Index, RegisteredNames, Verdict, compare, visible};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let account = lines.next().unwrap_or_default();
    let legal_name = lines.next().unwrap_or_default();
    let legal_form = lines.next();
    let trade_names: Vec<String> = lines.map(str::to_owned).collect();
    let names = RegisteredNames {
        legal_name,
        trade_names: &trade_names,
        legal_form,
        country: None,
    };
    let evidence = compare(account, &names);
    assert!(!evidence.reasons.is_empty());
    assert_eq!(evidence.verdict == Verdict::Match, evidence.score == 100);
    assert!(evidence == compare(account, &names));
    let shown = visible(account);
    assert_eq!(visible(&shown), shown);
    let longer = compare(&format!("{account} qzxjwv"), &names);
    if evidence.verdict == Verdict::Review && !text.contains("qz") {
        assert_eq!(longer.verdict, Verdict::Review);
    }
    let index: Index = trade_names.iter().enumerate().map(|(key, name)| (key as u32, name.as_str())).collect();
    index.suggest(account, 5);
});
