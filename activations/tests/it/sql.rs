//! What the database itself refuses, whatever the program does.

use std::collections::BTreeSet;

use eencent_activations::state::{MOVES, State};
use sqlx::{AnyPool, Row};

use crate::office::{Office, paid};

async fn pool(office: &Office) -> AnyPool {
    AnyPool::connect(&office.url).await.unwrap()
}

#[tokio::test]
async fn the_table_of_moves_in_the_database_is_the_one_in_the_code() {
    let office = Office::open().await;
    let rows = sqlx::query("SELECT from_state, happening, to_state FROM transitions")
        .fetch_all(&pool(&office).await)
        .await
        .unwrap();
    let stored: BTreeSet<(String, String, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let from = |state: Option<State>| state.map_or("none", State::as_str).to_owned();
    let coded: BTreeSet<_> = MOVES
        .iter()
        .map(|row| {
            (
                from(row.from),
                row.happening.as_str().to_owned(),
                row.to.as_str().to_owned(),
            )
        })
        .collect();
    assert_eq!(stored, coded);
}

#[tokio::test]
async fn a_state_can_not_change_without_a_line_in_the_history() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let pool = pool(&office).await;
    for sql in [
        "UPDATE activations SET state = 'activated' WHERE id = $1",
        "UPDATE activations SET state = 'activated', version = version + 1 WHERE id = $1",
        "UPDATE history SET to_state = 'activated' WHERE activation_id = $1",
        "DELETE FROM history WHERE activation_id = $1",
    ] {
        let error = sqlx::query(sql)
            .bind(view.id.as_str())
            .execute(&pool)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.to_lowercase().contains("foreign key"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_move_that_is_not_in_the_table_can_not_be_written() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let pool = pool(&office).await;
    let line = "INSERT INTO history (activation_id, number, previous, at, happening, from_state, to_state, actor, reason) VALUES ($1, $2, $3, 0, $4, $5, $6, 'x', '')";
    for (number, previous, happening, from, to) in [
        (2, 1, "confirmed", "awaiting_payment", "activated"),
        (2, 1, "confirmed", "awaiting_confirmation", "activated"),
        (3, 2, "reminded", "awaiting_payment", "awaiting_payment"),
        (3, 1, "reminded", "awaiting_payment", "awaiting_payment"),
    ] {
        let tried = sqlx::query(line)
            .bind(view.id.as_str())
            .bind(number)
            .bind(previous)
            .bind(happening)
            .bind(from)
            .bind(to);
        assert!(tried.execute(&pool).await.is_err(), "{happening} as number {number}");
    }
}

#[tokio::test]
async fn an_identifier_can_be_active_for_one_organisation_only() {
    let office = Office::open().await;
    let one = office.register(|_| ()).await;
    let two = office.register(|new| new.environment = Some("env-2".into())).await;
    let pool = pool(&office).await;
    let activate = "UPDATE identifiers SET active = 1 WHERE organisation_id = $1";
    sqlx::query(activate)
        .bind(one.id.as_str())
        .execute(&pool)
        .await
        .unwrap();
    let error = sqlx::query(activate)
        .bind(two.id.as_str())
        .execute(&pool)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.to_lowercase().contains("unique"), "{error}");
}

#[tokio::test]
async fn a_body_comes_out_byte_for_byte_as_it_went_in() {
    let office = Office::open().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let told = eencent_activations::notification::Told::Payment(Box::new(paid("x")));
    office.receipt("mollie", "event_1", &bytes, told).await;
    let row = sqlx::query("SELECT body FROM notifications")
        .fetch_one(&pool(&office).await)
        .await
        .unwrap();
    assert_eq!(row.get::<Vec<u8>, _>(0), bytes);
}
