//! Numbers that registers and tax authorities give, and countries.

use serde::{Deserialize, Serialize};

use crate::written::written_as_text;

/// A number of the Dutch trade register (KvK): eight digits. ISO 6523 scheme 0106.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kvk(String);

/// A Belgian enterprise number: ten digits that begin with 0 or 1, the last two 97 less the remainder of the first eight
/// by 97. ISO 6523 scheme 0208, which Peppol checks that far (PEPPOL-COMMON-R043).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BelgianEnterprise(String);

/// A Dutch RSIN: nine digits that stand the eleven-test. There is no Peppol scheme for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rsin(String);

/// A VAT number with its country, such as `NL001234567B01`. Of Dutch ones the form is checked, of Belgian ones the
/// enterprise number in it; of others that they begin with a country.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VatNumber(String);

/// A country by its two letters (ISO 3166-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

/// Why a text is none of these. The sentences don't repeat it: it may be somebody's private number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotANumber {
    /// Not eight digits.
    #[error("a KvK number has 8 digits, such as `12345678`")]
    Kvk,
    /// Not ten digits, or check digits that are wrong.
    #[error("a Belgian enterprise number has 10 digits, the last two of which check the others, such as `0202239951`")]
    BelgianEnterprise,
    /// Not nine digits, or the eleven-test refuses them.
    #[error("an RSIN has 9 digits that stand the eleven-test, such as `123456782`")]
    Rsin,
    /// Not a country and what its numbers look like.
    #[error("a VAT number begins with its country: `NL`, 9 digits, `B` and 2 digits, or `BE` and an enterprise number")]
    Vat,
    /// Not two letters of ISO 3166-1.
    #[error("a country is two letters of ISO 3166-1, such as `NL` or `BE`")]
    Country,
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

impl Kvk {
    /// Reads a number; spaces, dots and hyphens are left out.
    ///
    /// # Errors
    /// [`NotANumber::Kvk`] unless it has eight digits.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let number = compact(text);
        if are_digits(&number, 8) {
            Ok(Self(number))
        } else {
            Err(NotANumber::Kvk)
        }
    }

    /// The eight digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BelgianEnterprise {
    /// Reads a number; spaces, dots and hyphens are left out, and it may begin with `BE`.
    ///
    /// # Errors
    /// [`NotANumber::BelgianEnterprise`] unless it has ten digits that check.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let number = compact(text);
        let number = number.strip_prefix("BE").unwrap_or(&number);
        let checks = || {
            let (body, check) = number.split_at_checked(8)?;
            Some(97 - body.parse::<u32>().ok()? % 97 == check.parse::<u32>().ok()?)
        };
        if are_digits(number, 10) && number.starts_with(['0', '1']) && checks() == Some(true) {
            Ok(Self(number.to_owned()))
        } else {
            Err(NotANumber::BelgianEnterprise)
        }
    }

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Rsin {
    /// Reads a number; spaces, dots and hyphens are left out.
    ///
    /// # Errors
    /// [`NotANumber::Rsin`] unless it has nine digits that stand the eleven-test of the Dutch tax administration:
    /// times 9, 8, … 2 and the last times −1 they add up to a multiple of eleven.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let number = compact(text);
        let sum: i32 = number
            .bytes()
            .zip([9, 8, 7, 6, 5, 4, 3, 2, -1])
            .map(|(digit, weight)| i32::from(digit.wrapping_sub(b'0')) * weight)
            .sum();
        if are_digits(&number, 9) && sum % 11 == 0 && number.bytes().any(|digit| digit != b'0') {
            Ok(Self(number))
        } else {
            Err(NotANumber::Rsin)
        }
    }

    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VatNumber {
    /// Reads a number; spaces, dots and hyphens are left out.
    ///
    /// # Errors
    /// [`NotANumber::Vat`] unless it begins with a country (Greece's may be `EL`, as tax authorities write it) and the
    /// rest is as that country's are, as far as it is checked.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let number = compact(text);
        let (country, rest) = number.split_at_checked(2).ok_or(NotANumber::Vat)?;
        let right = match country {
            "NL" => rest
                .split_once('B')
                .is_some_and(|(digits, suffix)| are_digits(digits, 9) && are_digits(suffix, 2)),
            "BE" => BelgianEnterprise::parse(rest).is_ok() && !rest.starts_with("BE"),
            other => {
                (other == "EL" || Country::parse(other).is_ok())
                    && (2..=13).contains(&rest.len())
                    && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        };
        if right { Ok(Self(number)) } else { Err(NotANumber::Vat) }
    }

    /// The number, its country in front.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the Dutch tax administration gave it.
    pub fn is_dutch(&self) -> bool {
        self.0.starts_with("NL")
    }
}

impl Country {
    /// The Netherlands.
    pub const NL: Self = Self(*b"NL");
    /// Belgium.
    pub const BE: Self = Self(*b"BE");

    /// Reads two letters, in either case.
    ///
    /// # Errors
    /// [`NotANumber::Country`] unless ISO 3166-1 has them.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let code = text.trim().to_ascii_uppercase();
        let letters: [u8; 2] = code.as_bytes().try_into().map_err(|_| NotANumber::Country)?;
        let known = COUNTRIES.split(' ').any(|known| known == code);
        known.then_some(Self(letters)).ok_or(NotANumber::Country)
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

written_as_text!(Kvk, NotANumber);
written_as_text!(BelgianEnterprise, NotANumber);
written_as_text!(Rsin, NotANumber);
written_as_text!(VatNumber, NotANumber);
written_as_text!(Country, NotANumber);

/// ISO 3166-1 alpha-2.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET \
    FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ \
    IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS \
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn one_number_written_in_many_ways_is_one_number() {
        assert_eq!(Kvk::parse(" 1234.5678").unwrap().as_str(), "12345678");
        for text in ["0202.239.951", "BE 0202 239 951", "be0202239951"] {
            assert_eq!(BelgianEnterprise::parse(text).unwrap().as_str(), "0202239951");
        }
        assert_eq!(Rsin::parse("123 456 782").unwrap().as_str(), "123456782");
        assert_eq!(
            VatNumber::parse("nl 0012.34.567.b01").unwrap().as_str(),
            "NL001234567B01"
        );
        assert_eq!(VatNumber::parse("BE 0202.239.951").unwrap().as_str(), "BE0202239951");
        assert_eq!(Country::parse("be"), Ok(Country::BE));
    }

    #[test]
    fn a_wrong_digit_and_a_strange_form_are_refused() {
        for text in ["1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨"] {
            assert_eq!(Kvk::parse(text), Err(NotANumber::Kvk), "{text}");
        }
        for text in ["0202239952", "0123456789", "202239951", "2202239951", "02022399é1"] {
            assert_eq!(
                BelgianEnterprise::parse(text),
                Err(NotANumber::BelgianEnterprise),
                "{text}"
            );
        }
        for text in ["123456783", "000000000", "12345678", "12345678a"] {
            assert_eq!(Rsin::parse(text), Err(NotANumber::Rsin), "{text}");
        }
        for text in [
            "NL001234567",
            "NL00123456B01",
            "001234567B01",
            "BE0123456789",
            "BEBE0202239951",
            "XX123",
            "N",
            "é1",
        ] {
            assert_eq!(VatNumber::parse(text), Err(NotANumber::Vat), "{text}");
        }
        for text in ["", "N", "NLD", "EU", "XX", "UK", "N L", "NL BE"] {
            assert_eq!(Country::parse(text), Err(NotANumber::Country), "{text}");
        }
    }

    #[test]
    fn all_249_countries_are_known() {
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert!(COUNTRIES.split(' ').is_sorted());
    }
}
