//! What is wrong with the settings: all of it, each with the key and what to do.

use std::fmt;

/// A list of sentences, each naming a key and saying what to do. Never empty when it is an error.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds a sentence; the same sentence twice is told once.
    pub fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }

    /// Adds all of them.
    pub fn extend(&mut self, sentences: impl IntoIterator<Item = String>) {
        for sentence in sentences {
            self.add(sentence);
        }
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => writeln!(f, "The settings have a problem:")?,
            count => writeln!(f, "The settings have {count} problems:")?,
        }
        for sentence in &self.0 {
            writeln!(f, "  - {sentence}")?;
        }
        f.write_str("Every key is explained in config/default.toml (`eencent check --defaults` prints it).")
    }
}

impl std::error::Error for Problems {}
