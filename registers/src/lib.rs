//! The registers that organisations' names come from: found by name, place or number, and read whole by number.
//!
//! # Map
//! - [`Register`]: what every register can do. One file a register: [`kvk`] (the Dutch trade register); another, such
//!   as the Belgian KBO/BCE, goes beside it, and into [`Registers::new`].
//! - [`Registers`]: those that are set up, with a cache in front. It is what the program searches in, and, as
//!   [`Lookup`], what jobs fetch names from without knowing this crate.
//! - `asking`: the way out over HTTP, within limits. `pace`: no more often than a register allows. `cache`: what was
//!   said a short while ago, and from when.
//! - [`Settings`]: section `[register]`.
//!
//! A register's answer is read into types that fit ([`Entry`], [`Hit`]) or not at all; what stood in an answer that
//! can't be read, and what was asked, is in no error and no log: it is names of people too.

mod asking;
mod cache;
pub mod kvk;
mod pace;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use eencent_activations::clock::Clock;
use eencent_activations::identifier::{Identifier, Scheme};
use eencent_activations::register::{Entry, Lookup, NoEntry};

use cache::Cache;

pub use settings::{Checked, Settings};

/// Most results of a search.
pub const MOST_HITS: usize = 50;

/// What is looked for; at least one of both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// Words of a name.
    pub name: Option<String>,
    /// A place.
    pub place: Option<String>,
}

/// An organisation that was found, as far as a search tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// By which its entry is read.
    pub identifier: Identifier,
    /// Under which names it was found; never empty, its own name first.
    pub names: Vec<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Place.
    pub place: Option<String>,
}

/// A register.
#[async_trait]
pub trait Register: Send + Sync + 'static {
    /// What it is called, for people.
    fn name(&self) -> &'static str;

    /// Whose numbers it knows.
    fn scheme(&self) -> Scheme;

    /// Organisations that are registered now, at most [`MOST_HITS`]; none when nothing fits.
    ///
    /// # Errors
    /// [`NoEntry`] says why it says nothing.
    async fn search(&self, query: &Query) -> Result<Vec<Hit>, NoEntry>;

    /// All that it says of one organisation.
    ///
    /// # Errors
    /// [`NoEntry`] says why it says nothing; [`NoEntry::Unknown`] when there is no such number.
    async fn entry(&self, identifier: &Identifier) -> Result<Entry, NoEntry>;
}

/// The registers that are set up.
pub struct Registers {
    all: Vec<Arc<dyn Register>>,
    clock: Arc<dyn Clock>,
    entries: Cache<Identifier, Entry>,
    searches: Cache<(Scheme, Query), Vec<Hit>>,
}

impl Registers {
    /// Those of the settings; may be none.
    pub fn new(settings: &Checked, clock: Arc<dyn Clock>) -> Self {
        let kvk = settings.kvk.as_ref();
        let kvk = kvk.map(|kvk| Arc::new(kvk::Kvk::new(kvk, Arc::clone(&clock))) as Arc<dyn Register>);
        Self {
            all: kvk.into_iter().collect(),
            clock,
            entries: Cache::new(settings.cache_age),
            searches: Cache::new(settings.cache_age),
        }
    }

    /// The one that knows numbers of this scheme.
    ///
    /// # Errors
    /// [`NoEntry::NotConfigured`] when none is set up.
    pub fn of(&self, scheme: &Scheme) -> Result<&dyn Register, NoEntry> {
        let found = self.all.iter().find(|register| register.scheme() == *scheme);
        Ok(found.ok_or(NoEntry::NotConfigured)?.as_ref())
    }

    /// Organisations with numbers of this scheme.
    ///
    /// # Errors
    /// [`NoEntry`] says why nothing can be said.
    pub async fn search(&self, scheme: &Scheme, query: &Query) -> Result<Vec<Hit>, NoEntry> {
        let register = self.of(scheme)?;
        let now = self.clock.now();
        let key = (scheme.clone(), query.clone());
        if let Some(known) = self.searches.get(&key, now) {
            return Ok(known);
        }
        let hits = counted(register, register.search(query).await)?;
        self.searches.keep(key, hits.clone(), now);
        Ok(hits)
    }
}

#[async_trait]
impl Lookup for Registers {
    async fn entry(&self, identifier: &Identifier) -> Result<Entry, NoEntry> {
        let register = self.of(identifier.scheme())?;
        let now = self.clock.now();
        if let Some(known) = self.entries.get(identifier, now) {
            return Ok(known);
        }
        let entry = counted(register, register.entry(identifier).await)?;
        self.entries.keep(identifier.clone(), entry.clone(), entry.fetched_at);
        Ok(entry)
    }
}

/// Counts what was asked of a register, and says in the log what went wrong.
fn counted<T>(register: &dyn Register, answer: Result<T, NoEntry>) -> Result<T, NoEntry> {
    let outcome = match &answer {
        Ok(_) => "answered",
        Err(NoEntry::Unknown) => "unknown",
        Err(NoEntry::Limited { .. }) => "limited",
        Err(NoEntry::KeyRefused(_)) => "key_refused",
        Err(NoEntry::Unreadable(_)) => "unreadable",
        Err(NoEntry::NotTaken(_)) => "not_taken",
        Err(NoEntry::Down(_) | NoEntry::NotConfigured) => "down",
    };
    metrics::counter!("eencent_register_questions_total", "register" => register.name(), "outcome" => outcome)
        .increment(1);
    if let Err(error) = &answer
        && *error != NoEntry::Unknown
    {
        tracing::warn!(register = register.name(), %error, "the register was asked in vain");
    }
    answer
}
