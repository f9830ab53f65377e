//! Many activations at once, for measurements: as if each had been registered and started by the platform.
//!
//! They take the same first move, by the same table, and leave the same rows. Only the statements are
//! others: hundreds of rows each. Nobody is told of a start by iDEAL, and no payment is made at a provider.

use super::checks::Problems;
use super::organisations::NewCreator;
use super::support::{insert_words, words_of};
use super::{Actor, Desk, Desking};
use crate::identifier::Identifier;
use crate::reference::Reference;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, Method, Move, find};
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, maybe_text, text, to_json};
use crate::views::CreatorView;

/// So many are written between two reports of progress.
const GROUP: usize = 64;

/// The environment that seeded organisations belong to, and the only one that a seeded database has.
const ENVIRONMENT: &str = "bench";

/// The first of the made-up numbers in the trade register.
const FIRST_KVK: u32 = 10_000_000;

/// One activation to be: checked, but not yet whether its reference is taken.
#[derive(Debug, Clone)]
pub struct Seed {
    reference: Reference,
    legal_name: String,
    creator: CreatorView,
}

impl Seed {
    /// An activation by `reference` of the organisation `name`, with the creator at `email`.
    ///
    /// # Errors
    /// Refused when one of them can't be what it is meant to be; all that are wrong are named.
    pub fn new(reference: &str, name: &str, email: &str) -> Result<Self, Refused> {
        let mut problems = Problems::default();
        let reference = Reference::parse(reference).map_err(|error| {
            problems.add(
                "reference",
                "reference",
                format!("Mend it: {error}."),
                "Herstel dit betalingskenmerk.",
            );
        });
        let legal_name = problems.name("name", Some(name));
        let creator = problems.creator(Some(&NewCreator {
            name: Some("Bench".to_owned()),
            email: Some(email.to_owned()),
            language: None,
            role: Some("administrator".to_owned()),
        }));
        match (reference, legal_name, creator) {
            (Ok(reference), Some(legal_name), Some(creator)) => Ok(Self {
                reference,
                legal_name,
                creator,
            }),
            _ => Err(problems.refusal()),
        }
    }
}

/// Nothing was seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The reference of this one, counted from 0, is that of an activation in the database.
    #[error("the reference is taken by an activation in the database")]
    Taken(usize),
    /// It was refused, or the store doesn't do its part.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<StoreError> for SeedError {
    fn from(error: StoreError) -> Self {
        Self::Desk(error.into())
    }
}

impl Desk {
    /// Registers an organisation for each, with its name as taken from a register and a made-up KvK
    /// number, and starts an activation by iDEAL: all of them in one transaction, or none. `done` hears how many
    /// were written since it was last called.
    ///
    /// # Errors
    /// When a reference is taken; refused when the database holds organisations that were not seeded.
    pub async fn seed(&self, actor: &Actor, seeds: &[Seed], done: impl Fn(usize)) -> Result<(), SeedError> {
        let Some(row) = find(None, Happening::StartedIdeal) else {
            return Err(StoreError::Unreadable("no start by iDEAL".into()).into());
        };
        // As in a program that was started before the first organisation came: what follows is written whole.
        while self.fill_in().await? {}
        let mut work = self.begin().await?;
        self.store.alone(&mut work.tx, "seed").await?;
        only_seeded(&mut work).await?;
        let mut kvk = next_kvk(&mut work).await?;
        let mut position = 0;
        for group in seeds.chunks(GROUP) {
            self.free(&mut work, group, position).await?;
            self.write(&mut work, actor, row, group, &mut kvk).await?;
            position += group.len();
            done(group.len());
        }
        let what = format!("{position} activations seeded for a bench");
        self.note(&mut work, actor, &what, ENVIRONMENT, "").await?;
        self.commit(work).await?;
        Ok(())
    }

    /// That no reference of a group is taken.
    async fn free(&self, work: &mut Desking, group: &[Seed], position: usize) -> Result<(), SeedError> {
        const TAKEN: Many<'static> = Many {
            head: "WITH asked (word) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: ") SELECT a.reference FROM asked JOIN activations a ON a.reference = asked.word",
        };
        let taken = TAKEN
            .fetch(&mut work.tx, group, |query, seed| query.bind(seed.reference.as_str()))
            .await?;
        let Some(row) = taken.first() else {
            return Ok(());
        };
        let taken = text(row, "reference")?;
        let within = group.iter().position(|seed| seed.reference.as_str() == taken);
        Err(SeedError::Taken(position + within.unwrap_or(0)))
    }

    async fn write(
        &self,
        work: &mut Desking,
        actor: &Actor,
        row: &Move,
        group: &[Seed],
        kvk: &mut u32,
    ) -> Result<(), DeskError> {
        const ORGANISATIONS: Many<'static> = Many {
            head: "INSERT INTO organisations (id, legal_name, creator, environment, trade_names, country, names_source, language, created_at, \
                   changed_at, names_at, creator_hash)",
            columns: Columns::Inserted(12),
            tail: "",
        };
        const IDENTIFIERS: Many<'static> = Many {
            head: "INSERT INTO identifiers (organisation_id, position, scheme, value)",
            columns: Columns::Inserted(4),
            tail: "",
        };
        const ACTIVATIONS: Many<'static> = Many {
            head: "INSERT INTO activations (id, organisation_id, reference, identifier_scheme, identifier_value, method, amount_minor, currency, \
                   completion, started_by, state, version, created_at, expires_at, remind_at)",
            columns: Columns::Inserted(15),
            tail: "",
        };
        const HISTORY: Many<'static> = Many {
            head: "INSERT INTO history (activation_id, number, at, happening, from_state, to_state, actor, reason)",
            columns: Columns::Inserted(8),
            tail: "",
        };
        let now = self.now();
        let rules = self.rules.method(Method::Ideal);
        let (actor, version) = (actor.to_string(), 1_i64);
        let mut started = Vec::with_capacity(group.len());
        for seed in group {
            started.push(Started {
                organisation: self.new_id("org")?,
                activation: self.new_id("act")?,
                identifier: made_up(*kvk)?,
                creator: to_json(&seed.creator)?,
                creator_hash: self.creator_hash(&seed.creator.email),
                words: words_of([seed.legal_name.as_str()].into_iter()),
                seed,
            });
            *kvk += 1;
        }
        ORGANISATIONS
            .execute(&mut work.tx, &started, |query, one| {
                query
                    .bind(one.organisation.as_str())
                    .bind(one.seed.legal_name.as_str())
                    .bind(one.creator.as_str())
                    .bind(ENVIRONMENT)
                    .bind("[]")
                    .bind("NL")
                    .bind("register")
                    .bind(one.seed.creator.language.as_str())
                    .bind(now.micros())
                    .bind(now.micros())
                    .bind(now.micros())
                    .bind(one.creator_hash.as_str())
            })
            .await?;
        let words: Vec<(&str, &str)> = started
            .iter()
            .flat_map(|one| one.words.iter().map(|word| (word.as_str(), one.organisation.as_str())))
            .collect();
        insert_words(work, &words).await?;
        IDENTIFIERS
            .execute(&mut work.tx, &started, |query, one| {
                query
                    .bind(one.organisation.as_str())
                    .bind(0_i64)
                    .bind(one.identifier.scheme().as_str())
                    .bind(one.identifier.value())
            })
            .await?;
        ACTIVATIONS
            .execute(&mut work.tx, &started, |query, one| {
                query
                    .bind(one.activation.as_str())
                    .bind(one.organisation.as_str())
                    .bind(one.seed.reference.as_str())
                    .bind(one.identifier.scheme().as_str())
                    .bind(one.identifier.value())
                    .bind(Method::Ideal.as_str())
                    .bind(rules.amount.minor)
                    .bind(rules.amount.currency.as_str())
                    .bind(rules.completion.as_str())
                    .bind(actor.as_str())
                    .bind(row.to.as_str())
                    .bind(version)
                    .bind(now.micros())
                    .bind(now.plus(rules.lifetime).micros())
                    .bind(now.plus(rules.lifetime / 2).micros())
            })
            .await?;
        HISTORY
            .execute(&mut work.tx, &started, |query, one| {
                query
                    .bind(one.activation.as_str())
                    .bind(version)
                    .bind(now.micros())
                    .bind(row.happening.as_str())
                    .bind("none")
                    .bind(row.to.as_str())
                    .bind(actor.as_str())
                    .bind("")
            })
            .await?;
        Ok(())
    }
}

/// One that is being written.
struct Started<'a> {
    organisation: String,
    activation: String,
    identifier: Identifier,
    creator: String,
    creator_hash: String,
    words: Vec<String>,
    seed: &'a Seed,
}

/// Seeded names count as a register's without a register having said so: they may not stand among real ones.
async fn only_seeded(work: &mut Desking) -> Result<(), DeskError> {
    let other = sqlx::query("SELECT id FROM organisations WHERE environment <> $1 LIMIT 1")
        .bind(ENVIRONMENT)
        .fetch_optional(&mut *work.tx)
        .await?;
    if other.is_none() {
        return Ok(());
    }
    Err(Refused::new(
        Kind::Conflict,
        "not_a_bench",
        "This database holds organisations that were not seeded; set database.url to a database for the measurement alone.",
        "Deze database bevat organisaties die niet voor een meting zijn; zet database.url op een database voor de meting alleen.",
    )
    .into())
}

/// The number after the last that was made up.
async fn next_kvk(work: &mut Desking) -> Result<u32, DeskError> {
    let row = sqlx::query("SELECT MAX(value) AS last FROM identifiers WHERE scheme = 'NL:KVK'")
        .fetch_one(&mut *work.tx)
        .await?;
    let last = maybe_text(&row, "last")?.and_then(|value| value.parse::<u32>().ok());
    Ok(last.map_or(FIRST_KVK, |last| last + 1))
}

fn made_up(kvk: u32) -> Result<Identifier, StoreError> {
    Identifier::parse("NL:KVK", &format!("{kvk:08}"))
        .map_err(|_| StoreError::Unreadable("there are no more KvK numbers to make up".into()))
}
