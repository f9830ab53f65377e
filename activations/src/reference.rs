//! Payment references: what ties a payment to an activation, and what in a free text may be one.
//!
//! Ours are creditor references (ISO 11649): `RF`, two check digits, twelve characters. Banks know
//! them, a QR code can carry them, and nearly every slip in typing one shows. For invoices the Dutch
//! payment reference of sixteen digits (betalingskenmerk) can be given instead. Others are
//! accepted as they are.

mod betalingskenmerk;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entropy::{Entropy, NoEntropy};

/// Digits and capitals that can't be taken for one another: no `0` and `O`, no `1`, `I` and `L`.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// How many characters follow the check digits in a reference of our own.
const OWN_CHARS: usize = 12;

/// How many characters may follow the check digits in any creditor reference (ISO 11649).
const MOST_CHARS: usize = 21;

/// The most characters between two groups: a line break with a space on either side of it.
const MOST_BETWEEN: usize = 4;

/// `RF` and the check digits.
const HEAD: usize = 4;

/// The reference of a payment: 4 to 64 letters, digits, hyphens and underscores (ASCII).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// The text can't be a payment reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment reference is 4 to 64 letters, digits, hyphens and underscores, such as `ACT-00000001`")]
pub struct NotAReference;

impl Reference {
    /// A new creditor reference of 16 characters, such as `RF18ABCDEFGH2345`: one of 31¹², nearly
    /// 10¹⁸, all equally likely but for a part in 10²⁰.
    ///
    /// It is not a secret, and not promised to be new: the store has to hold it unique.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes)?;
        // One number of 128 bits, written in base 31: no draw has to be thrown away, and what 2¹²⁸
        // isn't a multiple of 31¹² by can't be noticed.
        let mut number = u128::from_be_bytes(bytes);
        let mut own = String::with_capacity(OWN_CHARS);
        for _ in 0..OWN_CHARS {
            let place = usize::try_from(number % 31).unwrap_or(0);
            own.extend(ALPHABET.get(place).copied().map(char::from));
            number /= 31;
        }
        let check = 98 - remainder(own.bytes().chain(*b"RF00"));
        Ok(Self(format!("RF{check:02}{own}")))
    }

    /// A new Dutch payment reference (betalingskenmerk) of 16 digits, such as `5000056789012345`: one of
    /// 10¹⁵, all equally likely but for a part in 10²³.
    ///
    /// It is not a secret, and not promised to be new: the store has to hold it unique.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate_betalingskenmerk(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes)?;
        let mut number = u128::from_be_bytes(bytes);
        let mut digits = Vec::with_capacity(betalingskenmerk::DIGITS);
        for _ in 1..betalingskenmerk::DIGITS {
            digits.push(u32::try_from(number % 10).unwrap_or(0));
            number /= 10;
        }
        let first = betalingskenmerk::check_digit(&digits);
        let written = [first]
            .into_iter()
            .chain(digits)
            .filter_map(|digit| char::from_digit(digit, 10));
        Ok(Self(written.collect()))
    }

    /// Whether it is a Dutch payment reference with a right check digit.
    pub fn is_betalingskenmerk(&self) -> bool {
        betalingskenmerk::is_one(&self.0)
    }

    /// Whether it is a creditor reference (ISO 11649) with right check digits.
    pub fn is_creditor_reference(&self) -> bool {
        self.0.starts_with("RF") && self.0.len() <= HEAD + MOST_CHARS && has_right_check_digits(&self.0)
    }

    /// As it is printed for people to type: a checked reference in groups of four, any other as it is.
    pub fn grouped(&self) -> String {
        if !self.is_betalingskenmerk() && !self.is_creditor_reference() {
            return self.0.clone();
        }
        let mut grouped = String::with_capacity(self.0.len() + 6);
        for (c, position) in self.0.chars().zip(0..) {
            if position > 0 && position % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(c);
        }
        grouped
    }

    /// Takes any reference as it is, also one from elsewhere such as `ACT-00000001`; check digits
    /// are not looked at.
    ///
    /// # Errors
    /// [`NotAReference`] when it isn't 4 to 64 letters, digits, hyphens and underscores (ASCII).
    pub fn parse(text: &str) -> Result<Self, NotAReference> {
        if (4..=64).contains(&text.len()) && text.bytes().all(may_be_in_token) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAReference)
        }
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Reference {
    type Error = NotAReference;
    fn try_from(text: String) -> Result<Self, NotAReference> {
        Self::parse(&text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

/// The most characters of a free text that are looked at; banks carry 140, providers 1,000.
pub const MAX_TEXT_CHARS: usize = 2_000;

/// The most candidates that [`candidates`] gives.
pub const MAX_CANDIDATES: usize = 20;

/// What in a free text (a description, remittance information) may be a payment reference, most
/// likely first, at most [`MAX_CANDIDATES`], each once. Only the first [`MAX_TEXT_CHARS`] characters
/// are looked at, in time linear in them.
///
/// First creditor references of the form that we give, then others, if their check digits are right:
/// anywhere in the text, in either case, in groups, with letters in the check digits that were taken
/// for digits. They are given in capitals and without spaces. Between ours and others' stand Dutch payment
/// references, found in the same way and given as sixteen digits. Then words of 4 to 64 letters, digits,
/// hyphens and underscores with a digit in them, as they are written: those with a letter before
/// those without. Compare them without regard to case, for many banks put all in capitals.
pub fn candidates(free_text: &str) -> Vec<String> {
    let text: Vec<char> = free_text.chars().take(MAX_TEXT_CHARS).collect();
    let mut own = Vec::new();
    let mut foreign = Vec::new();
    let mut kenmerken = Vec::new();
    for start in 0..text.len() {
        let before = start.checked_sub(1).and_then(|at| text.get(at)).copied();
        kenmerken.extend(
            text.get(start..)
                .and_then(|rest| betalingskenmerk::at_start(rest, before)),
        );
        let Some(found) = text.get(start..).and_then(creditor_reference) else {
            continue;
        };
        match found {
            Found::Own(reference) => own.push(reference),
            Found::Foreign(reference) => foreign.push(reference),
        }
    }

    let mut words = Vec::new();
    let mut numbers = Vec::new();
    let may_be = |c: &char| u8::try_from(*c).is_ok_and(may_be_in_token);
    for token in text.split(|c| !may_be(c)) {
        let token: String = token.iter().collect();
        // A hyphen at the end is punctuation; a reference that really ends in one still is tried.
        for word in [token.trim_matches(['-', '_']), token.as_str()] {
            if !(4..=64).contains(&word.len()) || !word.bytes().any(|b| b.is_ascii_digit()) {
                continue;
            }
            if word.bytes().any(|b| b.is_ascii_alphabetic()) {
                words.push(word.to_owned());
            } else {
                numbers.push(word.to_owned());
            }
        }
    }

    let mut likely: Vec<String> = Vec::new();
    for candidate in own
        .into_iter()
        .chain(kenmerken)
        .chain(foreign)
        .chain(words)
        .chain(numbers)
    {
        if likely.len() == MAX_CANDIDATES {
            break;
        }
        if !likely.iter().any(|known| known.eq_ignore_ascii_case(&candidate)) {
            likely.push(candidate);
        }
    }
    likely
}

/// A creditor reference with right check digits: of the form that we give, or of any other.
enum Found {
    Own(String),
    Foreign(String),
}

/// The creditor reference that begins with the first character, if one does.
fn creditor_reference(text: &[char]) -> Option<Found> {
    let [r, f, rest @ ..] = text else { return None };
    if !r.eq_ignore_ascii_case(&'R') || !f.eq_ignore_ascii_case(&'F') {
        return None;
    }
    // Letters and digits without what stands between groups, and after how many a word ends.
    let mut compact = String::from("RF");
    let mut ends = Vec::new();
    let mut between = 0;
    for c in rest.iter().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_alphanumeric() => {
                if compact.len() == HEAD + MOST_CHARS {
                    break;
                }
                let c = c.to_ascii_uppercase();
                compact.push(if compact.len() < HEAD { meant_digit(c) } else { c });
                between = 0;
            }
            other => {
                if between == 0 {
                    ends.push(compact.len());
                }
                between += 1;
                if between > MOST_BETWEEN || !other.copied().is_some_and(may_be_between_groups) {
                    break;
                }
            }
        }
    }
    // Ours have one length, so they are found even with something stuck to their end.
    if let Some((reference, own)) = compact
        .get(..HEAD + OWN_CHARS)
        .and_then(|reference| reference.get(HEAD..).map(|own| (reference, own)))
        && own.bytes().all(|b| ALPHABET.contains(&b))
        && has_right_check_digits(reference)
    {
        return Some(Found::Own(reference.to_owned()));
    }
    // Any other must end where a word ends, or one text in five that says RF would hold one.
    ends.iter()
        .rev()
        .filter_map(|end| compact.get(..*end))
        .find(|reference| has_right_check_digits(reference))
        .map(|reference| Found::Foreign(reference.to_owned()))
}

/// The digit that a capital in the check digits was meant to be, where one looks like it.
const fn meant_digit(c: char) -> char {
    match c {
        'O' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'B' => '8',
        other => other,
    }
}

/// What people and banks put between the groups of a reference; lines of a statement are broken too.
fn may_be_between_groups(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '/' | '_' | '\u{200B}')
}

const fn may_be_in_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

/// Whether `RF`, two digits and at least one more character in capitals stand the test of ISO 7064
/// mod 97-10. It gives 02 to 98; other pairs of digits with the same remainder are never given.
fn has_right_check_digits(reference: &str) -> bool {
    let Some((head, own)) = reference.split_at_checked(HEAD) else {
        return false;
    };
    let check: Option<u8> = head.get(2..).and_then(|digits| digits.parse().ok());
    !own.is_empty()
        && check.is_some_and(|check| (2..=98).contains(&check))
        && remainder(own.bytes().chain(head.bytes())) == 1
}

/// The remainder by 97 of digits and capitals, where A counts as 10 and Z as 35.
fn remainder(text: impl Iterator<Item = u8>) -> u32 {
    text.fold(0, |so_far, b| {
        let value = char::from(b).to_digit(36).unwrap_or(0);
        let shift = if value < 10 { 10 } else { 100 };
        (so_far * shift + value) % 97
    })
}

#[cfg(test)]
mod tests;
