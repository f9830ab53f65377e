//! Carrying out an approval: at once, or when the office opens.

use std::collections::BTreeSet;

use serde_json::json;
use tracing::Instrument as _;

use super::moves::{Activation, Line};
use super::pending::NewLink;
use super::{Desk, Desking};
use crate::ledger::paused::is_paused;
use crate::ledger::{Claim, Work};
use crate::links::{Page, hash_of};
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
        self.carry_out_all(std::slice::from_ref(claim)).await
    }

    /// Carries out several approvals in one transaction; all or none.
    ///
    /// # Errors
    /// When one of them fails; nothing was written then.
    pub async fn carry_out_all(&self, claims: &[Claim]) -> Result<(), DeskError> {
        self.carry_out_all_in(self.begin_group().await?, claims).await
    }

    /// The same in a transaction that has begun, which it commits.
    pub(crate) async fn carry_out_all_in(&self, mut work: Desking, claims: &[Claim]) -> Result<(), DeskError> {
        let ids: BTreeSet<String> = claims.iter().map(|claim| claim.id.clone()).collect();
        self.foresee_activations(&mut work, &ids).await?;
        self.foresee_holders(&mut work, &ids).await?;
        for claim in claims {
            if let Some(mut activation) = self.load(&mut work, &claim.id).await? {
                self.carry_out_in(&mut work, &mut activation)
                    .instrument(claim.span().clone())
                    .await?;
            }
            work.pending.approvals.push(claim.clone());
        }
        self.commit(work).await
    }

    /// Carries out what this group has approved, once all of the group was heard: what takes an approval back may
    /// stand behind what led to it. Whatever was approved otherwise waits for its job, and so does all while
    /// approvals are paused.
    pub(super) async fn carry_out_approved(&self, work: &mut Desking) -> Result<(), DeskError> {
        let is_approval = |(kind, _): &(Work, String)| *kind == Work::Approval;
        if !work.waiting.iter().any(is_approval) || is_paused(&mut work.tx, Work::Approval).await? {
            return Ok(());
        }
        let (approved, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut work.waiting).into_iter().partition(is_approval);
        work.waiting = waiting;
        let ids: BTreeSet<String> = approved.into_iter().map(|(_, id)| id).collect();
        self.foresee_holders(work, &ids).await?;
        for id in &ids {
            if let Some(mut activation) = self.load(work, id).await? {
                self.carry_out_in(work, &mut activation).await?;
            }
        }
        Ok(())
    }

    async fn carry_out_in(&self, work: &mut Desking, activation: &mut Activation) -> Result<(), DeskError> {
        // It is at least as late as when it was decided, whatever this machine's clock says: one that is a moment
        // behind would tell the creator that the office is closed.
        let now = activation
            .decided_at
            .map_or(self.now(), |decided| decided.max(self.now()));
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
        // A link is only promised here; whoever activates asks again, alone.
        let only_a_link = a.completion == Completion::Link && a.state != State::AwaitingConfirmation;
        if only_a_link && let Some(holder) = work.known.as_ref().and_then(|known| known.holder(&a.identifier)) {
            return Ok(holder.is_some_and(|holder| holder != a.organisation_id));
        }
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
    ///
    /// # Errors
    /// Also when the organisation hasn't that identifier: an activation without it would guard nothing.
    pub(super) async fn set_active(&self, work: &mut Desking, a: &Activation) -> Result<(), StoreError> {
        let ticked =
            sqlx::query("UPDATE identifiers SET active = 1 WHERE organisation_id = $1 AND scheme = $2 AND value = $3")
                .bind(a.organisation_id.as_str())
                .bind(a.identifier.0.as_str())
                .bind(a.identifier.1.as_str())
                .execute(&mut *work.tx)
                .await?;
        if ticked.rows_affected() != 1 {
            let gone = format!("{}: the identifier of {} is gone", a.id, a.organisation_id);
            return Err(StoreError::Unreadable(gone));
        }
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
        let token = self.rules.links_key.token(Page::RoundOff, &a.id, a.links);
        work.pending.links.push(NewLink {
            token_hash: hash_of(&token),
            activation_id: a.id.clone(),
            number: a.links,
            created_at: now,
            expires_at: now.plus(self.rules.link_lifetime),
        });
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
    pub(super) async fn void_link(&self, work: &mut Desking, a: &Activation) -> Result<(), DeskError> {
        if a.links == 0 && a.asked.is_none() {
            return Ok(());
        }
        self.flush(work).await?;
        sqlx::query(
            "UPDATE emails SET state = 'withdrawn' WHERE activation_id = $1 AND link IS NOT NULL AND state = 'waiting' \
             AND kind IN ('round_off', 'reminder_to_round_off', 'information_requested', 'reminder_to_answer')",
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
