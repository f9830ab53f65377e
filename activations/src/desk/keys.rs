//! Keys to the platform API: made once, kept as hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::{Actor, Desk};
use crate::clock::Timestamp;
use crate::links::hash_of;
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, instant, maybe_instant, text};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Registers organisations and starts activations.
    Platform,
    /// Decides on activations under review.
    Review,
    /// Grants environments more organisations: what a platform can't grant itself.
    Operator,
}

impl Scope {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Platform, Self::Review, Self::Operator];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Review => "review",
            Self::Operator => "operator",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

/// A key that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name; what it does is recorded under it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// A key in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped working.
    pub revoked_at: Option<Timestamp>,
}

impl Desk {
    /// Makes a key; the answer is the secret, which is not kept and can't be shown again.
    ///
    /// # Errors
    /// Refused when the name is empty, too long, or that of a key that works.
    pub async fn make_key(&self, name: &str, scopes: &[Scope]) -> Result<String, DeskError> {
        let fits =
            (1..=60).contains(&name.chars().count()) && name.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c));
        if !fits || scopes.is_empty() {
            return Err(Refused::new(
                Kind::Invalid,
                "key_name",
                "Give the key a name of 1 to 60 letters, digits, spaces, dots, dashes, and at least one scope.",
                "Geef de sleutel een naam van 1 tot 60 letters, cijfers, spaties, punten of streepjes, en minstens één bevoegdheid (scope).",
            )
            .into());
        }
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes)?;
        let secret = format!("eck_{}", URL_SAFE_NO_PAD.encode(bytes));
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let mut work = self.begin().await?;
        let inserted =
            sqlx::query("INSERT INTO api_keys (id, name, key_hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(self.new_id("key")?)
                .bind(name)
                .bind(hash_of(&secret))
                .bind(scopes.join(" "))
                .bind(self.now().micros())
                .execute(&mut *work.tx)
                .await
                .map_err(StoreError::from);
        match inserted {
            Err(error) if error.is_unique_violation() => {
                return Err(Refused::new(
                    Kind::Conflict,
                    "key_exists",
                    format!("There is a key named {name}; revoke it first, or choose another name."),
                    format!("Er is al een sleutel met de naam {name}; trek die eerst in, of kies een andere naam."),
                )
                .into());
            }
            other => other?,
        };
        self.note(&mut work, &Actor::command_line(), "key made", name, &scopes.join(" "))
            .await?;
        self.commit(work).await?;
        Ok(secret)
    }

    /// Makes a key stop working at once; false when no key of this name works.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn revoke_key(&self, name: &str) -> Result<bool, DeskError> {
        let mut work = self.begin().await?;
        let revoked = sqlx::query("UPDATE api_keys SET revoked_at = $1 WHERE name = $2 AND revoked_at IS NULL")
            .bind(self.now().micros())
            .bind(name)
            .execute(&mut *work.tx)
            .await?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        self.note(&mut work, &Actor::command_line(), "key revoked", name, "")
            .await?;
        self.commit(work).await?;
        Ok(true)
    }

    /// All keys, newest first.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn keys(&self) -> Result<Vec<KeyView>, DeskError> {
        let rows = sqlx::query("SELECT name, scopes, created_at, revoked_at FROM api_keys ORDER BY created_at DESC")
            .fetch_all(self.store.reader())
            .await?;
        let view = |row| -> Result<KeyView, StoreError> {
            Ok(KeyView {
                name: text(row, "name")?,
                scopes: scopes(&text(row, "scopes")?),
                created_at: instant(row, "created_at")?,
                revoked_at: maybe_instant(row, "revoked_at")?,
            })
        };
        Ok(rows.iter().map(view).collect::<Result<_, _>>()?)
    }

    /// The working key with this secret. Found by its hash, so that nothing is learnt from how long it takes.
    ///
    /// # Errors
    /// When the store doesn't answer: nobody is let in then.
    pub async fn key_of(&self, secret: &str) -> Result<Option<ApiKey>, DeskError> {
        let row = sqlx::query("SELECT name, scopes FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL")
            .bind(hash_of(secret))
            .fetch_optional(self.store.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ApiKey {
            name: text(&row, "name")?,
            scopes: scopes(&text(&row, "scopes")?),
        }))
    }
}

fn scopes(text: &str) -> Vec<Scope> {
    text.split(' ').filter_map(Scope::parse).collect()
}
