//! Where the money goes to, and with which reference.

use iban::IbanLike;
use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::written::written_as_text;

/// An account in Europe (ISO 13616), its check digits right. In JSON without spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iban(String);

/// A bank (ISO 9362): eight or eleven characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bic(String);

/// What the payer gives with the payment. In JSON as it is typed, without spaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PaymentReference {
    /// A creditor reference (ISO 11649): `RF`, two check digits, 1 to 21 letters and digits.
    Creditor(CreditorReference),
    /// A Dutch payment reference of sixteen digits (betalingskenmerk).
    Betalingskenmerk(Betalingskenmerk),
}

/// The text of a creditor reference, its check digits right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreditorReference(String);

/// Sixteen digits, of which the first checks the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Betalingskenmerk(String);

/// Why something can't be paid to or with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPayable {
    /// Not an IBAN.
    #[error(
        "an IBAN has its country, two check digits and the account, such as `NL91 ABNA 0417 1643 00`: compare it with the bank's"
    )]
    Iban,
    /// Not a BIC.
    #[error("a BIC has 8 or 11 letters and digits, such as `ABNANL2A`")]
    Bic,
    /// Neither kind of reference.
    #[error(
        "a payment reference is a creditor reference such as `RF18539007547034` or 16 digits (betalingskenmerk) such as `5000056789012345`"
    )]
    Reference,
    /// A longer name than a credit transfer can carry.
    #[error(
        "the name of an account holder has at most {} characters in a credit transfer: shorten it",
        Payment::MAX_NAME
    )]
    Name,
    /// All together more than a QR code for credit transfers may hold.
    #[error(
        "name, account and reference together take more than {} bytes in the QR code: shorten the name",
        crate::qr::MAX_BYTES
    )]
    TooMuch,
    /// Nothing.
    #[error("a QR code for credit transfers asks at least one cent")]
    Nothing,
}

impl Iban {
    /// Reads an IBAN, with or without spaces.
    ///
    /// # Errors
    /// [`NotPayable::Iban`] when the country, the length, the form or the check digits are wrong.
    pub fn parse(text: &str) -> Result<Self, NotPayable> {
        let compact: String = text.split_whitespace().collect::<String>().to_ascii_uppercase();
        let iban: iban::Iban = compact.parse().map_err(|_| NotPayable::Iban)?;
        Ok(Self(iban.electronic_str().to_owned()))
    }

    /// Without spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In groups of four, as people read it.
    pub fn grouped(&self) -> String {
        in_fours(&self.0)
    }
}

impl Bic {
    /// Reads a BIC, with or without spaces.
    ///
    /// # Errors
    /// [`NotPayable::Bic`] unless it is a bank (4 letters or digits), a country (2 letters), a place (2) and perhaps a
    /// branch (3).
    pub fn parse(text: &str) -> Result<Self, NotPayable> {
        let bic: String = text.split_whitespace().collect::<String>().to_ascii_uppercase();
        let plain = matches!(bic.len(), 8 | 11) && bic.bytes().all(|b| b.is_ascii_alphanumeric());
        let country = bic
            .get(4..6)
            .is_some_and(|country| country.bytes().all(|b| b.is_ascii_alphabetic()));
        if plain && country {
            Ok(Self(bic))
        } else {
            Err(NotPayable::Bic)
        }
    }

    /// The eight or eleven characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CreditorReference {
    /// Without spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Betalingskenmerk {
    /// The sixteen digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PaymentReference {
    /// Reads either kind, with or without spaces.
    ///
    /// # Errors
    /// [`NotPayable::Reference`] when it is neither, or a check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, NotPayable> {
        let compact: String = text.split_whitespace().collect::<String>().to_ascii_uppercase();
        if is_creditor_reference(&compact) {
            Ok(Self::Creditor(CreditorReference(compact)))
        } else if is_betalingskenmerk(&compact) {
            Ok(Self::Betalingskenmerk(Betalingskenmerk(compact)))
        } else {
            Err(NotPayable::Reference)
        }
    }

    /// Without spaces.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creditor(reference) => reference.as_str(),
            Self::Betalingskenmerk(kenmerk) => kenmerk.as_str(),
        }
    }

    /// In groups of four, as people read it.
    pub fn grouped(&self) -> String {
        in_fours(self.as_str())
    }
}

written_as_text!(Iban, NotPayable);
written_as_text!(Bic, NotPayable);
written_as_text!(PaymentReference, NotPayable);

/// An account to pay to, whose it is, and the reference to give. Small enough for a QR code, whatever the amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenPayment", into = "WrittenPayment")]
pub struct Payment {
    iban: Iban,
    name: Text,
    bic: Option<Bic>,
    reference: PaymentReference,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPayment {
    iban: Iban,
    name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bic: Option<Bic>,
    reference: PaymentReference,
}

impl Payment {
    /// The most characters of an account holder's name (EPC069-12).
    pub const MAX_NAME: usize = 70;

    /// # Errors
    /// [`NotPayable::Name`] when the name is longer than [`Self::MAX_NAME`], and [`NotPayable::TooMuch`] when
    /// its bytes leave no room for the rest.
    pub fn new(iban: Iban, name: Text, bic: Option<Bic>, reference: PaymentReference) -> Result<Self, NotPayable> {
        if name.chars() > Self::MAX_NAME {
            return Err(NotPayable::Name);
        }
        let payment = Self {
            iban,
            name,
            bic,
            reference,
        };
        if crate::qr::payload(&payment, crate::Amount::MAX).len() > crate::qr::MAX_BYTES {
            return Err(NotPayable::TooMuch);
        }
        Ok(payment)
    }

    /// The account.
    pub const fn iban(&self) -> &Iban {
        &self.iban
    }

    /// In whose name it is.
    pub const fn name(&self) -> &Text {
        &self.name
    }

    /// At which bank, where that is given.
    pub const fn bic(&self) -> Option<&Bic> {
        self.bic.as_ref()
    }

    /// What the payer is to give.
    pub const fn reference(&self) -> &PaymentReference {
        &self.reference
    }
}

impl TryFrom<WrittenPayment> for Payment {
    type Error = NotPayable;
    fn try_from(written: WrittenPayment) -> Result<Self, NotPayable> {
        Self::new(written.iban, written.name, written.bic, written.reference)
    }
}

impl From<Payment> for WrittenPayment {
    fn from(payment: Payment) -> Self {
        Self {
            iban: payment.iban,
            name: payment.name,
            bic: payment.bic,
            reference: payment.reference,
        }
    }
}

fn in_fours(text: &str) -> String {
    let mut grouped = String::with_capacity(text.len() + text.len() / 4);
    for (c, position) in text.chars().zip(0..) {
        if position > 0 && position % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(c);
    }
    grouped
}

/// `RF`, two digits from 02 to 98 and 1 to 21 letters and digits that leave 1 by 97 (ISO 7064 mod 97-10), letters counting
/// from 10 and the first four characters last.
fn is_creditor_reference(text: &str) -> bool {
    let Some((head, own)) = text.split_at_checked(4) else {
        return false;
    };
    let check = head
        .strip_prefix("RF")
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let given = check
        .and_then(|digits| digits.parse().ok())
        .is_some_and(|check: u8| (2..=98).contains(&check));
    let remainder = own.chars().chain(head.chars()).try_fold(0_u32, |so_far, c| {
        let value = c.to_digit(36)?;
        Some((so_far * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    given && (1..=21).contains(&own.len()) && remainder == Some(1)
}

/// Sixteen digits. The others, from the right times 2, 4, 8, 5, 10, 9, 7, 3, 6, 1 and again, add up to a sum; eleven less
/// its remainder by eleven is the first, ten written as 1 and eleven as 0 (rule of the acceptgiro, Betaalvereniging).
fn is_betalingskenmerk(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    let Some([first, others @ ..]) = digits.as_deref() else {
        return false;
    };
    let weights = [2, 4, 8, 5, 10, 9, 7, 3, 6, 1].into_iter().cycle();
    let sum: u32 = others
        .iter()
        .rev()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = match 11 - sum % 11 {
        10 => 1,
        11 => 0,
        digit => digit,
    };
    others.len() == 15 && check == *first
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn accounts_and_references_are_read_in_groups_and_shown_in_fours() {
        assert_eq!(
            Iban::parse("nl91 abna 0417 1643 00").unwrap().grouped(),
            "NL91 ABNA 0417 1643 00"
        );
        assert_eq!(
            PaymentReference::parse("rf18 5390 0754 7034").unwrap().grouped(),
            "RF18 5390 0754 7034"
        );
        let kenmerk = PaymentReference::parse("5000 0567 8901 2345").unwrap();
        assert!(matches!(kenmerk, PaymentReference::Betalingskenmerk(_)));
        assert_eq!(kenmerk.as_str(), "5000056789012345");
        assert_eq!(Bic::parse("abnanl2a").unwrap().as_str(), "ABNANL2A");
    }

    #[test]
    fn a_wrong_digit_shows() {
        for text in [
            "NL92ABNA0417164300",
            "NL91ABNA041716430",
            "XX91ABNA0417164300",
            "",
            "NL91ABNA04171643é0",
        ] {
            assert_eq!(Iban::parse(text), Err(NotPayable::Iban), "{text}");
        }
        for text in [
            "RF19539007547034",
            "RF18",
            "RF00539007547034",
            "RF+8539007547034",
            "6000056789012345",
            "500005678901234",
            "ACT-00000001",
            "",
            "RFé",
        ] {
            assert_eq!(PaymentReference::parse(text), Err(NotPayable::Reference), "{text}");
        }
        for text in ["ABNANL2", "ABNA1L2A", "ABNANL2AX", "ABNANL2A_12"] {
            assert_eq!(Bic::parse(text), Err(NotPayable::Bic), "{text}");
        }
    }

    #[test]
    fn a_name_that_a_transfer_cannot_carry_is_refused() {
        let payment = |name: &str| {
            let reference = PaymentReference::parse("RF18539007547034").unwrap();
            Payment::new(
                Iban::parse("NL91ABNA0417164300").unwrap(),
                Text::parse(name).unwrap(),
                None,
                reference,
            )
        };
        assert!(payment(&"é".repeat(70)).is_ok());
        assert_eq!(payment(&"e".repeat(71)).unwrap_err(), NotPayable::Name);
        assert_eq!(payment(&"🧁".repeat(70)).unwrap_err(), NotPayable::TooMuch);
    }
}
