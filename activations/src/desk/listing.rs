//! Which rows a list is asked for: conditions with the values that they are about, as SQL.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::store::StoreError;

/// Conditions that all have to hold.
#[derive(Default)]
pub(super) struct Wanted {
    conditions: Vec<String>,
    values: Vec<String>,
}

impl Wanted {
    /// Those of which this holds. Each `?` of the condition stands for the next value.
    pub(super) fn those(&mut self, condition: &str, values: &[&str]) {
        let mut pieces = condition.split('?');
        let mut numbered = pieces.next().unwrap_or_default().to_owned();
        for (piece, value) in pieces.zip(values) {
            self.values.push((*value).to_owned());
            numbered.push_str(&format!("${}{piece}", self.values.len()));
        }
        self.conditions.push(numbered);
    }

    /// The same, where there is a value.
    pub(super) fn those_of(&mut self, condition: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.those(condition, &[value]);
        }
    }

    /// As it stands in a statement, after `WHERE`.
    pub(super) fn sql(&self) -> String {
        if self.conditions.is_empty() {
            "1 = 1".to_owned()
        } else {
            self.conditions.join(" AND ")
        }
    }

    /// The rows of a statement that has the conditions in it.
    pub(super) async fn fetch(&self, connection: &mut AnyConnection, sql: &str) -> Result<Vec<AnyRow>, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in &self.values {
            query = query.bind(value.as_str());
        }
        Ok(query.fetch_all(connection).await?)
    }
}
