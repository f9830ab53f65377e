//! Who holds the account: persons, two names in one, payment services, names that say too little.

use crate::cases::{BV, PUBLIC, SOLE, VERENIGING, VOF, all_match, all_reviewed, ask};
use eencent_matching::{ReasonCode, Verdict};

#[test]
fn fault_51_names_that_say_too_little_never_match_alone() {
    all_reviewed(
        ReasonCode::GenericName,
        &[
            ("Catering", "Meeuw B.V.", &["Catering"], BV),
            ("DE SLAGER", "Meeuw B.V.", &["De Slager"], BV),
            ("Beheer & Advies", "Meeuw B.V.", &["Beheer & Advies"], BV),
            ("Loodgietersbedrijf", "Loodgietersbedrijf", &[], SOLE),
            (
                "Vereniging Christelijke School",
                "Vereniging Christelijke School",
                &[],
                VERENIGING,
            ),
        ],
    );
    all_reviewed(
        ReasonCode::PrivatePerson,
        &[
            ("J. de Vries", "J. de Vries", &["J. de Vries"], SOLE),
            ("Gebr. De Vries", "V.O.F. Gebroeders De Vries", &[], VOF),
        ],
    );
    all_reviewed(ReasonCode::NameTooShort, &[("ZWF", "Meeuw B.V.", &["ZWF"], BV)]);
    all_match(&[
        ("Catering BV", "Catering B.V.", &[], BV),
        ("Loodgietersbedrijf De Vries", "Loodgietersbedrijf De Vries", &[], SOLE),
        ("Provincie Noord-Holland", "Provincie Noord-Holland", &[], PUBLIC),
    ]);
}

#[test]
fn two_names_match_when_both_are_on_record() {
    all_match(&[
        (
            "Meeuw BV h.o.d.n. De Blauwe Zeewolf",
            "Meeuw B.V.",
            &["De Blauwe Zeewolf"],
            BV,
        ),
        ("DE BLAUWE ZEEWOLF (MEEUW BV)", "Meeuw B.V.", &["De Blauwe Zeewolf"], BV),
        ("Meeuw BV t.h.o.d.n. Catering", "Meeuw B.V.", &["Catering"], BV),
        (
            "J Meeuw h/o Visserij Zeewolf",
            "Visserij Zeewolf",
            &["Visserij Zeewolf"],
            SOLE,
        ),
    ]);
    all_reviewed(
        ReasonCode::TradeNameNotRegistered,
        &[
            (
                "Meeuw BV h.o.d.n. De Rode Zeewolf",
                "Meeuw B.V.",
                &["De Blauwe Zeewolf"],
                BV,
            ),
            (
                "Kwal BV h.o.d.n. De Blauwe Zeewolf",
                "Meeuw B.V.",
                &["De Blauwe Zeewolf"],
                BV,
            ),
            (
                "J Meeuw h/o Kapsalon Zeewolf",
                "Visserij Zeewolf",
                &["Visserij Zeewolf"],
                SOLE,
            ),
        ],
    );
    all_reviewed(
        ReasonCode::SoleTraderAccount,
        &[(
            "J Meeuw h/o Visserij Zeewolf",
            "Visserij Zeewolf B.V.",
            &["Visserij Zeewolf"],
            BV,
        )],
    );
}

#[test]
fn persons_payment_services_and_placeholders_are_named() {
    all_reviewed(
        ReasonCode::PrivatePerson,
        &[
            ("Hr J. Meeuw", "Zeewolf B.V.", &[], BV),
            ("MEEUW J A", "Visserij Meeuw", &["Visserij Meeuw"], SOLE),
        ],
    );
    all_reviewed(
        ReasonCode::SeveralHolders,
        &[("J Meeuw e/o K Zeewolf", "V.O.F. Meeuw en Zeewolf", &[], VOF)],
    );
    all_reviewed(
        ReasonCode::PaymentServiceAccount,
        &[
            ("Stichting Mollie Payments", "Zeewolf B.V.", &[], BV),
            ("Adyen", "Zeewolf B.V.", &["Adyen"], BV),
        ],
    );
    all_reviewed(
        ReasonCode::PlaceholderName,
        &[
            ("ONBEKEND", "Zeewolf B.V.", &["Onbekend"], BV),
            ("NL02 ABNA 0123 4567 89", "Zeewolf B.V.", &[], BV),
            ("B.V.", "Zeewolf B.V.", &[], BV),
            ("Hr", "Zeewolf B.V.", &[], BV),
            ("0123456789", "Zeewolf B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::NameMissing,
        &[("", "Zeewolf B.V.", &[], BV), (" -. ", "Zeewolf B.V.", &[], BV)],
    );
    all_reviewed(
        ReasonCode::NotInFullLife,
        &[
            ("Zeewolf B.V. i.o.", "Zeewolf B.V.", &[], BV),
            ("Zeewolf B.V. in liquidatie", "Zeewolf B.V. in liquidatie", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::HeldForAnother,
        &[("Zeewolf B.V. inzake Meeuw", "Zeewolf B.V.", &[], BV)],
    );
}

#[test]
fn several_names_in_one_match_when_each_is_on_record() {
    let trade: &[&str] = &[
        "De Blauwe Zeewolf",
        "Kwallenvangst Zeewolde",
        "Catering",
        "Holding",
        "II",
    ];
    all_match(&[
        ("Meeuw BV - De Blauwe Zeewolf", "Meeuw B.V.", trade, BV),
        ("MEEUW B.V. / DE BLAUWE ZEEWOLF", "Meeuw B.V.", trade, BV),
        ("Meeuw B.V. De Blauwe Zeewolf", "Meeuw B.V.", trade, BV),
        ("De Blauwe Zeewolf / Meeuw B.V.", "Meeuw B.V.", trade, BV),
        (
            "Meeuw BV hodn De Blauwe Zeewolf thodn Kwallenvangst Zeewolde",
            "Meeuw B.V.",
            trade,
            BV,
        ),
        (
            "De Blauwe Zeewolf t.h.o.d.n. Kwallenvangst Zeewolde",
            "De Blauwe Zeewolf",
            trade,
            SOLE,
        ),
    ]);
    for (account, form) in [
        // A name of its own: the form closes all of it.
        ("De Blauwe Zeewolf Meeuw B.V.", BV),
        ("De Blauwe Zeewolf - Kwallenvangst Zeewolde B.V.", BV),
        ("Meeuw B.V. Kwal", BV),
        ("Meeuw B.V. - Meeuw B.V.", BV),
        ("Catering h.o.d.n. Catering", BV),
        ("De Blauwe Zeewolf (J. Meeuw)", BV),
        ("De Blauwe Zeewolf h.o.d.n.", BV),
        ("Meeuw B.V. Holding", BV),
        ("De Blauwe Zeewolf h.o.d.n. Kwallenvangst Zeewolde", BV),
        ("Holding / Meeuw B.V.", BV),
        ("De Rode Zeewolf / Meeuw B.V.", BV),
        ("De Blauwe Zeewolf/Meeuw B.V.", BV),
        ("Meeuw B.V. (II)", BV),
    ] {
        let evidence = ask(account, "Meeuw B.V.", trade, form);
        assert_eq!(evidence.verdict, Verdict::Review, "{account}");
    }
}

#[test]
fn departments_temporary_names_and_names_that_many_carry_are_named() {
    all_reviewed(
        ReasonCode::Department,
        &[
            ("Zeewolf B.V. afd. crediteuren", "Zeewolf B.V.", &[], BV),
            (
                "Gemeente Zeewolde Afdeling Belastingen",
                "Gemeente Zeewolde",
                &[],
                PUBLIC,
            ),
        ],
    );
    all_reviewed(
        ReasonCode::TemporaryName,
        &[
            ("Zjive", "Zeewolf B.V.", &["Zjive"], BV),
            ("TIJDELIJKE TENAAMSTELLING", "Zeewolf B.V.", &[], BV),
        ],
    );
    all_reviewed(
        ReasonCode::SharedName,
        &[("De Regenboog", "Meeuw B.V.", &["De Regenboog"], BV)],
    );
    all_match(&[("De Regenboog BV", "De Regenboog B.V.", &[], BV)]);
    all_reviewed(
        ReasonCode::HeldForAnother,
        &[
            ("Zeewolf B.V. t.b.v. Meeuw", "Zeewolf B.V.", &["Meeuw"], BV),
            ("Kwal Notarissen c/o Zeewolf B.V.", "Zeewolf B.V.", &[], BV),
        ],
    );
}
