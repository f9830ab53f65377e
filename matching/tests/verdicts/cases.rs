//! Asking, and what is expected of a list of cases.

use eencent_matching::{Evidence, ReasonCode, RegisteredNames, Verdict, compare};

pub fn ask(account: &str, legal: &str, trade: &[&str], form: &str) -> Evidence {
    let trade: Vec<String> = trade.iter().map(|name| (*name).to_owned()).collect();
    compare(
        account,
        &RegisteredNames {
            legal_name: legal,
            trade_names: &trade,
            legal_form: Some(form),
            country: None,
        },
    )
}

pub const BV: &str = "Besloten Vennootschap";
pub const NV: &str = "Naamloze Vennootschap";
pub const STICHTING: &str = "Stichting";
pub const VERENIGING: &str = "Vereniging";
pub const VOF: &str = "Vennootschap onder firma";
pub const MAATSCHAP: &str = "Maatschap";
pub const SOLE: &str = "Eenmanszaak";
pub const COOP: &str = "Coöperatie";
pub const VVE: &str = "Vereniging van eigenaars";
pub const CHURCH: &str = "Kerkgenootschap";
pub const PUBLIC: &str = "Publiekrechtelijke rechtspersoon";
pub const FOREIGN: &str = "Buitenlandse rechtsvorm";

pub type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

#[track_caller]
pub fn all_match(cases: &[Case<'_>]) {
    for (account, legal, trade, form) in cases {
        let evidence = ask(account, legal, trade, form);
        assert_eq!(
            evidence.verdict,
            Verdict::Match,
            "{account} / {legal}: {:?}",
            evidence.reasons
        );
        assert_eq!(evidence.score, 100);
    }
}

#[track_caller]
pub fn all_reviewed(code: ReasonCode, cases: &[Case<'_>]) {
    for (account, legal, trade, form) in cases {
        let evidence = ask(account, legal, trade, form);
        assert_eq!(evidence.verdict, Verdict::Review, "{account} / {legal}");
        assert!(
            evidence.reasons.iter().any(|reason| reason.code == code),
            "{account} / {legal}: {:?}",
            evidence.reasons
        );
        assert!(evidence.score < 100);
    }
}
