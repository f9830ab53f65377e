//! Which of many registered names is this account holder likely to be?
//!
//! For a payment without a usable reference. The list is for a person: nothing is accepted because it is on top.
//!
//! | module | what it knows |
//! |---|---|
//! | `words` | all distinct words, sorted: exact, one slip of the pen away, or with a given beginning |
//! | `postings` | in which names each word stands, in two or three bytes a time |
//! | `rank` | from an account name to a handful of likely names |

mod postings;
mod rank;
mod words;

use crate::LONGEST_NAME;
use crate::forms::spelled;
use crate::name::{Name, Word, Words};
use postings::Postings;
use rustc_hash::FxHashMap;
use words::Dictionary;

/// Registered names, to be searched by account name. Built once; about sixty bytes a name beside its text.
pub struct Index {
    /// All names in one row.
    texts: String,
    /// Where each name ends in it.
    ends: Vec<u32>,
    keys: Vec<u32>,
    words: Dictionary,
    postings: Postings,
}

/// A name that the account holder may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suggestion<'i> {
    /// What the name was given to the index with.
    pub key: u32,
    /// The name, as it was given.
    pub name: &'i str,
    /// 0..=100: the share of the words' weight that both names have. A rare word weighs more than a common one,
    /// a legal form next to nothing. It orders the list and decides nothing.
    pub likeness: u8,
}

impl<N: AsRef<str>> FromIterator<(u32, N)> for Index {
    fn from_iter<I: IntoIterator<Item = (u32, N)>>(names: I) -> Self {
        Self::build(names)
    }
}

impl Index {
    /// Builds the index over names, each with a key of the caller's; several names may have the same key, such as
    /// an organisation's. Of a name longer than any bank reports only the first thousand characters count. Holds
    /// four thousand million bytes of text at most; what comes after that is left out.
    pub fn build<N: AsRef<str>>(names: impl IntoIterator<Item = (u32, N)>) -> Self {
        let mut draft = Draft::default();
        for (key, name) in names {
            if !draft.add(key, name.as_ref()) {
                break;
            }
        }
        draft.finish()
    }

    /// The most likely names, likeliest first and at most so many: one for each key, none that shares no more than a
    /// legal form. Names of the same likeness
    /// stand in the order of the alphabet. Never takes longer than a bounded amount of work, whatever is asked.
    pub fn suggest(&self, account_name: &str, limit: usize) -> Vec<Suggestion<'_>> {
        rank::suggest(self, account_name, limit)
    }

    /// How many names it holds.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many bytes of memory it takes, the names themselves included.
    pub fn bytes(&self) -> usize {
        self.texts.capacity()
            + (self.ends.capacity() + self.keys.capacity()) * size_of::<u32>()
            + self.words.bytes()
            + self.postings.bytes()
    }

    fn name(&self, at: u32) -> Option<(&str, u32)> {
        let at = usize::try_from(at).ok()?;
        let from = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let range = usize::try_from(from).ok()?..usize::try_from(*self.ends.get(at)?).ok()?;
        Some((self.texts.get(range)?, *self.keys.get(at)?))
    }

    /// What a word that stands in so many names tells: a word of one name most, a word of all names least.
    fn weight(&self, letters: &[u8], names: usize) -> f32 {
        let all = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let names = u32::try_from(names.max(1)).unwrap_or(u32::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ratio of counts, rounded to seven digits, is exact enough"
        )]
        let rare = (1.0 + all as f32 / names as f32).ln();
        let form = if spelled(letters).is_some() { 0.1 } else { 1.0 };
        let short = if letters.len() < 3 { 0.3 } else { 1.0 };
        rare * form * short
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("names", &self.len())
            .finish_non_exhaustive()
    }
}

/// The words that count, as letters: all but the connectors.
fn counted<'n>(words: Words<'n>) -> impl Iterator<Item = (&'n Word, &'n [u8])> {
    let words_of = words.list().iter().filter(|word| !word.is_connector());
    words_of.map(move |word| (word, words.letters_of(word)))
}

/// The text as far as it is read.
fn readable(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// An index in the making.
#[derive(Default)]
struct Draft {
    texts: String,
    ends: Vec<u32>,
    keys: Vec<u32>,
    /// Words in the order in which they were first seen.
    numbers: FxHashMap<Vec<u8>, u32>,
    /// (word, name), in the order of the names.
    uses: Vec<(u32, u32)>,
}

impl Draft {
    fn add(&mut self, key: u32, text: &str) -> bool {
        let Ok(end) = u32::try_from(self.texts.len() + text.len()) else {
            return false;
        };
        let Ok(number) = u32::try_from(self.keys.len()) else {
            return false;
        };
        self.texts.push_str(text);
        self.ends.push(end);
        self.keys.push(key);
        let name = Name::read(readable(text));
        for (_, letters) in counted(name.words()) {
            let word = match self.numbers.get(letters) {
                Some(word) => *word,
                None => {
                    let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
                    self.numbers.insert(letters.to_vec(), next);
                    next
                }
            };
            self.uses.push((word, number));
        }
        true
    }

    fn finish(mut self) -> Index {
        let mut sorted: Vec<(Vec<u8>, u32)> = self.numbers.drain().collect();
        sorted.sort_unstable();
        let mut place = vec![0; sorted.len()];
        for (at, (_, number)) in sorted.iter().enumerate() {
            let slot = usize::try_from(*number).ok().and_then(|number| place.get_mut(number));
            if let (Some(slot), Ok(at)) = (slot, u32::try_from(at)) {
                *slot = at;
            }
        }
        for (word, _) in &mut self.uses {
            let number = usize::try_from(*word).unwrap_or(usize::MAX);
            *word = place.get(number).copied().unwrap_or_default();
        }
        let words = Dictionary::of(sorted.into_iter().map(|(letters, _)| letters));
        let postings = Postings::of(self.uses, words.len());
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.keys.shrink_to_fit();
        Index {
            texts: self.texts,
            ends: self.ends,
            keys: self.keys,
            words,
            postings,
        }
    }
}
