//! What a support employee does: approve, reject, ask, go on.

use serde_json::json;

use super::moves::{Activation, Line};
use super::start::over;
use super::{Act, Actor, Desk, Desking, When};
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, State, find};
use crate::views::ActivationView;

impl Desk {
    /// Approves an activation under review.
    ///
    /// # Errors
    /// Refused when the act is incomplete, out of date (with the activation as it is now), or when the
    /// activation isn't under review.
    pub async fn approve(&self, actor: &Actor, id: &str, act: Act, when: When) -> Result<ActivationView, DeskError> {
        let now = self.now();
        let effect = match when {
            When::Now => Some(now),
            When::OfficeHours => self.rules.hours.takes_effect(None, now),
        };
        let Some(effect) = effect else {
            return Err(Refused::new(
                Kind::Conflict,
                "office_never_opens",
                "The office hours give no next opening; approve with `when` `now`, or mend the setting office.hours.",
                "De kantooruren geven geen volgende opening; keur goed met `when` `now`, of herstel de instelling office.hours.",
            )
            .into());
        };
        let prepare = |activation: &mut Activation| {
            activation.due_at = Some(effect);
            activation.made_at = None;
            activation.decided_at = Some(now);
        };
        self.act(actor, id, &act, Happening::PersonApproved, prepare, json!({}))
            .await
    }

    /// Rejects an activation under review; the creator is told the reason.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn reject(&self, actor: &Actor, id: &str, act: Act) -> Result<ActivationView, DeskError> {
        let email = json!({ "reason": act.reason });
        self.act(actor, id, &act, Happening::PersonRejected, |_| (), email)
            .await
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
        act.check()?;
        let mut work = self.begin().await?;
        let mut activation = self.load(&mut work, id).await?.ok_or_else(Refused::no_activation)?;
        self.current(&mut work, &activation, act, happening).await?;
        // An e-mail that asks, and isn't handed over yet, would ask in vain.
        if activation.state == State::InformationRequested {
            self.void_link(&mut work, &activation).await?;
        }
        activation.touched = true;
        prepare(&mut activation);
        let who = actor.as_person(act.actor.trim()).to_string();
        let line = Line {
            happening,
            actor: &who,
            reason: act.reason.trim(),
            email,
        };
        self.make(&mut work, &mut activation, line).await?;
        if happening == Happening::InformationAsked {
            self.ask(&mut work, &activation, act.reason.trim()).await?;
        }
        self.commit(work).await?;
        self.activation(id).await
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
    async fn current(
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
