//! What an organisation is known by in a register: a scheme and a value, such as `NL:KVK 12345678`.
//!
//! Dutch and Belgian numbers are brought into one form and checked; those of other countries are
//! kept as they were entered, because such organisations may be saved.
//!
//! The same number has several spellings, and one form here: what Peppol calls `0106:12345678` (ISO 6523 code and
//! value) is `NL:KVK 12345678`, and so is the OIN that the Dutch government makes of it.
//!
//! | read as | one form |
//! |---|---|
//! | `NL:KVK`, `0106`; an OIN (`NL:OIN`, `NL:OINO`, `0190`) that begins with `00000003` | `NL:KVK` |
//! | `NL:RSIN`; an OIN that begins with `00000001` | `NL:RSIN` |
//! | any other OIN | `NL:OIN` |
//! | `NL:VAT`, `9944` | `NL:VAT` |
//! | `BE:EN`, `BE:CBE`, `BE:KBO`, `BE:BCE`, `BE:VAT`, `0208`, `9956`, `9925` | `BE:EN` |
//! | `iso6523-actorid-upis` with `0106:12345678` | as `0106` with `12345678` |

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which register or authority gave the number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// `NL:KVK`: the number in the Dutch trade register, eight digits.
    Kvk,
    /// `NL:VAT`: the Dutch VAT identification number (btw-id), `NL`, nine digits, `B`, two digits.
    Vat,
    /// `NL:RSIN`: the Dutch number of a legal person or partnership, nine digits.
    Rsin,
    /// `BE:EN`: the Belgian enterprise number, ten digits.
    BelgianEnterprise,
    /// Any other: two letters of a country, a colon, 1 to 20 letters or digits, upper case; or the four digits of
    /// an ISO 6523 code. Made by [`Scheme::parse`] only.
    Other(OtherScheme),
}

/// The name of a scheme that has no rules of its own here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OtherScheme(String);

/// A scheme and a value that fits it, in one form: two that mean the same number are equal.
///
/// In JSON `{"scheme": "NL:KVK", "value": "12345678"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Identifier {
    scheme: Scheme,
    value: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    scheme: String,
    value: String,
}

/// Why a text is no identifier. The sentences don't repeat the value: it may be somebody's private
/// number in the wrong field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentifier {
    /// The scheme isn't two letters, a colon, and 1 to 20 letters or digits; nor four digits.
    #[error(
        "the scheme of an identifier is a country and a register, such as `NL:KVK`, `NL:VAT` or `BE:EN`, or the code of Peppol, such as `0106`"
    )]
    Scheme,
    /// Not eight digits.
    #[error(
        "a KvK number has 8 digits, such as `12345678`: take it from the extract of the trade register, not the 12 digits of a branch"
    )]
    Kvk,
    /// Not `NL`, nine digits, `B`, two digits.
    #[error("a Dutch VAT number is written as `NL123456789B13`: `NL`, 9 digits, `B` and 2 digits")]
    Vat,
    /// Well-formed, and refused by the eleven-test as well as by the check of 2020.
    #[error("this VAT number has a wrong digit: compare it with an invoice or a letter of the tax administration")]
    VatDigit,
    /// Not nine digits.
    #[error("an RSIN has 9 digits, such as `123456782`: add the zeros that it begins with")]
    Rsin,
    /// Nine digits that the eleven-test refuses.
    #[error("this RSIN has a wrong digit: compare it with the extract of the trade register")]
    RsinDigit,
    /// Not ten digits, the first of them 0 or 1.
    #[error(
        "a Belgian enterprise number has 10 digits and begins with 0 or 1, such as `0123456749`: put a 0 before an old number of 9 digits"
    )]
    BelgianEnterprise,
    /// Ten digits whose last two are not what the first eight make them.
    #[error("this Belgian enterprise number has a wrong digit: compare it with the Crossroads Bank for Enterprises")]
    BelgianDigit,
    /// Not twenty digits.
    #[error("an OIN has 20 digits, such as `00000003123456780000`: compare it with the register of Logius")]
    Oin,
    /// The value of another scheme is empty, too long, or has characters that can't be seen.
    #[error(
        "the value of an identifier is 1 to 50 characters that can be seen: remove line breaks and invisible characters, or shorten it"
    )]
    Value,
}

impl NotAnIdentifier {
    /// The same in Dutch.
    pub const fn dutch(self) -> &'static str {
        match self {
            Self::Scheme => {
                "het schema van een identifier is een land en een register, zoals `NL:KVK`, `NL:VAT` of `BE:EN`, of de code van Peppol, zoals `0106`"
            }
            Self::Kvk => {
                "een KvK-nummer heeft 8 cijfers, zoals `12345678`: neem het over van het uittreksel uit het handelsregister, niet de 12 cijfers van een vestiging"
            }
            Self::Vat => "een Nederlands btw-nummer schrijft u als `NL123456789B13`: `NL`, 9 cijfers, `B` en 2 cijfers",
            Self::VatDigit => {
                "in dit btw-nummer staat een verkeerd cijfer: vergelijk het met een factuur of een brief van de Belastingdienst"
            }
            Self::Rsin => "een RSIN heeft 9 cijfers, zoals `123456782`: vul aan met de nullen waarmee het begint",
            Self::RsinDigit => {
                "in dit RSIN staat een verkeerd cijfer: vergelijk het met het uittreksel uit het handelsregister"
            }
            Self::BelgianEnterprise => {
                "een Belgisch ondernemingsnummer heeft 10 cijfers en begint met 0 of 1, zoals `0123456749`: zet een 0 voor een oud nummer van 9 cijfers"
            }
            Self::BelgianDigit => {
                "in dit Belgische ondernemingsnummer staat een verkeerd cijfer: vergelijk het met de Kruispuntbank van Ondernemingen"
            }
            Self::Oin => {
                "een OIN heeft 20 cijfers, zoals `00000003123456780000`: vergelijk het met het register van Logius"
            }
            Self::Value => {
                "de waarde van een identifier is 1 tot 50 zichtbare tekens: haal regeleinden en onzichtbare tekens weg, of maak haar korter"
            }
        }
    }
}

/// The scheme of Peppol's participant identifiers: the value carries the ISO 6523 code.
const PEPPOL: &str = "ISO6523-ACTORID-UPIS";

/// The one form of an OIN (Organisatie-identificatienummer) that isn't made of a number of another register.
const OIN: &str = "NL:OIN";

impl Scheme {
    /// Reads the name of a scheme, in either case and any of its spellings.
    ///
    /// # Errors
    /// [`NotAnIdentifier::Scheme`] when it isn't two letters, a colon, and 1 to 20 letters or digits
    /// (ASCII); nor four digits.
    pub fn parse(text: &str) -> Result<Self, NotAnIdentifier> {
        let name = text.trim().to_ascii_uppercase();
        match name.as_str() {
            "0106" => return Ok(Self::Kvk),
            "9944" => return Ok(Self::Vat),
            "0190" | "NL:OINO" => return Ok(Self::Other(OtherScheme(OIN.to_owned()))),
            "0208" | "9956" | "9925" => return Ok(Self::BelgianEnterprise),
            _ if are_digits(&name, 4) => return Ok(Self::Other(OtherScheme(name))),
            _ => {}
        }
        let (country, register) = name.split_once(':').ok_or(NotAnIdentifier::Scheme)?;
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic());
        let is_register = (1..=20).contains(&register.len()) && register.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_country || !is_register {
            return Err(NotAnIdentifier::Scheme);
        }
        Ok(match name.as_str() {
            "NL:KVK" => Self::Kvk,
            "NL:VAT" => Self::Vat,
            "NL:RSIN" => Self::Rsin,
            "BE:EN" | "BE:CBE" | "BE:KBO" | "BE:BCE" | "BE:VAT" => Self::BelgianEnterprise,
            _ => Self::Other(OtherScheme(name)),
        })
    }

    /// The name, such as `NL:KVK`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Kvk => "NL:KVK",
            Self::Vat => "NL:VAT",
            Self::Rsin => "NL:RSIN",
            Self::BelgianEnterprise => "BE:EN",
            Self::Other(OtherScheme(name)) => name,
        }
    }

    /// The two letters of the country, such as `NL`; empty where the scheme is of no country, such as GLN's `0088`.
    pub fn country(&self) -> &str {
        self.as_str().split_once(':').map_or("", |(country, _)| country)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Identifier {
    /// Reads an identifier from the text of its scheme and of its value.
    ///
    /// Of Dutch and Belgian numbers white space, dots and hyphens are left out, letters become upper
    /// case, and a Belgian number may begin with `BE`; of others only white space around the value
    /// is. An RSIN, a VAT number and a Belgian enterprise number have to stand their checks; whether a number was
    /// given to this organisation is for the register to say.
    ///
    /// # Errors
    /// What is wrong with the scheme or with the value.
    pub fn parse(scheme: &str, value: &str) -> Result<Self, NotAnIdentifier> {
        if scheme.trim().eq_ignore_ascii_case(PEPPOL) {
            let (code, value) = value.split_once(':').ok_or(NotAnIdentifier::Scheme)?;
            return match code.trim() {
                code if are_digits(code, 4) => Self::parse(code, value),
                _ => Err(NotAnIdentifier::Scheme),
            };
        }
        let scheme = Scheme::parse(scheme)?;
        let value = match scheme {
            Scheme::Other(OtherScheme(ref name)) if name == OIN => return oin(&compact(value)),
            Scheme::Kvk => kvk(&compact(value)),
            Scheme::Vat => vat(&compact(value)),
            Scheme::Rsin => rsin(&compact(value)),
            Scheme::BelgianEnterprise => belgian_enterprise(&compact(value)),
            Scheme::Other(_) => visible(value),
        }?;
        Ok(Self { scheme, value })
    }

    /// Reads an identifier from one text: scheme and value with a space or a colon between, as `NL:KVK 12345678` or
    /// `0106:12345678`.
    ///
    /// # Errors
    /// As [`Identifier::parse`].
    pub fn parse_text(text: &str) -> Result<Self, NotAnIdentifier> {
        let text = text.trim();
        let (scheme, value) = text
            .split_once(char::is_whitespace)
            .or_else(|| text.rsplit_once(':'))
            .ok_or(NotAnIdentifier::Scheme)?;
        // `iso6523-actorid-upis::0106:12345678`
        Self::parse(scheme.strip_prefix("iso6523-actorid-upis::").unwrap_or(scheme), value)
    }

    /// As it stands in the database: it was checked by the rules of its day.
    pub(crate) fn stored(scheme: &str, value: String) -> Result<Self, NotAnIdentifier> {
        Ok(Self {
            scheme: Scheme::parse(scheme)?,
            value,
        })
    }

    /// Which register or authority gave it.
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The number in its one form, such as `12345678`.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme, self.value)
    }
}

impl TryFrom<Written> for Identifier {
    type Error = NotAnIdentifier;
    fn try_from(written: Written) -> Result<Self, NotAnIdentifier> {
        Self::parse(&written.scheme, &written.value)
    }
}

impl From<Identifier> for Written {
    fn from(identifier: Identifier) -> Self {
        Self {
            scheme: identifier.scheme.to_string(),
            value: identifier.value,
        }
    }
}

/// Without white space, dots and hyphens, in upper case.
fn compact(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-'))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn are_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

fn kvk(text: &str) -> Result<String, NotAnIdentifier> {
    are_digits(text, 8).then(|| text.to_owned()).ok_or(NotAnIdentifier::Kvk)
}

/// Two kinds are about: those of legal persons, and all of before 2020, whose nine digits stand the eleven-test; and
/// those of sole traders since, which make the remainder by 97 one when each letter is read as a number, A as 10.
fn vat(text: &str) -> Result<String, NotAnIdentifier> {
    let (number, suffix) = text
        .strip_prefix("NL")
        .and_then(|rest| rest.split_once('B'))
        .filter(|(number, suffix)| are_digits(number, 9) && are_digits(suffix, 2))
        .ok_or(NotAnIdentifier::Vat)?;
    // N is 23, L is 21 and B is 11.
    let since_2020 = format!("2321{number}11{suffix}")
        .parse()
        .is_ok_and(|all: u64| all % 97 == 1);
    if stands_the_eleven_test(number) || since_2020 {
        Ok(text.to_owned())
    } else {
        Err(NotAnIdentifier::VatDigit)
    }
}

fn rsin(text: &str) -> Result<String, NotAnIdentifier> {
    if !are_digits(text, 9) {
        return Err(NotAnIdentifier::Rsin);
    }
    if !stands_the_eleven_test(text) {
        return Err(NotAnIdentifier::RsinDigit);
    }
    Ok(text.to_owned())
}

/// The eleven-test of the Dutch tax administration: digits times 9, 8, … 2 and the last times −1 add
/// up to a multiple of eleven. Nine zeros would too, and are no number.
fn stands_the_eleven_test(nine_digits: &str) -> bool {
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = nine_digits
        .bytes()
        .zip(weights)
        .map(|(digit, weight)| i32::from(digit.saturating_sub(b'0')) * weight)
        .sum();
    sum % 11 == 0 && nine_digits.bytes().any(|b| b != b'0')
}

/// The last two digits are 97 less the remainder of the first eight by 97.
fn belgian_enterprise(text: &str) -> Result<String, NotAnIdentifier> {
    let number = text.strip_prefix("BE").unwrap_or(text);
    if !are_digits(number, 10) || !number.starts_with(['0', '1']) {
        return Err(NotAnIdentifier::BelgianEnterprise);
    }
    let (first, last) = number.split_at(8);
    match (first.parse::<u32>(), last.parse::<u32>()) {
        (Ok(first), Ok(last)) if first > 0 && 97 - first % 97 == last => Ok(number.to_owned()),
        _ => Err(NotAnIdentifier::BelgianDigit),
    }
}

/// An OIN is eight digits that say which register's number it is made of, that number, and zeros
/// (Logius, Digikoppeling, "Identificatie en authenticatie"). One that is made of a KvK number or an RSIN is that number.
fn oin(text: &str) -> Result<Identifier, NotAnIdentifier> {
    if !are_digits(text, 20) {
        return Err(NotAnIdentifier::Oin);
    }
    let of = |prefix: &str, zeros: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(zeros));
    let (scheme, value) = if let Some(number) = of("00000003", "0000") {
        (Scheme::Kvk, kvk(number)?)
    } else if let Some(number) = of("00000001", "000") {
        (Scheme::Rsin, rsin(number)?)
    } else {
        (Scheme::Other(OtherScheme(OIN.to_owned())), text.to_owned())
    };
    Ok(Identifier { scheme, value })
}

/// Any other value as it is, without white space around it. What can't be seen is refused: two
/// values that look the same would be two organisations.
fn visible(text: &str) -> Result<String, NotAnIdentifier> {
    let value = text.trim();
    let seen = |c: char| {
        let white = c.is_whitespace() && c != ' ';
        // Soft hyphen, zero-width and bidirectional characters, invisible operators, byte order
        // mark, tags.
        let invisible = matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}');
        !c.is_control() && !white && !invisible
    };
    if (1..=50).contains(&value.chars().count()) && value.chars().all(seen) {
        Ok(value.to_owned())
    } else {
        Err(NotAnIdentifier::Value)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_number_written_in_many_ways_is_one_identifier() {
        for (scheme, value, shown) in [
            ("NL:KVK", "12345678", "NL:KVK 12345678"),
            (" nl:kvk ", " 1234 5678 ", "NL:KVK 12345678"),
            ("NL:KVK", "12.34.56.78", "NL:KVK 12345678"),
            ("0106", "12345678", "NL:KVK 12345678"),
            ("iso6523-actorid-upis", "0106:12345678", "NL:KVK 12345678"),
            ("0190", "00000003123456780000", "NL:KVK 12345678"),
            ("NL:OIN", "0000 0001 123456782 000", "NL:RSIN 123456782"),
            ("NL:OINO", "00000004003214345001", "NL:OIN 00000004003214345001"),
            ("NL:VAT", "NL123456782B01", "NL:VAT NL123456782B01"),
            ("nl:vat", "nl 1234.56.782.b.01", "NL:VAT NL123456782B01"),
            ("NL:VAT", "NL123456789B13", "NL:VAT NL123456789B13"),
            ("9944", "NL000099998B57", "NL:VAT NL000099998B57"),
            ("NL:RSIN", "123.456.782", "NL:RSIN 123456782"),
            ("BE:EN", "0123456749", "BE:EN 0123456749"),
            ("BE:EN", "BE 0123.456.749", "BE:EN 0123456749"),
            ("BE:VAT", "BE0123456749", "BE:EN 0123456749"),
            ("0208", "0123456749", "BE:EN 0123456749"),
            ("9925", "BE0123456749", "BE:EN 0123456749"),
            ("0088", "8712345678906", "0088 8712345678906"),
            ("de:hrb", " HRB 86891 ", "DE:HRB HRB 86891"),
            ("GB:COH", "sc123456", "GB:COH sc123456"),
        ] {
            let identifier = Identifier::parse(scheme, value).unwrap();
            assert_eq!(identifier.to_string(), shown, "{scheme} {value}");
        }
        assert_eq!(Scheme::parse("be:en").unwrap().country(), "BE");
        assert_eq!(Scheme::parse("0088").unwrap().country(), "");
    }

    #[test]
    fn one_text_is_read_as_answers_and_peppol_write_it() {
        for text in [
            "NL:KVK 12345678",
            "NL:KVK:12345678",
            "0106:12345678",
            "iso6523-actorid-upis::0106:12345678",
        ] {
            assert_eq!(Identifier::parse_text(text).unwrap().to_string(), "NL:KVK 12345678");
        }
        assert_eq!(Identifier::parse_text("12345678"), Err(NotAnIdentifier::Scheme));
    }

    #[test]
    fn what_was_stored_by_earlier_rules_can_be_read() {
        let stored = Identifier::stored("NL:VAT", "NL001234567B01".to_owned()).unwrap();
        assert_eq!(stored.to_string(), "NL:VAT NL001234567B01");
    }

    #[test]
    fn what_does_not_fit_its_scheme_is_refused_with_what_to_do() {
        use NotAnIdentifier as Not;
        for (scheme, value, refusal) in [
            ("NL:KVK", "", Not::Kvk),
            ("NL:KVK", "1234567", Not::Kvk),
            ("NL:KVK", "000012345678", Not::Kvk),
            ("NL:KVK", "١٢٣٤٥٦٧٨", Not::Kvk),
            ("NL:VAT", "NL001234567B01", Not::VatDigit),
            ("NL:VAT", "NL123456789B14", Not::VatDigit),
            ("NL:VAT", "NL000000000B00", Not::VatDigit),
            ("NL:VAT", "001234567B01", Not::Vat),
            ("NL:VAT", "NL00123456B01", Not::Vat),
            ("NL:VAT", "NL001234567C01", Not::Vat),
            ("NL:VAT", "NL001234567B0", Not::Vat),
            ("NL:RSIN", "12345678", Not::Rsin),
            ("NL:RSIN", "123456789", Not::RsinDigit),
            ("NL:RSIN", "000000000", Not::RsinDigit),
            ("BE:EN", "123456789", Not::BelgianEnterprise),
            ("BE:EN", "2123456789", Not::BelgianEnterprise),
            ("BE:EN", "0123456789", Not::BelgianDigit),
            ("BE:EN", "0000000097", Not::BelgianDigit),
            ("0190", "0000000312345678", Not::Oin),
            ("0190", "00000001123456789000", Not::RsinDigit),
            ("iso6523-actorid-upis", "12345678", Not::Scheme),
            ("iso6523-actorid-upis", "iso6523-actorid-upis:0106:1", Not::Scheme),
            ("DE:HRB", "  ", Not::Value),
            ("DE:HRB", "a\nb", Not::Value),
            ("DE:HRB", "a\u{200B}b", Not::Value),
        ] {
            assert_eq!(Identifier::parse(scheme, value), Err(refusal), "{scheme} {value:?}");
        }
        assert_eq!(Identifier::parse("DE:HRB", &"é".repeat(51)), Err(Not::Value));
        assert!(Identifier::parse("DE:HRB", &"é".repeat(50)).is_ok());
        assert!(Not::RsinDigit.to_string().contains("compare it with"));
    }

    #[test]
    fn an_unknown_scheme_of_another_form_is_refused() {
        for scheme in [
            "",
            "KVK",
            "NL",
            "NL:",
            ":KVK",
            "NLD:KVK",
            "N1:KVK",
            "NL:K-K",
            "NL:KVK:1",
            "NL: KVK",
            "NL:ABCDEFGHIJKLMNOPQRSTU",
            "ÑL:KVK",
        ] {
            assert_eq!(
                Identifier::parse(scheme, "12345678"),
                Err(NotAnIdentifier::Scheme),
                "{scheme:?}"
            );
        }
    }

    #[test]
    fn json_is_scheme_and_value_and_is_checked_when_read() {
        let text = r#"{"scheme":"NL:KVK","value":"12345678"}"#;
        let read: Identifier = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let refused = serde_json::from_str::<Identifier>(r#"{"scheme":"NL:KVK","value":"1"}"#);
        assert!(refused.unwrap_err().to_string().contains("8 digits"));
    }

    proptest! {
        #[test]
        fn a_wrong_digit_in_an_rsin_is_noticed(base in 10_000_000_u32..100_000_000, place in 0_usize..9, by in 1_u8..10) {
            let right = (0..10).find_map(|last| rsin(&format!("{base}{last}")).ok());
            prop_assume!(right.is_some());
            let mut digits = right.unwrap().into_bytes();
            let digit = digits.get_mut(place).unwrap();
            *digit = b'0' + (*digit - b'0' + by) % 10;
            prop_assert_eq!(rsin(&String::from_utf8(digits).unwrap()), Err(NotAnIdentifier::RsinDigit));
        }

        #[test]
        fn what_was_read_reads_the_same_again(
            scheme in prop_oneof![Just("NL:KVK".to_owned()), Just("nl:vat".to_owned()), Just("NL:RSIN".to_owned()), Just("be:en".to_owned()), Just("NL:OIN".to_owned()), "[0-9]{4}", "[A-Za-z]{2}:[A-Za-z0-9]{1,20}"],
            value in prop_oneof!["[0-9]{8}", "0000000[1-4][0-9]{9}000", "00000003[0-9]{8}0000", "[ .]?[0-9]{3}[ .-]?[0-9]{6}", "(BE ?)?[01][0-9 .-]{9,12}", "[nN][lL] ?[0-9.]{9,12}[bB][0-9]{2}", "\\PC{0,60}", any::<String>()],
        ) {
            if let Ok(read) = Identifier::parse(&scheme, &value) {
                let again = Identifier::parse(read.scheme().as_str(), read.value());
                prop_assert_eq!(again, Ok(read.clone()));
                let json = serde_json::to_string(&read).unwrap();
                prop_assert_eq!(serde_json::from_str::<Identifier>(&json).unwrap(), read);
            }
        }
    }
}
