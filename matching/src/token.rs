//! A name as words, numbers and connectors.

use crate::fold::latin;
use crate::visible::is_combining;
use unicode_normalization::UnicodeNormalization;

/// What stood between a token and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gap {
    /// Nothing: the first token, or a connector glued to a word.
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
    /// `&`
    Ampersand,
    /// `+` between two words
    Plus,
    /// `en`, `and`
    ConnectorWord,
}

/// One word, number or connector of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    /// Lower case, accents dropped.
    pub plain: String,
    /// The same with ö as oe, å as aa and so on.
    pub two_letter: String,
    pub kind: Kind,
    pub gap: Gap,
    /// A dot follows directly.
    pub dotted: bool,
    /// Inside brackets.
    pub bracketed: bool,
    /// As written, for people.
    pub shown: String,
}

impl Token {
    pub(crate) fn is_connector(&self) -> bool {
        self.kind != Kind::Word
    }

    pub(crate) fn has_digit(&self) -> bool {
        self.plain.bytes().any(|b| b.is_ascii_digit())
    }

    pub(crate) fn is_number(&self) -> bool {
        self.plain.bytes().next().is_some_and(|b| b.is_ascii_digit())
    }

    /// I to XX; a series number when it stands at the end of a name.
    pub(crate) fn is_roman(&self) -> bool {
        matches!(
            self.plain.as_str(),
            "i" | "ii"
                | "iii"
                | "iv"
                | "v"
                | "vi"
                | "vii"
                | "viii"
                | "ix"
                | "x"
                | "xi"
                | "xii"
                | "xiii"
                | "xiv"
                | "xv"
                | "xvi"
                | "xvii"
                | "xviii"
                | "xix"
                | "xx"
        )
    }

    /// Glued to the word before it by a dot, hyphen or slash: part of that word rather than a word of its own.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.gap, Gap::Dot | Gap::Mark | Gap::Slash)
    }
}

/// Reads a name. Text that is not a letter, digit, `&` or `+` only separates.
pub(crate) fn tokens(name: &str) -> Vec<Token> {
    let mut reader = Reader {
        tokens: Vec::new(),
        word: None,
        gap: Gap::Start,
        depth: 0,
    };
    for c in name.nfc() {
        reader.read(c);
    }
    reader.end_word();
    join_initials(reader.tokens)
}

struct Reader {
    tokens: Vec<Token>,
    word: Option<Token>,
    gap: Gap,
    depth: usize,
}

impl Reader {
    fn read(&mut self, c: char) {
        if let Some(letters) = latin(c) {
            let (gap, bracketed) = (self.gap, self.depth > 0);
            let word = self.word.get_or_insert_with(|| Token {
                plain: String::new(),
                two_letter: String::new(),
                kind: Kind::Word,
                gap,
                dotted: false,
                bracketed,
                shown: String::new(),
            });
            word.plain.push_str(&letters.plain);
            word.two_letter.push_str(&letters.two_letter);
            word.shown.push(c);
            return;
        }
        if is_combining(c) || is_apostrophe(c) {
            // Inside a word these only decorate it: Hill's, Code d'Azur.
            if let Some(word) = &mut self.word {
                word.shown.push(c);
            }
            return;
        }
        let in_word = self.word.is_some();
        self.end_word();
        match c {
            '.' => {
                if let (true, Some(last)) = (in_word, self.tokens.last_mut()) {
                    last.dotted = true;
                }
                self.widen(Gap::Dot);
            }
            '/' => self.widen(Gap::Slash),
            '&' | '+' => {
                let kind = if c == '&' { Kind::Ampersand } else { Kind::Plus };
                self.tokens.push(Token {
                    plain: "&".to_owned(),
                    two_letter: "&".to_owned(),
                    kind,
                    gap: self.gap,
                    dotted: false,
                    bracketed: self.depth > 0,
                    shown: c.to_string(),
                });
                self.gap = Gap::Start;
            }
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

    fn end_word(&mut self) {
        if let Some(mut word) = self.word.take() {
            if matches!(word.plain.as_str(), "en" | "and") {
                word.kind = Kind::ConnectorWord;
            }
            self.tokens.push(word);
            self.gap = Gap::Start;
        }
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | '′')
}

/// `B.V.`, `h.o.d.n.` and `h/o` are one word: single letters held together by dots or one slash.
fn join_initials(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut last_was_single = false;
    for token in tokens {
        let single = token.kind == Kind::Word && token.plain.chars().count() == 1 && !token.has_digit();
        let holds = matches!(token.gap, Gap::Dot | Gap::Slash) && single && last_was_single;
        last_was_single = single;
        match joined.last_mut() {
            Some(last) if holds && last.bracketed == token.bracketed => {
                let slash = token.gap == Gap::Slash;
                last.plain.push_str(&token.plain);
                last.two_letter.push_str(&token.two_letter);
                last.shown.push(if slash { '/' } else { '.' });
                last.shown.push_str(&token.shown);
                last.dotted = token.dotted;
            }
            _ => joined.push(token),
        }
    }
    joined
}

/// The tokens as they were written, for people.
pub(crate) fn shown(tokens: &[Token]) -> Vec<String> {
    tokens.iter().map(|token| token.shown.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<String> {
        tokens(name).into_iter().map(|token| token.plain).collect()
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
        assert_eq!(tokens("Zee en Wolf").get(1).unwrap().kind, Kind::ConnectorWord);
        assert_eq!(tokens("Zee  Wolf").get(1).unwrap().gap, Gap::WideSpace);
    }
}
