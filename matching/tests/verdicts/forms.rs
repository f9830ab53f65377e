//! Legal forms, trade names without one, and names that are cut where the form stood.

use crate::cases::{
    BV, CHURCH, COOP, MAATSCHAP, PUBLIC, SOLE, STICHTING, VERENIGING, VOF, VVE, all_match, all_reviewed, ask,
};
use eencent_matching::{Folding, ReasonCode, RegisteredNames, Verdict, compare};

#[test]
fn fault_50_abbreviated_forms_match_their_own_form_only() {
    all_match(&[
        ("STG ZEEHONDENHULP", "Stichting Zeehondenhulp", &[], STICHTING),
        ("St. Zeehondenhulp", "Stichting Zeehondenhulp", &[], STICHTING),
        ("VER ZEEKLUIVERS", "Vereniging Zeekluivers", &[], VERENIGING),
        ("V.V.E. Zeeweg 10-12", "Vereniging van Eigenaars Zeeweg 10-12", &[], VVE),
        ("MTS ZEEWOLF EN MEEUW", "Maatschap Zeewolf & Meeuw", &[], MAATSCHAP),
        ("FA. ZEEWOLF EN MEEUW", "V.O.F. Zeewolf & Meeuw", &[], VOF),
        ("ZEEWOLF UA", "Coöperatie Zeewolf U.A.", &[], COOP),
        ("Gem. Zeewolde", "Gemeente Zeewolde", &[], PUBLIC),
        ("Prot. Gem. Zeewolde", "Protestantse Gemeente te Zeewolde", &[], CHURCH),
    ]);
    all_reviewed(
        ReasonCode::LegalFormDiffers,
        &[
            ("Stichting Zeewolf", "Zeewolf B.V.", &[], BV),
            ("Zeewolf N.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewolf GmbH", "Zeewolf B.V.", &[], BV),
            ("Vereniging Zeeweg 10", "Vereniging van Eigenaars Zeeweg 10", &[], VVE),
            ("Maatschap Zeewolf & Meeuw", "V.O.F. Zeewolf & Meeuw", &[], VOF),
            ("Zeewolf Advocaten BV", "Zeewolf Advocaten", &[], MAATSCHAP),
            ("Coöperatie Zeewolf B.A.", "Coöperatie Zeewolf U.A.", &[], COOP),
        ],
    );
}

#[test]
fn a_missing_form_is_review_unless_a_trade_name_or_partnership_explains_it() {
    all_reviewed(
        ReasonCode::LegalFormMissing,
        &[
            ("Zeewolf Visserij", "Zeewolf Visserij B.V.", &[], BV),
            ("Zeehondenhulp", "Stichting Zeehondenhulp", &[], STICHTING),
        ],
    );
    all_match(&[
        ("Zeewolf Visserij", "Zeewolf Visserij B.V.", &["Zeewolf Visserij"], BV),
        ("Zeewolf en Meeuw", "V.O.F. Zeewolf & Meeuw", &[], VOF),
        ("Mts Zeewolf Tandartsen", "Zeewolf Tandartsen", &[], MAATSCHAP),
        ("Stichting Zeehondenhulp", "Zeehondenhulp", &[], STICHTING),
    ]);
}

#[test]
fn a_registered_trade_name_matches_without_a_form_of_its_own() {
    all_match(&[
        ("DE BLAUWE ZEEWOLF", "Meeuw B.V.", &["De Blauwe Zeewolf"], BV),
        ("Visserij Zeewolf", "Visserij Zeewolf", &["Visserij Zeewolf"], SOLE),
    ]);
    all_reviewed(
        ReasonCode::LegalFormDiffers,
        &[
            ("De Blauwe Zeewolf B.V.", "Meeuw B.V.", &["De Blauwe Zeewolf"], BV),
            (
                "V.O.F. Visserij Zeewolf",
                "Visserij Zeewolf",
                &["Visserij Zeewolf"],
                SOLE,
            ),
            ("Zeewolf AG", "Meeuw B.V.", &["Zeewolf.ag"], BV),
        ],
    );
    all_reviewed(
        ReasonCode::TradeNameOfOtherForm,
        &[("Stichting Zeewolf", "Meeuw B.V.", &["Stichting Zeewolf"], BV)],
    );
    all_reviewed(
        ReasonCode::OtherName,
        &[("Kwallenvangst", "Meeuw B.V.", &["De Blauwe Zeewolf"], BV)],
    );
}

#[test]
fn a_cut_at_a_field_length_may_hide_the_form_or_the_end_of_the_last_word() {
    let long = "Zeewolf Kwallenvangst en Garnalenpellerij B.V.";
    let at_35: String = long.chars().take(35).collect();
    let evidence = ask(&at_35, long, &[], BV);
    assert_eq!(evidence.verdict, Verdict::Match);
    assert!(evidence.folded.contains(Folding::Cut));
    let at_33: String = long.chars().take(33).collect();
    assert_eq!(ask(&at_33, long, &[], BV).verdict, Verdict::Review);
    // Exactly 35 with the form hidden.
    all_match(&[(
        "ZEEWOLF KWALLENVANGST GARNALENPELLE",
        "Zeewolf Kwallenvangst Garnalenpelle B.V.",
        &[],
        BV,
    )]);
    all_reviewed(
        ReasonCode::CutTooShort,
        &[
            (
                "ZEEWOLF KWALLENVANGST EN OESTERBANK",
                "Zeewolf Kwallenvangst en Oesterbank Holding B.V.",
                &[],
                BV,
            ),
            (
                "ZEEWOLF KWALLENVANGST OESTERBANK NO",
                "Zeewolf Kwallenvangst Oesterbank Noord B.V.",
                &[],
                BV,
            ),
        ],
    );
}

#[test]
fn the_registers_own_form_may_be_glued_to_the_name_or_stand_apart() {
    all_match(&[
        ("ZEEWOLFBV", "Zeewolf B.V.", &[], BV),
        ("Zeewolf Stichting", "Zeewolfstichting", &[], STICHTING),
        ("STICHTINGZEEHONDENHULP", "Stichting Zeehondenhulp", &[], STICHTING),
    ]);
    for (account, legal, form) in [
        ("Zeewolf Stichting", "Zeewolfstichting", BV),
        ("Zeewolf AG", "Zeewolfag", BV),
    ] {
        assert_eq!(ask(account, legal, &[], form).verdict, Verdict::Review, "{account}");
    }
}

#[test]
fn in_a_country_of_several_languages_one_form_has_several_names() {
    let ask = |account: &str, legal: &str, form: &str, country: Option<&str>| {
        let names = RegisteredNames {
            legal_name: legal,
            trade_names: &[],
            legal_form: Some(form),
            country,
        };
        compare(account, &names)
    };
    for account in ["ZEEWOLF SRL", "Zeewolf BVBA", "Zeewolf S.P.R.L."] {
        let evidence = ask(account, "Zeewolf BV", BV, Some("BE"));
        assert_eq!(evidence.verdict, Verdict::Match, "{account}: {:?}", evidence.reasons);
        assert!(evidence.folded.contains(Folding::LegalFormLanguage), "{account}");
        assert_eq!(
            ask(account, "Zeewolf BV", BV, None).verdict,
            Verdict::Review,
            "{account}"
        );
    }
    for account in ["Zeewolf SA", "Zeewolf CV", "Zeewolf VZW", "Zeewolf"] {
        assert_eq!(
            ask(account, "Zeewolf BV", BV, Some("BE")).verdict,
            Verdict::Review,
            "{account}"
        );
    }
}
