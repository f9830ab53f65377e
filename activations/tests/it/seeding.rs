//! Activations made for measurements are like any others.

use eencent_activations::desk::{Actor, Seed, SeedError};
use eencent_activations::refused::DeskError;
use eencent_activations::state::State;
use sqlx::{AnyPool, Row as _};

use crate::office::{Office, kvk, paid};

fn seed(number: usize) -> Seed {
    let name = format!("Bakkerij De Korenaar {number} B.V.");
    Seed::new(&format!("ACT-{number:08}"), &name, &format!("org{number}@example.org")).unwrap()
}

/// The columns of one row as text, without what makes it this one and not another.
async fn row(pool: &AnyPool, sql: &str, columns: &str, reference: &str) -> Vec<Option<String>> {
    let columns: Vec<String> = columns.split(' ').map(|it| format!("CAST({it} AS TEXT)")).collect();
    let sql = format!("SELECT {} FROM {sql} WHERE a.reference = $1", columns.join(", "));
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(reference)
        .fetch_one(pool)
        .await
        .unwrap();
    (0..columns.len()).map(|at| row.get(at)).collect()
}

#[tokio::test]
async fn a_seeded_activation_is_what_registering_and_starting_would_have_made() {
    let ordinary = Office::open().await;
    let organisation = ordinary
        .register(|new| {
            new.environment = Some("bench".into());
            new.legal_name = Some("Bakkerij De Korenaar 7 B.V.".into());
            new.trade_names.clear();
            new.legal_form = None;
            new.names_source = Some("register".into());
            new.identifiers = vec![kvk("10000000")];
            if let Some(creator) = &mut new.creator {
                creator.name = Some("Bench".into());
                creator.email = Some("org7@example.org".into());
                creator.language = None;
                creator.role = Some("administrator".into());
            }
        })
        .await;
    let started = ordinary
        .desk
        .start(&Actor::command_line(), &organisation.id, "ideal")
        .await
        .unwrap();
    let seeded = Office::open().await;
    seeded
        .desk
        .seed(&Actor::command_line(), &[seed(7)], |_| ())
        .await
        .unwrap();

    let (ordinary, seeded) = (
        AnyPool::connect(&ordinary.url).await.unwrap(),
        AnyPool::connect(&seeded.url).await.unwrap(),
    );
    for (table, columns) in [
        (
            "activations a",
            "method amount_minor currency completion identifier_scheme identifier_value started_by state version created_at expires_at \
             remind_at due_at made_at decided_at reasons lacks_only_the_name touched flags question links starts attempts next_attempt_at \
             lease_until lease last_error set_apart_at",
        ),
        (
            "activations a JOIN organisations o ON o.id = a.organisation_id",
            "o.environment o.legal_name o.trade_names o.legal_form o.country o.names_source o.creator o.language o.active o.activated_at \
             o.created_at o.changed_at o.deleted_at",
        ),
        (
            "activations a JOIN identifiers i ON i.organisation_id = a.organisation_id",
            "i.position i.scheme i.value i.active",
        ),
        (
            "activations a JOIN history h ON h.activation_id = a.id",
            "h.number h.previous h.at h.happening h.from_state h.to_state h.actor h.reason",
        ),
    ] {
        let expected = row(&ordinary, table, columns, &started.reference).await;
        assert_eq!(row(&seeded, table, columns, "ACT-00000007").await, expected, "{table}");
    }
}

#[tokio::test]
async fn seeded_activations_are_paid_and_approved_like_others() {
    let office = Office::open().await;
    let seeds: Vec<Seed> = (0..1_000).map(seed).collect();
    office.desk.seed(&Office::key(), &seeds, |_| ()).await.unwrap();
    let mut payment = paid("ACT-00000999");
    payment.holder = eencent_activations::personal::HolderName::parse("BAKKERIJ DE KORENAAR 999 BV");
    office.told("event_1", payment).await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let states = row(&pool, "activations a", "state", "ACT-00000999").await;
    assert_eq!(states, [Some(State::AwaitingConfirmation.as_str().to_owned())]);
    let states = row(&pool, "activations a", "state", "ACT-00000998").await;
    assert_eq!(states, [Some(State::AwaitingPayment.as_str().to_owned())]);
}

#[tokio::test]
async fn all_are_seeded_or_none() {
    let office = Office::open().await;
    office.desk.seed(&Office::key(), &[seed(1_500)], |_| ()).await.unwrap();
    let seeds: Vec<Seed> = (1_000..2_000).map(seed).collect();
    let taken = office.desk.seed(&Office::key(), &seeds, |_| ()).await.unwrap_err();
    assert!(matches!(taken, SeedError::Taken(500)), "{taken}");
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let many = "SELECT (SELECT COUNT(*) FROM organisations) + (SELECT COUNT(*) FROM activations)";
    let counted = sqlx::query(many).fetch_one(&pool).await.unwrap();
    assert_eq!(counted.get::<i64, _>(0), 2);
    // A second file goes on where the first one ended.
    let seeds: Vec<Seed> = (0..100).map(seed).collect();
    office.desk.seed(&Office::key(), &seeds, |_| ()).await.unwrap();
}

#[tokio::test]
async fn names_that_no_register_gave_are_not_put_among_real_ones() {
    let office = Office::open().await;
    office.register(|_| ()).await;
    let refused = office.desk.seed(&Office::key(), &[seed(1)], |_| ()).await.unwrap_err();
    assert!(
        matches!(&refused, SeedError::Desk(DeskError::Refused(refused)) if refused.code == "not_a_bench"),
        "{refused}"
    );
}
