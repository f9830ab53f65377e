//! Why a request was not believed.

use std::fmt;

/// What was wrong, as a stable code for metrics, the audit and `eencent explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// No signature where the provider's scheme puts it.
    MissingSignature,
    /// Something is there, but it isn't written as the scheme writes it.
    MalformedSignature,
    /// More signatures than any rotation of secrets explains.
    TooManySignatures,
    /// Well-formed, but made with none of the endpoint's secrets, or over other bytes.
    SignatureMismatch,
    /// Signed in a way that needs a key of a kind that the endpoint has none of.
    UnknownSecret,
    /// Rightly signed, but longer ago than the tolerance.
    Stale,
    /// Rightly signed, but at a time that is still to come, beyond the tolerance.
    FromTheFuture,
    /// Rightly signed, but for another account than the endpoint's.
    WrongAccount,
    /// The endpoint asks for Basic auth, and it was absent or wrong.
    BadBasicAuth,
    /// The body has to be read to find what was signed (Adyen), and it can't be.
    MalformedBody,
}

impl Code {
    /// The stable name, such as `signature_mismatch`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MalformedSignature => "malformed_signature",
            Self::TooManySignatures => "too_many_signatures",
            Self::SignatureMismatch => "signature_mismatch",
            Self::UnknownSecret => "unknown_secret",
            Self::Stale => "stale",
            Self::FromTheFuture => "from_the_future",
            Self::WrongAccount => "wrong_account",
            Self::BadBasicAuth => "bad_basic_auth",
            Self::MalformedBody => "malformed_body",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request that was not believed. Displays as the sentence for the operator, which says what
/// usually causes it and never holds a secret, a signature or anything from the body. The sender is
/// told none of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refused {
    code: Code,
    sentence: String,
}

impl Refused {
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
        }
    }

    /// What was wrong.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What was wrong and what usually causes it, for the operator.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}
