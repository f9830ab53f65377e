//! What there is to choose from: organisations, whose account pays, by which way, and when.

use chrono::{Datelike as _, NaiveDate, TimeZone as _, Utc, Weekday};
use eencent_activations::clock::Timestamp;
use eencent_activations::office_hours::OfficeHours;

use super::super::platform::Company;
use super::super::providers::{self, Message, Paid};
use crate::http::language::Language;

/// The same thing said twice.
#[derive(Clone, Copy)]
pub struct Words {
    /// In English.
    pub en: &'static str,
    /// In Dutch.
    pub nl: &'static str,
}

impl Words {
    /// In one of the languages.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Dutch => self.nl,
        }
    }
}

const fn words(en: &'static str, nl: &'static str) -> Words {
    Words { en, nl }
}

/// An organisation, and in whose name the account may be.
pub struct Offer {
    /// As the register has it; the number is made for each story.
    pub company: Company<'static>,
    /// Names, and what they are.
    pub holders: [(&'static str, Words); 5],
}

const OWN: Words = words("its own name", "de eigen naam");
const CAPITALS: Words = words("as a bank writes it", "zoals een bank het schrijft");
const TRADE: Words = words("its trade name", "de handelsnaam");
const SHORT: Words = words("abbreviated", "afgekort");
const PERSON: Words = words("the person's own name", "de naam van de persoon zelf");
const STRANGER: Words = words("a stranger's company", "het bedrijf van een vreemde");
const SISTER: Words = words("a sister company", "een zusterbedrijf");
const BARE: Words = words("without the legal form", "zonder rechtsvorm");

/// The organisations. All are made up.
pub const ORGANISATIONS: [Offer; 4] = [
    Offer {
        company: Company {
            name: "Bakkerij De Korenaar B.V.",
            form: "Besloten Vennootschap",
            trade_name: Some("De Korenaar"),
            kvk: "",
        },
        holders: [
            ("Bakkerij De Korenaar B.V.", OWN),
            ("BAKKERIJ DE KORENAAR BV", CAPITALS),
            ("De Korenaar", TRADE),
            ("Hr J Jansen", PERSON),
            ("Slagerij Van Dam B.V.", STRANGER),
        ],
    },
    Offer {
        company: Company {
            name: "Stichting Leeszaal Zonnehoek",
            form: "Stichting",
            trade_name: None,
            kvk: "",
        },
        holders: [
            ("Stichting Leeszaal Zonnehoek", OWN),
            ("STG LEESZAAL ZONNEHOEK", SHORT),
            ("Leeszaal Zonnehoek", BARE),
            ("Mw A de Wit", PERSON),
            ("Stichting Leeszaal Maanhoek", STRANGER),
        ],
    },
    Offer {
        company: Company {
            name: "Waterman Installatietechniek B.V.",
            form: "Besloten Vennootschap",
            trade_name: None,
            kvk: "",
        },
        holders: [
            ("Waterman Installatietechniek B.V.", OWN),
            ("Waterman Inst.techn. B.V.", SHORT),
            ("Waterman Holding B.V.", SISTER),
            ("P.J. Waterman", PERSON),
            ("Loodgietersbedrijf Kraan V.O.F.", STRANGER),
        ],
    },
    Offer {
        company: Company {
            name: "Hoveniersbedrijf Kamperfoelie",
            form: "Eenmanszaak",
            trade_name: Some("Kamperfoelie Tuinen"),
            kvk: "",
        },
        holders: [
            ("Hoveniersbedrijf Kamperfoelie", OWN),
            ("Kamperfoelie Tuinen", TRADE),
            ("J. de Boer h/o Kamperfoelie Tuinen", SHORT),
            ("J. de Boer", PERSON),
            ("Hoveniersbedrijf Klimop", STRANGER),
        ],
    },
];

/// How is paid, and who tells it.
#[derive(Clone, Copy)]
pub struct Way {
    /// In the form.
    pub code: &'static str,
    /// The activation's method.
    pub method: &'static str,
    /// In words.
    pub told: Words,
    /// Makes the notification.
    pub sign: fn(&Paid<'_>) -> Message,
}

/// The ways.
pub const WAYS: [Way; 4] = [
    Way {
        code: "mollie",
        method: "ideal",
        told: words("iDEAL, told by Mollie", "iDEAL, gemeld door Mollie"),
        sign: providers::mollie,
    },
    Way {
        code: "adyen",
        method: "ideal",
        told: words("iDEAL, told by Adyen", "iDEAL, gemeld door Adyen"),
        sign: providers::adyen,
    },
    Way {
        code: "bank",
        method: "invoice",
        told: words(
            "a bank transfer for an invoice, told by the bank",
            "een overboeking voor een factuur, gemeld door de bank",
        ),
        sign: providers::bank,
    },
    Way {
        code: "stripe",
        method: "invoice",
        told: words(
            "a bank transfer for an invoice, told by Stripe",
            "een overboeking voor een factuur, gemeld door Stripe",
        ),
        sign: providers::stripe,
    },
];

/// When is paid.
pub struct Moment {
    /// In the form.
    pub code: &'static str,
    /// In words.
    pub told: Words,
}

/// The moments. Each is the next one to come: the clock goes forward only.
pub const MOMENTS: [Moment; 4] = [
    Moment {
        code: "now",
        told: words("now", "nu"),
    },
    Moment {
        code: "opening",
        told: words("when the office opens", "als het kantoor opengaat"),
    },
    Moment {
        code: "friday",
        told: words("Friday evening", "vrijdagavond"),
    },
    Moment {
        code: "christmas",
        told: words("Christmas Eve", "kerstavond"),
    },
];

impl Moment {
    /// The next time that it comes; now, if it is that.
    pub fn after(&self, hours: &OfficeHours, now: Timestamp) -> Option<Timestamp> {
        let next = |hour, fits: fn(NaiveDate) -> bool| {
            let days = hours.local(now).date_naive().iter_days().take(370);
            days.filter(|day| fits(*day)).find_map(|day| {
                let local = day.and_hms_opt(hour, 0, 0)?;
                let at = hours.zone().from_local_datetime(&local).earliest()?;
                Some(Timestamp::from(at.with_timezone(&Utc))).filter(|at| *at > now)
            })
        };
        match self.code {
            "opening" => hours.next_opening(now).filter(|at| *at > now),
            "friday" => next(17, |day| day.weekday() == Weekday::Fri),
            "christmas" => next(18, |day| day.month() == 12 && day.day() == 24),
            _ => Some(now),
        }
    }
}

/// An amount in euros as somebody types it; `None` when nothing was typed.
///
/// # Errors
/// When it isn't one, or isn't from 0.01 to 99999.99.
pub fn cents(typed: &str) -> Result<Option<i64>, ()> {
    let typed = typed.trim().replace(',', ".");
    if typed.is_empty() {
        return Ok(None);
    }
    let (euros, rest) = typed.split_once('.').unwrap_or((&typed, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(euros) || !digits(rest) || euros.len() > 5 || rest.len() > 2 {
        return Err(());
    }
    let cents: i64 = format!("{euros}{rest:0<2}").parse().map_err(|_| ())?;
    if cents > 0 { Ok(Some(cents)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_people_type_it() {
        assert_eq!(cents(""), Ok(None));
        assert_eq!(cents("18,15"), Ok(Some(1815)));
        assert_eq!(cents(" 15 "), Ok(Some(1500)));
        assert_eq!(cents("0.1"), Ok(Some(10)));
        for wrong in ["0", "-1", "1.234", "1e3", "100000", ".5"] {
            assert_eq!(cents(wrong), Err(()), "{wrong}");
        }
    }
}
