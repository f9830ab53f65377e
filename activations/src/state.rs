//! The states of an activation, and the one table of moves between them.
//!
//! The same table stands in the database (`transitions`), where the history refers to it by foreign
//! key; a test holds the two equal. Nothing else moves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants have stable names, in the database and in JSON alike.
macro_rules! named {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the stable name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// By which method a person proves to act for the organisation.
    Method {
        /// One cent by iDEAL, decided without a human.
        Ideal = "ideal",
        /// An invoice, paid by bank transfer.
        Invoice = "invoice",
    }
}

named! {
    /// Where an activation stands.
    State {
        /// Waiting for the payment, or for the rest of it.
        AwaitingPayment = "awaiting_payment",
        /// A support employee has to look at it.
        UnderReview = "under_review",
        /// Support has asked the creator something.
        InformationRequested = "information_requested",
        /// Decided; lasts until the job that carries it out has run.
        Approved = "approved",
        /// Decided while the office was closed; takes effect when it opens.
        Scheduled = "scheduled",
        /// The creator has the link to round it off.
        AwaitingConfirmation = "awaiting_confirmation",
        /// The organisation is active.
        Activated = "activated",
        /// Support has said no.
        Rejected = "rejected",
        /// Its time ran out.
        Expired = "expired",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}

impl State {
    /// Nothing leaves a final state.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Activated | Self::Rejected | Self::Expired | Self::Cancelled)
    }
}

named! {
    /// What happens to an activation.
    Happening {
        /// It was started, by iDEAL.
        StartedIdeal = "started_ideal",
        /// It was started, by invoice.
        StartedInvoice = "started_invoice",
        /// A payment was cancelled, failed or expired: the person may try again.
        PaymentNotCompleted = "payment_not_completed",
        /// Less than asked has come in, by invoice.
        PaidInPart = "paid_in_part",
        /// Paid in full, and everything is clear.
        PaidClear = "paid_clear",
        /// Paid, and something is not clear.
        PaidUnclear = "paid_unclear",
        /// The name came after all, and nothing else was wrong: decided again.
        NameArrived = "name_arrived",
        /// More of a payment became known; changes no state.
        PaymentNoted = "payment_noted",
        /// Support asks the creator something.
        InformationAsked = "information_asked",
        /// The creator answered, or support goes on.
        ReviewResumed = "review_resumed",
        /// A person approved.
        PersonApproved = "person_approved",
        /// A person rejected.
        PersonRejected = "person_rejected",
        /// Approved while the office is closed.
        OfficeClosed = "office_closed",
        /// The office hours were changed: computed again when it takes effect.
        HoursChanged = "hours_changed",
        /// The approval takes effect: the link is sent.
        LinkSent = "link_sent",
        /// The link is sent again, a new one.
        LinkResent = "link_resent",
        /// The approval takes effect and activates, without a link.
        ActivatedAtOnce = "activated_at_once",
        /// The click.
        Confirmed = "confirmed",
        /// The payment was refunded or charged back.
        PaymentReversed = "payment_reversed",
        /// A later message says something else about the money than the one that was decided on.
        PaymentDoubted = "payment_doubted",
        /// The identifier turned out to be active for another organisation.
        IdentifierTaken = "identifier_taken",
        /// Halfway to its end, a reminder.
        Reminded = "reminded",
        /// Its time is up.
        TimeUp = "time_up",
        /// Withdrawn.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// The e-mails to a creator.
    EmailKind {
        /// What to pay, by invoice.
        Invoice = "invoice",
        /// What is still missing.
        PartlyPaid = "partly_paid",
        /// It takes longer, and what is needed.
        TakesLonger = "takes_longer",
        /// What support asks.
        InformationRequested = "information_requested",
        /// Why it was rejected.
        Rejected = "rejected",
        /// When it will be activated.
        Scheduled = "scheduled",
        /// The link to round off.
        RoundOff = "round_off",
        /// It is active.
        Activated = "activated",
        /// Halfway: not yet paid.
        ReminderToPay = "reminder_to_pay",
        /// Halfway: not yet rounded off.
        ReminderToRoundOff = "reminder_to_round_off",
        /// Halfway: not yet answered.
        ReminderToAnswer = "reminder_to_answer",
        /// Its time ran out.
        Expired = "expired",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}

/// One row of the table: from where, what happens, to where, and who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The state before; `None` for the start.
    pub from: Option<State>,
    /// What happens.
    pub happening: Happening,
    /// The state after.
    pub to: State,
    /// The e-mail to the creator.
    pub email: Option<EmailKind>,
    /// The signed event to the platform.
    pub told: Option<&'static str>,
}

const fn row(
    from: State,
    happening: Happening,
    to: State,
    email: Option<EmailKind>,
    told: Option<&'static str>,
) -> Move {
    Move {
        from: Some(from),
        happening,
        to,
        email,
        told,
    }
}

const fn start(happening: Happening, email: Option<EmailKind>, told: Option<&'static str>) -> Move {
    Move {
        from: None,
        happening,
        to: State::AwaitingPayment,
        email,
        told,
    }
}

/// Every move there is.
pub const MOVES: &[Move] = {
    use EmailKind as E;
    use Happening as H;
    use State as S;
    &[
        start(H::StartedIdeal, None, None),
        start(H::StartedInvoice, Some(E::Invoice), Some("activation.invoiced")),
        row(
            S::AwaitingPayment,
            H::PaymentNotCompleted,
            S::AwaitingPayment,
            None,
            None,
        ),
        row(
            S::AwaitingPayment,
            H::PaidInPart,
            S::AwaitingPayment,
            Some(E::PartlyPaid),
            Some("activation.partly_paid"),
        ),
        row(S::AwaitingPayment, H::PaidClear, S::Approved, None, None),
        row(
            S::AwaitingPayment,
            H::PaidUnclear,
            S::UnderReview,
            Some(E::TakesLonger),
            Some("activation.under_review"),
        ),
        row(S::UnderReview, H::NameArrived, S::Approved, None, None),
        row(
            S::UnderReview,
            H::InformationAsked,
            S::InformationRequested,
            Some(E::InformationRequested),
            None,
        ),
        row(S::InformationRequested, H::ReviewResumed, S::UnderReview, None, None),
        row(S::UnderReview, H::PersonApproved, S::Approved, None, None),
        row(S::InformationRequested, H::PersonApproved, S::Approved, None, None),
        row(
            S::UnderReview,
            H::PersonRejected,
            S::Rejected,
            Some(E::Rejected),
            Some("activation.rejected"),
        ),
        row(
            S::InformationRequested,
            H::PersonRejected,
            S::Rejected,
            Some(E::Rejected),
            Some("activation.rejected"),
        ),
        row(
            S::Approved,
            H::OfficeClosed,
            S::Scheduled,
            Some(E::Scheduled),
            Some("activation.scheduled"),
        ),
        row(S::Scheduled, H::HoursChanged, S::Scheduled, None, None),
        row(
            S::Approved,
            H::LinkSent,
            S::AwaitingConfirmation,
            Some(E::RoundOff),
            Some("activation.approved"),
        ),
        row(
            S::Scheduled,
            H::LinkSent,
            S::AwaitingConfirmation,
            Some(E::RoundOff),
            Some("activation.approved"),
        ),
        row(
            S::Approved,
            H::ActivatedAtOnce,
            S::Activated,
            Some(E::Activated),
            Some("organisation.activated"),
        ),
        row(
            S::Scheduled,
            H::ActivatedAtOnce,
            S::Activated,
            Some(E::Activated),
            Some("organisation.activated"),
        ),
        row(
            S::AwaitingConfirmation,
            H::Confirmed,
            S::Activated,
            Some(E::Activated),
            Some("organisation.activated"),
        ),
        row(
            S::AwaitingConfirmation,
            H::LinkResent,
            S::AwaitingConfirmation,
            Some(E::RoundOff),
            None,
        ),
        row(
            S::Approved,
            H::PaymentReversed,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::Scheduled,
            H::PaymentReversed,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::AwaitingConfirmation,
            H::PaymentReversed,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::Approved,
            H::PaymentDoubted,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::Scheduled,
            H::PaymentDoubted,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::AwaitingConfirmation,
            H::PaymentDoubted,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::Approved,
            H::IdentifierTaken,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::Scheduled,
            H::IdentifierTaken,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::AwaitingConfirmation,
            H::IdentifierTaken,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::AwaitingPayment,
            H::Reminded,
            S::AwaitingPayment,
            Some(E::ReminderToPay),
            None,
        ),
        row(
            S::AwaitingConfirmation,
            H::Reminded,
            S::AwaitingConfirmation,
            Some(E::ReminderToRoundOff),
            None,
        ),
        row(
            S::InformationRequested,
            H::Reminded,
            S::InformationRequested,
            Some(E::ReminderToAnswer),
            None,
        ),
        row(
            S::AwaitingPayment,
            H::TimeUp,
            S::Expired,
            Some(E::Expired),
            Some("activation.expired"),
        ),
        row(
            S::AwaitingConfirmation,
            H::TimeUp,
            S::Expired,
            Some(E::Expired),
            Some("activation.expired"),
        ),
        row(
            S::InformationRequested,
            H::TimeUp,
            S::Expired,
            Some(E::Expired),
            Some("activation.expired"),
        ),
        row(
            S::AwaitingPayment,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(
            S::UnderReview,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(
            S::InformationRequested,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(
            S::Approved,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(
            S::Scheduled,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(
            S::AwaitingConfirmation,
            H::Withdrawn,
            S::Cancelled,
            Some(E::Cancelled),
            Some("activation.cancelled"),
        ),
        row(S::AwaitingPayment, H::PaymentNoted, S::AwaitingPayment, None, None),
        row(S::UnderReview, H::PaymentNoted, S::UnderReview, None, None),
        row(
            S::InformationRequested,
            H::PaymentNoted,
            S::InformationRequested,
            None,
            None,
        ),
        row(S::Approved, H::PaymentNoted, S::Approved, None, None),
        row(S::Scheduled, H::PaymentNoted, S::Scheduled, None, None),
        row(
            S::AwaitingConfirmation,
            H::PaymentNoted,
            S::AwaitingConfirmation,
            None,
            None,
        ),
        row(S::Activated, H::PaymentNoted, S::Activated, None, None),
    ]
};

/// The move that this happening makes from this state; `None` when there is none.
pub fn find(from: Option<State>, happening: Happening) -> Option<&'static Move> {
    MOVES.iter().find(|row| row.from == from && row.happening == happening)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_state_and_happening_leads_to_one_place() {
        let mut seen = HashSet::new();
        for row in MOVES {
            assert!(seen.insert((row.from, row.happening)), "{row:?} stands twice");
        }
    }

    #[test]
    fn nothing_leaves_a_final_state() {
        for row in MOVES.iter().filter(|row| row.from.is_some_and(State::is_final)) {
            assert_eq!(row.from, Some(row.to), "{row:?}");
        }
    }

    #[test]
    fn every_state_and_every_happening_is_in_the_table() {
        for state in State::ALL {
            assert!(MOVES.iter().any(|row| row.to == *state), "{state}");
        }
        for happening in Happening::ALL {
            assert!(MOVES.iter().any(|row| row.happening == *happening), "{happening}");
        }
    }
}
