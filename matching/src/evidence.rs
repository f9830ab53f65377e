//! The answer: a verdict with what it rests on.

use crate::foldings::Foldings;
use crate::reason::Reason;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What follows from the names alone.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The account holder is the organisation; no person needs to look.
    Match,
    /// A person must look.
    Review,
}

impl Verdict {
    /// The stable name, as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Match => "match",
            Verdict::Review => "review",
        }
    }
}

/// Words of the account name beside the words of a registered name that they are.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub struct WordPair {
    /// As the bank reported them; empty for an & that it lost.
    pub account: CompactString,
    /// As registered; empty for a word that only joins two names.
    pub registered: CompactString,
    /// Which registered name: 0 the statutory name, 1 the first trade name, and so on.
    pub name: usize,
}

/// The outcome of one comparison; stored with the decision, never recomputed to explain it.
#[derive(Serialize, Deserialize, Clone, PartialEq)]
pub struct Evidence {
    /// Match or review.
    pub verdict: Verdict,
    /// 0..=100, only to order the review queue. 100 is a match and nothing else is.
    pub score: u8,
    /// Never empty; the first is the weightiest.
    pub reasons: Vec<Reason>,
    /// The registered name that matched, or came closest.
    pub matched_name: Option<String>,
    /// What was folded to get to a match; empty for a review.
    pub folded: Foldings,
    /// Which words of the account name are which words of which registered name, from left to right.
    #[serde(default)]
    pub words: Vec<WordPair>,
    /// Words of the account that the closest registered name does not have.
    pub left_over_account: Vec<CompactString>,
    /// Words of the closest registered name that the account does not have.
    pub left_over_registered: Vec<CompactString>,
    /// The account name as it came, with invisible characters made visible.
    pub account_name_shown: String,
    /// The version of the matcher that decided.
    pub version: Cow<'static, str>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence")
            .field("verdict", &self.verdict)
            .field("score", &self.score)
            .field("reasons", &self.reasons)
            .field("matched_name", &self.matched_name.as_deref().map(masked))
            .field("folded", &self.folded)
            .field("words", &self.words.len())
            .field("left_over_account", &self.left_over_account.len())
            .field("left_over_registered", &self.left_over_registered.len())
            .field("account_name_shown", &masked(&self.account_name_shown))
            .field("version", &self.version)
            .finish()
    }
}

/// First letter and length: enough to tell two log lines apart, too little to name a person.
pub(crate) fn masked(name: &str) -> String {
    let first: String = name.chars().take(1).collect();
    format!("{first}…({})", name.chars().count())
}
