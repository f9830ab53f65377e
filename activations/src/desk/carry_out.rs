//! Carrying out an approval: at once, or when the office opens.

use serde_json::json;

use super::moves::{Activation, Line};
use super::{Desk, Desking};
use crate::ledger::{Claim, end_well};
use crate::links::hash_of;
use crate::refused::DeskError;
use crate::rules::Completion;
use crate::state::{Happening, State};
use crate::store::StoreError;

impl Desk {
    /// Carries out an approval: schedules it while the office is closed; otherwise sends the link, or
    /// activates. Ends the claim. Does nothing to an activation that is no longer approved.
    ///
    /// # Errors
    /// When the store fails, or the claim's lease was lost; nothing was written then.
    pub async fn carry_out(&self, claim: &Claim) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        if let Some(mut activation) = self.load(&mut work, &claim.id).await? {
            self.carry_out_in(&mut work, &mut activation).await?;
        }
        end_well(&mut work.tx, claim, "").await?;
        self.commit(work).await
    }

    async fn carry_out_in(&self, work: &mut Desking, activation: &mut Activation) -> Result<(), DeskError> {
        let now = self.now();
        let due = activation.due_at.unwrap_or(now);
        match activation.state {
            State::Approved if due > now => {
                let dutch = activation.organisation.creator.language == "nl";
                let email = json!({ "takes_effect_at": due, "takes_effect_local": self.local_words(due, dutch) });
                let why = format!("the office is closed; takes effect {due}");
                let line = Line {
                    happening: Happening::OfficeClosed,
                    actor: "system",
                    reason: &why,
                    email,
                };
                self.make(work, activation, line).await
            }
            State::Approved | State::Scheduled if due <= now => {
                if self.held_by_another(work, activation).await? {
                    return self.identifier_taken(work, activation).await;
                }
                match activation.completion {
                    Completion::Link => {
                        self.send_link(
                            work,
                            activation,
                            Happening::LinkSent,
                            "system",
                            "the approval takes effect",
                        )
                        .await
                    }
                    Completion::Immediate => {
                        self.set_active(work, activation).await?;
                        let why = "the approval takes effect";
                        let line = Line {
                            happening: Happening::ActivatedAtOnce,
                            actor: "system",
                            reason: why,
                            email: self.next_steps(),
                        };
                        self.make(work, activation, line).await
                    }
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether another organisation has become active with this identifier. The unique index stands
    /// behind it; this asks first, in the same transaction, so that the loser goes to review.
    pub(super) async fn held_by_another(&self, work: &mut Desking, a: &Activation) -> Result<bool, StoreError> {
        let identifier = format!("identifier/{}/{}", a.identifier.0, a.identifier.1);
        self.store.alone(&mut work.tx, &identifier).await?;
        let row = sqlx::query("SELECT organisation_id FROM identifiers WHERE scheme = $1 AND value = $2 AND active = 1 AND organisation_id <> $3")
            .bind(a.identifier.0.as_str())
            .bind(a.identifier.1.as_str())
            .bind(a.organisation_id.as_str())
            .fetch_optional(&mut *work.tx)
            .await?;
        Ok(row.is_some())
    }

    /// The tick: the organisation and its identifier become active.
    pub(super) async fn set_active(&self, work: &mut Desking, a: &Activation) -> Result<(), StoreError> {
        sqlx::query("UPDATE identifiers SET active = 1 WHERE organisation_id = $1 AND scheme = $2 AND value = $3")
            .bind(a.organisation_id.as_str())
            .bind(a.identifier.0.as_str())
            .bind(a.identifier.1.as_str())
            .execute(&mut *work.tx)
            .await?;
        sqlx::query("UPDATE organisations SET active = 1, activated_at = $1, changed_at = $1 WHERE id = $2 AND deleted_at IS NULL")
            .bind(self.now().micros())
            .bind(a.organisation_id.as_str())
            .execute(&mut *work.tx)
            .await?;
        Ok(())
    }

    /// Makes the next link and sends it. The one before stops working.
    pub(super) async fn send_link(
        &self,
        work: &mut Desking,
        a: &mut Activation,
        happening: Happening,
        actor: &str,
        why: &str,
    ) -> Result<(), DeskError> {
        let now = self.now();
        // One link at a time: a letter with the one before, not handed over yet, would lead nowhere.
        self.void_link(work, a).await?;
        a.links += 1;
        let token = self.rules.links_key.token(&a.id, a.links);
        sqlx::query(
            "INSERT INTO links (token_hash, activation_id, number, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(hash_of(&token))
        .bind(a.id.as_str())
        .bind(a.links)
        .bind(now.micros())
        .bind(now.plus(self.rules.link_lifetime).micros())
        .execute(&mut *work.tx)
        .await?;
        self.make(
            work,
            a,
            Line {
                happening,
                actor,
                reason: why,
                email: json!({}),
            },
        )
        .await
    }

    /// Takes back an e-mail with a link that hasn't been handed over. The link itself stops working by
    /// the state that the activation moves to.
    pub(super) async fn void_link(&self, work: &mut Desking, a: &Activation) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE emails SET state = 'withdrawn' WHERE activation_id = $1 AND link IS NOT NULL AND state = 'waiting'",
        )
        .bind(a.id.as_str())
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }

    /// What the confirmation tells to do next.
    pub(super) fn next_steps(&self) -> serde_json::Value {
        json!({ "peppol_url": self.rules.contact.peppol_url })
    }
}
