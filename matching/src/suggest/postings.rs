//! In which names each word stands: rising numbers, kept as the differences between them in as few bytes as each
//! needs (LEB128).

use super::words::WordNumber;

/// The names of every word.
pub(super) struct Postings {
    bytes: Vec<u8>,
    /// Where the list of each word ends.
    ends: Vec<u32>,
    /// How many names each word stands in.
    counts: Vec<u32>,
}

impl Postings {
    /// Of all uses (word, name); the names of one word must come in rising order.
    pub(super) fn of(mut uses: Vec<(WordNumber, u32)>, words: usize) -> Self {
        // Stable by word: the names stay in their order.
        uses.sort_by_key(|(word, _)| *word);
        uses.dedup();
        let mut postings = Postings {
            bytes: Vec::with_capacity(uses.len() * 2),
            ends: Vec::with_capacity(words),
            counts: Vec::with_capacity(words),
        };
        for group in uses.chunk_by(|a, b| a.0 == b.0) {
            let mut before = 0;
            for (_, name) in group {
                postings.push(name - before);
                before = *name;
            }
            postings
                .ends
                .push(u32::try_from(postings.bytes.len()).unwrap_or(u32::MAX));
            postings.counts.push(u32::try_from(group.len()).unwrap_or(u32::MAX));
        }
        postings.bytes.shrink_to_fit();
        postings
    }

    fn push(&mut self, mut difference: u32) {
        while difference >= 0x80 {
            self.bytes
                .push(u8::try_from(difference & 0x7f).unwrap_or_default() | 0x80);
            difference >>= 7;
        }
        self.bytes.push(u8::try_from(difference).unwrap_or_default());
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + (self.ends.capacity() + self.counts.capacity()) * size_of::<u32>()
    }

    /// How many names the word stands in.
    pub(super) fn count(&self, word: WordNumber) -> usize {
        let count = usize::try_from(word).ok().and_then(|at| self.counts.get(at));
        usize::try_from(count.copied().unwrap_or_default()).unwrap_or(usize::MAX)
    }

    /// The names the word stands in, in rising order.
    pub(super) fn names(&self, word: WordNumber) -> impl Iterator<Item = u32> {
        let at = usize::try_from(word).unwrap_or(usize::MAX);
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let to = self.ends.get(at).copied().unwrap_or_default();
        let place = |end: u32| usize::try_from(end).unwrap_or(usize::MAX);
        let list = self
            .bytes
            .get(place(from.unwrap_or_default())..place(to))
            .unwrap_or_default();
        let mut bytes = list.iter();
        let mut before = 0_u32;
        std::iter::from_fn(move || {
            let (mut difference, mut shift) = (0_u32, 0_u32);
            loop {
                let byte = *bytes.next()?;
                difference |= u32::from(byte & 0x7f).wrapping_shl(shift);
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
            before = before.wrapping_add(difference);
            Some(before)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(uses in prop::collection::vec((0u32..20, 0u32..5_000_000), 1..200)) {
            let mut expected: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            for (word, name) in &uses {
                expected.entry(*word).or_default().insert(*name);
            }
            // Every word of a dictionary is used somewhere.
            let numbers: BTreeMap<u32, u32> = expected.keys().zip(0..).map(|(word, number)| (*word, number)).collect();
            let mut uses: Vec<(u32, u32)> = uses.iter().map(|(word, name)| (*numbers.get(word).unwrap(), *name)).collect();
            uses.sort_by_key(|(_, name)| *name);
            let postings = Postings::of(uses, expected.len());
            for (word, names) in &expected {
                let number = *numbers.get(word).unwrap();
                prop_assert!(postings.names(number).eq(names.iter().copied()));
                prop_assert_eq!(postings.count(number), names.len());
            }
            prop_assert_eq!(postings.names(1000).count(), 0);
        }
    }
}
