//! Strange characters, unusable names, and the answer as a record.

use crate::cases::{BV, COOP, all_match, all_reviewed, ask};
use eencent_matching::{Evidence, Language, ReasonCode};

#[test]
fn fault_47_48_strange_characters_are_named_and_never_match() {
    all_reviewed(
        ReasonCode::LooksLikeLatin,
        &[
            ("Zeew\u{43e}lf B.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewølf B.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewẹlf B.V.", "Zeewelf B.V.", &[], BV),
            ("ＺＥＥＷＯＬＦ B.V.", "Zeewolf B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::InvisibleCharacters,
        &[("Zeewolf\u{200b} B.V.", "Zeewolf B.V.", &[], BV)],
    );
    all_reviewed(ReasonCode::OtherScript, &[("Морской волк", "Zeewolf B.V.", &[], BV)]);
    all_reviewed(
        ReasonCode::DamagedText,
        &[
            ("Zeew\u{fffd}lf B.V.", "Zeewòlf B.V.", &[], BV),
            ("CoÃ¶peratie Meeuw U.A.", "Coöperatie Zeewolf U.A.", &[], COOP),
        ],
    );
    all_match(&[
        ("CoÃ¶peratie Zeewolf U.A.", "Coöperatie Zeewolf U.A.", &[], COOP),
        ("Zee &amp; Wolf B.V.", "Zee & Wolf B.V.", &[], BV),
    ]);
    let evidence = ask("Zee\u{202e}wolf", "Zeewolf B.V.", &[], BV);
    assert_eq!(evidence.account_name_shown, "Zee⟨U+202E⟩wolf");
}

#[test]
fn without_a_usable_registered_name_nothing_matches() {
    all_reviewed(ReasonCode::RegisteredNameMissing, &[("Zeewolf B.V.", "", &[], BV)]);
    let long = "zeewolf ".repeat(200);
    all_reviewed(ReasonCode::TooLong, &[(&long, &long, &[], BV)]);
}

#[test]
fn the_answer_reads_as_a_record_and_as_sentences() {
    let evidence = ask("Zeewolf Holding B.V.", "Zeewolf B.V.", &[], BV);
    let mut record = serde_json::to_value(&evidence).unwrap();
    record.as_object_mut().unwrap().insert("version".to_owned(), "…".into());
    insta::assert_snapshot!(serde_json::to_string_pretty(&record).unwrap(), @r#"
{
  "verdict": "review",
  "score": 69,
  "reasons": [
    {
      "code": "holding_or_group_word",
      "detail": [
        "Holding"
      ]
    },
    {
      "code": "extra_words",
      "detail": [
        "Holding"
      ]
    }
  ],
  "matched_name": "Zeewolf B.V.",
  "folded": [],
  "words": [
    {
      "account": "Zeewolf",
      "registered": "Zeewolf",
      "name": 0
    },
    {
      "account": "B.V.",
      "registered": "B.V.",
      "name": 0
    }
  ],
  "left_over_account": [
    "Holding"
  ],
  "left_over_registered": [],
  "account_name_shown": "Zeewolf Holding B.V.",
  "version": "…"
}
"#);
    let sentence = evidence.reasons.first().unwrap().text(Language::English);
    assert_eq!(
        sentence,
        "A word such as Holding or Group is on one side only: Holding. That points to another company."
    );
    let read: Evidence = serde_json::from_value(serde_json::to_value(&evidence).unwrap()).unwrap();
    assert!(read == evidence);
}

#[test]
fn debugging_output_does_not_name_anybody() {
    let evidence = ask("Hr J. Meeuw", "Zeewolf B.V.", &["Kwallenvangst"], BV);
    let printed = format!("{evidence:?}");
    for name in ["Meeuw", "Zeewolf", "Kwallenvangst"] {
        assert!(!printed.contains(name), "{printed}");
    }
}
