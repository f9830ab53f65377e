//! The words of a name: notation, and the differences that make another name.

use crate::cases::{BV, FOREIGN, NV, SOLE, STICHTING, VVE, all_match, all_reviewed, ask};
use eencent_matching::{ReasonCode, Verdict};

#[test]
fn the_statutory_name_matches_in_any_notation() {
    all_match(&[
        ("Zeewolf Visserij B.V.", "Zeewolf Visserij B.V.", &[], BV),
        ("ZEEWOLF VISSERIJ BV", "Zeewolf Visserij B.V.", &[], BV),
        ("zeewolf  visserij b. v.\u{a0}", "Zeewolf Visserij B.V.", &[], BV),
        ("B.V. Zeewolf Visserij", "Zeewolf Visserij B.V.", &[], BV),
        (
            "Zeewolf Visserij Besloten Vennootschap",
            "Zeewolf Visserij B.V.",
            &[],
            BV,
        ),
        ("Zee-wolf Visserij BV", "Zeewolf Visserij B.V.", &[], BV),
        ("ZEEWOLF NETHERLANDS NV", "Zeewolf (Netherlands) N.V.", &[], NV),
        ("Piets Viskraam BV", "Piet's \"Viskraam\" B.V.", &[], BV),
        ("Zeewolf GmbH", "Zeewolf Gesellschaft mbH", &[], FOREIGN),
    ]);
}

#[test]
fn accents_and_ligatures_match_in_any_spelling() {
    all_match(&[
        ("ZEEHORN BV", "Zeehörn B.V.", &[], BV),
        ("ZEEHOERN BV", "Zeehörn B.V.", &[], BV),
        ("Zeehörn BV", "Zeehoern B.V.", &[], BV),
        ("Skaersgard BV", "Skærsgård B.V.", &[], BV),
        ("SKOLD BV", "Skøld B.V.", &[], BV),
        ("Weissmeer BV", "Weißmeer B.V.", &[], BV),
        ("Ĳsvogel Optiek BV", "IJsvogel Optiek B.V.", &[], BV),
    ]);
}

#[test]
fn connectors_match_each_other_and_a_visible_gap() {
    all_match(&[
        ("Zeewolf en Zn BV", "Zeewolf & Zonen B.V.", &[], BV),
        ("ZEEWOLF + MEEUW BV", "Zeewolf & Meeuw B.V.", &[], BV),
        ("ZEEWOLF&MEEUW BV", "Zeewolf en Meeuw B.V.", &[], BV),
        ("ZEEWOLF  MEEUW BV", "Zeewolf & Meeuw B.V.", &[], BV),
    ]);
    all_reviewed(
        ReasonCode::LegalFormDiffers,
        &[("ZEEWOLF & MEEUW NV", "Zeewolf & Meeuw B.V.", &[], BV)],
    );
    assert_eq!(
        ask("J M Zeewolf BV", "J. & M. Zeewolf B.V.", &[], BV).verdict,
        Verdict::Review
    );
}

#[test]
fn sister_organisations_are_told_apart() {
    all_reviewed(
        ReasonCode::HoldingOrGroupWord,
        &[
            ("Zeewolf Holding B.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewolf B.V.", "Zeewolf Groep B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::NumberDiffers,
        &[
            ("Zeewolf II B.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewolf 2019 B.V.", "Zeewolf B.V.", &[], BV),
            ("VvE Zeeweg 112", "Vereniging van Eigenaars Zeeweg 12", &[], VVE),
            ("Zee2Wolf B.V.", "Zee3Wolf B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::RegionDiffers,
        &[
            ("Zeewolf Nederland B.V.", "Zeewolf B.V.", &[], BV),
            ("Zeewolf Oost B.V.", "Zeewolf West B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::BusinessPartDiffers,
        &[("Zeewolf Vastgoed B.V.", "Zeewolf B.V.", &[], BV)],
    );
    all_reviewed(
        ReasonCode::SupportingBody,
        &[("Stichting Derdengelden Zeewolf", "Zeewolf B.V.", &[], BV)],
    );
}

#[test]
fn the_same_letters_with_numbers_or_forms_elsewhere_are_another_name() {
    for (account, legal, trade, form) in [
        ("Deltax I B.V.", "Delta XI B.V.", "", BV),
        (
            "Vereniging van Eigenaars Zeeweg 1 12",
            "Vereniging van Eigenaars Zeeweg 11 2",
            "",
            VVE,
        ),
        ("Zeewolf AG", "Meeuw B.V.", "Zeewolfag", BV),
        ("Ketelservice Zeewolf CV", "CV Ketelservice Zeewolf", "", SOLE),
        ("Zeewolf B.V.", "Zeewolf+ B.V.", "", BV),
    ] {
        let trade: &[&str] = if trade.is_empty() { &[] } else { &[trade] };
        assert_eq!(ask(account, legal, trade, form).verdict, Verdict::Review, "{account}");
    }
}

#[test]
fn a_difference_in_the_words_is_named() {
    for (code, account, legal) in [
        (
            ReasonCode::OneLetterDiffers,
            "Zeewolv Visserij B.V.",
            "Zeewolf Visserij B.V.",
        ),
        (ReasonCode::YForIj, "Visserij Zeewyk B.V.", "Visserij Zeewijk B.V."),
        (
            ReasonCode::DigitForLetter,
            "Zeew0lf Visserij B.V.",
            "Zeewolf Visserij B.V.",
        ),
        (ReasonCode::ArticleDiffers, "De Zeewolf B.V.", "Zeewolf B.V."),
        (
            ReasonCode::WordRepeated,
            "Zeewolf Zeewolf Visserij B.V.",
            "Zeewolf Visserij B.V.",
        ),
        (
            ReasonCode::WordOrderDiffers,
            "Visserij Zeewolf B.V.",
            "Zeewolf Visserij B.V.",
        ),
        (ReasonCode::ExtraWords, "Zeewolf Kwallen B.V.", "Zeewolf B.V."),
        (ReasonCode::WordsMissing, "Zeewolf B.V.", "Zeewolf Kwallen B.V."),
        (
            ReasonCode::WordReplaced,
            "Zeewolf Kwallen B.V.",
            "Zeewolf Garnalen B.V.",
        ),
        (ReasonCode::InitialsOnly, "ZVN B.V.", "Zeewolf Visserij Noordzee B.V."),
    ] {
        all_reviewed(code, &[(account, legal, &[], BV)]);
    }
}

#[test]
fn shortened_words_match_in_the_long_names_of_foundations_only() {
    all_match(&[
        (
            "Stg. voor Openb. Onderw. Zeewolde",
            "Stichting voor Openbaar Onderwijs Zeewolde",
            &[],
            STICHTING,
        ),
        ("Gebr. Zeewolf BV", "Gebroeders Zeewolf B.V.", &[], BV),
    ]);
    all_reviewed(
        ReasonCode::WordReplaced,
        &[("Zeewolf Onderw. BV", "Zeewolf Onderwijs B.V.", &[], BV)],
    );
}

#[test]
fn what_everybody_abbreviates_matches_and_what_may_mean_two_things_does_not() {
    all_match(&[
        ("BOUWBEDR ZEEWOLF BV", "Bouwbedrijf Zeewolf B.V.", &[], BV),
        ("Kon. Zeewolf Mij. BV", "Koninklijke Zeewolf Maatschappij B.V.", &[], BV),
        (
            "VVE ZEEWOLFSTR 12",
            "Vereniging van Eigenaars Zeewolfstraat 12",
            &[],
            VVE,
        ),
        (
            "STG OPENB PRIM ONDERW ZEEWOLDE",
            "Stichting Openbaar Primair Onderwijs Zeewolde",
            &[],
            STICHTING,
        ),
        (
            "Stg. Opvang Kind. Zeewolde",
            "Stichting voor de Opvang van Kinderen Zeewolde",
            &[],
            STICHTING,
        ),
    ]);
    for (account, legal, form) in [
        ("Zeewolf Tech. B.V.", "Zeewolf Technology B.V.", BV),
        ("Zeewolfstr. Vastgoed B.V.", "Zeewolfstraat Vastgoed B.V.", BV),
        ("Stg. Zeew. Onderwijs", "Stichting Zeewolf Onderwijs", STICHTING),
        ("Stichting S.O.Z.", "Stichting Samen Onderweg Zeewolde", STICHTING),
        ("VVE ZEEWOLFSTR 12", "Vereniging van Eigenaars Zeewolfweg 12", VVE),
        (
            "Stg. Kinderen Zeewolde",
            "Stichting De Kinderen van Zeewolde",
            STICHTING,
        ),
    ] {
        assert_eq!(ask(account, legal, &[], form).verdict, Verdict::Review, "{account}");
    }
}
