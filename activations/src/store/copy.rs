//! Everything from a SQLite file into an empty PostgreSQL: all of it in one transaction, or nothing.
//!
//! Rows go over in the order in which they were written, so that whatever a row refers to is there before it.
//! Before the commit both sides are counted, and a digest of all rows compared: a copy that isn't the
//! same is rolled back.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _};

use super::{Kind, Store, StoreError, Tx, number, text};

/// All tables of the migrations, each after those that it refers to. `true`: the migrations fill it, and it
/// is only compared.
pub const TABLES: &[(&str, bool)] = &[
    ("states", true),
    ("transitions", true),
    ("organisations", false),
    ("environments", false),
    ("identifiers", false),
    ("activations", false),
    ("history", false),
    ("notifications", false),
    ("events", false),
    ("seen", false),
    ("refusals", false),
    ("payments", false),
    ("decisions", false),
    ("emails", false),
    ("renderings", false),
    ("outgoing_events", false),
    ("links", false),
    ("api_keys", false),
    ("audit", false),
    ("audit_head", false),
    ("schedule_runs", false),
    ("remembered", false),
    ("rereads", false),
    ("checkouts", false),
    ("deliveries", false),
    ("questions", false),
    ("uploads", false),
    ("invoices", false),
    ("refreshes", false),
    ("kept_answers", false),
    ("accounts", false),
    ("invitations", false),
    ("sessions", false),
    ("provider_answers", false),
    ("attempts", false),
    ("paused", false),
    ("tallies", false),
    ("asked_schedules", false),
    ("reviews", false),
    ("notes", false),
    ("proposals", false),
    ("verdicts", false),
    ("name_words", false),
];

/// So many values go over in one statement; PostgreSQL takes 65,535.
const VALUES: usize = 6_000;

/// What was copied of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// How many rows, on either side.
    pub rows: u64,
}

/// A copy that wasn't made; the target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It doesn't go from SQLite to PostgreSQL.
    #[error("data can be copied from a SQLite file to PostgreSQL, and no other way")]
    Way,
    /// The target holds something already.
    #[error("the target isn't empty: its table {0} has rows. Name an empty database; nothing was changed in this one")]
    NotEmpty(&'static str),
    /// The two sides aren't the same after all.
    #[error("the copy of table {table} is not the same ({read} rows read, {written} written); nothing was kept")]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows of the source.
        read: u64,
        /// Rows of the target.
        written: u64,
    },
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// How many rows there are to copy.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn rows_to_copy(&self) -> Result<u64, StoreError> {
        let mut all = 0_u64;
        for (table, filled) in TABLES {
            if !filled {
                let row = sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) AS many FROM {table}")))
                    .fetch_one(&self.read)
                    .await?;
                all = all.saturating_add(u64::try_from(number(&row, "many")?).unwrap_or(0));
            }
        }
        Ok(all)
    }

    /// Copies all rows of this SQLite database into `target`, an empty PostgreSQL; both are migrated. `on_rows`
    /// hears how many more have gone over. Nobody may write to either meanwhile.
    ///
    /// # Errors
    /// [`CopyError`]; the target is as it was then.
    pub async fn copy_to(&self, target: &Self, mut on_rows: impl FnMut(u64)) -> Result<Vec<Copied>, CopyError> {
        if (self.kind, target.kind) != (Kind::Sqlite, Kind::Postgres) {
            return Err(CopyError::Way);
        }
        let mut tx = target.begin().await?;
        for (table, filled) in TABLES {
            let sql = format!("SELECT 1 FROM {table} LIMIT 1");
            if !filled
                && sqlx::query(AssertSqlSafe(sql))
                    .fetch_optional(&mut *tx)
                    .await?
                    .is_some()
            {
                return Err(CopyError::NotEmpty(table));
            }
        }
        let mut all = Vec::new();
        for (table, filled) in TABLES {
            let columns = Columns::of(self, table).await?;
            let read = if *filled {
                let mut read = Tally::default();
                let mut rows = sqlx::query(AssertSqlSafe(columns.select("1"))).fetch(&self.read);
                while let Some(row) = rows.try_next().await? {
                    read.take(&columns.values(&row)?);
                }
                read
            } else {
                self.copy_table(&mut tx, &columns, &mut on_rows).await?
            };
            let mut written = Tally::default();
            let mut rows = sqlx::query(AssertSqlSafe(columns.select("1"))).fetch(&mut *tx);
            while let Some(row) = rows.try_next().await? {
                written.take(&columns.values(&row)?);
            }
            drop(rows);
            if read != written {
                return Err(CopyError::Differs {
                    table,
                    read: read.rows,
                    written: written.rows,
                });
            }
            all.push(Copied { table, rows: read.rows });
        }
        tx.commit().await?;
        Ok(all)
    }

    async fn copy_table(
        &self,
        tx: &mut Tx,
        columns: &Columns,
        on_rows: &mut impl FnMut(u64),
    ) -> Result<Tally, CopyError> {
        let mut read = Tally::default();
        let mut after = i64::MIN;
        let batch = columns.batch();
        let select = format!(
            "SELECT rowid AS copied_rowid, {} FROM {} WHERE rowid > $1 ORDER BY rowid LIMIT {batch}",
            columns.names(),
            columns.table
        );
        loop {
            let rows = sqlx::query(AssertSqlSafe(select.as_str()))
                .bind(after)
                .fetch_all(&self.read)
                .await?;
            let Some(last) = rows.last() else { break };
            after = number(last, "copied_rowid")?;
            let sql = columns.insert(rows.len());
            let mut insert = sqlx::query(AssertSqlSafe(sql));
            for row in &rows {
                let values = columns.values(row)?;
                read.take(&values);
                for value in values {
                    insert = value.bind(insert);
                }
            }
            insert.execute(&mut **tx).await?;
            on_rows(u64::try_from(rows.len()).unwrap_or(0));
        }
        Ok(read)
    }
}

/// The three types that columns have.
#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Number,
    Bytes,
}

enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    fn bind(self, query: Query<'_, Any, AnyArguments>) -> Query<'_, Any, AnyArguments> {
        match self {
            Self::Text(value) => query.bind(value),
            Self::Number(value) => query.bind(value),
            Self::Bytes(value) => query.bind(value),
        }
    }
}

/// The columns of a table, in the order of the source.
struct Columns {
    table: &'static str,
    named: Vec<(String, Type)>,
}

impl Columns {
    /// How many rows go over in one statement; a file may be megabytes, and the words of an e-mail are some 15 kB.
    fn batch(&self) -> usize {
        match self.table {
            "uploads" => 1,
            "renderings" => 200,
            _ => VALUES / self.named.len().max(1),
        }
    }

    async fn of(source: &Store, table: &'static str) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT CAST(name AS TEXT) AS name, CAST(type AS TEXT) AS type FROM pragma_table_info('{table}') ORDER BY cid"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&source.read).await?;
        let mut named = Vec::new();
        for row in &rows {
            let written = match text(row, "type")?.as_str() {
                "TEXT" => Type::Text,
                "BIGINT" => Type::Number,
                "BYTEA" => Type::Bytes,
                other => return Err(StoreError::Unreadable(format!("{table}: a column of type {other}"))),
            };
            named.push((text(row, "name")?, written));
        }
        Ok(Self { table, named })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.named.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    fn select(&self, condition: &str) -> String {
        format!("SELECT {} FROM {} WHERE 1 = {condition}", self.names(), self.table)
    }

    fn insert(&self, rows: usize) -> String {
        let width = self.named.len();
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.table,
            self.names(),
            rows.join(", ")
        )
    }

    fn values(&self, row: &AnyRow) -> Result<Vec<Value>, StoreError> {
        let value = |(name, written): &(String, Type)| {
            let name = name.as_str();
            Ok(match written {
                Type::Text => Value::Text(row.try_get(name)?),
                Type::Number => Value::Number(row.try_get(name)?),
                Type::Bytes => Value::Bytes(row.try_get(name)?),
            })
        };
        self.named.iter().map(value).collect()
    }
}

/// How many rows, and what they hold, in whatever order: the digests of all rows, added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    rows: u64,
    sum: u128,
}

impl Tally {
    fn take(&mut self, values: &[Value]) {
        let mut hash = Sha256::new();
        for value in values {
            // Each with its kind and length, so that no two rows are written the same.
            match value {
                Value::Text(Some(text)) => field(&mut hash, 1, text.as_bytes()),
                Value::Number(Some(number)) => field(&mut hash, 2, &number.to_be_bytes()),
                Value::Bytes(Some(bytes)) => field(&mut hash, 3, bytes),
                Value::Text(None) | Value::Number(None) | Value::Bytes(None) => field(&mut hash, 0, &[]),
            }
        }
        let mut half = [0_u8; 16];
        half.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        self.rows = self.rows.saturating_add(1);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

fn field(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}
