//! By what a person is recognised in texts: address, account number, names.

use std::collections::BTreeSet;

/// So many words of a text are looked at.
const MOST_WORDS: usize = 2_000;

/// What is looked for. Never printed: it is the person.
#[derive(Clone, Default)]
pub(super) struct Words {
    /// The address, or the number: nobody else's, so it is looked for everywhere. In small letters, without spaces.
    sure: Vec<String>,
    /// Names as whole phrases, in small letters. Others may have the same, so that they are looked for only where the
    /// person is known to be.
    names: BTreeSet<String>,
    /// Names that whoever asks gave: looked for everywhere.
    given: BTreeSet<String>,
    /// The words of all names, without accents.
    words: BTreeSet<String>,
}

impl Words {
    /// An e-mail address or an IBAN.
    pub(super) fn of(sure: &str) -> Self {
        let sure = without_spaces(sure);
        // As it stands in the body of a form.
        let encoded = sure.contains('@').then(|| sure.replace('@', "%40"));
        Self {
            sure: [sure].into_iter().chain(encoded).collect(),
            ..Self::default()
        }
    }

    /// A name that is known to be theirs.
    pub(super) fn name(&mut self, name: &str) {
        let name = name.trim().to_lowercase();
        if name.is_empty() || name == super::ERASED {
            return;
        }
        self.words.extend(eencent_matching::search_words(&name, MOST_WORDS));
        self.names.insert(name);
    }

    /// A name that is looked for everywhere.
    pub(super) fn given(&mut self, name: &str) {
        self.name(name);
        let name = name.trim().to_lowercase();
        if !name.is_empty() {
            self.given.insert(name);
        }
    }

    /// What is looked for everywhere, as `LIKE` finds it in small letters without spaces: more than is meant,
    /// [`Words::surely_in`] says which.
    pub(super) fn everywhere(&self) -> Vec<String> {
        self.sure.iter().chain(&self.given).map(|sought| like(sought)).collect()
    }

    /// The same for the names that are looked for where the person is known to be.
    pub(super) fn nearby(&self) -> Vec<String> {
        self.sure.iter().chain(&self.names).map(|sought| like(sought)).collect()
    }

    /// Whether a text has the address, the number or a given name.
    pub(super) fn surely_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let close = without_spaces(&text);
        self.sure.iter().any(|sure| close.contains(sure)) || self.given.iter().any(|name| has_phrase(&text, name))
    }

    /// The same, or one of the names as a whole.
    pub(super) fn named_in(&self, text: &str) -> bool {
        let small = text.to_lowercase();
        self.surely_in(text) || self.names.iter().any(|name| has_phrase(&small, name))
    }

    /// The same, or a single word of a name: for what the program wrote of names.
    pub(super) fn hinted_in(&self, text: &str) -> bool {
        self.named_in(text)
            || eencent_matching::search_words(text, MOST_WORDS)
                .iter()
                .any(|word| self.words.contains(word))
    }
}

fn without_spaces(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Letters beyond ASCII have their small ones in one database and not in the other: any letter, then.
fn like(sought: &str) -> String {
    let mut pattern = String::from("%");
    for c in without_spaces(sought).chars() {
        match c {
            '\\' | '%' | '_' => pattern.extend(['\\', c]),
            c if c.is_ascii() => pattern.push(c),
            _ => pattern.push('_'),
        }
    }
    pattern.push('%');
    pattern
}

/// A phrase between what isn't a letter or a digit.
fn has_phrase(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_with_and_without_its_spaces_and_a_name_only_as_a_whole() {
        let mut words = Words::of("NL91 ABNA 0417 1643 00");
        words.name("Anna Jansen");
        assert!(words.surely_in("from nl91abna0417164300 it came") && words.surely_in("NL91 ABNA 0417 1643 00"));
        assert!(words.named_in("asked ANNA JANSEN, who said") && !words.named_in("asked Johanna Jansen"));
        assert!(!words.surely_in("Anna Jansen"));
        assert!(words.hinted_in("Words that differ: jansen") && !words.hinted_in("The amount differs"));
        words.given("Ánna van Dam");
        assert!(words.surely_in("says ánna van dam."));
        assert_eq!(words.everywhere().last().map(String::as_str), Some("%_nnavandam%"));
        assert!(Words::of("A.b@Example.nl").surely_in("to a.b%40example.nl"));
    }
}
