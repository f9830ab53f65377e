//! Is this account holder that organisation? Pure, without I/O.
//!
//! | module | what it knows |
//! |---|---|
//! | `compare` | the question itself: one account name against all registered names of one organisation |
//! | `accept` | when a name *is* a registered name: legal forms agree, every letter is explained, the name is distinctive |
//! | `combined` | "LEGAL h.o.d.n. TRADE", "TRADE (LEGAL)", "person h/o TRADE": every part must be on record |
//! | `align` | walks two names side by side over a closed list of explained differences |
//! | `forms`, `split` | legal forms and their notations (`data/legal_forms.tsv`); a name taken apart into forms and core |
//! | `distinct` | names that say nothing on their own: trades, names that many carry, persons |
//! | `refuse` | accounts that are looked at by a person whatever the names say |
//! | `repair` | damage in transport that can be undone without loss |
//! | `search` | another use: the words that a name is found by |
//! | `suggest` | a second use: which of many names an account holder is likely to be |
//! | `explain`, `pairing`, `likeness`, `edit` | why a name is *not* accepted, in reasons support can read; they decide nothing |
//! | `persons` | whether a name is a person's |
//! | `lexicon` | what words mean: roles and abbreviations, one dictionary over the lists in `data/` |
//! | `name`, `fold` | a name as words in a row of letters; characters to letters |
//! | `surface` | what the eye sees of the difference between two names that are the same |
//! | `visible` | invisible, damaged and look-alike characters, made visible and named |
//! | `evidence`, `foldings`, `reason` | the answer |
//!
//! # What holds
//!
//! * A match needs every letter and digit on both sides consumed, in order, by equality or by one of the
//!   differences in [`Folding`]. Whatever is left over is review. No score, distance or threshold accepts.
//! * The legal form is evidence: another form is another legal person, a missing one is review, save for
//!   partnerships, whose register names often lack it.
//! * A false accept hands a company to a stranger, a false review costs a morning. In doubt: review.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot go on may stop"))]

mod accept;
mod align;
mod combined;
mod compare;
mod distinct;
mod edit;
mod evidence;
mod explain;
mod fold;
mod foldings;
mod forms;
mod lexicon;
mod likeness;
mod name;
mod pairing;
mod persons;
mod reason;
mod refuse;
mod repair;
mod search;
mod split;
mod suggest;
mod surface;
mod visible;

pub use compare::{RegisteredNames, compare};
pub use evidence::{Evidence, Verdict, WordPair};
pub use foldings::{Folding, Foldings};
pub use reason::{Language, Reason, ReasonCode};
pub use search::{search_words, upper_bound};
pub use suggest::{Index, Suggestion};
pub use visible::visible;

/// The matcher's version, stored with every decision. It changes whenever a verdict may change.
pub const VERSION: &str = concat!("eencent-matching ", env!("CARGO_PKG_VERSION"), " rules 2");

/// Names longer than this many characters are not compared: no bank reports them, and time stays bounded.
pub(crate) const LONGEST_NAME: usize = 1000;
