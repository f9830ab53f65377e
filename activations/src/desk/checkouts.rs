//! Payments that are made at a provider for an activation, and looked after until they are told of.
//!
//! If we crash after the provider made one and before that is written down, the next attempt tells the
//! provider the same key and hears of the same payment.

use std::time::Duration;

use super::moves::Activation;
use super::start::over;
use super::{Actor, Desk, Desking};
use crate::ledger::{Claim, Work, end_well};
use crate::money::{Currency, Money};
use crate::refused::{DeskError, Kind, Refused};
use crate::reread::{Made, Order};
use crate::state::{Method, State};
use crate::store::{maybe_text, named, number, text};
use crate::trace;
use crate::views::ActivationView;

/// After how long a payment that nobody told of is looked at; the last pause is repeated.
const LOOKS: [Duration; 6] = [
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(4 * 60 * 60),
    Duration::from_secs(12 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

impl Desk {
    /// Notes, within the start, that a payment is to be made.
    pub(super) async fn wants_checkout(&self, work: &mut Desking, activation: &str) -> Result<(), DeskError> {
        let Some((endpoint, _)) = &self.rules.checkout else {
            return Ok(());
        };
        let id = activation.replacen("act_", "chk_", 1);
        sqlx::query(
            "INSERT INTO checkouts (id, activation_id, endpoint, created_at, state, traceparent) VALUES ($1, $2, $3, $4, 'waiting', $5)",
        )
        .bind(id.as_str())
        .bind(activation)
        .bind(endpoint.as_str())
        .bind(self.now().micros())
        .bind(trace::here())
        .execute(&mut *work.tx)
        .await?;
        work.waiting.push((Work::Checkout, id));
        Ok(())
    }

    /// An address to pay at, for an activation whose payment is made at a provider: the one that there is while its
    /// payment can still be made; a fresh one is made when that was cancelled, failed, expired, or never came about.
    ///
    /// # Errors
    /// Refused when no payment is awaited, or none is made here.
    pub async fn checkout(&self, actor: &Actor, id: &str) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let activation = self.load(&mut work, id).await?.ok_or_else(Refused::no_activation)?;
        self.may_be_paid_here(&activation)?;
        let row = sqlx::query(
            "SELECT c.id, c.state, (SELECT COUNT(*) FROM payments p WHERE p.activation_id = c.activation_id AND p.payment_id = c.payment_id \
               AND p.status IN ('cancelled', 'failed', 'expired')) AS broken_off FROM checkouts c WHERE c.activation_id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *work.tx)
        .await?;
        let again = match row {
            // Started before the settings named who makes payments.
            None => {
                self.wants_checkout(&mut work, id).await?;
                true
            }
            Some(row) => {
                let dead = text(&row, "state")? == "failed" || number(&row, "broken_off")? > 0;
                if dead {
                    self.wants_another(&mut work, &text(&row, "id")?).await?;
                }
                dead
            }
        };
        if again {
            self.note(&mut work, actor, "payment to be made again", id, "").await?;
        }
        work.subject = Some(id.to_owned());
        self.commit(work).await?;
        self.activation(id).await
    }

    fn may_be_paid_here(&self, a: &Activation) -> Result<(), Refused> {
        if a.state.is_final() {
            return Err(over(a));
        }
        if a.state != State::AwaitingPayment {
            return Err(Refused::new(
                Kind::Conflict,
                "payment_not_awaited",
                format!(
                    "This activation is {}: there is nothing to pay, and paying again does not help.",
                    a.state
                ),
                format!(
                    "Deze activering is {}: er valt niets te betalen, en nog eens betalen helpt niet.",
                    a.state
                ),
            ));
        }
        if a.method == Method::Ideal && self.rules.checkout.is_some() {
            return Ok(());
        }
        Err(Refused::new(
            Kind::Conflict,
            "checkout_elsewhere",
            "The payment of this activation is not made here: let the person pay with the `reference` of the activation.",
            "De betaling van deze activering wordt niet hier gemaakt: laat de persoon betalen met de `reference` van de activering.",
        ))
    }

    /// Has another payment made in place of the one that came to nothing.
    async fn wants_another(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        let endpoint = self.rules.checkout.as_ref().map(|(endpoint, _)| endpoint.as_str());
        sqlx::query(
            "UPDATE checkouts SET endpoint = COALESCE($1, endpoint), state = 'waiting', dropped_at = NULL, payment_id = NULL, url = NULL, subject = NULL, \
             traceparent = $4, tries = tries + 1, looks = 0, look_at = NULL, created_at = $2, starts = 0, attempts = 0, next_attempt_at = NULL, \
             last_error = NULL WHERE id = $3",
        )
        .bind(endpoint)
        .bind(self.now().micros())
        .bind(id)
        .bind(trace::here())
        .execute(&mut *work.tx)
        .await?;
        work.waiting.push((Work::Checkout, id.to_owned()));
        Ok(())
    }

    /// What a claimed row wants made: the endpoint and the order. `None` when the activation doesn't wait
    /// for a payment any more.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn order(&self, claim: &Claim) -> Result<Option<(String, Order)>, DeskError> {
        let row = sqlx::query(
            "SELECT c.endpoint, c.tries, a.id, a.reference, a.amount_minor, a.currency, a.state FROM checkouts c \
             JOIN activations a ON a.id = c.activation_id WHERE c.id = $1",
        )
        .bind(claim.id.as_str())
        .fetch_one(self.store.reader())
        .await?;
        if text(&row, "state")? != "awaiting_payment" {
            return Ok(None);
        }
        let amount = Money::new(number(&row, "amount_minor")?, named(&row, "currency", Currency::parse)?);
        let endpoint = text(&row, "endpoint")?;
        let return_url = self
            .rules
            .checkout
            .as_ref()
            .map(|(_, url)| url.clone())
            .unwrap_or_default();
        let activation = text(&row, "id")?;
        let key = match number(&row, "tries")? {
            ..=1 => activation.clone(),
            tries => format!("{activation}.{tries}"),
        };
        let order = Order {
            activation,
            key,
            reference: text(&row, "reference")?,
            amount,
            return_url,
            notify_url: format!("{}/webhooks/{endpoint}", self.rules.public_url),
        };
        Ok(Some((endpoint, order)))
    }

    /// The provider made it. Ends the claim.
    ///
    /// # Errors
    /// When the store fails or the lease was lost.
    pub async fn checkout_made(&self, claim: &Claim, made: &Made) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        sqlx::query(
            "UPDATE checkouts SET payment_id = $1, url = $2, subject = $3, state = 'made', look_at = $4 WHERE id = $5",
        )
        .bind(made.payment_id.as_str())
        .bind(made.url.as_str())
        .bind(made.subject.as_str())
        .bind(self.now().plus(first_look()).micros())
        .bind(claim.id.as_str())
        .execute(&mut *work.tx)
        .await?;
        end_well(&mut work.tx, claim, "").await?;
        self.commit(work).await
    }

    /// Has payments read back that were made, whose activation still waits, and that no message told of
    /// for long enough; at most `limit`, and how many.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn look_after_checkouts(&self, limit: u32) -> Result<u32, DeskError> {
        let now = self.now();
        let mut work = self.begin().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT c.id, c.endpoint, c.subject, c.looks, c.traceparent, a.state FROM checkouts c JOIN activations a ON a.id = c.activation_id \
             WHERE c.look_at <= $1 AND c.subject IS NOT NULL ORDER BY c.look_at LIMIT {limit}{}",
            // One that is being made anew at this moment is looked at when that was made.
            self.store.held_if_free("c")
        )))
        .bind(now.micros())
        .fetch_all(&mut *work.tx)
        .await?;
        let mut looked = 0;
        for row in &rows {
            let id = text(row, "id")?;
            let looks = number(row, "looks")?;
            let waits = text(row, "state")? == "awaiting_payment";
            if waits {
                let reread = format!("rrd_{id}");
                let row = sqlx::query(
                    "INSERT INTO rereads (id, endpoint, subject, event, asked_at, state, traceparent) VALUES ($1, $2, $3, $4, $5, 'waiting', $6) \
                     ON CONFLICT (endpoint, subject) DO UPDATE SET state = 'waiting', asked_at = excluded.asked_at, \
                     dropped_at = NULL, traceparent = excluded.traceparent RETURNING id",
                )
                .bind(reread.as_str())
                .bind(text(row, "endpoint")?)
                .bind(text(row, "subject")?)
                .bind(id.as_str())
                .bind(now.micros())
                .bind(maybe_text(row, "traceparent")?)
                .fetch_one(&mut *work.tx)
                .await?;
                work.waiting.push((Work::Reread, text(&row, "id")?));
                looked += 1;
            }
            sqlx::query("UPDATE checkouts SET looks = looks + 1, look_at = $1 WHERE id = $2")
                .bind(waits.then(|| now.plus(next_look(looks)).micros()))
                .bind(id.as_str())
                .execute(&mut *work.tx)
                .await?;
        }
        self.commit(work).await?;
        Ok(looked)
    }
}

fn first_look() -> Duration {
    next_look(-1)
}

/// How long until the look after that many.
fn next_look(looks: i64) -> Duration {
    let next = usize::try_from(looks.saturating_add(1)).unwrap_or(0);
    let last = LOOKS.last().copied().unwrap_or_default();
    LOOKS.get(next).copied().unwrap_or(last)
}
