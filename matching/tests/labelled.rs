//! The project's own labelled cases, one by one. What is not yet as labelled is written down here, so that a
//! change for the better or the worse is seen.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use eencent_matching::{RegisteredNames, Verdict, compare};

/// True matches that a person still has to look at, by what they would need: a bare beginning believed on its own; a
/// trade name in front of the statutory name with only a dash between; two abbreviations in one word; an official
/// second name of a town; v.d. read as van der, though it may be van den; a form in the register as one word; a
/// partnership named by its trades alone.
const STILL_REVIEWED: &[&str] = &[
    "c0052", "c1724", "c1858", "c1924", "c1932", "c1933", "c1934", "c1935", "c1936", "c1937", "c1950", "c1954",
    "c2024", "c2061",
];

#[test]
fn every_labelled_case_has_the_verdict_of_its_label() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/labelled.csv");
    let (mut wrong, mut rows, mut matches) = (Vec::new(), 0, 0);
    for row in csv::Reader::from_path(file).unwrap().records() {
        let row = row.unwrap();
        let cell = |at: usize| row.get(at).unwrap();
        let trade_names: Vec<String> = serde_json::from_str(cell(3)).unwrap();
        let names = RegisteredNames {
            legal_name: cell(2),
            trade_names: &trade_names,
            legal_form: Some(cell(4)).filter(|form| !form.is_empty()),
            country: Some(cell(5)),
        };
        let evidence = compare(cell(1), &names);
        rows += 1;
        matches += usize::from(cell(6) == "match");
        let expected = evidence.verdict.as_str() == cell(6);
        let known = evidence.verdict == Verdict::Review && STILL_REVIEWED.contains(&cell(0));
        if expected == known {
            wrong.push(format!(
                "{:?}: {} {:?}",
                &row,
                evidence.verdict.as_str(),
                evidence.reasons
            ));
        }
    }
    assert!(rows > 500 && matches > 200, "{rows} rows, {matches} of them matches");
    assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
}
