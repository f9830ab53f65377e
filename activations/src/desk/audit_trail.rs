//! The audit as it is read: entries by who, what and when, and whether the chain is unbroken.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::Desk;
use super::listing::Wanted;
use super::noting::lines_digest;
use crate::audit::{Link, reason_digest};
use crate::clock::Timestamp;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, maybe_number, maybe_text, number, text};

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Whose name has this in it, in upper or lower case.
    pub actor: Option<String>,
    /// Of exactly this act.
    pub act: Option<String>,
    /// About exactly this.
    pub subject: Option<String>,
    /// The newest first; otherwise in their order.
    pub newest_first: bool,
    /// Beyond the entry with this number, in the order that is asked for.
    pub beyond: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its place in the chain.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Did what.
    pub act: String,
    /// About what: mostly an id.
    pub subject: String,
    /// Why, or what more there is to say; empty where it was taken out.
    pub reason: String,
    /// The entry's id.
    pub id: String,
    /// The line of the subject's history that the act is.
    pub line: Option<i64>,
    /// What of the history is bound.
    pub lines_digest: Option<String>,
    /// Goes with the reason; empty where that was taken out.
    pub reason_salt: String,
    /// What of the reason is bound.
    pub reason_digest: String,
    /// The hash over all of this and the entry before.
    pub hash: String,
}

/// The last entry's number and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditHead {
    /// How many entries there are.
    pub number: i64,
    /// The hash that binds them all; empty where there is none.
    pub hash: String,
}

/// How the chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// It is whole.
    Unbroken {
        /// Up to here.
        head: AuditHead,
        /// The last entry's time.
        last_at: Option<Timestamp>,
        /// How many reasons were taken out.
        taken_out: u64,
    },
    /// It isn't.
    Broken {
        /// The first number that doesn't fit.
        number: i64,
        /// What is wrong there.
        fault: Fault,
    },
    /// It is whole, but isn't the one that was kept: no entry has that hash.
    NotTheKept,
}

/// Why an entry doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is none with this number.
    Missing,
    /// Its hash isn't that of its fields and the entry before.
    Changed,
    /// Its reason isn't the one that was bound.
    ReasonChanged,
    /// The history of the activation that it binds is another.
    HistoryChanged,
    /// It comes after what the head says is the last one.
    BeyondTheHead,
    /// The head has another hash than this, the last entry.
    HeadChanged,
}

impl Fault {
    /// What is wrong, in words that come after the entry's number.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::Changed => {
                "isn't what was written: its hash is not that of its number, time, actor, act, subject and the entry before"
            }
            Self::ReasonChanged => "has another reason than the one that was written",
            Self::HistoryChanged => "is about an activation whose history was changed since",
            Self::BeyondTheHead => "was added without the program",
            Self::HeadChanged => "is the last one, and the head of the audit has another hash",
        }
    }
}

const COLUMNS: &str = "SELECT number, id, at, actor, act, subject, reason, reason_salt, reason_digest, line, lines_digest, hash FROM audit";

/// So many entries are looked at by one statement.
const PAGE: u32 = 500;

impl Desk {
    /// Entries of the audit.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, DeskError> {
        let mut wanted = Wanted::default();
        wanted.those_of("act = ?", filter.act.as_deref());
        wanted.those_of("subject = ?", filter.subject.as_deref());
        if let Some(actor) = &filter.actor {
            let escaped = actor
                .to_lowercase()
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            wanted.those("LOWER(actor) LIKE ? ESCAPE '\\'", &[&format!("%{escaped}%")]);
        }
        // Numbers stand in the statement: what a list binds is text.
        let mut bounds = String::new();
        for (column, compared, bound) in [
            ("at", ">=", filter.since.map(Timestamp::micros)),
            ("at", "<", filter.until.map(Timestamp::micros)),
            ("number", if filter.newest_first { "<" } else { ">" }, filter.beyond),
        ] {
            if let Some(bound) = bound {
                bounds.push_str(&format!(" AND {column} {compared} {bound}"));
            }
        }
        let order = if filter.newest_first { "DESC" } else { "ASC" };
        let sql = format!(
            "{COLUMNS} WHERE {}{bounds} ORDER BY number {order} LIMIT {}",
            wanted.sql(),
            filter.limit
        );
        let mut connection = self.store.reader().acquire().await?;
        let rows = wanted.fetch(&mut connection, &sql).await?;
        Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
    }

    /// The last entry's number and hash: to be kept elsewhere, and looked for later.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn audit_head(&self) -> Result<AuditHead, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        Ok(head(&mut connection).await?)
    }

    /// Reads the whole audit, and says whether it is as it was written. `kept` is the hash of an entry that was kept
    /// elsewhere: it has to be there still. `looked_at` hears how many more entries were.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn verify_audit(&self, kept: Option<&str>, mut looked_at: impl FnMut(usize)) -> Result<Chain, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        // Entries that are written meanwhile raise the head as well: what is there now, it covers.
        let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS last FROM audit")
            .fetch_one(&mut *connection)
            .await?;
        let last = number(&row, "last")?;
        let head = head(&mut connection).await?;
        let kept = kept.map(str::to_lowercase);
        let mut found = kept.is_none();
        let (mut hash, mut at, mut last_at, mut taken_out) = (String::new(), 0, None, 0);
        while at < head.number {
            let sql = format!("{COLUMNS} WHERE number > $1 AND number <= $2 ORDER BY number LIMIT {PAGE}");
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(at)
                .bind(head.number)
                .fetch_all(&mut *connection)
                .await?;
            if rows.is_empty() {
                return Ok(broken(at + 1, Fault::Missing));
            }
            for row in &rows {
                let entry = entry(row)?;
                if entry.number != at + 1 {
                    return Ok(broken(at + 1, Fault::Missing));
                }
                if let Some(fault) = wrong_with(&mut connection, &entry, &hash).await? {
                    return Ok(broken(entry.number, fault));
                }
                at = entry.number;
                last_at = Some(entry.at);
                taken_out += u64::from(entry.reason_salt.is_empty());
                found |= kept.as_deref() == Some(entry.hash.as_str());
                hash = entry.hash;
            }
            looked_at(rows.len());
        }
        Ok(if hash != head.hash {
            broken(head.number, Fault::HeadChanged)
        } else if last > head.number {
            broken(head.number + 1, Fault::BeyondTheHead)
        } else if found {
            Chain::Unbroken {
                head,
                last_at,
                taken_out,
            }
        } else {
            Chain::NotTheKept
        })
    }
}

const fn broken(number: i64, fault: Fault) -> Chain {
    Chain::Broken { number, fault }
}

async fn head(connection: &mut AnyConnection) -> Result<AuditHead, StoreError> {
    let row = sqlx::query("SELECT number, hash FROM audit_head")
        .fetch_optional(connection)
        .await?;
    Ok(match row {
        Some(row) => AuditHead {
            number: number(&row, "number")?,
            hash: text(&row, "hash")?,
        },
        None => AuditHead {
            number: 0,
            hash: String::new(),
        },
    })
}

/// What is wrong with an entry, after the one that has the hash `before`.
async fn wrong_with(
    connection: &mut AnyConnection,
    entry: &AuditEntry,
    before: &str,
) -> Result<Option<Fault>, StoreError> {
    let line = entry
        .line
        .map(|line| (line, entry.lines_digest.as_deref().unwrap_or_default()));
    let link = Link {
        number: entry.number,
        at: entry.at,
        id: &entry.id,
        actor: &entry.actor,
        act: &entry.act,
        subject: &entry.subject,
        reason_digest: &entry.reason_digest,
        line,
    };
    if link.hash(before) != entry.hash {
        return Ok(Some(Fault::Changed));
    }
    let there = hex::decode(&entry.reason_salt).unwrap_or_default();
    let taken_out = entry.reason_salt.is_empty();
    if (taken_out && !entry.reason.is_empty())
        || (!taken_out && reason_digest(&there, &entry.reason) != entry.reason_digest)
    {
        return Ok(Some(Fault::ReasonChanged));
    }
    if let Some((line, digest)) = line
        && (lines_digest(connection, &entry.subject, line).await? != digest
            || !same_reason(connection, entry, line).await?)
    {
        return Ok(Some(Fault::HistoryChanged));
    }
    Ok(None)
}

/// The reason of a history line is that of its entry.
async fn same_reason(connection: &mut AnyConnection, entry: &AuditEntry, line: i64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT reason FROM history WHERE activation_id = $1 AND number = $2")
        .bind(entry.subject.as_str())
        .bind(line)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| text(&row, "reason")).transpose()?.as_deref() == Some(entry.reason.as_str()))
}

fn entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        number: number(row, "number")?,
        at: instant(row, "at")?,
        actor: text(row, "actor")?,
        act: text(row, "act")?,
        subject: text(row, "subject")?,
        reason: text(row, "reason")?,
        id: text(row, "id")?,
        line: maybe_number(row, "line")?,
        lines_digest: maybe_text(row, "lines_digest")?,
        reason_salt: text(row, "reason_salt")?,
        reason_digest: text(row, "reason_digest")?,
        hash: text(row, "hash")?,
    })
}
