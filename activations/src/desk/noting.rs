//! The one way into the audit.
//!
//! What is noted during a transaction is written at its end, after everything else: the entry takes its number and
//! the hash before from a row that the transaction then holds (`audit_head`). On PostgreSQL two writers wait for each
//! other there; whoever holds the row has nothing left to wait for but the disk, so that no two can wait for each
//! other in turn. Numbers have no gap, because a transaction that is rolled back gives its numbers back.

use sqlx::any::AnyRow;

use super::{Actor, Desk, Desking};
use crate::audit::{HistoryLine, LinesDigest, Link, reason_digest};
use crate::clock::Timestamp;
use crate::entropy::Entropy;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, number, text};

/// What is to be written at the end of the transaction.
pub(super) struct Noted {
    id: String,
    at: Timestamp,
    actor: String,
    act: String,
    subject: String,
    reason: String,
    /// The line of the subject's history that is this act.
    line: Option<i64>,
}

/// Who acts without a person or key behind it: their lines have no entry of their own.
const BY_ITSELF: [&str; 2] = ["system", "creator"];

impl Desk {
    /// Records an act of a key or person that no history line holds.
    pub(super) async fn note(
        &self,
        work: &mut Desking,
        actor: &Actor,
        act: &str,
        subject: &str,
        reason: &str,
    ) -> Result<(), DeskError> {
        self.note_by(work, &actor.to_string(), (act, subject), reason)
    }

    /// The same for whoever is known by a text alone.
    pub(super) fn note_by(
        &self,
        work: &mut Desking,
        actor: &str,
        (act, subject): (&str, &str),
        reason: &str,
    ) -> Result<(), DeskError> {
        self.noted(work, actor, (act, subject), reason, None)
    }

    /// Binds an act that is a line of an activation's history into the audit, and with it the history until then.
    pub(super) fn note_line(
        &self,
        work: &mut Desking,
        actor: &str,
        (happening, activation, line): (&str, &str, i64),
        reason: &str,
    ) -> Result<(), DeskError> {
        if BY_ITSELF.contains(&actor) {
            return Ok(());
        }
        self.noted(work, actor, (happening, activation), reason, Some(line))
    }

    fn noted(
        &self,
        work: &mut Desking,
        actor: &str,
        (act, subject): (&str, &str),
        reason: &str,
        line: Option<i64>,
    ) -> Result<(), DeskError> {
        work.noted.push(Noted {
            id: self.new_id("aud")?,
            at: self.now(),
            actor: actor.to_owned(),
            act: act.to_owned(),
            subject: subject.to_owned(),
            reason: reason.to_owned(),
            line,
        });
        Ok(())
    }

    /// Writes what was noted: the last thing before the commit.
    pub(super) async fn write_noted(&self, work: &mut Desking) -> Result<(), DeskError> {
        let noted = std::mem::take(&mut work.noted);
        if noted.is_empty() {
            return Ok(());
        }
        // Everything that needs no number first: the row is held from the next statement on.
        let mut entries = Vec::with_capacity(noted.len());
        for one in &noted {
            let lines_digest = match one.line {
                Some(line) => Some((line, lines_digest(&mut work.tx, &one.subject, line).await?)),
                None => None,
            };
            let (salt, digest) = salted(self.entropy.as_ref(), &one.reason)?;
            entries.push((one, salt, digest, lines_digest));
        }
        let many = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let row = sqlx::query(
            "INSERT INTO audit_head (one, number, hash) VALUES (1, $1, '') \
             ON CONFLICT (one) DO UPDATE SET number = audit_head.number + excluded.number RETURNING number, hash",
        )
        .bind(many)
        .fetch_one(&mut *work.tx)
        .await?;
        let mut next = number(&row, "number")? - many;
        let mut hash = text(&row, "hash")?;
        if hash.is_empty() && next > 0 {
            return Err(StoreError::Unreadable("the audit's head has no hash".to_owned()).into());
        }
        for (one, salt, digest, lines) in &entries {
            next += 1;
            let line = lines.as_ref().map(|(line, digest)| (*line, digest.as_str()));
            let link = Link {
                number: next,
                at: one.at,
                id: &one.id,
                actor: &one.actor,
                act: &one.act,
                subject: &one.subject,
                reason_digest: digest,
                line,
            };
            hash = link.hash(&hash);
            sqlx::query(
                "INSERT INTO audit (number, id, at, actor, act, subject, reason, reason_salt, reason_digest, line, lines_digest, hash) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            )
            .bind(next)
            .bind(one.id.as_str())
            .bind(one.at.micros())
            .bind(one.actor.as_str())
            .bind(one.act.as_str())
            .bind(one.subject.as_str())
            .bind(one.reason.as_str())
            .bind(salt.as_str())
            .bind(digest.as_str())
            .bind(line.map(|(line, _)| line))
            .bind(line.map(|(_, digest)| digest))
            .bind(hash.as_str())
            .execute(&mut *work.tx)
            .await?;
        }
        sqlx::query("UPDATE audit_head SET hash = $1")
            .bind(hash)
            .execute(&mut *work.tx)
            .await?;
        Ok(())
    }
}

/// A new salt, and the digest of a reason under it.
pub(crate) fn salted(entropy: &dyn Entropy, reason: &str) -> Result<(String, String), StoreError> {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt)?;
    Ok((hex::encode(salt), reason_digest(&salt, reason)))
}

/// The digest of an activation's history up to a line.
pub(super) async fn lines_digest(
    connection: &mut sqlx::AnyConnection,
    activation: &str,
    line: i64,
) -> Result<String, StoreError> {
    let rows = sqlx::query(
        "SELECT number, at, happening, from_state, to_state, actor FROM history \
         WHERE activation_id = $1 AND number <= $2 ORDER BY number",
    )
    .bind(activation)
    .bind(line)
    .fetch_all(connection)
    .await?;
    let mut digest = LinesDigest::default();
    for row in &rows {
        take(&mut digest, row)?;
    }
    Ok(digest.end())
}

fn take(digest: &mut LinesDigest, row: &AnyRow) -> Result<(), StoreError> {
    let (happening, actor) = (text(row, "happening")?, text(row, "actor")?);
    let (from, to) = (text(row, "from_state")?, text(row, "to_state")?);
    digest.take(&HistoryLine {
        number: number(row, "number")?,
        at: instant(row, "at")?,
        happening: &happening,
        from: &from,
        to: &to,
        actor: &actor,
    });
    Ok(())
}
