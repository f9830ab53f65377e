//! Personal data, column by column: nothing is stored that nobody thought of.

use std::collections::BTreeSet;

use eencent_activations::store::copy::TABLES;
use eencent_test_stores as stores;
use sqlx::{AnyPool, AssertSqlSafe, Row as _};

use crate::office::Office;

/// The page that says of each column whether it is personal, and what becomes of it.
const PAGE: &str = include_str!("../../../docs/personal-data.md");

/// Table and column, of the page's rows under this heading.
fn told(heading: &str) -> Vec<(String, String)> {
    let (_, part) = PAGE.split_once(heading).unwrap();
    let part = part.split("\n### ").next().unwrap();
    let names = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut all = Vec::new();
    for row in part.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').collect();
        for column in names(cells[2]) {
            all.push((names(cells[1])[0].clone(), column));
        }
    }
    all
}

#[tokio::test]
async fn each_column_of_the_schema_is_told_once_as_personal_or_not() {
    let office = Office::open().await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let mut stored = BTreeSet::new();
    for (table, _) in TABLES.iter().chain(&[("working", false)]) {
        let sql = if stores::on_servers() {
            format!(
                "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '{table}'"
            )
        } else {
            format!("SELECT name FROM pragma_table_info('{table}')")
        };
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        assert!(!rows.is_empty(), "{table}");
        stored.extend(rows.iter().map(|row| ((*table).to_owned(), row.get::<String, _>(0))));
    }
    let all: Vec<_> = [told("\n### Personal\n"), told("\n### Not personal\n")].concat();
    let anywhere: BTreeSet<&str> = all
        .iter()
        .filter(|(table, _)| table == "*")
        .map(|(_, column)| column.as_str())
        .collect();
    stored.retain(|(_, column)| !anywhere.contains(column.as_str()));
    let listed: BTreeSet<_> = all.iter().filter(|(table, _)| table != "*").cloned().collect();
    assert_eq!(
        listed.len() + anywhere.len(),
        all.len(),
        "docs/personal-data.md tells of a column twice"
    );
    let missing: Vec<_> = stored.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "say in docs/personal-data.md whether these are personal, and have them exported and erased: {missing:?}"
    );
    let gone: Vec<_> = listed.difference(&stored).collect();
    assert!(
        gone.is_empty(),
        "docs/personal-data.md tells of columns that aren't there: {gone:?}"
    );
}
