//! How much two names are alike, to find the closest and to order the queue. It decides nothing.

use crate::name::Words;

/// 26 letters, 10 digits and the edge of a word.
const SYMBOLS: usize = 37;
const BITS: usize = SYMBOLS * SYMBOLS;

/// The pairs of neighbouring letters that a name has.
pub(crate) struct LetterPairs {
    has: [u64; BITS.div_ceil(64)],
    count: u32,
}

impl LetterPairs {
    pub(crate) fn of(words: Words<'_>) -> Self {
        let mut pairs = LetterPairs {
            has: [0; BITS.div_ceil(64)],
            count: 0,
        };
        for word in words.iter().filter(|word| !word.is_connector()) {
            let mut before = 0;
            for letter in words.letters_of(word) {
                let symbol = symbol(*letter);
                pairs.insert(before, symbol);
                before = symbol;
            }
            pairs.insert(before, 0);
        }
        pairs
    }

    fn insert(&mut self, before: usize, letter: usize) {
        let bit = before * SYMBOLS + letter;
        if let Some(part) = self.has.get_mut(bit / 64) {
            let pair = 1 << (bit % 64);
            self.count += u32::from(*part & pair == 0);
            *part |= pair;
        }
    }

    /// The share of pairs that both have, in percent.
    pub(crate) fn likeness(&self, other: &LetterPairs) -> u8 {
        let both = self.has.iter().zip(&other.has);
        let shared: u32 = both.map(|(mine, theirs)| (mine & theirs).count_ones()).sum();
        let all = self.count + other.count;
        u8::try_from(200 * shared / all.max(1)).unwrap_or(100)
    }
}

fn symbol(letter: u8) -> usize {
    match letter {
        b'a'..=b'z' => usize::from(letter - b'a') + 1,
        b'0'..=b'9' => usize::from(letter - b'0') + 27,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn the_same_name_is_wholly_alike_and_another_is_not() {
        let pairs = |text: &str| LetterPairs::of(Name::read(text).words());
        let zeewolf = pairs("Zeewolf 24");
        assert_eq!(zeewolf.likeness(&pairs("ZEEWOLF 24")), 100);
        assert_eq!(zeewolf.likeness(&pairs("Kust")), 0);
        assert!(zeewolf.likeness(&pairs("Zeewolv 24")) > zeewolf.likeness(&pairs("Zeehond 24")));
        assert_eq!(pairs("").likeness(&pairs("")), 0);
    }
}
