//! Reading a payment from the provider's own API: what has to be asked, and what the answers say.
//!
//! The border between three parts. A provider (`webhooks`) knows what to ask and how to read it, and
//! does no I/O; a job owns the HTTP client and the row's retries; the composition hands one to the
//! other. Everything is a function of the answers so far, so that an attempt that breaks off in the
//! middle is simply made again.

use std::fmt;

use crate::money::Money;
use crate::notification::{Event, Mode};

/// Most questions of one attempt; beyond it the attempt has failed. A list of a busy day is read in
/// fewer pages, and whatever was read is told again at the next attempt without harm.
pub const MOST_QUESTIONS: usize = 30;

/// Whether something is fetched or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Changes nothing.
    Get,
    /// Sends a body.
    Post,
}

/// A request to a provider's API. Prints without headers and body, which hold credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// How.
    pub method: Method,
    /// The whole address, made of the endpoint's settings and validated ids only.
    pub url: String,
    /// The headers, credentials among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a POST.
    pub body: Vec<u8>,
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiRequest({:?} {})", self.method, self.url)
    }
}

/// What the API answered, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; a redirect is an answer like any other and is never followed.
    pub status: u16,
    /// The body, complete.
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} with {} bytes)", self.status, self.body.len())
    }
}

/// What comes after the answers so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Something is still to be asked.
    Ask(ApiRequest),
    /// A payment was made.
    Made(Made),
    /// This is what they say; may be empty. The last answer is kept with it.
    Told(Vec<Event>),
    /// Not now: the API is busy, in trouble, or refuses the credentials. Says which, for the operator.
    Later(String),
    /// Never: there is no such payment, or the answer can't be read. Says why, for the operator.
    Never(String),
}

/// A payment that is to be made for an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The activation's id.
    pub activation: String,
    /// By which the provider recognises the order when it comes twice; another payment for the same activation has
    /// another.
    pub key: String,
    /// What ties the payment to the activation.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// Where the payer comes back.
    pub return_url: String,
    /// Where the provider's messages go, for providers that are told with each payment.
    pub notify_url: String,
}

/// A payment that a provider made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The provider's id.
    pub payment_id: String,
    /// Where the payer is sent.
    pub url: String,
    /// By which it is read back.
    pub subject: String,
}

/// Where what is read belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The provider's name.
    pub provider: String,
    /// The account that ids are unique within.
    pub account: String,
    /// Which money counts.
    pub mode: Mode,
}

/// Everything that can be read from a provider, by endpoint.
pub trait Rereading: Send + Sync + 'static {
    /// Where what is read through an endpoint belongs; `None` when the settings have it no longer.
    fn origin(&self, endpoint: &str) -> Option<Origin>;

    /// What comes next in making a payment.
    fn make(&self, endpoint: &str, order: &Order, answers: &[Answer]) -> Step;

    /// What comes next, given the subject (as [`Event::reread`] named it) and all answers so far.
    fn next(&self, endpoint: &str, subject: &str, answers: &[Answer]) -> Step;
}
