//! From SQLite to PostgreSQL, and that no table can be forgotten.

use std::collections::BTreeSet;

use eencent_activations::store::Store;
use eencent_activations::store::copy::{CopyError, TABLES};
use eencent_test_stores as stores;
use sqlx::{AnyPool, Row as _};

use crate::office::{Office, paid};

#[tokio::test]
async fn every_table_of_the_migrations_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/truth.db", folder.path().display());
    Store::open(&url).await.unwrap().migrate().await.unwrap();
    let rows = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'")
        .fetch_all(&AnyPool::connect(&url).await.unwrap())
        .await
        .unwrap();
    let mut there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(there.remove("working"), "signs of life stay where they were given");
    let copied: BTreeSet<String> = TABLES.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(there, copied);
}

#[tokio::test]
async fn a_copy_goes_to_an_empty_postgresql_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |name: &str| {
        let store = Store::open(&format!("sqlite://{}/{name}", folder.path().display()))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        store
    };
    let source = open("one.db").await;
    let told = source.copy_to(&open("two.db").await, |_| ()).await;
    assert!(matches!(told, Err(CopyError::Way)), "{told:?}");
    if !stores::on_servers() {
        return;
    }
    let busy = Office::open().await;
    busy.told("event_1", paid("nobody's")).await;
    let told = source.copy_to(&busy.store, |_| ()).await;
    assert!(matches!(told, Err(CopyError::NotEmpty(_))), "{told:?}");
}
