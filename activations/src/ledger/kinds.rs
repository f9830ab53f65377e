//! Kinds of work, and as SQL which of their rows wait, since when, and what holds them back.

use std::fmt;

/// Kinds of work that wait in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// A committed notification that has not been processed.
    Event,
    /// An approval to carry out: now, or scheduled and due.
    Approval,
    /// An e-mail to hand over.
    Email,
    /// Something to read from a provider's API.
    Reread,
    /// A payment to make at a provider.
    Checkout,
    /// A delivery of an event to the platform.
    Delivery,
    /// Names to fetch again from their register.
    Names,
}

impl Work {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Event,
        Self::Approval,
        Self::Email,
        Self::Reread,
        Self::Checkout,
        Self::Delivery,
        Self::Names,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Approval => "approval",
            Self::Email => "email",
            Self::Reread => "reread",
            Self::Checkout => "checkout",
            Self::Delivery => "delivery",
            Self::Names => "names",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|work| work.as_str() == text)
    }

    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Event => "events",
            Self::Approval => "activations",
            Self::Email => "emails",
            Self::Reread => "rereads",
            Self::Checkout => "checkouts",
            Self::Delivery => "deliveries",
            Self::Names => "refreshes",
        }
    }

    /// Which rows wait, as SQL; `$1` is now.
    pub(crate) fn waiting(self) -> String {
        match self {
            Self::Approval => format!("{} <= $1", self.due_by()),
            Self::Event | Self::Email | Self::Reread | Self::Checkout | Self::Names => "state = 'waiting'".to_owned(),
            // Those of an activation go to an endpoint one after the other.
            Self::Delivery => "deliveries.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM deliveries d \
                 WHERE d.activation_id = deliveries.activation_id AND d.endpoint = deliveries.endpoint \
                 AND d.number < deliveries.number AND d.state = 'waiting')"
                .to_owned(),
        }
    }

    /// What else has to hold before any of them is begun, as SQL: e-mails may be held back (`desk/mail_stop.rs`), and
    /// any other kind paused ([`paused`]).
    pub(super) const fn not_held_back(self) -> &'static str {
        match self {
            Self::Email => " AND NOT EXISTS (SELECT 1 FROM remembered WHERE name = 'mail_stopped')",
            Self::Event => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'event')",
            Self::Approval => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'approval')",
            Self::Reread => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'reread')",
            Self::Checkout => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'checkout')",
            Self::Delivery => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'delivery')",
            Self::Names => " AND NOT EXISTS (SELECT 1 FROM paused WHERE kind = 'names')",
        }
    }

    /// What rows are due by, and in which order, as SQL: what the index of those that wait is of. An approval that was
    /// just decided is due whatever the clock says, which may have been set back since.
    pub(crate) const fn due_by(self) -> &'static str {
        match self {
            Self::Approval => {
                "CASE WHEN set_apart_at IS NOT NULL THEN NULL WHEN state = 'approved' THEN 0 \
                 WHEN state = 'scheduled' THEN due_at END"
            }
            Self::Event | Self::Email | Self::Reread | Self::Checkout | Self::Delivery | Self::Names => self.since(),
        }
    }

    /// Since when a row waits, as SQL.
    pub(crate) const fn since(self) -> &'static str {
        match self {
            Self::Event => "received_at",
            Self::Approval => "CASE WHEN state = 'approved' THEN COALESCE(decided_at, due_at) ELSE due_at END",
            Self::Email | Self::Checkout | Self::Delivery => "created_at",
            Self::Reread | Self::Names => "asked_at",
        }
    }

    /// What giving up writes, as SQL; `$1` is now.
    pub(super) const fn given_up(self) -> &'static str {
        match self {
            Self::Event => "state = 'quarantined', processed_at = $1",
            Self::Approval => "set_apart_at = $1",
            Self::Email => "state = 'failed', sent_at = NULL",
            Self::Reread | Self::Names => "state = 'failed', answered_at = $1",
            Self::Checkout | Self::Delivery => "state = 'failed'",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
