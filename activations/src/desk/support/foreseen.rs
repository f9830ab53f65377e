//! What an act will do, told before it is done. Nothing is written: it is the same table, the same office hours and the
//! same data of e-mails, asked beforehand. Between the telling and the act the activation may change; then the act is
//! refused by its version.

use serde::Serialize;
use serde_json::{Value, json};

use super::schedule::taken_back;
use crate::clock::Timestamp;
use crate::desk::moves::Activation;
use crate::desk::start::over;
use crate::desk::{Desk, Rendered, When};
use crate::refused::{DeskError, Kind, Refused};
use crate::rules::Completion;
use crate::state::{EmailKind, Happening, Move, State, find};

/// What somebody is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intended {
    /// Approve.
    Approve(When),
    /// Reject, for this reason, which the creator is told.
    Reject(String),
    /// Ask the creator this.
    Ask(String),
    /// Go on with the review without an answer.
    Resume,
    /// Take an approval back.
    WithdrawApproval,
    /// Let what is scheduled take effect now.
    RunNow,
}

impl Intended {
    const fn happening(&self) -> Happening {
        match self {
            Self::Approve(_) => Happening::PersonApproved,
            Self::Reject(_) => Happening::PersonRejected,
            Self::Ask(_) => Happening::InformationAsked,
            Self::Resume => Happening::ReviewResumed,
            Self::WithdrawApproval => Happening::ApprovalWithdrawn,
            Self::RunNow => Happening::EffectHastened,
        }
    }
}

/// An e-mail that will be written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForeseenEmail {
    /// Which.
    pub kind: EmailKind,
    /// When it will be written.
    pub at: Timestamp,
    /// To whom.
    pub recipient: String,
    /// The creator's name.
    pub recipient_name: String,
    /// `nl` or `en`.
    pub language: String,
    /// What its template is filled with; a secret link stands in it as its placeholder.
    #[serde(skip)]
    pub data: Value,
}

/// What an act will do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Foreseen {
    /// The version that this holds for, and that the act has to carry.
    pub version: i64,
    /// The state that it leads to by itself: where it only passes through `approved`, the state after that.
    pub state: State,
    /// When it takes effect: for an approval when the link is sent, or the organisation activated.
    pub effect_at: Timestamp,
    /// The state that taking effect leads to, where that comes later.
    pub then: Option<State>,
    /// The e-mails, in their order.
    pub emails: Vec<ForeseenEmail>,
    /// The events that the platform is told, in their order.
    pub told: Vec<&'static str>,
    /// It takes another person's confirmation first.
    pub takes_two: bool,
    /// Another organisation is active with the same identifier: an approval would only bring it back to review.
    pub identifier_taken: bool,
}

/// Writes an e-mail as it will be sent, without sending it. Whoever renders e-mails has one.
pub trait Pen: Send + Sync {
    /// The e-mail, with placeholders for secret links.
    ///
    /// # Errors
    /// A sentence, when its template can't be filled with this.
    fn write(&self, email: &ForeseenEmail) -> Result<Rendered, String>;
}

impl Desk {
    /// What an act on this activation would do now.
    ///
    /// # Errors
    /// Refused when it can't be done in the state that the activation is in, or when no opening is known.
    pub async fn foresee_act(&self, id: &str, intended: &Intended) -> Result<Foreseen, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let a = super::case::read(&mut connection, id).await?;
        let row = find(Some(a.state), intended.happening()).ok_or_else(|| not_in(&a))?;
        let now = self.now();
        let mut seen = Sight {
            desk: self,
            foreseen: Foreseen {
                version: a.version,
                state: row.to,
                effect_at: now,
                then: None,
                emails: Vec::new(),
                told: Vec::new(),
                takes_two: false,
                identifier_taken: false,
            },
            a,
        };
        match intended {
            Intended::Approve(when) => {
                seen.foreseen.takes_two = self.takes_two(&mut connection, &seen.a).await?;
                seen.foreseen.identifier_taken = self.is_taken(&mut connection, &seen.a).await?;
                let effect = self.effect(*when, now)?;
                seen.a.made_at = None;
                seen.moved(row, now, json!({}));
                seen.approved(effect, now);
            }
            Intended::RunNow => {
                seen.foreseen.identifier_taken = self.is_taken(&mut connection, &seen.a).await?;
                seen.moved(row, now, json!({}));
                seen.takes_effect(now, now);
            }
            Intended::Reject(reason) => seen.moved(row, now, json!({ "reason": reason.trim() })),
            Intended::Ask(question) => {
                seen.a.question = Some(question.trim().to_owned());
                seen.a.asked = Some(seen.a.version + 1);
                seen.moved(row, now, json!({}));
            }
            Intended::Resume => seen.moved(row, now, json!({})),
            Intended::WithdrawApproval => {
                seen.a.reasons.push(taken_back(""));
                seen.moved(row, now, json!({}));
            }
        }
        Ok(seen.foreseen)
    }

    async fn is_taken(&self, connection: &mut sqlx::AnyConnection, a: &Activation) -> Result<bool, DeskError> {
        let row = sqlx::query(
            "SELECT 1 FROM identifiers WHERE scheme = $1 AND value = $2 AND active = 1 AND organisation_id <> $3",
        )
        .bind(a.identifier.0.as_str())
        .bind(a.identifier.1.as_str())
        .bind(a.organisation_id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        Ok(row.is_some())
    }
}

/// The activation as it would be, and what was told of that so far.
struct Sight<'d> {
    desk: &'d Desk,
    a: Activation,
    foreseen: Foreseen,
}

impl Sight<'_> {
    /// As one row of the table says.
    fn moved(&mut self, row: &Move, at: Timestamp, email: Value) {
        let from = self.a.state;
        self.a.state = row.to;
        self.a.version += 1;
        if row.to != from {
            self.desk.set_end(&mut self.a, at);
        }
        if let Some(kind) = row.email {
            let creator = &self.a.organisation.creator;
            self.foreseen.emails.push(ForeseenEmail {
                kind,
                at,
                recipient: creator.email.clone(),
                recipient_name: creator.name.clone(),
                language: creator.language.clone(),
                data: self.desk.email_data(&self.a, kind, email),
            });
        }
        self.foreseen.told.extend(row.told);
    }

    fn approved(&mut self, effect: Timestamp, now: Timestamp) {
        if effect <= now {
            self.takes_effect(effect, now);
            return;
        }
        let dutch = self.a.organisation.creator.language == "nl";
        let email = json!({ "takes_effect_at": effect, "takes_effect_local": self.desk.local_words(effect, dutch) });
        if let Some(row) = find(Some(self.a.state), Happening::OfficeClosed) {
            self.moved(row, now, email);
        }
        self.takes_effect(effect, now);
    }

    fn takes_effect(&mut self, effect: Timestamp, now: Timestamp) {
        let state = self.a.state;
        let (happening, email) = match self.a.completion {
            Completion::Link => (Happening::LinkSent, json!({})),
            Completion::Immediate => (Happening::ActivatedAtOnce, self.desk.next_steps()),
        };
        if let Some(row) = find(Some(state), happening) {
            self.a.links += 1;
            self.moved(row, effect, email);
        }
        self.foreseen.effect_at = effect;
        if effect > now {
            (self.foreseen.state, self.foreseen.then) = (state, Some(self.a.state));
        } else {
            self.foreseen.state = self.a.state;
        }
    }
}

fn not_in(a: &Activation) -> Refused {
    if a.state.is_final() {
        return over(a);
    }
    Refused::new(
        Kind::Conflict,
        "state_wrong",
        format!(
            "This can't be done to an activation that is {}; look at it again.",
            a.state
        ),
        format!(
            "Dit kan niet met een activering die {} is; bekijk haar opnieuw.",
            a.state
        ),
    )
}
