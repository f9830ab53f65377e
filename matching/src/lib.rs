//! Is this account holder that organisation? Pure, without I/O.
//!
//! | module | what it knows |
//! |---|---|
//! | `compare` | the question itself: one account name against all registered names of one organisation |
//! | `accept` | when a name *is* a registered name: legal forms agree, every letter is explained, the name is distinctive |
//! | `halves` | "LEGAL h.o.d.n. TRADE", "TRADE (LEGAL)", "person h/o TRADE": both halves must be on record |
//! | `align` | walks two names side by side over a closed list of explained differences |
//! | `forms` | legal forms, their notations and where they stand in a name (`data/legal_forms.tsv`) |
//! | `distinct` | names that say nothing on their own: trades, regions, persons (`data/generic_words.txt`) |
//! | `explain` | why a name is *not* accepted, in reasons support can read; decides nothing |
//! | `refuse` | accounts that are looked at by a person whatever the names say |
//! | `persons` | whether a name is a person's (`data/person_names.tsv`) |
//! | `words` | words with a role: holding, region, link, … (`data/words.tsv`) |
//! | `shorten` | what banks and registers shorten (`data/abbreviations.tsv`) |
//! | `token` | a name as words, numbers and connectors |
//! | `fold` | characters to letters: case, accents, ligatures |
//! | `visible` | invisible, damaged and look-alike characters, made visible and named |
//! | `evidence`, `reason` | the answer |
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
mod compare;
mod distinct;
mod evidence;
mod explain;
mod fold;
mod forms;
mod halves;
mod persons;
mod reason;
mod refuse;
mod shorten;
mod token;
mod visible;
mod words;

pub use compare::{RegisteredNames, compare};
pub use evidence::{Evidence, Folding, Verdict};
pub use reason::{Language, Reason, ReasonCode};
pub use visible::visible;

/// The matcher's version, stored with every decision. It changes whenever a verdict may change.
pub const VERSION: &str = concat!("eencent-matching ", env!("CARGO_PKG_VERSION"), " rules 1");

/// Names longer than this many characters are not compared: no bank reports them, and time stays bounded.
pub(crate) const LONGEST_NAME: usize = 1000;
