//! Cents, VAT rates, and VAT to the cent: whole numbers only.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::written::written_by_display;

/// An amount of euros in whole cents, never negative, at most [`Amount::MAX`]. In JSON `"18.15"`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(u64);

/// The text or number isn't an amount that an invoice can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an amount is euros with two decimals, such as `18.15`, from 0.00 to {}",
    Amount::MAX
)]
pub struct NotAnAmount;

impl Amount {
    /// The most that a credit transfer can carry (EPC069-12): € 999,999,999.99.
    pub const MAX: Self = Self(99_999_999_999);

    /// From cents.
    ///
    /// # Errors
    /// [`NotAnAmount`] when there are more than [`Self::MAX`].
    pub const fn from_cents(cents: u64) -> Result<Self, NotAnAmount> {
        if cents <= Self::MAX.0 {
            Ok(Self(cents))
        } else {
            Err(NotAnAmount)
        }
    }

    /// From digits, a point and two more digits, and nothing else.
    ///
    /// # Errors
    /// [`NotAnAmount`] for any other text, and for more than [`Self::MAX`].
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let (euros, cents) = text.split_once('.').ok_or(NotAnAmount)?;
        let only_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !only_digits(euros) || !only_digits(cents) || cents.len() != 2 {
            return Err(NotAnAmount);
        }
        let whole: u64 = format!("{euros}{cents}").parse().map_err(|_| NotAnAmount)?;
        Self::from_cents(whole)
    }

    /// In cents.
    pub const fn cents(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of all, if it is an amount.
    pub(crate) fn sum(mut amounts: impl Iterator<Item = Self>) -> Result<Self, NotAnAmount> {
        amounts.try_fold(Self(0), Self::plus)
    }

    /// The sum, if it is an amount.
    pub(crate) fn plus(self, other: Self) -> Result<Self, NotAnAmount> {
        self.0
            .checked_add(other.0)
            .ok_or(NotAnAmount)
            .and_then(Self::from_cents)
    }
}

/// With a point and two decimals, such as `18.15`: as UBL and EPC069-12 write it.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

written_by_display!(Amount, NotAnAmount);

/// A VAT rate above 0% and at most 100%, to the hundredth of a per cent. In JSON the per cents: `"21"`, `"5.5"`.
///
/// 0% isn't one: a document without VAT has to say why (reverse charge, export, …), which these don't.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VatRate(u16);

/// The text or number isn't a VAT rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a VAT rate is a percentage above 0 and at most 100 with at most two decimals, such as `21`")]
pub struct NotAVatRate;

/// A gross amount that no net amount in whole cents comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no amount in whole cents comes to {gross} with {rate}% VAT; the nearest that exist are {below} and {above}: ask one of those"
)]
pub struct NoSplit {
    /// What was asked for.
    pub gross: Amount,
    /// At which rate.
    pub rate: VatRate,
    /// The nearest gross amount below that can be split.
    pub below: Amount,
    /// The nearest gross amount above that can be split.
    pub above: Amount,
}

/// Hundredths of a per cent in the whole.
const WHOLE: u64 = 10_000;

impl VatRate {
    /// From hundredths of a per cent: 2,100 is 21%.
    ///
    /// # Errors
    /// [`NotAVatRate`] for 0 and for more than 10,000.
    pub const fn from_basis_points(points: u16) -> Result<Self, NotAVatRate> {
        if points >= 1 && points <= 10_000 {
            Ok(Self(points))
        } else {
            Err(NotAVatRate)
        }
    }

    /// From per cents with at most two decimals, without a sign: `21`, `5.5`, `21.00`.
    ///
    /// # Errors
    /// [`NotAVatRate`] for any other text.
    pub fn parse(text: &str) -> Result<Self, NotAVatRate> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let only_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !only_digits(whole) || !only_digits(fraction) || fraction.len() > 2 {
            return Err(NotAVatRate);
        }
        let points: u16 = format!("{whole}{fraction:0<2}").parse().map_err(|_| NotAVatRate)?;
        Self::from_basis_points(points)
    }

    /// In hundredths of a per cent.
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// The VAT on a net amount: rounded to the cent, half a cent upwards (EN 16931, BR-CO-17).
    pub fn vat_on(self, net: Amount) -> Amount {
        Amount((net.0 * u64::from(self.0) + WHOLE / 2) / WHOLE)
    }

    /// The net amount and the VAT that make a gross amount, to the cent: € 18.15 with 21% is € 15.00 and € 3.15.
    ///
    /// # Errors
    /// [`NoSplit`] when net + [`vat_on`](Self::vat_on)(net) can't be the gross amount: with 21%, 18 cents can't.
    pub fn split(self, gross: Amount) -> Result<(Amount, Amount), NoSplit> {
        let gross_of = |net: u64| net + self.vat_on(Amount(net)).0;
        // Gross grows with net by one or two cents a step, so that at most one net fits, and it is here or next to here.
        let mut net = gross.0 * WHOLE / (WHOLE + u64::from(self.0)) + 1;
        while net > 0 && gross_of(net) > gross.0 {
            net -= 1;
        }
        if gross_of(net) == gross.0 {
            return Ok((Amount(net), self.vat_on(Amount(net))));
        }
        Err(NoSplit {
            gross,
            rate: self,
            below: Amount(gross_of(net)),
            above: Amount(gross_of(net + 1)),
        })
    }
}

/// The per cents, such as `21` or `5.5`, without the sign.
impl fmt::Display for VatRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

impl fmt::Debug for VatRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}%")
    }
}

written_by_display!(VatRate, NotAVatRate);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn rate(text: &str) -> VatRate {
        VatRate::parse(text).unwrap()
    }

    #[test]
    fn fifteen_euros_and_21_per_cent_are_eighteen_euros_fifteen() {
        assert_eq!(rate("21").vat_on(amount("15.00")), amount("3.15"));
        assert_eq!(rate("21").split(amount("18.15")), Ok((amount("15.00"), amount("3.15"))));
    }

    #[test]
    fn half_a_cent_of_vat_is_a_cent() {
        assert_eq!(rate("50").vat_on(amount("0.01")), amount("0.01"));
        assert_eq!(rate("49.99").vat_on(amount("0.01")), amount("0.00"));
        assert_eq!(rate("21").vat_on(amount("0.50")), amount("0.11"));
    }

    #[test]
    fn a_gross_amount_between_two_possible_ones_is_refused_with_both() {
        // 2 cents and 21% make 2 cents, 3 make 4.
        let refused = rate("21").split(amount("0.03")).unwrap_err();
        assert_eq!((refused.below, refused.above), (amount("0.02"), amount("0.04")));
        assert_eq!(
            refused.to_string(),
            "no amount in whole cents comes to 0.03 with 21% VAT; the nearest that exist are 0.02 and 0.04: ask one of those"
        );
    }

    #[test]
    fn only_plain_amounts_and_rates_are_read() {
        for text in [
            "",
            "1",
            "1.5",
            ".50",
            "1.",
            "-1.00",
            "+1.00",
            "1,00",
            "1.005",
            " 1.00",
            "1e2.00",
            "٣.٣٣",
            "1000000000.00",
        ] {
            assert_eq!(Amount::parse(text), Err(NotAnAmount), "{text:?}");
        }
        for text in [
            "", "0", "0.00", "100.01", "-21", "+21", "21%", "21.", "21.001", ".5", "1e1", "655.36",
        ] {
            assert_eq!(VatRate::parse(text), Err(NotAVatRate), "{text:?}");
        }
        for (text, written) in [
            ("21", "21"),
            ("21.00", "21"),
            ("5.50", "5.5"),
            ("0.01", "0.01"),
            ("100", "100"),
        ] {
            assert_eq!(rate(text).to_string(), written);
        }
    }

    proptest! {
        #[test]
        fn a_net_amount_comes_back_from_its_gross_amount(cents in 0..=80_000_000_000_u64, points in 1..=2_500_u16) {
            let (net, rate) = (Amount::from_cents(cents).unwrap(), VatRate::from_basis_points(points).unwrap());
            let vat = rate.vat_on(net);
            prop_assert_eq!(rate.split(net.plus(vat).unwrap()), Ok((net, vat)));
        }

        #[test]
        fn a_gross_amount_is_split_exactly_or_lies_between_two_neighbours(cents in 0..=99_999_999_999_u64, points in 1..=10_000_u16) {
            let (gross, rate) = (Amount::from_cents(cents).unwrap(), VatRate::from_basis_points(points).unwrap());
            match rate.split(gross) {
                Ok((net, vat)) => {
                    prop_assert_eq!(net.cents() + vat.cents(), cents);
                    prop_assert_eq!(vat, rate.vat_on(net));
                }
                Err(refused) => {
                    prop_assert!(refused.below < gross && gross < refused.above);
                    prop_assert!(rate.split(refused.below).is_ok());
                }
            }
        }

        #[test]
        fn what_is_written_reads_back_the_same(cents in 0..=99_999_999_999_u64, points in 1..=10_000_u16) {
            let (amount, rate) = (Amount::from_cents(cents).unwrap(), VatRate::from_basis_points(points).unwrap());
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
            prop_assert_eq!(VatRate::parse(&rate.to_string()), Ok(rate));
        }
    }
}
