//! What a list is asked for, and a page of it.
//!
//! Ids sort by time, so they are the order of every list, and where a page ends the next one begins. A filter for which
//! there is no index looks through [`WINDOW`] rows at most; a page that found less than was asked for says how to go on.

use std::fmt::Write as _;

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use ulid::Ulid;

use crate::clock::Timestamp;
use crate::store::{Store, StoreError, number, text};

/// So many rows are looked through for one page.
const WINDOW: i64 = 10_000;

/// Most rows of a page.
const LARGEST: u32 = 500;

/// How a row of work stands, whatever its kind calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for its turn.
    Waiting,
    /// It waits, and has failed before.
    PutOff,
    /// It was set apart, or given up.
    Failed,
    /// A person dropped it.
    Dropped,
    /// It is done with.
    Done,
}

impl Standing {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Waiting, Self::PutOff, Self::Failed, Self::Dropped, Self::Done];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::PutOff => "put_off",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Done => "done",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text)
    }
}

/// What is sought.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Only what stands so.
    pub standing: Option<Standing>,
    /// Only what is of this: an endpoint, a provider, a kind of e-mail, an actor, as the list has it.
    pub of: Option<String>,
    /// Only what came from then on.
    pub since: Option<Timestamp>,
    /// Only what came before.
    pub until: Option<Timestamp>,
    /// Only what this names: an id of ours or of the provider, or a reference.
    pub text: Option<String>,
    /// Only what comes after this row of the page before.
    pub after: Option<String>,
    /// The oldest first; otherwise the newest.
    pub oldest_first: bool,
    /// At most so many; 0: fifty.
    pub limit: u32,
}

impl Sought {
    pub(super) fn limit(&self) -> usize {
        let limit = if self.limit == 0 { 50 } else { self.limit.min(LARGEST) };
        usize::try_from(limit).unwrap_or(50)
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// What was found, in order.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` at the end. There may be one though this page is not full: then so many rows
    /// were looked through.
    pub next: Option<String>,
}

/// A condition, and the values that each `?` in it stands for.
pub(super) type Condition = (String, Vec<String>);

/// A list: where its rows come from, and by which of their columns they are sought.
pub(super) struct List {
    /// The table whose ids are its order; `t` in all that follows.
    pub table: &'static str,
    /// Its column of ids.
    pub id: &'static str,
    /// What ids begin with, where the time in them is that of the row.
    pub prefix: Option<&'static str>,
    /// What else is read beside it, as joins.
    pub joins: &'static str,
    /// What is read.
    pub columns: String,
    /// When a row came.
    pub time: &'static str,
    /// Conditions on few rows that have an index of their own, and what to seek by `text`: then nothing else is looked
    /// through. Each `?` stands for the next value.
    pub few: Vec<Condition>,
    /// Other conditions.
    pub more: Vec<Condition>,
}

/// Text of a statement, and its values in order.
#[derive(Default)]
struct Statement {
    sql: String,
    values: Vec<String>,
}

impl Statement {
    fn push(&mut self, condition: &str, values: &[String]) {
        let mut pieces = condition.split('?');
        self.sql.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.values.push(value.clone());
            // Writing to a String can't fail.
            let _ = write!(self.sql, "${}{piece}", self.values.len());
        }
    }
}

impl List {
    /// The statement of a page. Found by an index, rows are sorted by hand: an id that is more than an id keeps the
    /// database from walking along all of them instead.
    fn statement(&self, sought: &Sought, columns: &str, limit: usize) -> (String, Vec<String>) {
        let Self {
            table, id, joins, time, ..
        } = self;
        let (order, beyond) = if sought.oldest_first {
            ("ASC", ">")
        } else {
            ("DESC", "<")
        };
        let filtered = !self.more.is_empty() || sought.since.is_some() || sought.until.is_some();
        let mut all = Statement::default();
        let key = match (self.few.is_empty(), filtered) {
            (false, _) => {
                all.push(&format!("SELECT {columns} FROM {table} t {joins} WHERE "), &[]);
                format!("(t.{id} || '')")
            }
            (true, false) => {
                all.push(&format!("SELECT {columns} FROM {table} t {joins} WHERE "), &[]);
                format!("t.{id}")
            }
            (true, true) => {
                all.push(&format!("SELECT {columns} FROM ("), &[]);
                self.window(sought, &mut all);
                all.push(&format!(") w JOIN {table} t ON t.{id} = w.row_id {joins} WHERE "), &[]);
                format!("t.{id}")
            }
        };
        let mut first = true;
        let mut and = |all: &mut Statement, condition: &str, values: &[String]| {
            if !first {
                all.push(" AND ", &[]);
            }
            first = false;
            all.push(condition, values);
        };
        for (condition, values) in self.few.iter().chain(&self.more) {
            and(&mut all, &format!("({condition})"), values);
        }
        if let Some(since) = sought.since {
            and(&mut all, &format!("{time} >= {}", since.micros()), &[]);
        }
        if let Some(until) = sought.until {
            and(&mut all, &format!("{time} < {}", until.micros()), &[]);
        }
        if let Some(after) = &sought.after {
            and(&mut all, &format!("{key} {beyond} ?"), std::slice::from_ref(after));
        }
        and(&mut all, "1 = 1", &[]);
        all.push(&format!(" ORDER BY {key} {order} LIMIT {limit}"), &[]);
        (all.sql, all.values)
    }

    /// The ids that are looked through.
    fn window(&self, sought: &Sought, all: &mut Statement) {
        let Self { table, id, .. } = self;
        let (order, beyond) = if sought.oldest_first {
            ("ASC", ">")
        } else {
            ("DESC", "<")
        };
        let begin = sought.after.clone().or_else(|| self.begin(sought));
        all.push(&format!("SELECT {id} AS row_id FROM {table}"), &[]);
        if let Some(begin) = begin {
            all.push(&format!(" WHERE {id} {beyond} ?"), &[begin]);
        }
        all.push(&format!(" ORDER BY {id} {order} LIMIT {WINDOW}"), &[]);
    }

    /// The id from which on there may be any, by the time in it.
    fn begin(&self, sought: &Sought) -> Option<String> {
        let prefix = self.prefix?;
        let at = if sought.oldest_first {
            sought.since
        } else {
            sought.until
        }?;
        // The row may have come a moment later than its id was made.
        let slack = if sought.oldest_first { -60_000 } else { 60_000 };
        let millis = (at.micros() / 1_000).saturating_add(slack);
        let ulid = Ulid::from_parts(u64::try_from(millis).unwrap_or(0), 0);
        Some(format!("{prefix}_{ulid}"))
    }

    /// A page, each row read by `read`.
    pub(super) async fn page<T>(
        &self,
        store: &Store,
        sought: &Sought,
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let limit = sought.limit();
        let columns = format!("t.{} AS row_id, {}", self.id, self.columns);
        let (sql, values) = self.statement(sought, &columns, limit + 1);
        let mut rows = fetch(store, sql, &values).await?;
        if rows.len() > limit {
            rows.truncate(limit);
            let last = rows.last().map(|row| text(row, "row_id")).transpose()?;
            return Ok(Page {
                rows: rows.iter().map(read).collect::<Result<_, _>>()?,
                next: last,
            });
        }
        let filtered = !self.more.is_empty() || sought.since.is_some() || sought.until.is_some();
        let next = if self.few.is_empty() && filtered {
            self.looked_until(store, sought).await?
        } else {
            None
        };
        Ok(Page {
            rows: rows.iter().map(read).collect::<Result<_, _>>()?,
            next,
        })
    }

    /// Where looking stopped; `None` where it came to the end, or to what is too old or too new.
    async fn looked_until(&self, store: &Store, sought: &Sought) -> Result<Option<String>, StoreError> {
        let Self { table, id, time, .. } = self;
        let edge = if sought.oldest_first { "MAX" } else { "MIN" };
        let mut all = Statement::default();
        all.push("SELECT e.many AS many, e.edge AS edge, ", &[]);
        all.push(
            &format!("{time} AS at FROM (SELECT COUNT(*) AS many, {edge}(row_id) AS edge FROM ("),
            &[],
        );
        self.window(sought, &mut all);
        all.push(&format!(") w) e JOIN {table} t ON t.{id} = e.edge"), &[]);
        let rows = fetch(store, all.sql, &all.values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if number(row, "many")? < WINDOW {
            return Ok(None);
        }
        let at = Timestamp::from_micros(number(row, "at")?);
        let beyond = if sought.oldest_first {
            sought.until.is_some_and(|until| at >= until)
        } else {
            sought.since.is_some_and(|since| at < since)
        };
        Ok(if beyond { None } else { Some(text(row, "edge")?) })
    }

    /// The ids of everything that has an index of its own and is sought, the oldest first; at most `limit`.
    pub(super) async fn ids(&self, store: &Store, sought: &Sought, limit: usize) -> Result<Vec<String>, StoreError> {
        let sought = Sought {
            oldest_first: true,
            ..sought.clone()
        };
        let (sql, values) = self.statement(&sought, &format!("t.{} AS row_id", self.id), limit);
        let rows = fetch(store, sql, &values).await?;
        rows.iter().map(|row| text(row, "row_id")).collect()
    }

    #[cfg(test)]
    pub(super) fn statements(&self, sought: &Sought) -> (String, Vec<String>) {
        let columns = format!("t.{} AS row_id, {}", self.id, self.columns);
        self.statement(sought, &columns, 51)
    }
}

async fn fetch(store: &Store, sql: String, values: &[String]) -> Result<Vec<AnyRow>, StoreError> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = query.bind(value.as_str());
    }
    Ok(query.fetch_all(store.reader()).await?)
}
