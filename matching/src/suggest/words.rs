//! All distinct words, in the order of the alphabet, and again in the order of their ends.

use crate::edit::one_edit;
use std::ops::Range;

/// The number of a word in the order of the alphabet.
pub(super) type WordNumber = u32;

/// A word this short is nearly every other short word but for one letter.
const SHORTEST_TO_BE_NEAR: usize = 5;

/// Of the words with the same half no more than this are looked at.
const MOST_LOOKED_AT: usize = 20_000;

/// The words, as one row of letters.
pub(super) struct Dictionary {
    letters: Vec<u8>,
    /// Where each word ends in the row.
    ends: Vec<u32>,
    /// The words in the order of their letters read backwards.
    backwards: Vec<WordNumber>,
}

impl Dictionary {
    /// Of words that are sorted and distinct.
    pub(super) fn of(sorted: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut words = Dictionary {
            letters: Vec::new(),
            ends: Vec::new(),
            backwards: Vec::new(),
        };
        for word in sorted {
            words.letters.extend_from_slice(&word);
            words.ends.push(u32::try_from(words.letters.len()).unwrap_or(u32::MAX));
        }
        words.letters.shrink_to_fit();
        words.ends.shrink_to_fit();
        let mut backwards: Vec<WordNumber> = (0..u32::try_from(words.len()).unwrap_or(u32::MAX)).collect();
        backwards.sort_unstable_by(|a, b| words.word(*a).iter().rev().cmp(words.word(*b).iter().rev()));
        words.backwards = backwards;
        words
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.letters.capacity() + (self.ends.capacity() + self.backwards.capacity()) * size_of::<u32>()
    }

    pub(super) fn word(&self, number: WordNumber) -> &[u8] {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let (from, to) = (from.unwrap_or_default(), self.ends.get(at).copied().unwrap_or_default());
        let place = |end: u32| usize::try_from(end).unwrap_or(usize::MAX);
        self.letters.get(place(from)..place(to)).unwrap_or_default()
    }

    /// The word with exactly these letters.
    pub(super) fn exact(&self, letters: &[u8]) -> Option<WordNumber> {
        let number = self.first_not_before(letters);
        (self.word(number) == letters && !letters.is_empty()).then_some(number)
    }

    /// The words that begin with these letters.
    pub(super) fn beginning_with(&self, letters: &[u8]) -> Range<WordNumber> {
        let from = self.first_not_before(letters);
        let mut after = letters.to_vec();
        // Letters and digits are below 0xff: everything that begins so lies before it.
        after.push(u8::MAX);
        from..self.first_not_before(&after)
    }

    /// The words that are one letter more, less, other or swapped away.
    ///
    /// One slip leaves the first or the last half of a word as it was; so only the words with the same half are
    /// looked at.
    pub(super) fn near(&self, letters: &[u8]) -> Vec<WordNumber> {
        if letters.len() < SHORTEST_TO_BE_NEAR {
            return Vec::new();
        }
        let half = (letters.len() - 1) / 2;
        let (head, tail) = (
            letters.get(..half).unwrap_or_default(),
            letters.get(letters.len() - half..).unwrap_or_default(),
        );
        let is_near = |number: &WordNumber| {
            let word = self.word(*number);
            word.len().abs_diff(letters.len()) <= 1 && one_edit(word, letters)
        };
        let mut near: Vec<WordNumber> = self.beginning_with(head).take(MOST_LOOKED_AT).filter(is_near).collect();
        let ends_before = |number: &WordNumber| self.word(*number).iter().rev().lt(tail.iter().rev());
        let from = self.backwards.partition_point(ends_before);
        let ending = self.backwards.iter().skip(from).take(MOST_LOOKED_AT);
        near.extend(
            ending
                .take_while(|number| self.word(**number).ends_with(tail))
                .filter(|number| is_near(number)),
        );
        near.sort_unstable();
        near.dedup();
        near
    }

    fn first_not_before(&self, letters: &[u8]) -> WordNumber {
        let (mut from, mut to) = (0, u32::try_from(self.len()).unwrap_or(u32::MAX));
        while from < to {
            let middle = from + (to - from) / 2;
            if self.word(middle) < letters {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dictionary(words: &[String]) -> Dictionary {
        let mut words: Vec<Vec<u8>> = words.iter().map(|word| word.clone().into_bytes()).collect();
        words.sort();
        words.dedup();
        Dictionary::of(words.into_iter())
    }

    proptest! {
        #[test]
        fn what_is_near_is_what_a_look_at_every_word_finds(
            words in prop::collection::vec("[ab]{3,9}", 1..40),
            asked in "[ab]{5,9}",
        ) {
            let dictionary = dictionary(&words);
            let all = 0..u32::try_from(dictionary.len()).unwrap();
            let expected: Vec<u32> = all.clone().filter(|n| one_edit(dictionary.word(*n), asked.as_bytes())).collect();
            prop_assert_eq!(dictionary.near(asked.as_bytes()), expected);
            let begins = |n: &u32| dictionary.word(*n).starts_with(asked.as_bytes());
            prop_assert!(dictionary.beginning_with(asked.as_bytes()).eq(all.filter(begins)));
            let exact = dictionary.exact(asked.as_bytes()).map(|n| dictionary.word(n).to_vec());
            prop_assert_eq!(exact.is_some(), words.contains(&asked));
        }
    }
}
