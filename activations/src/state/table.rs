//! The table of moves. Nothing else moves.

use super::{EmailKind, Happening, State};

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
            S::Scheduled,
            H::ApprovalWithdrawn,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(
            S::AwaitingConfirmation,
            H::ApprovalWithdrawn,
            S::UnderReview,
            None,
            Some("activation.under_review"),
        ),
        row(S::Scheduled, H::EffectHastened, S::Scheduled, None, None),
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
