//! From characters to letters and words.

use super::{Gap, Kind, Name, Word, place};
use crate::fold::{is_combining, latin, second_letter};
use crate::lexicon::Known;

/// Reads the text of a name into its letters and words.
pub(super) fn read(name: &mut Name<'_>) {
    let bytes = name.text.as_bytes();
    let mut reader = Reader {
        name,
        word: None,
        gap: Gap::Start,
        slash: false,
        depth: 0,
        last_was_single: false,
    };
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += reader.read(at, rest);
    }
    reader.end_word();
}

struct Reader<'r, 't> {
    name: &'r mut Name<'t>,
    /// The word that is being read.
    word: Option<Word>,
    /// What was seen since the last word.
    gap: Gap,
    /// A slash was among it.
    slash: bool,
    /// Brackets that are open.
    depth: usize,
    /// The last word was one letter.
    last_was_single: bool,
}

impl Reader<'_, '_> {
    /// Reads a run of plain letters and digits, or one other character; the number of bytes read.
    fn read(&mut self, at: usize, rest: &[u8]) -> usize {
        let run = rest.iter().position(|byte| !byte.is_ascii_alphanumeric());
        let run = run.unwrap_or(rest.len());
        if run > 0 {
            let before = self.name.letters.len();
            self.name.letters.extend_from_slice(rest.get(..run).unwrap_or_default());
            self.name
                .letters
                .get_mut(before..)
                .unwrap_or_default()
                .make_ascii_lowercase();
            self.extend_word(at, at + run, run);
            return run;
        }
        let c = match rest.first() {
            Some(byte) if byte.is_ascii() => char::from(*byte),
            _ => self
                .name
                .text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .unwrap_or(' '),
        };
        if c == ' ' {
            self.end_word();
            self.widen(Gap::Space);
        } else if let Some(letters) = latin(c) {
            let plain = letters.plain();
            self.name.letters.extend_from_slice(plain);
            self.extend_word(at, at + c.len_utf8(), plain.len());
            self.second(letters.second);
        } else if is_combining(c) || is_apostrophe(c) {
            // Inside a word these only decorate it: Hill's, Code d'Azur.
            if self.word.is_some() {
                self.extend_word(at, at + c.len_utf8(), 0);
                let second = self.name.letters.last().and_then(|last| second_letter(*last, c));
                self.second(second);
            }
        } else {
            self.separate(at, c);
        }
        c.len_utf8()
    }

    /// The letters just added are part of the word that is being read.
    fn extend_word(&mut self, from: usize, to: usize, added: usize) {
        let end = self.name.letters.len();
        let (gap, bracketed) = (self.gap, self.depth > 0);
        let behind_slash = self.slash && matches!(gap, Gap::Space | Gap::WideSpace);
        let word = self.word.get_or_insert_with(|| Word {
            letters: (place(end.saturating_sub(added)), 0),
            written: (place(from), 0),
            kind: Kind::Word,
            gap,
            dotted: false,
            joined: false,
            bracketed,
            behind_slash,
            known: Known::default(),
        });
        word.letters.1 = place(end);
        word.written.1 = place(to);
    }

    fn second(&mut self, second: Option<u8>) {
        let last = self.name.letters.len().saturating_sub(1);
        self.name.seconds.extend(second.map(|second| (last, second)));
    }

    fn separate(&mut self, at: usize, c: char) {
        let in_word = self.word.is_some();
        self.end_word();
        match c {
            '.' => {
                if let (true, Some(last)) = (in_word, self.name.words.last_mut()) {
                    last.dotted = true;
                    if last.joined {
                        last.written.1 = place(at + 1);
                    }
                }
                self.widen(Gap::Dot);
            }
            '/' => {
                self.slash = true;
                self.widen(Gap::Slash);
            }
            '&' | '+' => self.connector(at, c),
            '(' | '[' => {
                self.depth = self.depth.saturating_add(1);
                self.widen(Gap::Mark);
            }
            ')' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.widen(Gap::Mark);
            }
            _ if c.is_whitespace() => self.widen(Gap::Space),
            _ => self.widen(Gap::Mark),
        }
    }

    fn connector(&mut self, at: usize, c: char) {
        let start = self.name.letters.len();
        self.name.letters.push(b'&');
        self.name.words.push(Word {
            letters: (place(start), place(start + 1)),
            written: (place(at), place(at + c.len_utf8())),
            kind: Kind::Ampersand,
            gap: self.gap,
            dotted: false,
            joined: false,
            bracketed: self.depth > 0,
            behind_slash: false,
            known: Known::default(),
        });
        self.gap = Gap::Start;
        self.last_was_single = false;
    }

    /// Of all that stands between two words, a space weighs most; two spaces more.
    fn widen(&mut self, seen: Gap) {
        self.gap = match (self.gap, seen) {
            (Gap::Space | Gap::WideSpace, Gap::Space) => Gap::WideSpace,
            (_, Gap::Space) => Gap::Space,
            (Gap::Space | Gap::WideSpace, _) => self.gap,
            (Gap::Start, seen) => seen,
            (Gap::Dot, Gap::Dot) => Gap::Dot,
            (Gap::Slash, Gap::Slash) => Gap::Slash,
            _ => Gap::Mark,
        };
    }

    /// `B.V.`, `h.o.d.n.` and `h/o` are one word: single letters held together by dots or slashes.
    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.gap = Gap::Start;
        self.slash = false;
        let single = word.len() == 1 && self.name.letters.last().is_some_and(u8::is_ascii_lowercase);
        let holds = single && self.last_was_single && matches!(word.gap, Gap::Dot | Gap::Slash);
        self.last_was_single = single;
        match self.name.words.last_mut() {
            Some(last) if holds && last.bracketed == word.bracketed => {
                last.letters.1 = word.letters.1;
                last.written.1 = word.written.1;
                last.dotted = false;
                last.joined = true;
            }
            _ => self.name.words.push(word),
        }
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | '′')
}
