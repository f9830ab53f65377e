//! What a group reads beforehand: the rows that its members are about, each table by one statement.
//!
//! It is kept in step with what the group changes, so that a later member sees what an earlier one did.
//! What isn't here is read when it is needed. On PostgreSQL payments and activations are held from here on,
//! in the order of their ids, so that two groups don't wait for each other.

use std::collections::{BTreeSet, HashMap};

use sqlx::any::AnyRow;

use super::moves::{Activation, SELECT};
use super::payments::{PAYMENTS, Payment, Standing};
use super::{Desk, Desking};
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, text};

/// Rows by what they are asked for.
#[derive(Default)]
pub(super) struct Known {
    /// By account and the provider's id; `None`: there is no such payment.
    payments: HashMap<(String, String), Option<Payment>>,
    /// References and ids of activations, and whose they are; of what was asked, the rest doesn't exist.
    activation_ids: HashMap<String, Option<String>>,
    activations: HashMap<String, Activation>,
    /// The payments that count towards an activation.
    counting: HashMap<String, Vec<Payment>>,
    /// Which organisation an identifier is active for.
    holders: HashMap<(String, String), Option<String>>,
}

impl Known {
    pub(super) fn payment(&self, account: &str, payment_id: &str) -> Option<Option<Payment>> {
        let key = (account.to_owned(), payment_id.to_owned());
        self.payments.get(&key).cloned()
    }

    pub(super) fn activation_id(&self, written: &str) -> Option<Option<String>> {
        self.activation_ids.get(written).cloned()
    }

    pub(super) fn activation(&self, id: &str) -> Option<Activation> {
        self.activations.get(id).cloned()
    }

    pub(super) fn counting(&self, activation: &str) -> Option<Vec<Payment>> {
        self.counting.get(activation).cloned()
    }

    pub(super) fn holder(&self, identifier: &(String, String)) -> Option<Option<String>> {
        self.holders.get(identifier).cloned()
    }

    /// A member changed an activation.
    pub(super) fn moved(&mut self, activation: &Activation) {
        self.activations.insert(activation.id.clone(), activation.clone());
    }

    /// A member changed a payment.
    pub(super) fn paid(&mut self, payment: &Payment) {
        let key = (payment.account.clone(), payment.payment_id.clone());
        let before = self.payments.insert(key, Some(payment.clone())).flatten();
        let tied_before = before.and_then(|before| before.activation_id);
        for tied in [tied_before.as_deref(), payment.activation_id.as_deref()]
            .into_iter()
            .flatten()
        {
            if let Some(counting) = self.counting.get_mut(tied) {
                counting.retain(|one| one.id != payment.id);
            }
        }
        if payment.standing == Standing::Counts
            && let Some(counting) = payment
                .activation_id
                .as_ref()
                .and_then(|tied| self.counting.get_mut(tied))
        {
            counting.push(payment.clone());
            counting.sort_by(|a, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
        }
    }
}

impl Desk {
    /// Reads payments, by account and the provider's id.
    pub(super) async fn foresee_payments(
        &self,
        work: &mut Desking,
        keys: &BTreeSet<(String, String)>,
    ) -> Result<(), StoreError> {
        let tail = format!(
            ") {PAYMENTS} JOIN asked ON p.account = asked.of_account AND p.payment_id = asked.of_payment ORDER BY p.id{}",
            self.store.held("p")
        );
        let asking = Many {
            head: "WITH asked (of_account, of_payment) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT"]),
            tail: &tail,
        };
        let keys: Vec<&(String, String)> = keys.iter().collect();
        let rows = asking
            .fetch(&mut work.tx, &keys, |query, (account, payment)| {
                query.bind(account.as_str()).bind(payment.as_str())
            })
            .await?;
        let known = work.known.get_or_insert_default();
        known.payments.extend(keys.into_iter().map(|key| (key.clone(), None)));
        for row in &rows {
            let payment = Payment::read(row)?;
            let key = (payment.account.clone(), payment.payment_id.clone());
            known.payments.insert(key, Some(payment));
        }
        Ok(())
    }

    /// Finds whose these references and ids are.
    pub(super) async fn foresee_references(
        &self,
        work: &mut Desking,
        written: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        const ASKING: Many<'static> = Many {
            head: "WITH asked (word) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: ") SELECT asked.word AS word, a.id AS id FROM asked JOIN activations a ON a.reference = asked.word \
                   UNION ALL SELECT asked.word AS word, b.id AS id FROM asked JOIN activations b ON b.id = asked.word",
        };
        let written: Vec<&String> = written.iter().collect();
        let rows = ASKING
            .fetch(&mut work.tx, &written, |query, word| query.bind(word.as_str()))
            .await?;
        let known = work.known.get_or_insert_default();
        known
            .activation_ids
            .extend(written.into_iter().map(|word| (word.clone(), None)));
        for row in &rows {
            known.activation_ids.insert(text(row, "word")?, Some(text(row, "id")?));
        }
        Ok(())
    }

    /// Reads activations, and the payments that count towards them.
    pub(super) async fn foresee_activations(
        &self,
        work: &mut Desking,
        ids: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let counting = format!(
            ") {PAYMENTS} JOIN asked ON p.activation_id = asked.row_id WHERE p.standing = 'counts' \
             ORDER BY p.received_at, p.id"
        );
        let counting = Many {
            head: "WITH asked (row_id) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: &counting,
        };
        let tail = format!(
            ") {SELECT} JOIN asked ON asked.row_id = a.id ORDER BY a.id{}",
            self.store.held("a")
        );
        let asking = Many {
            head: "WITH asked (row_id) AS (",
            columns: Columns::Typed(&["TEXT"]),
            tail: &tail,
        };
        let ids: Vec<&String> = ids.iter().collect();
        let rows = asking
            .fetch(&mut work.tx, &ids, |query, id| query.bind(id.as_str()))
            .await?;
        let activations: Vec<Activation> = rows.iter().map(Activation::read).collect::<Result<_, _>>()?;
        let rows = counting
            .fetch(&mut work.tx, &ids, |query, id| query.bind(id.as_str()))
            .await?;
        let payments: Vec<Payment> = rows.iter().map(Payment::read).collect::<Result<_, _>>()?;
        let known = work.known.get_or_insert_default();
        known
            .counting
            .extend(ids.into_iter().map(|id| (id.clone(), Vec::new())));
        for activation in activations {
            known.moved(&activation);
        }
        for payment in payments {
            if let Some(counting) = payment.activation_id.as_ref().and_then(|id| known.counting.get_mut(id)) {
                counting.push(payment);
            }
        }
        Ok(())
    }

    /// Asks which organisations hold the identifiers of these activations, as far as they are known.
    pub(super) async fn foresee_holders(&self, work: &mut Desking, ids: &BTreeSet<String>) -> Result<(), StoreError> {
        const ASKING: Many<'static> = Many {
            head: "WITH asked (of_scheme, of_value) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT"]),
            tail: ") SELECT i.scheme, i.value, i.organisation_id FROM asked \
                   JOIN identifiers i ON i.scheme = asked.of_scheme AND i.value = asked.of_value WHERE i.active = 1",
        };
        let known = work.known.get_or_insert_default();
        let identifiers: BTreeSet<(String, String)> = ids
            .iter()
            .filter_map(|id| Some(known.activation(id)?.identifier))
            .collect();
        let identifiers: Vec<(String, String)> = identifiers.into_iter().collect();
        let rows = ASKING
            .fetch(&mut work.tx, &identifiers, |query, (scheme, value)| {
                query.bind(scheme.as_str()).bind(value.as_str())
            })
            .await?;
        let known = work.known.get_or_insert_default();
        known.holders.extend(identifiers.iter().map(|key| (key.clone(), None)));
        for row in &rows {
            let (identifier, holder) = holder(row)?;
            known.holders.insert(identifier, Some(holder));
        }
        Ok(())
    }
}

fn holder(row: &AnyRow) -> Result<((String, String), String), StoreError> {
    Ok((
        (text(row, "scheme")?, text(row, "value")?),
        text(row, "organisation_id")?,
    ))
}
