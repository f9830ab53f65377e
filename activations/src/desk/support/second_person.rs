//! Approvals that take two persons: one proposes, another one confirms.
//!
//! A proposal holds for the activation as it was when it was made: whatever changes that ends it. The platform's API
//! can't make one, and an approval by it is refused where two persons are wanted: who stands behind a key can't be told.

use serde::Serialize;
use serde_json::Value;
use sqlx::AnyConnection;

use crate::clock::Timestamp;
use crate::decide::Compared;
use crate::desk::moves::Activation;
use crate::desk::operations::Order;
use crate::desk::{Act, Actor, Desk, When};
use crate::refused::{DeskError, Kind, Refused};
use crate::state::Happening;
use crate::store::{StoreError, instant, json, maybe_text, number, text};
use crate::views::ActivationView;

/// Which approvals by a person take another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondPerson {
    /// None.
    Off,
    /// Those of activations that were paid for by an account whose holder's name has nothing in common with any name
    /// of the organisation.
    StrongMismatch,
    /// All.
    Always,
}

impl SecondPerson {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::StrongMismatch => "strong_mismatch",
            Self::Always => "always",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Off, Self::StrongMismatch, Self::Always]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

/// An approval that was proposed, and waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub person: String,
    /// The account that they signed in by.
    #[serde(skip)]
    pub account: Option<String>,
    /// Why.
    pub reason: String,
    /// When it would take effect: `office_hours` or `now`.
    pub effect: String,
}

impl Proposal {
    fn when(&self) -> When {
        if self.effect == effect_of(When::Now) {
            When::Now
        } else {
            When::OfficeHours
        }
    }
}

const fn effect_of(when: When) -> &'static str {
    match when {
        When::OfficeHours => "office_hours",
        When::Now => "now",
    }
}

impl Desk {
    /// Proposes an approval, where it takes two persons. One that was proposed before is replaced.
    ///
    /// # Errors
    /// As [`Desk::approve`]; refused also where one person is enough.
    pub async fn propose_approval(
        &self,
        actor: &Actor,
        id: &str,
        act: Act,
        when: When,
    ) -> Result<ActivationView, DeskError> {
        self.effect(when, self.now())?;
        let mut work = self.begin().await?;
        let a = self.looked_at(&mut work, id, &act, Happening::PersonApproved).await?;
        if !self.takes_two(&mut work.tx, &a).await? {
            return Err(one_is_enough().into());
        }
        let who = actor.as_person(act.actor.trim());
        sqlx::query(
            "INSERT INTO proposals (activation_id, version, at, person, effect, reason, account) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (activation_id) DO UPDATE SET version = excluded.version, at = excluded.at, person = excluded.person, \
             account = excluded.account, \
             effect = excluded.effect, reason = excluded.reason",
        )
        .bind(id)
        .bind(a.version)
        .bind(self.now().micros())
        .bind(who.person().unwrap_or_default())
        .bind(effect_of(when))
        .bind(act.reason.trim())
        .bind(who.account())
        .execute(&mut *work.tx)
        .await?;
        self.note(&mut work, &who, "approval proposed", id, act.reason.trim())
            .await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// Confirms an approval that another person proposed; it takes effect as that one said.
    ///
    /// # Errors
    /// As [`Desk::approve`]; refused also when nothing is proposed (any more), and to the person who proposed it.
    pub async fn confirm_approval(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let mut a = self.looked_at(&mut work, id, &act, Happening::PersonApproved).await?;
        let proposal = self.proposal(&mut work.tx, &a).await?.ok_or_else(nothing_proposed)?;
        // By the account too: at an identity provider somebody may have taken another name since.
        let same_account = actor.account().is_some() && proposal.account.as_deref() == actor.account();
        if same_account || proposal.person.trim().eq_ignore_ascii_case(act.actor.trim()) {
            return Err(same_person().into());
        }
        let effect = self.effect(proposal.when(), self.now())?;
        let reason = format!(
            "{} (proposed by {}: {})",
            act.reason.trim(),
            proposal.person,
            proposal.reason
        );
        let act = Act { reason, ..act };
        self.approve_in(&mut work, &mut a, actor, &act, effect).await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// Takes a proposal back, one's own or another's: the activation stays in review.
    ///
    /// # Errors
    /// Refused without a reason, and when nothing is proposed (any more).
    pub async fn drop_proposal(&self, order: Order<'_>, id: &str) -> Result<(), DeskError> {
        order.check()?;
        let mut work = self.begin().await?;
        let a = self.load(&mut work, id).await?.ok_or_else(Refused::no_activation)?;
        if self.proposal(&mut work.tx, &a).await?.is_none() {
            return Err(nothing_proposed().into());
        }
        sqlx::query("DELETE FROM proposals WHERE activation_id = $1")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, order.actor, "proposal dropped", id, order.reason.trim())
            .await?;
        self.commit(work).await
    }

    /// What is proposed for the activation as it is.
    pub(super) async fn proposal(
        &self,
        connection: &mut AnyConnection,
        a: &Activation,
    ) -> Result<Option<Proposal>, StoreError> {
        let row =
            sqlx::query("SELECT version, at, person, account, effect, reason FROM proposals WHERE activation_id = $1")
                .bind(a.id.as_str())
                .fetch_optional(&mut *connection)
                .await?;
        let Some(row) = row else { return Ok(None) };
        if number(&row, "version")? != a.version {
            return Ok(None);
        }
        Ok(Some(Proposal {
            at: instant(&row, "at")?,
            person: text(&row, "person")?,
            account: maybe_text(&row, "account")?,
            effect: text(&row, "effect")?,
            reason: text(&row, "reason")?,
        }))
    }

    /// Whether an approval of this activation by a person takes another one.
    pub(in crate::desk) async fn takes_two(
        &self,
        connection: &mut AnyConnection,
        a: &Activation,
    ) -> Result<bool, DeskError> {
        match self.rules.second_person {
            SecondPerson::Off => return Ok(false),
            SecondPerson::Always => return Ok(true),
            SecondPerson::StrongMismatch => {}
        }
        let row = sqlx::query("SELECT record FROM decisions WHERE activation_id = $1 ORDER BY number DESC LIMIT 1")
            .bind(a.id.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let record: Value = json(&row, "record")?;
        let compared = record.pointer("/decision/compared").cloned().unwrap_or_default();
        // Written by a version whose evidence can't be read any more: two look at it rather than one.
        let compared: Option<Vec<Compared>> = serde_json::from_value(compared).ok();
        Ok(compared.is_none_or(|compared| compared.iter().any(is_strong_mismatch)))
    }
}

/// No name corresponds at all: the matcher says so, or found no word that is on both sides.
fn is_strong_mismatch(one: &Compared) -> bool {
    use eencent_matching::{ReasonCode, Verdict};
    let evidence = &one.evidence;
    let another = evidence
        .reasons
        .iter()
        .any(|reason| reason.code == ReasonCode::OtherName);
    evidence.verdict == Verdict::Review && (another || evidence.words.is_empty())
}

/// What the second person is for; told to whoever approves alone.
pub(in crate::desk) fn takes_another() -> Refused {
    Refused::new(
        Kind::Conflict,
        "second_person_needed",
        "Approving this takes two persons (review.second_person): propose it in the console, and let a colleague confirm it there.",
        "Voor deze goedkeuring zijn twee personen nodig (review.second_person): stel haar voor in de console en laat een collega haar daar bevestigen.",
    )
}

fn one_is_enough() -> Refused {
    Refused::new(
        Kind::Conflict,
        "one_person_is_enough",
        "One person is enough to approve this; approve it rather than propose it.",
        "Voor deze goedkeuring is één persoon genoeg; keur haar goed in plaats van haar voor te stellen.",
    )
}

fn nothing_proposed() -> Refused {
    Refused::new(
        Kind::Conflict,
        "nothing_proposed",
        "Nothing is proposed for this activation as it is now: it was dropped, or something has changed since. Look at it again.",
        "Voor deze activering zoals zij nu is, is niets voorgesteld: het is ingetrokken, of er is sindsdien iets veranderd. Bekijk haar opnieuw.",
    )
}

fn same_person() -> Refused {
    Refused::new(
        Kind::Forbidden,
        "second_person_same",
        "You proposed this yourself; a colleague has to confirm it.",
        "U hebt dit zelf voorgesteld; een collega moet het bevestigen.",
    )
}
