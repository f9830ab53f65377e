//! Many rows by one statement.
//!
//! A statement costs the same trip to the database whether it carries one row or a hundred, and where groups of
//! work share a commit the trips are what is left to save. Rows go in portions of a few fixed sizes, so that
//! there are few texts of each statement and each is prepared once a connection.
//!
//! On SQLite a portion may have room to spare, which is filled with rows of NULL that the statement passes over: a
//! trip less for less than it costs. PostgreSQL wants to know the types of what is inserted, and knows them only of
//! rows that are inserted as they are. It wants parameters numbered; on SQLite a number is a name, which the driver
//! looks up in a list for every parameter of every run, so there they have none.

use std::fmt::Write as _;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use super::StoreError;

/// A statement with its parameters.
pub(crate) type Bound<'q> = Query<'q, Any, AnyArguments>;

/// A statement about many rows: `head`, the rows as `VALUES`, `tail`.
pub(crate) struct Many<'s> {
    /// What stands before the rows, such as `INSERT INTO t (a, b)` or `WITH given (a, b) AS (`.
    pub(crate) head: &'s str,
    /// The columns of a row. The first is never NULL.
    pub(crate) columns: Columns,
    /// What stands behind the rows.
    pub(crate) tail: &'s str,
}

/// The columns of the rows.
pub(crate) enum Columns {
    /// So many, of the types that the table has which they are inserted into.
    Inserted(usize),
    /// Of these types, `TEXT` or `BIGINT`: where rows aren't inserted, PostgreSQL has to be told.
    Typed(&'static [&'static str]),
}

impl Columns {
    const fn count(&self) -> usize {
        match self {
            Self::Inserted(count) => *count,
            Self::Typed(types) => types.len(),
        }
    }
}

impl Many<'_> {
    /// Runs it for all rows, in their order; `bind` binds the columns of one. What it returns, of all portions.
    ///
    /// # Errors
    /// When the database refuses a portion; those before it stand, within the transaction.
    pub(crate) async fn fetch<'q, T>(
        &self,
        connection: &mut AnyConnection,
        rows: &'q [T],
        bind: impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let database = Dialect::of(connection);
        let mut returned = Vec::new();
        for Portion { rows, room } in database.portions(rows) {
            let sql = self.sql(room, database);
            let query = self.bound(sqlx::query(AssertSqlSafe(sql)), rows, room, &bind);
            returned.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(returned)
    }

    /// The same for a statement that returns nothing; how many rows it changed.
    ///
    /// # Errors
    /// As for [`Many::fetch`].
    pub(crate) async fn execute<'q, T>(
        &self,
        connection: &mut AnyConnection,
        rows: &'q [T],
        bind: impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
    ) -> Result<u64, StoreError> {
        let database = Dialect::of(connection);
        let mut changed = 0_u64;
        for Portion { rows, room } in database.portions(rows) {
            let sql = self.sql(room, database);
            let query = self.bound(sqlx::query(AssertSqlSafe(sql)), rows, room, &bind);
            changed = changed.saturating_add(query.execute(&mut *connection).await?.rows_affected());
        }
        Ok(changed)
    }

    fn bound<'q, T>(
        &self,
        mut query: Bound<'q>,
        rows: &'q [T],
        room: usize,
        bind: &impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
    ) -> Bound<'q> {
        for row in rows {
            query = bind(query, row);
        }
        for _ in 0..(room - rows.len()) * self.columns.count() {
            query = query.bind(None::<String>);
        }
        query
    }

    /// The statement with room for so many rows.
    fn sql(&self, room: usize, database: Dialect) -> String {
        let columns = self.columns.count();
        let mut sql = String::with_capacity(self.head.len() + self.tail.len() + room * columns * 6 + columns * 10 + 96);
        sql.push_str(self.head);
        database.before_rows(columns, &mut sql);
        for row in 0..room {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns {
                sql.push_str(if column == 0 { "" } else { ", " });
                let number = row * columns + column + 1;
                // The rows after the first take its types.
                let kind = match &self.columns {
                    Columns::Typed(types) if row == 0 => types.get(column),
                    _ => None,
                };
                // Writing to a String can't fail.
                let _ = match (kind, database) {
                    (Some(kind), Dialect::Postgres) => write!(sql, "CAST(${number} AS {kind})"),
                    (Some(kind), Dialect::Sqlite) => write!(sql, "CAST(? AS {kind})"),
                    (None, Dialect::Postgres) => write!(sql, "${number}"),
                    (None, Dialect::Sqlite) => write!(sql, "?"),
                };
            }
            sql.push(')');
        }
        sql.push_str(database.behind_rows());
        sql.push_str(self.tail);
        sql
    }
}

/// Rows that go in one statement, which has room for so many.
struct Portion<'r, T> {
    rows: &'r [T],
    room: usize,
}

/// What is different between the databases here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    fn of(connection: &AnyConnection) -> Self {
        match connection.backend_name() {
            "SQLite" => Self::Sqlite,
            _ => Self::Postgres,
        }
    }

    /// The sizes of portions, largest first. The largest times the columns of any statement stays far below the
    /// 32,766 parameters that either takes.
    const fn sizes(self) -> &'static [usize] {
        match self {
            Self::Sqlite => &[256, 128, 64, 16, 4, 1],
            Self::Postgres => &[128, 32, 8, 3, 1],
        }
    }

    /// SQLite calls the columns of rows `column1`, `column2` and so on.
    fn before_rows(self, columns: usize, sql: &mut String) {
        if self == Self::Sqlite {
            for column in 1..=columns {
                let before = if column == 1 { " SELECT" } else { "," };
                // Writing to a String can't fail.
                let _ = write!(sql, "{before} column{column}");
            }
            sql.push_str(" FROM (VALUES ");
        } else {
            sql.push_str(" VALUES ");
        }
    }

    const fn behind_rows(self) -> &'static str {
        match self {
            Self::Sqlite => ") WHERE column1 IS NOT NULL",
            Self::Postgres => "",
        }
    }

    /// The rows in portions, in their order. No more than three quarters of the room of any stay empty.
    fn portions<T>(self, mut rows: &[T]) -> impl Iterator<Item = Portion<'_, T>> {
        std::iter::from_fn(move || {
            let sizes = self.sizes().iter().copied();
            let full = sizes.clone().find(|size| *size <= rows.len())?;
            let roomy = sizes.rev().find(|size| *size >= rows.len() && *size <= rows.len() * 4);
            let room = match self {
                Self::Sqlite => roomy.unwrap_or(full),
                Self::Postgres => full,
            };
            let (portion, rest) = rows.split_at(room.min(rows.len()));
            rows = rest;
            Some(Portion { rows: portion, room })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_numbers_its_parameters_where_it_has_to_and_passes_over_what_stays_empty() {
        let insert = Many {
            head: "INSERT INTO t (a, b)",
            columns: Columns::Inserted(2),
            tail: " RETURNING a",
        };
        assert_eq!(
            insert.sql(2, Dialect::Postgres),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a"
        );
        assert_eq!(
            insert.sql(2, Dialect::Sqlite),
            "INSERT INTO t (a, b) SELECT column1, column2 FROM (VALUES (?, ?), (?, ?)) WHERE column1 IS NOT NULL RETURNING a"
        );
        let given = Many {
            head: "WITH given (a, b) AS (",
            columns: Columns::Typed(&["TEXT", "BIGINT"]),
            tail: ") SELECT a FROM given",
        };
        assert_eq!(
            given.sql(2, Dialect::Postgres),
            "WITH given (a, b) AS ( VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT)), ($3, $4)) SELECT a FROM given"
        );
    }

    #[test]
    fn portions_hold_every_row_once_in_order_and_come_in_few_sizes() {
        for database in [Dialect::Sqlite, Dialect::Postgres] {
            for many in 0..300 {
                let rows: Vec<usize> = (0..many).collect();
                let portions: Vec<_> = database.portions(&rows).collect();
                let again: Vec<usize> = portions.iter().flat_map(|portion| portion.rows).copied().collect();
                assert_eq!(again, rows);
                for Portion { rows, room } in portions {
                    assert!(database.sizes().contains(&room) && rows.len() <= room && room <= rows.len() * 4);
                    assert!(database == Dialect::Sqlite || rows.len() == room);
                }
            }
        }
    }
}
