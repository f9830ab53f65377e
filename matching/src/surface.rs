//! Differences that show on the surface of two names that are known to be the same.

use crate::fold::plain_letters;
use crate::foldings::{Folding, Foldings};
use smallvec::SmallVec;

/// A text as the eye sees it.
#[derive(Default)]
struct Look {
    letters: SmallVec<[char; 64]>,
    /// Punctuation and symbols; a hyphen counts as a space.
    marks: SmallVec<[char; 8]>,
    /// How many letters stand between spaces.
    words: SmallVec<[usize; 12]>,
    has_lower: bool,
    has_upper: bool,
}

impl Look {
    fn at(text: &str) -> Self {
        let mut look = Look::default();
        let mut letters = 0;
        for c in text.chars() {
            if c.is_alphanumeric() {
                look.letters.push(c);
                letters += 1;
                look.has_lower |= c.is_lowercase();
                look.has_upper |= c.is_uppercase();
            } else if c.is_whitespace() || c == '-' {
                look.words.push(letters);
                letters = 0;
            } else {
                look.marks.push(c);
            }
        }
        look.words.push(letters);
        look
    }

    fn is_one_case(&self) -> bool {
        !(self.has_lower && self.has_upper)
    }

    fn same_letters(&self, other: &Look) -> bool {
        let plain = |(a, b): (&char, &char)| a == b || (a.is_ascii() && a.eq_ignore_ascii_case(b));
        let (mine, theirs) = (&self.letters, &other.letters);
        (mine.len() == theirs.len() && mine.iter().zip(theirs).all(plain)) || {
            let lower = |letters: &[char]| {
                letters
                    .iter()
                    .flat_map(|c| c.to_lowercase())
                    .collect::<SmallVec<[char; 64]>>()
            };
            !(mine.iter().chain(theirs).all(char::is_ascii)) && lower(mine) == lower(theirs)
        }
    }
}

/// Adds to what is known to be folded what the eye sees.
pub(crate) fn surface(account: &str, registered: &str, known: Foldings) -> Foldings {
    let mut folded = known;
    if account == registered {
        return folded;
    }
    let (mine, theirs) = (Look::at(account), Look::at(registered));
    let same = mine.same_letters(&theirs);
    if mine.letters != theirs.letters && (same || (mine.is_one_case() && !theirs.is_one_case())) {
        folded.insert(Folding::Case);
    }
    let ascii = account.is_ascii() && registered.is_ascii();
    if !same && !ascii && plain_letters(account) == plain_letters(registered) {
        folded.insert(Folding::Diacritics);
    }
    if mine.marks != theirs.marks {
        folded.insert(Folding::Punctuation);
    }
    if mine.words != theirs.words && !known.contains(Folding::Cut) {
        folded.insert(Folding::Spacing);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eye_sees_case_accents_marks_and_spaces() {
        let seen = |account, registered| surface(account, registered, Foldings::NONE).iter().collect::<Vec<_>>();
        assert_eq!(seen("Zeewolf", "Zeewolf"), []);
        assert_eq!(seen("ZEEWOLF", "Zeewolf"), [Folding::Case]);
        assert_eq!(seen("ÉÉN", "één"), [Folding::Case]);
        assert_eq!(seen("Cafe", "Café"), [Folding::Diacritics]);
        assert_eq!(seen("Zeewolf BV", "Zeewolf B.V."), [Folding::Punctuation]);
        assert_eq!(seen("Zee wolf", "Zeewolf"), [Folding::Spacing]);
        assert_eq!(seen("Zee-wolf", "Zee wolf"), []);
    }
}
