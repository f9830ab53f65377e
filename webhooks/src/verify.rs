//! A recorded request, verified and translated at leisure: what `eencent webhook verify` prints.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, ReferenceHint, Told};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::endpoint::{Endpoint, EndpointSettings};
use crate::providers::Request;

/// A recorded request and what to verify it with.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The endpoint as the settings would have it: provider, secrets, and where they matter account,
    /// mode, user name, password and tolerance.
    pub endpoint: &'a EndpointSettings,
    /// The method, such as `POST`.
    pub method: &'a str,
    /// The path and query that it came to; a scheme that signs the whole address takes the settings'.
    pub url: &'a str,
    /// The headers, see [`read_headers`].
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The time at which it is to be judged.
    pub now: Timestamp,
}

/// The answer, as JSON `{"authentic": …, "reason": …, "notifications": […]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether the request is believed.
    pub authentic: bool,
    /// How it was proven; or the stable code, a colon, and what was wrong and usually causes it.
    pub reason: String,
    /// What it says; nothing when it isn't authentic.
    pub notifications: Vec<Notification>,
}

/// One thing that an authentic message says, in the words of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// Unique within the account.
    pub event_id: String,
    /// `payment`, `ignored` or `quarantined`.
    pub kind: &'static str,
    /// What has to be read from the provider's API before it counts, in the provider's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_read: Option<String>,
    /// Why it is ignored or quarantined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The payment.
    #[serde(flatten)]
    pub payment: Option<Payment>,
}

/// What is said of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The provider's id.
    pub payment_id: String,
    /// Where it stands, such as `paid`.
    pub status: &'static str,
    /// How much, if said.
    pub amount: Option<Money>,
    /// The account holder as the scheme or bank reports it. Not masked: whoever runs this has the message.
    pub holder_name: Option<String>,
    /// The paying account, masked.
    pub iban_masked: Option<String>,
    /// What ties it to an activation: the reference itself, or the text in which it may stand.
    pub reference: Option<String>,
    /// `exact` when [`Self::reference`] is the reference and nothing else, `within` when it is text.
    pub reference_kind: Option<&'static str>,
    /// When it was made, if said.
    pub paid_at: Option<Timestamp>,
    /// How much of this the signature covers, such as `whole_message`.
    pub proof: &'static str,
    /// `live` or `test`, if said.
    pub mode: Option<&'static str>,
    /// Whether the name comes with another message about the same payment.
    pub name_comes_separately: bool,
}

/// Verifies a recorded request and says what it says. Nothing is stored.
///
/// # Errors
/// When the question itself is wrong (an unknown provider, an empty or undecodable secret): all
/// problems, one a line, naming the settings' keys of an endpoint called `offline`.
pub fn verify_offline(question: &Question<'_>) -> Result<Verification, String> {
    let mut settings = question.endpoint.clone();
    // Nothing is read from an API here; some endpoints can't be set up without a key to one.
    settings.api_key.get_or_insert_with(|| "unused".into());
    settings.api_user.get_or_insert_with(|| "unused".to_owned());
    let endpoint = Endpoint::from_settings("offline", &settings).map_err(|problems| problems.join("\n"))?;
    let request = Request {
        method: question.method,
        url: question.url,
        headers: question.headers,
        body: question.body,
    };
    let provider = endpoint.provider();
    Ok(match provider.authenticate(&request, &endpoint, question.now) {
        Ok(authentic) => Verification {
            authentic: true,
            reason: authentic.proven_by().to_owned(),
            notifications: provider
                .translate(&authentic, &endpoint)
                .into_iter()
                .map(Notification::from)
                .collect(),
        },
        Err(refused) => Verification {
            authentic: false,
            reason: format!("{}: {refused}", refused.code()),
            notifications: Vec::new(),
        },
    })
}

impl From<Event> for Notification {
    fn from(event: Event) -> Self {
        let (kind, why, payment) = match event.told {
            Told::Payment(told) => {
                let (reference, reference_kind) = match told.reference {
                    Some(ReferenceHint::Exact(text)) => (Some(text), Some("exact")),
                    Some(ReferenceHint::Within(text)) => (Some(text), Some("within")),
                    None => (None, None),
                };
                let payment = Payment {
                    payment_id: told.payment_id,
                    status: told.status.as_str(),
                    amount: told.amount,
                    holder_name: told.holder.map(|name| name.as_str().to_owned()),
                    iban_masked: told.account_number.map(|number| number.masked()),
                    reference,
                    reference_kind,
                    paid_at: told.paid_at,
                    proof: told.proof.as_str(),
                    mode: told.mode.map(|mode| mode.as_str()),
                    name_comes_separately: told.name_comes_separately,
                };
                ("payment", None, Some(payment))
            }
            Told::Ignored(why) => ("ignored", Some(why), None),
            Told::Quarantined(why) => ("quarantined", Some(why), None),
        };
        Self {
            event_id: event.event_id,
            to_read: event.reread,
            kind,
            why,
            payment,
        }
    }
}

/// Reads headers written one `Name: value` a line; empty lines and lines that begin with `#` are
/// passed over, and repeats are kept.
///
/// # Errors
/// A sentence with the number of the first line that isn't a header.
pub fn read_headers(text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::try_from(name.trim()).ok()?;
            let value = HeaderValue::from_str(value.trim()).ok()?;
            Some((name, value))
        });
        let (name, value) = header.ok_or_else(|| format!("line {number} isn't written `Name: value`"))?;
        headers.append(name, value);
    }
    Ok(headers)
}
