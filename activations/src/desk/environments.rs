//! Environments, the platform's tenants: how many organisations each may have, and has.
//!
//! An environment isn't made: it is whatever name the platform registers organisations under.

use super::{Actor, Desk, Desking};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, number};
use crate::views::EnvironmentView;

use super::checks::Problems;

/// The largest limit that can be granted.
const MOST: i64 = 1_000_000;

impl Desk {
    /// How many organisations an environment may have, and has.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn environment(&self, name: &str) -> Result<EnvironmentView, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        self.environment_in(&mut connection, name).await
    }

    /// Grants an environment another limit than the one that is free. Organisations beyond a lower one stay.
    ///
    /// # Errors
    /// Refused when the limit isn't one, or no reason is given.
    pub async fn grant(
        &self,
        actor: &Actor,
        name: &str,
        limit: i64,
        reason: &str,
    ) -> Result<EnvironmentView, DeskError> {
        let mut problems = Problems::default();
        let environment = problems.text("environment", Some(name), 200);
        let reason = problems.text("reason", Some(reason), 1_000);
        if !(0..=MOST).contains(&limit) {
            let text = format!("Write a whole number from 0 to {MOST}.");
            let text_nl = format!("Schrijf een geheel getal van 0 tot en met {MOST}.");
            problems.add("limit", "limit", text, text_nl);
        }
        let (Some(environment), Some(reason)) = (environment, reason) else {
            return Err(problems.refusal().into());
        };
        problems.done()?;
        let mut work = self.begin().await?;
        self.alone_in(&mut work, &environment).await?;
        let before = self.environment_in(&mut work.tx, &environment).await?;
        sqlx::query(
            "INSERT INTO environments (environment, organisation_limit) VALUES ($1, $2) \
             ON CONFLICT (environment) DO UPDATE SET organisation_limit = excluded.organisation_limit",
        )
        .bind(environment.as_str())
        .bind(limit)
        .execute(&mut *work.tx)
        .await?;
        let told = format!("{limit} organisations (was {}): {reason}", before.limit);
        self.note(&mut work, actor, "environment limit granted", &environment, &told)
            .await?;
        let after = self.environment_in(&mut work.tx, &environment).await?;
        self.commit(work).await?;
        Ok(after)
    }

    /// Nobody else registers in this environment, or changes its limit, before this transaction has ended.
    pub(super) async fn alone_in(&self, work: &mut Desking, environment: &str) -> Result<(), StoreError> {
        let about = format!("environment/{environment}");
        self.store.alone(&mut work.tx, &about).await
    }

    /// Counted inside the transaction that adds one, so that two at once can't both be the last.
    pub(super) async fn within_limit(&self, work: &mut Desking, environment: &str) -> Result<(), DeskError> {
        let EnvironmentView { limit, used, .. } = self.environment_in(&mut work.tx, environment).await?;
        if used < limit {
            return Ok(());
        }
        let sales = &self.rules.contact.sales;
        let (whom, whom_nl) = if sales.is_empty() {
            ("the platform's sales department", "de verkoopafdeling van het platform")
        } else {
            (sales.as_str(), sales.as_str())
        };
        Err(Refused::new(
            Kind::Forbidden,
            "organisation_limit_reached",
            format!("This environment has as many organisations as it may have ({limit}); ask {whom} for more."),
            format!(
                "Deze omgeving heeft zoveel organisaties als zij mag hebben ({limit}); vraag {whom_nl} om uitbreiding."
            ),
        )
        .into())
    }

    async fn environment_in(
        &self,
        connection: &mut sqlx::AnyConnection,
        name: &str,
    ) -> Result<EnvironmentView, DeskError> {
        let granted = sqlx::query("SELECT organisation_limit AS many FROM environments WHERE environment = $1")
            .bind(name)
            .fetch_optional(&mut *connection)
            .await?;
        let granted = granted.map(|row| number(&row, "many")).transpose()?;
        let row =
            sqlx::query("SELECT COUNT(*) AS many FROM organisations WHERE environment = $1 AND deleted_at IS NULL")
                .bind(name)
                .fetch_one(&mut *connection)
                .await?;
        Ok(EnvironmentView {
            environment: name.to_owned(),
            limit: granted.unwrap_or_else(|| i64::from(self.rules.free_organisations)),
            granted: granted.is_some(),
            used: number(&row, "many")?,
        })
    }
}
