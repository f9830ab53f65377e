//! Erasing a person, a small transaction at a time.
//!
//! What they are found by goes last: killed half-way, the same command finds what is left and goes on. An activation is
//! one transaction, and so is each batch of payments with their events, messages, and what was seen of them.
//!
//! On SQLite what is deleted is overwritten, and at the end the file is written anew and its log cut: bytes of rows that
//! were moved before have gone then as well.

use std::collections::HashSet;

use serde_json::Value;

use super::concerned::{ActivationOf, Concerned, EventOf, OrganisationOf, PaymentOf};
use super::foreseen::{
    CREATORS, Counted, DECISIONS, DOCUMENTS, ELSEWHERE, EVENTS, MESSAGES, PAYMENTS, REASONS, Taken, obstacles, refused,
};
use super::parts::{PARTS, take_out_reasons};
use super::rows::{erase_creator, erase_decisions, erase_documents, erase_event, erase_payment, erase_reasons};
use super::texts::{self, Where};
use super::words::Words;
use super::{Whose, blanking};
use crate::desk::operations::Order;
use crate::desk::organisations::open_activation;
use crate::desk::{Desk, Desking};
use crate::inbox::{forget_who, seen_of};
use crate::refused::{DeskError, Kind, Refused};

/// So many rows in one transaction.
pub(super) const BATCH: usize = 100;

/// Remembered from an erasure's first commit until the file is written anew, by that one or a later one.
const CUT_SHORT: &str = "erasing a person";

/// What becomes of SQLite's file at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// It is written anew: who writes meanwhile waits.
    WrittenAnew,
    /// It is left until the next erasure that writes it anew, of whomever: at an hour when a wait does no harm.
    Left,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// What was erased, by kind.
    pub erased: Vec<Taken>,
    /// How many texts still mention them: somebody wrote one meanwhile.
    pub left: u64,
}

impl Desk {
    /// Erases a person; `None`: nothing was stored of them. The audit says that it was done, by whom and why, and how
    /// much; not whose.
    ///
    /// # Errors
    /// Refused while an activation of theirs is open or a message about them waits, and where the reason names them.
    /// When the store doesn't answer; what was erased before stays so, and the same call goes on.
    pub async fn erase_person(&self, order: Order<'_>, whose: &Whose, file: File) -> Result<Option<Erased>, DeskError> {
        order.check()?;
        let concerned = self.concerned(whose).await?;
        if concerned.words.named_in(order.reason) {
            return Err(Refused::new(
                Kind::Invalid,
                "reason_names_person",
                "The reason stays in the audit: leave out who it is about, and name the number of the request.",
                "De reden blijft in de audit: laat weg over wie het gaat, en noem het nummer van het verzoek.",
            )
            .into());
        }
        if concerned.is_nothing() && !self.is_mentioned(&concerned.words).await? {
            // Killed after the last commit, an erasure has left the file as it was.
            if !self.is_cut_short().await? {
                return Ok(None);
            }
            self.end_with(file).await?;
            return Ok(Some(Erased {
                erased: Vec::new(),
                left: 0,
            }));
        }
        let in_the_way = obstacles(&concerned);
        if !in_the_way.is_empty() {
            return Err(refused(&in_the_way).into());
        }
        self.store.overwrite_what_goes().await?;
        let subject = self.subject_of(whose);
        let mut work = self.begin().await?;
        self.note(
            &mut work,
            order.actor,
            "person erasure begun",
            &subject,
            order.reason.trim(),
        )
        .await?;
        sqlx::query("INSERT INTO remembered (name, value) VALUES ($1, '') ON CONFLICT (name) DO NOTHING")
            .bind(CUT_SHORT)
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await?;

        let mut counted = Counted::default();
        for one in &concerned.activations {
            self.erase_activation(one, &concerned.words, &mut counted).await?;
        }
        for one in &concerned.paid_for {
            self.erase_from(one, &concerned, &mut counted).await?;
        }
        self.erase_from_texts(&concerned.words, Where::Everywhere, &mut counted)
            .await?;
        self.erase_events(&concerned, &mut counted).await?;
        let payments: Vec<&PaymentOf> = concerned.payments.values().collect();
        for portion in payments.chunks(BATCH) {
            let mut work = self.begin().await?;
            for payment in portion {
                counted.add(PAYMENTS, erase_payment(&mut work, payment).await?);
            }
            self.commit(work).await?;
        }
        self.end_erasure(order, &subject, &concerned.organisations, &mut counted)
            .await?;
        self.end_with(file).await?;

        let after = self.concerned(whose).await?;
        let mut connection = self.store.reader().acquire().await?;
        let left = texts::mentions(&mut connection, &after.words, Where::Everywhere)
            .await?
            .len()
            + texts::reasons(&mut connection, &after.words, Where::Everywhere)
                .await?
                .len()
            + after.events.len()
            + after.messages.len()
            + after.organisations.len();
        Ok(Some(Erased {
            erased: counted.0,
            left: u64::try_from(left).unwrap_or(u64::MAX),
        }))
    }

    async fn is_mentioned(&self, words: &Words) -> Result<bool, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        Ok(!texts::mentions(&mut connection, words, Where::Everywhere)
            .await?
            .is_empty()
            || !texts::reasons(&mut connection, words, Where::Everywhere)
                .await?
                .is_empty())
    }

    async fn is_cut_short(&self) -> Result<bool, DeskError> {
        let row = sqlx::query("SELECT name FROM remembered WHERE name = $1")
            .bind(CUT_SHORT)
            .fetch_optional(self.store.reader())
            .await?;
        Ok(row.is_some())
    }

    async fn end_with(&self, file: File) -> Result<(), DeskError> {
        if file == File::Left {
            return Ok(());
        }
        self.store.write_anew().await?;
        let mut work = self.begin().await?;
        sqlx::query("DELETE FROM remembered WHERE name = $1")
            .bind(CUT_SHORT)
            .execute(&mut *work.tx)
            .await?;
        self.commit(work).await
    }

    /// An activation that is theirs as a whole: one transaction.
    async fn erase_activation(
        &self,
        one: &ActivationOf,
        words: &Words,
        counted: &mut Counted,
    ) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.alone_with(&mut work, &one.organisation).await?;
        self.still_over(&mut work, one).await?;
        for part in PARTS {
            counted.add(part.what, part.take_out(&mut work, &one.id).await?);
        }
        counted.add(REASONS, take_out_reasons(&mut work, &one.id).await?);
        counted.add(DOCUMENTS, erase_documents(&mut work, &one.id).await?);
        erase_reasons(&mut work, &one.id, words).await?;
        let blank = |record: &mut Value| blanking::record(record, words);
        counted.add(DECISIONS, erase_decisions(&mut work, &one.id, blank).await?);
        self.commit(work).await?;
        // What the program wrote of their names in lines of its own.
        self.erase_from_texts(words, Where::Activation(&one.id), counted).await
    }

    /// An activation of another, which they paid for: one transaction, and texts that name them.
    async fn erase_from(
        &self,
        one: &ActivationOf,
        concerned: &Concerned,
        counted: &mut Counted,
    ) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.still_over(&mut work, one).await?;
        let (payments, words) = (concerned.payment_ids(), &concerned.words);
        let blank = |record: &mut Value| blanking::record_of_payments(record, &payments, words);
        counted.add(DECISIONS, erase_decisions(&mut work, &one.id, blank).await?);
        erase_reasons(&mut work, &one.id, words).await?;
        self.commit(work).await?;
        self.erase_from_texts(words, Where::Activation(&one.id), counted).await
    }

    /// An activation that has ended doesn't begin again; one that is found open here was so from the beginning.
    async fn still_over(&self, work: &mut Desking, one: &ActivationOf) -> Result<(), DeskError> {
        let now = self.load(work, &one.id).await?.ok_or_else(Refused::no_activation)?;
        if now.state.is_final() {
            return Ok(());
        }
        Err(Refused::new(
            Kind::Conflict,
            "person_not_erasable",
            format!(
                "Activation {} is {}; withdraw it first, then erase again.",
                one.reference, now.state
            ),
            format!(
                "Activering {} is {}; trek haar eerst in en wis opnieuw.",
                one.reference, now.state
            ),
        )
        .into())
    }

    async fn erase_from_texts(
        &self,
        words: &Words,
        looked_at: Where<'_>,
        counted: &mut Counted,
    ) -> Result<(), DeskError> {
        let (texts, reasons) = self.take_out_of_texts(words, looked_at).await?;
        counted.add(ELSEWHERE, texts);
        counted.add(REASONS, reasons);
        Ok(())
    }

    /// Messages, what was read in them, and what was seen of them, in batches. A message goes before the events by
    /// which it is found.
    async fn erase_events(&self, concerned: &Concerned, counted: &mut Counted) -> Result<(), DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let messages: Vec<&String> = concerned.messages.keys().collect();
        for portion in messages.chunks(BATCH) {
            let mut work = self.begin().await?;
            for message in portion {
                let done = sqlx::query(
                    "UPDATE notifications SET body = SUBSTR(body, 1, 0), headers = '[]', emptied_at = $1 WHERE id = $2 AND emptied_at IS NULL",
                )
                .bind(self.now().micros())
                .bind(message.as_str())
                .execute(&mut *work.tx)
                .await?;
                counted.add(MESSAGES, done.rows_affected());
            }
            self.commit(work).await?;
        }
        let seen = seen_of(&mut connection, &payments_told_of(concerned)).await?;
        drop(connection);
        let events: Vec<&EventOf> = concerned.events.values().collect();
        for portion in events.chunks(BATCH) {
            let mut work = self.begin().await?;
            for event in portion {
                counted.add(EVENTS, erase_event(&mut work, event).await?);
            }
            self.commit(work).await?;
        }
        for portion in seen.chunks(BATCH) {
            let mut work = self.begin().await?;
            forget_who(&mut work.tx, portion).await?;
            self.commit(work).await?;
        }
        Ok(())
    }

    /// What they are found by, and that it was done: one transaction.
    async fn end_erasure(
        &self,
        order: Order<'_>,
        subject: &str,
        organisations: &[OrganisationOf],
        counted: &mut Counted,
    ) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        for one in organisations {
            self.alone_with(&mut work, &one.id).await?;
            if open_activation(&mut work, &one.id).await?.is_some() {
                return Err(begun_meanwhile().into());
            }
            erase_creator(&mut work, one, self.now().micros()).await?;
            counted.add(CREATORS, 1);
        }
        let many: Vec<String> = counted
            .0
            .iter()
            .map(|one| format!("{} {}", one.many, one.what))
            .collect();
        let told = format!("{}: {}", order.reason.trim(), many.join(", "));
        self.note(&mut work, order.actor, "person erased", subject, &told)
            .await?;
        self.commit(work).await
    }
}

fn begun_meanwhile() -> Refused {
    Refused::new(
        Kind::Conflict,
        "person_not_erasable",
        "An activation of theirs was started meanwhile; withdraw it, then erase again: what was erased stays so.",
        "Er is intussen een activering gestart; trek haar in en wis opnieuw: wat gewist is, blijft gewist.",
    )
}

/// Their payments, each as its account and the provider's id: also of those whose picture is gone.
fn payments_told_of(concerned: &Concerned) -> HashSet<(String, String)> {
    let pictures = concerned
        .payments
        .values()
        .map(|one| (one.account.clone(), one.payment_id.clone()));
    let told = concerned
        .events
        .values()
        .filter_map(|one| Some((one.account.clone(), one.payment_id.clone()?)));
    pictures.chain(told).collect()
}
