//! Two names side by side: does the account spell the registered name, but for explained differences?
//!
//! The registered name is a row of letters; the account's words are laid on it from left to right. After each
//! word we keep every place that can be reached, with the foldings it took and how we got there, so the work is
//! bounded by (words of the account) × (letters of the registered name). There is no skipping of letters and no
//! cost: either all of both names is used up, or the names differ.

mod beginning;
mod lost;

use self::beginning::is_beginning;
use crate::foldings::{Folding, Foldings};
use crate::lexicon::{Context, Known, expansions, known, short_endings};
use crate::name::{Word, Words};
use smallvec::SmallVec;

/// Names of more words than this are compared letter by letter only: no bank reports them, and the work stays
/// small.
const MOST_WORDS: usize = 40;

/// What may be explained, beyond letters and spaces.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Which abbreviations apply.
    pub context: Context,
    /// The account may end before the registered name does: it has a bank's field length.
    pub cut: bool,
}

/// How the account spells the registered name.
pub(crate) struct Alignment {
    pub folded: Foldings,
    /// After so many words of the account, so many letters of the registered row are used up.
    steps: SmallVec<[(u16, u16); 16]>,
}

/// Lays the account's words on the registered ones; `None` when the names differ. `hidden_form` is how the legal
/// form behind the registered name may be written; only a cut account may run into it or stop before it.
pub(crate) fn align(
    account: Words<'_>,
    registered: Words<'_>,
    hidden_form: &[String],
    rules: Rules,
) -> Option<Alignment> {
    if account.is_empty() || registered.is_empty() {
        return None;
    }
    // Nothing that may differ changes the first letter of a name.
    let joins = |words: Words<'_>| words.first().is_some_and(Word::is_connector);
    let starts = account.letters().first() == registered.letters().first() || joins(account) || joins(registered);
    if !starts && !rules.context.is_descriptive() {
        return None;
    }
    let row = Row::new(registered, registered.letters(), rules);
    let found = row.plain(account).or_else(|| row.walk(account));
    if found.is_some() || !rules.cut {
        return found;
    }
    hidden_form.iter().find_map(|form| {
        let mut letters: SmallVec<[u8; 96]> = SmallVec::from_slice(registered.letters());
        letters.extend_from_slice(form.as_bytes());
        Row::new(registered, &letters, rules).walk(account)
    })
}

struct Row<'r, 'n> {
    words: Words<'n>,
    letters: &'r [u8],
    /// Letters from here on are the legal form.
    core: usize,
    rules: Rules,
}

/// A place that was reached.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    /// Words of the account used up.
    word: usize,
    /// The place before, in the list of all.
    from: usize,
    folded: Foldings,
    /// A preposition was skipped that only a name with other words shortened may lack.
    loose: bool,
    /// How many words were shortened.
    shortened: u8,
    /// One of them to a bare beginning without a dot: then it must not be the only one.
    bare: bool,
}

/// How a word of the account lies on the registered letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Laid {
    AsItIs,
    Folded(Folding),
    /// Shortened to its beginning, without a dot to say so.
    BareBeginning,
}

impl Laid {
    fn folding(self) -> Option<Folding> {
        match self {
            Laid::AsItIs => None,
            Laid::Folded(folding) => Some(folding),
            Laid::BareBeginning => Some(Folding::Abbreviation),
        }
    }

    fn is_shortened(self) -> bool {
        self.folding() == Some(Folding::Abbreviation)
    }
}

#[derive(Default)]
struct Places {
    all: SmallVec<[Place; 24]>,
    now: SmallVec<[usize; 8]>,
    next: SmallVec<[usize; 8]>,
}

impl Places {
    /// Notes a place unless it is already reached with as little folding.
    fn reach(list: &mut SmallVec<[usize; 8]>, all: &mut SmallVec<[Place; 24]>, place: Place) {
        for index in list.iter_mut() {
            if let Some(known) = all.get(*index)
                && known.at == place.at
                && known.loose == place.loose
            {
                if place.folded.len() < known.folded.len() {
                    *index = all.len();
                    all.push(place);
                }
                return;
            }
        }
        list.push(all.len());
        all.push(place);
    }
}

impl<'r, 'n> Row<'r, 'n> {
    fn new(words: Words<'n>, letters: &'r [u8], rules: Rules) -> Self {
        Self {
            words,
            letters,
            core: words.letters().len(),
            rules,
        }
    }

    /// The shortest way, which most matches go: letter for letter, nothing folded but spaces.
    fn plain(&self, account: Words<'_>) -> Option<Alignment> {
        if account.letters() != self.letters {
            return None;
        }
        let mut steps = SmallVec::new();
        steps.push((0, 0));
        let (mut at, mut before) = (0, None);
        for (index, word) in account.iter().enumerate() {
            let letters = account.letters_of(word);
            let end = at + letters.len();
            let last = index + 1 == account.len();
            if !self.boundary_allows(at, before, letters, last) || self.hides_a_boundary(at, end) {
                return None;
            }
            steps.push((step(index + 1), step(end)));
            (at, before) = (end, Some(letters));
        }
        Some(Alignment {
            folded: Foldings::NONE,
            steps,
        })
    }

    fn walk(&self, account: Words<'_>) -> Option<Alignment> {
        let mut places = Places::default();
        places.now.push(0);
        places.all.push(Place {
            at: 0,
            word: 0,
            folded: Foldings::NONE,
            loose: false,
            shortened: 0,
            bare: false,
            from: usize::MAX,
        });
        for (index, word) in account.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|at| account.get(at));
            let last = index + 1 == account.len();
            self.skip(&mut places, word);
            places.next.clear();
            for turn in 0..places.now.len() {
                let Some((from, place)) = places.now.get(turn).and_then(|at| Some((*at, *places.all.get(*at)?))) else {
                    continue;
                };
                self.lay_word(account, word, place.at, |end, letters: &[u8], laid| {
                    if self.boundary_allows(place.at, before.map(|before| account.letters_of(before)), letters, last) {
                        // A cut word is no abbreviation, though it may look like one.
                        if self.rules.cut && last && laid.is_shortened() {
                            return;
                        }
                        let place = Place {
                            at: end,
                            word: index + 1,
                            folded: laid
                                .folding()
                                .map_or(place.folded, |folding| place.folded.with(folding)),
                            loose: place.loose,
                            shortened: place.shortened.saturating_add(u8::from(laid.is_shortened())),
                            bare: place.bare || laid == Laid::BareBeginning,
                            from,
                        };
                        Places::reach(&mut places.next, &mut places.all, place);
                    }
                });
            }
            std::mem::swap(&mut places.now, &mut places.next);
            if places.now.is_empty() {
                return None;
            }
        }
        let ends = places.now.iter().filter_map(|at| places.all.get(*at));
        let ends = ends.filter(|place| !place.bare || place.shortened > 1);
        let end = ends
            .filter(|place| !place.loose || place.folded.contains(Folding::Abbreviation))
            .filter(|place| {
                if self.rules.cut {
                    self.may_be_cut_at(place.at)
                } else {
                    place.at == self.letters.len()
                }
            })
            .min_by_key(|place| place.folded.len())?;
        let mut steps = SmallVec::new();
        let mut place = Some(end);
        while let Some(at) = place {
            steps.push((step(at.word), step(at.at)));
            place = places.all.get(at.from);
        }
        steps.reverse();
        Some(Alignment {
            folded: end.folded,
            steps,
        })
    }

    /// Tells every place at which this word of the account may end when it begins here, with the letters it
    /// stands for.
    fn lay_word(&self, account: Words<'_>, word: &Word, at: usize, mut told: impl FnMut(usize, &[u8], Laid)) {
        let letters = account.letters_of(word);
        let row = self.letters.get(at..).unwrap_or_default();
        if account.has_seconds() || self.words.has_seconds() {
            self.lay_with_seconds(account, word, at, &mut told);
        } else if row.starts_with(letters) {
            self.tell(at, at + letters.len(), letters, Laid::AsItIs, &mut told);
        }
        if word.is_connector() {
            if let Some(registered) = self.word_at(at).filter(|registered| registered.is_connector()) {
                let same = self.words.letters_of(registered) == letters && registered.kind == word.kind;
                told(
                    at + registered.len(),
                    letters,
                    if same {
                        Laid::AsItIs
                    } else {
                        Laid::Folded(Folding::Connector)
                    },
                );
            }
            return;
        }
        if account.len() > MOST_WORDS {
            return;
        }
        let abbreviation = Laid::Folded(Folding::Abbreviation);
        for full in expansions(word, self.rules.context) {
            if row.starts_with(full) {
                self.tell(at, at + full.len(), full, abbreviation, &mut told);
            }
        }
        // The rest asks for a word, or the last part of one, that begins with the same letter.
        let Some((full, whole)) = self.rest_of_word(at).filter(|(full, _)| full.len() > 2) else {
            return;
        };
        if full.first() != letters.first() || full == letters {
            return;
        }
        for (stem, ending) in short_endings(letters, word.dotted, self.rules.context) {
            let stem = letters.get(..stem).unwrap_or_default();
            if full.strip_prefix(stem) == Some(ending) {
                told(at + full.len(), full, abbreviation);
            }
        }
        if self.rules.context.is_descriptive() && is_beginning(letters, word, full, whole) {
            told(
                at + full.len(),
                full,
                if word.dotted { abbreviation } else { Laid::BareBeginning },
            );
        }
    }

    /// The letters from this place to the end of the registered word in which it lies, and what is known of them
    /// as a word: "primaironderwijs" is also "primair onderwijs".
    fn rest_of_word(&self, at: usize) -> Option<(&'n [u8], Known)> {
        let place = self.words.start() + at;
        let after = self.words.list().partition_point(|word| word.start() <= place);
        let word = self.words.get(after.checked_sub(1)?)?;
        let letters = self.words.letters_of(word).get(place.checked_sub(word.start())?..)?;
        let known = if place == word.start() {
            word.known
        } else {
            known(letters, false)
        };
        Some((letters, known))
    }

    /// Letter by letter, where ü may be written u or ue on either side.
    fn lay_with_seconds(&self, account: Words<'_>, word: &Word, at: usize, told: &mut impl FnMut(usize, &[u8], Laid)) {
        let letters = account.letters_of(word);
        let (mut mine, mut theirs) = (0, at);
        let mut laid = Laid::AsItIs;
        let my_second = |mine: usize| mine.checked_sub(1).and_then(|i| account.second(word.start() + i));
        let their_second = |theirs: usize| {
            theirs
                .checked_sub(1)
                .and_then(|i| self.words.second(self.words.start() + i))
        };
        while let Some(letter) = letters.get(mine) {
            let other = self.letters.get(theirs);
            if other == Some(letter) {
                mine += 1;
                theirs += 1;
            } else if theirs > at && their_second(theirs) == Some(*letter) {
                mine += 1;
                laid = Laid::Folded(Folding::Diacritics);
            } else if other.is_some() && my_second(mine) == other.copied() {
                theirs += 1;
                laid = Laid::Folded(Folding::Diacritics);
            } else {
                return;
            }
        }
        self.tell(at, theirs, letters, laid, told);
        if my_second(mine).is_some() && my_second(mine) == self.letters.get(theirs).copied() {
            self.tell(at, theirs + 1, letters, Laid::Folded(Folding::Diacritics), told);
        }
    }

    fn tell(&self, at: usize, end: usize, letters: &[u8], laid: Laid, told: &mut impl FnMut(usize, &[u8], Laid)) {
        if !self.hides_a_boundary(at, end) {
            told(end, letters, laid);
        }
    }

    /// A word laid over a boundary of the registered name must not hide one between digits, or before a series
    /// number: "Delta XI" is not "Deltax I".
    fn hides_a_boundary(&self, at: usize, end: usize) -> bool {
        let base = self.words.start();
        let digit = |place: usize| self.letters.get(place).is_some_and(u8::is_ascii_digit);
        let words = self.words.list().iter().enumerate();
        let inside = words
            .map(|(index, word)| (index, word, word.start().saturating_sub(base)))
            .skip_while(|(_, _, start)| *start <= at)
            .take_while(|(_, _, start)| *start < end);
        inside.into_iter().any(|(index, word, start)| {
            let series = index + 1 == self.words.len() && self.words.is_roman(word);
            (digit(start.saturating_sub(1)) && digit(start)) || series
        })
    }

    /// The registered word that begins at this place.
    fn word_at(&self, at: usize) -> Option<&'n Word> {
        self.index_at(at).and_then(|index| self.words.get(index))
    }

    fn index_at(&self, at: usize) -> Option<usize> {
        let place = self.words.start() + at;
        self.words.list().binary_search_by_key(&place, |word| word.start()).ok()
    }

    /// A word boundary of the account that keeps numbers apart must be one in the registered name too.
    fn boundary_allows(&self, at: usize, before: Option<&[u8]>, letters: &[u8], last: bool) -> bool {
        let Some(before) = before else { return true };
        let digit = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_digit);
        let digits = digit(before.last()) && digit(letters.first());
        let series = || last && at < self.core && is_roman(letters);
        if !(digits || series()) {
            return true;
        }
        at >= self.core || self.word_at(at).is_some()
    }

    /// A cut may hide the legal form and the end of the last word, of which four letters must show. It never
    /// hides a digit, a series number or a word.
    fn may_be_cut_at(&self, end: usize) -> bool {
        if end >= self.core {
            return true;
        }
        let Some(last) = self.words.last() else { return false };
        let start = last.start().saturating_sub(self.words.start());
        let hidden_letters = self
            .letters
            .get(end..self.core)
            .is_some_and(|hidden| hidden.iter().all(u8::is_ascii_lowercase));
        end >= start.saturating_add(4) && hidden_letters
    }
}

/// A place in a name, which is never longer than `LONGEST_NAME` characters.
fn step(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

fn is_roman(letters: &[u8]) -> bool {
    letters.len() <= 5 && letters.iter().all(|letter| b"ivx".contains(letter))
}

impl Alignment {
    /// The words that are each other, as pairs of runs: (words of the account, words of the registered name).
    pub(crate) fn runs(&self, registered: Words<'_>) -> SmallVec<[[std::ops::Range<usize>; 2]; 12]> {
        let mut runs = SmallVec::new();
        let (mut word, mut index) = (0, 0);
        let base = registered.start();
        for (words, letters) in self
            .steps
            .iter()
            .map(|(words, letters)| (usize::from(*words), usize::from(*letters)))
        {
            let ahead = registered.list().iter().skip(index);
            let covered = ahead
                .take_while(|word| word.end().saturating_sub(base) <= letters)
                .count();
            let complete = registered
                .get((index + covered).saturating_sub(1))
                .is_some_and(|last| covered > 0 && last.end().saturating_sub(base) == letters);
            if complete {
                runs.push([word..words, index..index + covered]);
                (word, index) = (words, index + covered);
            }
        }
        // A cut last word, or one that runs into the hidden legal form.
        let words = self.steps.last().map_or(0, |(words, _)| usize::from(*words));
        if word < words || index < registered.len() {
            runs.push([word..words, index..registered.len()]);
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    const PLAIN: Rules = Rules {
        context: Context::Company,
        cut: false,
    };
    const BODY: Rules = Rules {
        context: Context::Body,
        cut: false,
    };

    fn same(account: &str, registered: &str, rules: Rules) -> bool {
        align(Name::read(account).words(), Name::read(registered).words(), &[], rules).is_some()
    }

    fn runs(account: &str, registered: &str) -> Vec<(String, String)> {
        let (account, registered) = (Name::read(account), Name::read(registered));
        let (account, registered) = (account.words(), registered.words());
        let alignment = align(account, registered, &[], PLAIN).unwrap();
        let written =
            |words: Words<'_>, range: &std::ops::Range<usize>| words.part(range.clone()).as_written().to_owned();
        let runs = alignment.runs(registered);
        runs.iter()
            .map(|[mine, theirs]| (written(account, mine), written(registered, theirs)))
            .collect()
    }

    #[test]
    fn the_same_letters_align_however_they_are_spaced() {
        assert!(same("Zee Wolf", "Zeewolf", PLAIN));
        assert!(same("zeewolf", "Zee-Wolf", PLAIN));
        assert!(!same("Zeewolff", "Zeewolf", PLAIN));
        assert!(!same("Zeewol", "Zeewolf", PLAIN));
    }

    #[test]
    fn umlauts_align_with_either_spelling_and_with_themselves() {
        for account in ["Zeehörn", "Zeehorn", "Zeehoern", "Zeeho\u{308}rn"] {
            assert!(same(account, "Zeehörn", PLAIN), "{account}");
        }
        assert!(same("Zeehörn", "Zeehoern", PLAIN));
        assert!(same("Muelloer Zee", "Müllör Zee", PLAIN));
        assert!(same("Hü Zee", "Hue Zee", PLAIN));
        assert!(!same("Zeehorn", "Zeehoern", PLAIN));
    }

    #[test]
    fn connectors_stand_for_each_other_and_only_a_visible_gap_stands_for_a_lost_one() {
        for account in [
            "Zee en Wolf",
            "Zee and Wolf",
            "Zee+Wolf",
            "Zee&Wolf",
            "Zee  Wolf",
            "Zee Wolf",
            "Zee und Wolf",
        ] {
            assert!(same(account, "Zee & Wolf", PLAIN), "{account}");
        }
        assert!(!same("ZeeWolf", "Zee & Wolf", PLAIN));
        assert!(!same("J M Zeewolf", "J & M Zeewolf", PLAIN));
        assert!(same("J  M Zeewolf", "J & M Zeewolf", PLAIN));
        assert!(!same("Zee Wolf", "Zee en Wolf", PLAIN));
    }

    #[test]
    fn numbers_keep_their_boundaries() {
        assert!(same("Zeeweg 10 - 12", "Zeeweg 10-12", PLAIN));
        assert!(!same("Zeeweg 1012", "Zeeweg 10-12", PLAIN));
        assert!(!same("Zeeweg 1 012", "Zeeweg 10-12", PLAIN));
        assert!(same("Zeeweg 10A", "Zeeweg 10 a", PLAIN));
    }

    #[test]
    fn a_series_number_stands_apart_on_both_sides() {
        assert!(same("Delta XI", "Delta XI", PLAIN));
        assert!(!same("Deltax I", "Delta XI", PLAIN));
        assert!(!same("DELTAXI", "Delta XI", PLAIN));
    }

    #[test]
    fn a_cut_hides_only_the_end_of_the_last_word() {
        let cut = Rules {
            context: Context::Company,
            cut: true,
        };
        assert!(same("Zeewolf Visse", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf Vis", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf Visserij", "Zeewolf Visserij 2", cut));
        let forms = ["bv".to_owned()];
        let registered = Name::read("Zeewolf");
        for account in ["Zeewolf", "Zeewolf B", "Zeewolf B V"] {
            let account = Name::read(account);
            assert!(align(account.words(), registered.words(), &forms, cut).is_some());
        }
    }

    #[test]
    fn the_beginning_of_a_descriptive_word_stands_for_it_in_the_names_of_bodies_only() {
        for account in ["Openb. Onderw. Zeewolde", "OPENB ONDERW ZEEWOLDE"] {
            assert!(same(account, "Openbaar Onderwijs Zeewolde", BODY), "{account}");
            assert!(!same(account, "Openbaar Onderwijs Zeewolde", PLAIN), "{account}");
        }
        assert!(
            !same("Mus. Zeewolde", "Museumvrienden Zeewolde", BODY),
            "a word is hidden"
        );
        assert!(!same("On. Zeewolde", "Onderwijs Zeewolde", BODY), "two letters");
        assert!(
            !same("Onderwij Zeew.", "Onderwijs Zeewolde", BODY),
            "a name is no descriptive word"
        );
    }

    #[test]
    fn every_word_finds_its_counterpart() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            runs("ZEE WOLF  MEEUW-EN KWAL", "Zeewolf & Meeuwen Kwal"),
            [
                pair("ZEE WOLF", "Zeewolf"),
                pair("", "&"),
                pair("MEEUW-EN", "Meeuwen"),
                pair("KWAL", "Kwal")
            ]
        );
    }
}
