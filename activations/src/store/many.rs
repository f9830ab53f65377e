//! Many rows by one statement.
//!
//! A statement costs the same trip to the database whether it carries one row or fifty, and where groups of
//! work share a commit the trips are what is left to save. Rows go in portions of a few fixed sizes, so that
//! there are few texts of each statement and each is prepared once a connection.

use std::fmt::Write as _;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use super::StoreError;

/// The sizes of portions, largest first. The largest times the columns of any statement stays far below the
/// 32,766 parameters that SQLite takes; it finds each by its name, in time that grows with their number.
const PORTIONS: [usize; 4] = [32, 8, 3, 1];

/// A statement with its parameters.
pub(crate) type Bound<'q> = Query<'q, Any, AnyArguments>;

/// A statement about many rows: `head`, the rows as `VALUES`, `tail`.
pub(crate) struct Many<'s> {
    /// What stands before the rows, such as `INSERT INTO t (a, b)` or `WITH given (a, b) AS (`.
    pub(crate) head: &'s str,
    /// The columns of a row.
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
        let mut returned = Vec::new();
        for portion in portions(rows) {
            let mut query = sqlx::query(AssertSqlSafe(self.sql(portion.len())));
            for row in portion {
                query = bind(query, row);
            }
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
        let mut changed = 0_u64;
        for portion in portions(rows) {
            let mut query = sqlx::query(AssertSqlSafe(self.sql(portion.len())));
            for row in portion {
                query = bind(query, row);
            }
            changed = changed.saturating_add(query.execute(&mut *connection).await?.rows_affected());
        }
        Ok(changed)
    }

    fn sql(&self, rows: usize) -> String {
        let columns = self.columns.count();
        let mut sql = String::with_capacity(self.head.len() + self.tail.len() + rows * columns * 6 + 64);
        sql.push_str(self.head);
        sql.push_str(" VALUES ");
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns {
                let comma = if column == 0 { "" } else { ", " };
                let number = row * columns + column + 1;
                // The rows after the first take its types. Writing to a String can't fail.
                let _ = match &self.columns {
                    Columns::Typed(types) if row == 0 => {
                        write!(
                            sql,
                            "{comma}CAST(${number} AS {})",
                            types.get(column).copied().unwrap_or("TEXT")
                        )
                    }
                    _ => write!(sql, "{comma}${number}"),
                };
            }
            sql.push(')');
        }
        sql.push_str(self.tail);
        sql
    }
}

/// The rows in portions of the fixed sizes.
fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = PORTIONS.into_iter().find(|size| *size <= rows.len())?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_numbers_its_parameters_through_and_types_the_first_row_where_it_has_to() {
        let insert = Many {
            head: "INSERT INTO t (a, b)",
            columns: Columns::Inserted(2),
            tail: " RETURNING a",
        };
        assert_eq!(
            insert.sql(2),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a"
        );
        let given = Many {
            head: "WITH given (a, b) AS (",
            columns: Columns::Typed(&["TEXT", "BIGINT"]),
            tail: ") SELECT a FROM given",
        };
        assert_eq!(
            given.sql(2),
            "WITH given (a, b) AS ( VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT)), ($3, $4)) SELECT a FROM given"
        );
    }

    #[test]
    fn portions_hold_every_row_once_in_order_and_come_in_few_sizes() {
        let rows: Vec<usize> = (0..235).collect();
        let sizes: Vec<usize> = portions(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [32, 32, 32, 32, 32, 32, 32, 8, 3]);
        let again: Vec<usize> = portions(&rows).flatten().copied().collect();
        assert_eq!(again, rows);
    }
}
