//! Amounts of money: whole minor units and a currency, read from decimal text without floating point.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro, the only currency that an activation is asked in.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a code in either case; `None` unless it is three ASCII letters.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimals its minor unit has (ISO 4217): two for nearly all.
    const fn decimals(self) -> usize {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents) of a currency. In JSON `{"value": "0.01", "currency": "EUR"}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Money {
    /// Whole minor units; negative for money that went out.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct Written {
    value: String,
    currency: String,
}

/// The text isn't an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an amount such as {{\"value\": \"0.01\", \"currency\": \"EUR\"}}")]
pub struct NotMoney;

impl Money {
    /// From minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// From euro cents.
    pub const fn cents(minor: i64) -> Self {
        Self::new(minor, Currency::EUR)
    }

    /// From decimal text: digits, at most one point, at most as many decimals as the currency has
    /// (more only if they are zeros), an optional minus. No exponent, no grouping, no spaces.
    ///
    /// # Errors
    /// [`NotMoney`] when it is anything else or doesn't fit.
    pub fn parse(value: &str, currency: &str) -> Result<Self, NotMoney> {
        let currency = Currency::parse(currency).ok_or(NotMoney)?;
        let (negative, digits) = match value.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, value),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let only_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !only_digits(whole) || !only_digits(fraction) {
            return Err(NotMoney);
        }
        let decimals = currency.decimals();
        let (kept, rest) = fraction.split_at(fraction.len().min(decimals));
        if rest.bytes().any(|b| b != b'0') {
            return Err(NotMoney);
        }
        let minor: i64 = format!("{whole}{kept:0<decimals$}").parse().map_err(|_| NotMoney)?;
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// The decimal text, with the currency's own number of decimals.
    pub fn value(&self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.minor.unsigned_abs().to_string();
        let decimals = self.currency.decimals();
        if decimals == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        format!("{sign}{whole}.{fraction}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.value())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<Written> for Money {
    type Error = NotMoney;
    fn try_from(written: Written) -> Result<Self, NotMoney> {
        Self::parse(&written.value, &written.currency)
    }
}

impl From<Money> for Written {
    fn from(money: Money) -> Self {
        Self {
            value: money.value(),
            currency: money.currency.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_text_becomes_exact_minor_units() {
        for (text, minor) in [
            ("0.01", 1),
            ("18.15", 1815),
            ("18.1", 1810),
            ("18", 1800),
            ("-2.50", -250),
            ("1.000", 100),
        ] {
            assert_eq!(Money::parse(text, "eur"), Ok(Money::cents(minor)), "{text}");
        }
        assert_eq!(Money::parse("500", "JPY").map(|m| m.minor), Ok(500));
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1e2",
            "0x1",
            "1,00",
            " 1",
            "1 ",
            "+1",
            "--1",
            "0.011",
            "NaN",
            "٣",
            "99999999999999999999",
        ] {
            assert_eq!(Money::parse(text, "EUR"), Err(NotMoney), "{text:?}");
        }
        assert_eq!(Money::parse("1", "EURO"), Err(NotMoney));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(minor: i64) {
            prop_assume!(minor != i64::MIN);
            let money = Money::cents(minor);
            prop_assert_eq!(Money::parse(&money.value(), "EUR"), Ok(money));
        }
    }
}
