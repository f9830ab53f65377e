//! A name, read once: its letters in one row, and its words as places in that row.

mod reader;

use crate::lexicon::{Known, Role, known};
use compact_str::CompactString;
use smallvec::SmallVec;

/// What stood between a word and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gap {
    /// Nothing: the first word, or a word glued to a connector.
    Start,
    Space,
    /// Two or more spaces, as a lost & leaves behind.
    WideSpace,
    Dot,
    Slash,
    /// Hyphens and all other punctuation without a space.
    Mark,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Word,
    /// `&` or `+`
    Ampersand,
    /// `en`, `and`, `und`, `et`
    ConnectorWord,
}

/// One word, number or connector of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Where its letters begin in the name's letters, and where they end.
    letters: (u16, u16),
    /// Where it was written in the text: from this byte to that one.
    written: (u16, u16),
    pub kind: Kind,
    pub gap: Gap,
    /// A dot follows directly.
    pub dotted: bool,
    /// Single letters held together by dots or slashes: `B.V.`, `h/o`.
    pub joined: bool,
    /// Inside brackets.
    pub bracketed: bool,
    /// A slash stands between it and the word before, with spaces around.
    pub behind_slash: bool,
    /// What the word lists know of it.
    pub known: Known,
}

impl Word {
    pub(crate) fn is_connector(&self) -> bool {
        self.kind != Kind::Word
    }

    /// Where its letters begin in the name's letters.
    pub(crate) fn start(&self) -> usize {
        usize::from(self.letters.0)
    }

    /// Where they end.
    pub(crate) fn end(&self) -> usize {
        usize::from(self.letters.1)
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.letters.1.saturating_sub(self.letters.0))
    }

    fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(usize::from(self.written.0)..usize::from(self.written.1))
            .unwrap_or_default()
    }

    /// Glued to the word before it by a dot, hyphen or slash: part of that word rather than a word of its own.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.gap, Gap::Dot | Gap::Mark | Gap::Slash)
    }

    pub(crate) fn is(&self, role: Role) -> bool {
        self.known.is(role)
    }
}

/// A name read from text.
#[derive(Clone)]
pub(crate) struct Name<'t> {
    text: &'t str,
    letters: Vec<u8>,
    /// What the word lists say of all words together.
    known: Known,
    /// Places in `letters` after which one more letter may be written: the o of ö, which may be oe.
    seconds: SmallVec<[(usize, u8); 2]>,
    words: Vec<Word>,
}

impl<'t> Name<'t> {
    /// Reads a name. Text that is not a letter, digit, `&` or `+` only separates.
    pub(crate) fn read(text: &'t str) -> Self {
        let mut name = Name {
            text,
            letters: Vec::with_capacity(text.len()),
            known: Known::default(),
            seconds: SmallVec::new(),
            words: Vec::with_capacity(8),
        };
        reader::read(&mut name);
        name.look_up();
        name
    }

    /// All of its words.
    pub(crate) fn words(&self) -> Words<'_> {
        Words {
            name: self,
            from: 0,
            to: self.words.len(),
        }
    }

    fn look_up(&mut self) {
        for word in &mut self.words {
            let letters = self.letters.get(word.start()..word.end()).unwrap_or_default();
            let slashed = word.joined && word.text(self.text).contains('/');
            word.known = known(letters, slashed);
            self.known = self.known.or(word.known);
            if word.known.is(Role::Connector) && word.kind == Kind::Word && !word.joined {
                word.kind = Kind::ConnectorWord;
            }
        }
    }
}

/// A place in a name. Names are at most `LONGEST_NAME` characters, so it always fits.
fn place(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Some neighbouring words of a name.
#[derive(Clone, Copy)]
pub(crate) struct Words<'n> {
    name: &'n Name<'n>,
    from: usize,
    to: usize,
}

impl<'n> Words<'n> {
    pub(crate) fn list(&self) -> &'n [Word] {
        self.name.words.get(self.from..self.to).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &'n Word> + Clone {
        self.list().iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.to.saturating_sub(self.from)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    pub(crate) fn first(&self) -> Option<&'n Word> {
        self.list().first()
    }

    pub(crate) fn last(&self) -> Option<&'n Word> {
        self.list().last()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&'n Word> {
        self.list().get(at)
    }

    /// Whether a phrase of this role may begin at one of them.
    pub(crate) fn may_have(&self, role: Role) -> bool {
        self.name.known.begins(role)
    }

    /// Whether one of them may be a legal form or an ordinary word.
    pub(crate) fn may_be_misread(&self) -> bool {
        self.name.known.form_is_doubtful
    }

    /// The words from one place to another; none when there are not so many.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Words<'n> {
        let fits = range.start <= range.end && range.end <= self.len();
        Words {
            name: self.name,
            from: self.from + if fits { range.start } else { 0 },
            to: self.from + if fits { range.end } else { 0 },
        }
    }

    /// Where the letters of these words begin.
    pub(crate) fn start(&self) -> usize {
        self.list().first().map_or(0, Word::start)
    }

    /// The letters of these words, in one row.
    pub(crate) fn letters(&self) -> &'n [u8] {
        let end = self.list().last().map_or(0, Word::end);
        self.name.letters.get(self.start()..end).unwrap_or_default()
    }

    /// The letters of one of them.
    pub(crate) fn letters_of(&self, word: &Word) -> &'n [u8] {
        self.name.letters.get(word.start()..word.end()).unwrap_or_default()
    }

    pub(crate) fn spells(&self, word: &Word, letters: &str) -> bool {
        self.letters_of(word) == letters.as_bytes()
    }

    /// The letter that may follow the one at this place, counted over the whole name.
    pub(crate) fn second(&self, at: usize) -> Option<u8> {
        self.name
            .seconds
            .iter()
            .find(|(place, _)| *place == at)
            .map(|(_, letter)| *letter)
    }

    pub(crate) fn has_seconds(&self) -> bool {
        !self.name.seconds.is_empty()
    }

    /// One word as it was written.
    pub(crate) fn shown(&self, word: &Word) -> &'n str {
        word.text(self.name.text)
    }

    /// All of them as they were written, with what stands between them.
    pub(crate) fn as_written(&self) -> &'n str {
        match (self.first(), self.last()) {
            (Some(first), Some(last)) => {
                let range = usize::from(first.written.0)..usize::from(last.written.1);
                self.name.text.get(range).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// Each word as it was written.
    pub(crate) fn each_shown(&self) -> Vec<CompactString> {
        self.list().iter().map(|word| self.shown(word).into()).collect()
    }

    pub(crate) fn has_digit(&self, word: &Word) -> bool {
        self.letters_of(word).iter().any(u8::is_ascii_digit)
    }

    pub(crate) fn is_number(&self, word: &Word) -> bool {
        self.letters_of(word).first().is_some_and(u8::is_ascii_digit)
    }

    /// I to XX; a series number when it stands at the end of a name.
    pub(crate) fn is_roman(&self, word: &Word) -> bool {
        matches!(
            self.letters_of(word),
            b"i" | b"ii"
                | b"iii"
                | b"iv"
                | b"v"
                | b"vi"
                | b"vii"
                | b"viii"
                | b"ix"
                | b"x"
                | b"xi"
                | b"xii"
                | b"xiii"
                | b"xiv"
                | b"xv"
                | b"xvi"
                | b"xvii"
                | b"xviii"
                | b"xix"
                | b"xx"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let name = Name::read(text);
        let words = name.words();
        words
            .iter()
            .map(|word| String::from_utf8(words.letters_of(word).to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn single_letters_with_dots_are_one_word() {
        assert_eq!(words("Zeewolf B.V."), ["zeewolf", "bv"]);
        assert_eq!(words("Zeewolf B. V."), ["zeewolf", "b", "v"]);
        assert_eq!(words("P.Q. Zeewolf h.o.d.n. X"), ["pq", "zeewolf", "hodn", "x"]);
        assert_eq!(words("A h/o B"), ["a", "ho", "b"]);
    }

    #[test]
    fn apostrophes_glue_and_other_marks_separate() {
        assert_eq!(words("Piet's Café d'Or"), ["piets", "cafe", "dor"]);
        assert_eq!(words("zee-wolf (Nederland)"), ["zee", "wolf", "nederland"]);
        assert_eq!(words("zeewolf.nl"), ["zeewolf", "nl"]);
    }

    #[test]
    fn connectors_stand_alone() {
        assert_eq!(words("Zee&Wolf"), ["zee", "&", "wolf"]);
        let kind = |text: &str| Name::read(text).words().get(1).unwrap().kind;
        assert_eq!(kind("Zee en Wolf"), Kind::ConnectorWord);
        assert_eq!(kind("Zee E.N. Wolf"), Kind::Word);
        assert_eq!(Name::read("Zee  Wolf").words().get(1).unwrap().gap, Gap::WideSpace);
    }

    #[test]
    fn a_word_is_shown_as_it_was_written() {
        let name = Name::read("«Zeeho\u{308}rn» h/o B. V. N.V.");
        let words = name.words();
        assert_eq!(words.each_shown(), ["Zeeho\u{308}rn", "h/o", "B", "V", "N.V."]);
        assert_eq!(words.part(1..4).as_written(), "h/o B. V");
        assert_eq!(words.second(4), Some(b'e'));
    }
}
