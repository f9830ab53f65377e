//! Signing in, and being signed in.
//!
//! An attempt is counted before it is looked at: of many at once, no more are looked at than one after another. From
//! the fifth failure in a row an account is locked, for a minute, then two, four, up to an hour: long enough against
//! guessing, short enough that a stranger who knows an address can't keep its owner out for good.
//!
//! What the browser holds is 32 random bytes, new at each signing in; only their hash is kept.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Actor, Desk};
use crate::language::Language;
use crate::links::hash_of;
use crate::people::second_factor::SecondFactor;
use crate::people::{Person, password, roles};
use crate::refused::DeskError;
use crate::store::{instant, maybe_text, number, text};

/// How many failures in a row are forgiven.
const FORGIVEN: i64 = 4;

/// The shortest lock; each further failure doubles it.
const SHORTEST_LOCK: Duration = Duration::from_secs(60);

/// The longest lock is this many times as long.
const LONGEST_LOCK: i64 = 60;

/// Use is written down once in so long.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// Ended sessions are kept for so long, to be looked back at.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without being used.
    pub idle: Duration,
    /// In all.
    pub longest: Duration,
}

/// What came of an attempt to sign in. Who fails learns only that.
#[derive(Debug)]
pub enum SignIn {
    /// The secret of a new session.
    In(String),
    /// Address, password or code is wrong, there is no such account, or it is locked.
    Wrong,
}

impl Desk {
    /// Signs somebody in by password and code.
    ///
    /// # Errors
    /// When the store doesn't answer: nobody gets in then.
    pub async fn sign_in(
        &self,
        email: &str,
        given: &str,
        code: &str,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<SignIn, DeskError> {
        let now = self.now();
        let email = email.trim().to_lowercase();
        let counted = sqlx::query(
            "UPDATE accounts SET failures = failures + 1 WHERE email = $1 AND disabled_at IS NULL \
             AND (locked_until IS NULL OR locked_until <= $2) \
             RETURNING id, email, name, roles, password_hash, second_factor, failures",
        )
        .bind(email.as_str())
        .bind(now.micros());
        let mut work = self.begin().await?;
        let row = counted.fetch_optional(&mut *work.tx).await?;
        let Some(row) = row else {
            drop(work);
            // Unknown, disabled or locked: all three take as long as a wrong password, and are told alike, or
            // whoever tries often enough would learn which addresses have an account.
            verified(given, None).await;
            return Ok(SignIn::Wrong);
        };
        let id = text(&row, "id")?;
        let failures = number(&row, "failures")?;
        if failures > FORGIVEN {
            let doubled = 1_i64.checked_shl(u32::try_from(failures - FORGIVEN - 1).unwrap_or(u32::MAX));
            let times = doubled
                .filter(|times| *times > 0)
                .unwrap_or(LONGEST_LOCK)
                .min(LONGEST_LOCK);
            let until = now.plus(SHORTEST_LOCK * u32::try_from(times).unwrap_or(1));
            sqlx::query("UPDATE accounts SET locked_until = $1 WHERE id = $2")
                .bind(until.micros())
                .bind(id.as_str())
                .execute(&mut *work.tx)
                .await?;
            self.note(
                &mut work,
                &Actor::console(),
                "sign_in_locked",
                &id,
                &format!("{failures} failures in a row"),
            )
            .await?;
        }
        self.commit(work).await?;

        let hash = maybe_text(&row, "password_hash")?;
        let right = verified(given, hash).await;
        let sealed: Option<Vec<u8>> = sqlx::Row::try_get(&row, "second_factor")?;
        let factor = sealed.and_then(|sealed| SecondFactor::open(&sealed, &self.rules.links_key, &id));
        let step = factor.and_then(|factor| factor.step_of(code, now));
        let (true, Some(step)) = (right, step) else {
            tracing::info!(account = id, failures, "signing in failed");
            return Ok(SignIn::Wrong);
        };
        let mut work = self.begin().await?;
        // Two who have seen the same code: only one of them gets in.
        let taken = sqlx::query(
            "UPDATE accounts SET last_step = $1, failures = 0, locked_until = NULL, signed_in_at = $2 \
             WHERE id = $3 AND disabled_at IS NULL AND password_hash IS NOT NULL AND (last_step IS NULL OR last_step < $1)",
        )
        .bind(step)
        .bind(now.micros())
        .bind(id.as_str())
        .execute(&mut *work.tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(SignIn::Wrong);
        }
        let token = self.open_session(&mut work, &id, agent, limits).await?;
        let actor = Actor::console().as_person(&format!("{} <{}>", text(&row, "name")?, text(&row, "email")?));
        self.note(&mut work, &actor, "signed_in", &id, "").await?;
        self.commit(work).await?;
        Ok(SignIn::In(token))
    }

    pub(super) async fn open_session(
        &self,
        work: &mut super::Desking,
        account: &str,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<String, DeskError> {
        let now = self.now();
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        sqlx::query("DELETE FROM sessions WHERE expires_at < $1")
            .bind(
                now.micros()
                    .saturating_sub(i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX)),
            )
            .execute(&mut *work.tx)
            .await?;
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(200).collect();
        sqlx::query(
            "INSERT INTO sessions (token_hash, account_id, created_at, seen_at, expires_at, agent) VALUES ($1, $2, $3, $3, $4, $5)",
        )
        .bind(hash_of(&token))
        .bind(account)
        .bind(now.micros())
        .bind(now.plus(limits.longest).micros())
        .bind(agent)
        .execute(&mut *work.tx)
        .await?;
        Ok(token)
    }

    /// Who holds this session, if it goes on.
    ///
    /// # Errors
    /// When the store doesn't answer: nobody is let in then.
    pub async fn person_of(&self, token: &str, limits: SessionLimits) -> Result<Option<Person>, DeskError> {
        let now = self.now();
        let hash = hash_of(token);
        let row = sqlx::query(
            "SELECT a.id, a.name, a.email, a.roles, a.language, s.seen_at FROM sessions s JOIN accounts a ON a.id = s.account_id \
             WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3 AND a.disabled_at IS NULL",
        )
        .bind(hash.as_str())
        .bind(now.micros())
        .bind(now.micros().saturating_sub(micros(limits.idle)))
        .fetch_optional(self.store.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        if instant(&row, "seen_at")?.plus(SEEN_EVERY) <= now {
            let mut work = self.begin().await?;
            sqlx::query("UPDATE sessions SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $1")
                .bind(now.micros())
                .bind(hash.as_str())
                .execute(&mut *work.tx)
                .await?;
            self.commit(work).await?;
        }
        Ok(Some(Person {
            account: text(&row, "id")?,
            name: text(&row, "name")?,
            email: text(&row, "email")?,
            roles: roles(&text(&row, "roles")?),
            language: Language::of_code(&text(&row, "language")?),
        }))
    }

    /// Ends a session: its holder signs out.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn sign_out(&self, token: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        sqlx::query("UPDATE sessions SET ended_at = $1 WHERE token_hash = $2 AND ended_at IS NULL")
            .bind(self.now().micros())
            .bind(hash_of(token))
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await
    }

    /// In which language somebody reads from now on.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn read_in(&self, account: &str, language: Language) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        sqlx::query("UPDATE accounts SET language = $1 WHERE id = $2")
            .bind(language.code())
            .bind(account)
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Takes as long for no account as for one, and keeps nobody else waiting.
async fn verified(given: &str, hash: Option<String>) -> bool {
    let given = given.to_owned();
    let looked = tokio::task::spawn_blocking(move || password::verify(&given, hash.as_deref())).await;
    looked.unwrap_or_else(|error| {
        tracing::error!(%error, "a password could not be looked at");
        false
    })
}
