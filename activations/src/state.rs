//! The states of an activation, and ([`MOVES`]) the one table of moves between them.
//!
//! The same table stands in the database (`transitions`), where the history refers to it by foreign
//! key; a test holds the two equal. Nothing else moves.

mod table;

use std::fmt;

pub use table::{MOVES, Move, find};

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
        /// A person took an approval back before it had activated anybody.
        ApprovalWithdrawn = "approval_withdrawn",
        /// A person wants what is scheduled to take effect now.
        EffectHastened = "effect_hastened",
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
    /// The e-mails to a creator, and to the house.
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
        /// To support: what waits for a decision.
        ReviewDigest = "review_digest",
    }
}

impl EmailKind {
    /// Whether it goes to those who run this, and is of no activation.
    pub const fn is_to_the_house(self) -> bool {
        matches!(self, Self::ReviewDigest)
    }
}
