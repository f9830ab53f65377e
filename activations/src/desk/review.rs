//! What a support employee does: approve, reject, ask, go on.

use serde_json::json;

use super::moves::{Activation, Line};
use super::start::over;
use super::support::takes_another;
use super::{Act, Actor, Desk, Desking, When};
use crate::clock::Timestamp;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, Method, State, find};
use crate::views::ActivationView;

impl Desk {
    /// Approves an activation under review.
    ///
    /// # Errors
    /// Refused when the act is incomplete, out of date (with the activation as it is now), or when the
    /// activation isn't under review.
    pub async fn approve(&self, actor: &Actor, id: &str, act: Act, when: When) -> Result<ActivationView, DeskError> {
        let effect = self.effect(when, self.now())?;
        let mut work = self.begin().await?;
        let mut activation = self.looked_at(&mut work, id, &act, Happening::PersonApproved).await?;
        if self.takes_two(&mut work.tx, &activation).await? {
            return Err(takes_another().into());
        }
        self.approve_in(&mut work, &mut activation, actor, &act, effect).await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// When an approval by a person takes effect.
    pub(super) fn effect(&self, when: When, now: Timestamp) -> Result<Timestamp, Refused> {
        let effect = match when {
            When::Now => Some(now),
            When::OfficeHours => self.rules.hours.takes_effect(None, now),
        };
        effect.ok_or_else(|| {
            Refused::new(
                Kind::Conflict,
                "office_never_opens",
                "The office hours give no next opening; approve with `when` `now`, or mend the setting office.hours.",
                "De kantooruren geven geen volgende opening; keur goed met `when` `now`, of herstel de instelling office.hours.",
            )
        })
    }

    pub(super) async fn approve_in(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        actor: &Actor,
        act: &Act,
        effect: Timestamp,
    ) -> Result<(), DeskError> {
        let now = self.now();
        activation.due_at = Some(effect);
        activation.made_at = None;
        activation.decided_at = Some(now);
        self.do_to(work, activation, actor, act, Happening::PersonApproved, json!({}))
            .await
    }

    /// Rejects an activation under review; the creator is told the reason.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn reject(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let email = json!({ "reason": act.reason });
        let mut work = self.begin().await?;
        self.hold_payments_of(&mut work, id).await?;
        let mut activation = self.looked_at(&mut work, id, &act, Happening::PersonRejected).await?;
        // What was paid for an invoice somebody has to refund, or to allocate to the next activation. The cent of a
        // stranger is no more than the proof that he is one.
        if activation.method == Method::Invoice {
            self.let_go(&mut work, &activation).await?;
        }
        self.do_to(
            &mut work,
            &mut activation,
            actor,
            &act,
            Happening::PersonRejected,
            email,
        )
        .await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// Asks the creator for information: the act's reason is the question.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn request_information(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let question = act.reason.clone();
        let prepare = |activation: &mut Activation| activation.question = Some(question);
        self.act(actor, id, &act, Happening::InformationAsked, prepare, json!({}))
            .await
    }

    /// Goes on with the review, after an answer or without one.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn resume(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        self.act(actor, id, &act, Happening::ReviewResumed, |_| (), json!({}))
            .await
    }

    async fn act(
        &self,
        actor: &Actor,
        id: &str,
        act: &Act,
        happening: Happening,
        prepare: impl FnOnce(&mut Activation),
        email: serde_json::Value,
    ) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let mut activation = self.looked_at(&mut work, id, act, happening).await?;
        prepare(&mut activation);
        self.do_to(&mut work, &mut activation, actor, act, happening, email)
            .await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// The activation, to be acted on: the act is whole, is about it as it is now, and can be done to it.
    pub(super) async fn looked_at(
        &self,
        work: &mut Desking,
        id: &str,
        act: &Act,
        happening: Happening,
    ) -> Result<Activation, DeskError> {
        act.check()?;
        let activation = self.load(work, id).await?.ok_or_else(Refused::no_activation)?;
        self.current(work, &activation, act, happening).await?;
        Ok(activation)
    }

    /// Does it, with what the caller has changed of the activation.
    pub(super) async fn do_to(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        actor: &Actor,
        act: &Act,
        happening: Happening,
        email: serde_json::Value,
    ) -> Result<(), DeskError> {
        // An e-mail that asks, and isn't handed over yet, would ask in vain.
        if activation.state == State::InformationRequested {
            self.void_link(work, activation).await?;
        }
        activation.touched = true;
        let who = actor.as_person(act.actor.trim()).to_string();
        let line = Line {
            happening,
            actor: &who,
            reason: act.reason.trim(),
            email,
        };
        self.make(work, activation, line).await?;
        if happening == Happening::InformationAsked {
            self.ask(work, activation, act.reason.trim()).await?;
        }
        Ok(())
    }

    /// The act is about the activation as it is now.
    pub(super) async fn up_to_date(&self, work: &mut Desking, a: &Activation, act: &Act) -> Result<(), DeskError> {
        if act.version == a.version {
            return Ok(());
        }
        let mut refused = Refused::new(
            Kind::Conflict,
            "version_stale",
            format!(
                "This activation has changed since version {} that you looked at; it is {} now, at version {}. Look again before you decide.",
                act.version, a.state, a.version
            ),
            format!(
                "Deze activering is veranderd sinds versie {} die u bekeek; zij is nu {}, in versie {}. Kijk opnieuw voordat u beslist.",
                act.version, a.state, a.version
            ),
        );
        refused.activation = Some(Box::new(self.activation_in(&mut work.tx, &a.id).await?));
        Err(refused.into())
    }

    /// The act is about the activation as it is now, and can be done to it.
    pub(super) async fn current(
        &self,
        work: &mut Desking,
        a: &Activation,
        act: &Act,
        happening: Happening,
    ) -> Result<(), DeskError> {
        self.up_to_date(work, a, act).await?;
        if find(Some(a.state), happening).is_some() {
            return Ok(());
        }
        if a.state.is_final() {
            return Err(over(a).into());
        }
        let allowed: Vec<&str> = State::ALL
            .iter()
            .filter(|state| find(Some(**state), happening).is_some())
            .map(|state| state.as_str())
            .collect();
        let allowed = allowed.join(", ");
        Err(Refused::new(
            Kind::Conflict,
            "state_wrong",
            format!(
                "This can be done to an activation that is {allowed}; this one is {}.",
                a.state
            ),
            format!("Dit kan bij een activering die {allowed} is; deze is {}.", a.state),
        )
        .into())
    }
}
