//! Questions to a provider's API, and what its answers are worth.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::notification::{Event, PaymentNotification, Proof, Told};
use eencent_activations::reread::{Answer, ApiRequest, Method, Step};

use crate::document::{self, Value};
use crate::endpoint::Endpoint;
use crate::signature::sha256;
use crate::translation::{kept, unreadable_id};

/// What ends an attempt before its answers were all read.
pub(crate) type Ended<T> = Result<T, Step>;

/// The address of the provider's API: the settings', else its usual one.
pub(crate) fn base<'e>(endpoint: &'e Endpoint, usual: &'static str) -> &'e str {
    endpoint.api().url.as_deref().unwrap_or(usual)
}

/// A request that fetches.
pub(crate) fn get(url: String, headers: Vec<(&'static str, String)>) -> Step {
    Step::Ask(ApiRequest {
        method: Method::Get,
        url,
        headers,
        body: Vec::new(),
    })
}

/// A request that sends.
pub(crate) fn post(url: String, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Step {
    Step::Ask(ApiRequest {
        method: Method::Post,
        url,
        headers,
        body,
    })
}

/// The key of the settings as a bearer token.
pub(crate) fn bearer(endpoint: &Endpoint) -> Ended<(&'static str, String)> {
    Ok(token(key(endpoint)?))
}

/// A token that the API gave.
pub(crate) fn token(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// The client and the key of the settings, as Basic auth.
pub(crate) fn basic(endpoint: &Endpoint) -> Ended<(&'static str, String)> {
    let user = user(endpoint)?;
    let pair = STANDARD.encode(format!("{user}:{}", key(endpoint)?));
    Ok(("authorization", format!("Basic {pair}")))
}

/// The key of the settings.
pub(crate) fn key(endpoint: &Endpoint) -> Ended<&str> {
    let key = endpoint.api().key.as_ref().map(crate::Secret::reveal);
    key.ok_or_else(|| lacks(endpoint, "api_key"))
}

/// The holder of the key.
pub(crate) fn user(endpoint: &Endpoint) -> Ended<&str> {
    let user = endpoint.api().user.as_deref();
    user.ok_or_else(|| lacks(endpoint, "api_user"))
}

fn lacks(endpoint: &Endpoint, key: &str) -> Step {
    let name = endpoint.name();
    Step::Later(format!(
        "webhooks.{name}.{key} is not set, so nothing can be read from the provider's API: set it and restart."
    ))
}

/// The body of an answer, where it is one.
pub(crate) fn answered<'a>(answer: &'a Answer, endpoint: &Endpoint) -> Ended<&'a [u8]> {
    let status = answer.status;
    let name = endpoint.name();
    Err(match status {
        200..=299 => return Ok(&answer.body),
        401 | 403 => Step::Later(format!(
            "The provider's API refuses the credentials ({status}): compare webhooks.{name}.api_key with the provider's dashboard."
        )),
        404 | 410 => Step::Never(format!("The provider's API knows nothing of it ({status}).")),
        300..=399 => Step::Later(format!(
            "The provider's API answers with a redirect ({status}), which is never followed: check webhooks.{name}.api_url."
        )),
        408 | 425 | 429 | 500.. => Step::Later(format!("The provider's API is busy or in trouble ({status}).")),
        _ => Step::Never(format!("The provider's API refuses the question ({status}).")),
    })
}

/// The JSON document of an answer.
pub(crate) fn document<'a>(answer: &'a Answer, endpoint: &Endpoint) -> Ended<Value<'a>> {
    // What can't be read today may be a page of a proxy's; the API itself answers in JSON.
    document::read(answered(answer, endpoint)?).map_err(|why| {
        Step::Later(format!(
            "The answer of the provider's API isn't what it should be: {why}"
        ))
    })
}

/// A payment as it was read. Known by what it says, so that reading it twice tells it once.
pub(crate) fn event(reading: Result<PaymentNotification, String>, of: &str) -> Event {
    let told = match reading {
        Ok(payment) => Told::Payment(Box::new(payment)),
        Err(why) => Told::Quarantined(kept(&why, 1_000)),
    };
    let said = match &told {
        Told::Payment(payment) => serde_json::to_vec(payment).unwrap_or_default(),
        Told::Ignored(why) | Told::Quarantined(why) => why.as_bytes().to_vec(),
    };
    let digest = sha256(&said);
    let id = format!("read:{of}:{}", unreadable_id("as", digest));
    Event {
        event_id: kept(&id, 200),
        digest,
        told,
        reread: None,
    }
}

/// A payment read from the API, of which nothing is known yet but its id and status.
pub(crate) fn payment(id: String, status: eencent_activations::notification::PaymentStatus) -> PaymentNotification {
    crate::translation::payment(id, status, Proof::ReadBack)
}

/// That an answer is about what was asked.
pub(crate) fn about(found: Option<&str>, asked: &str) -> Ended<()> {
    if found == Some(asked) {
        return Ok(());
    }
    Err(Step::Never(
        "The provider's API answered about something else than was asked; nothing of it is believed.".to_owned(),
    ))
}

/// An address that a payer may be sent to: TLS, or this machine.
pub(crate) fn to_a_payer(url: &str) -> Option<&str> {
    let uri = url.parse::<http::Uri>().ok()?;
    let here = matches!(uri.host()?, "localhost" | "127.0.0.1");
    (uri.scheme_str() == Some("https") || here).then_some(url)
}

/// An id that may stand in an address as it is: 1 to 100 letters, digits, `_`, `-` and `.`, not
/// beginning with a point.
pub(crate) fn plain(id: &str) -> Option<&str> {
    let may = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    ((1..=100).contains(&id.len()) && !id.starts_with('.') && id.bytes().all(may)).then_some(id)
}

/// A subject's kind and the rest of it: `payment/tr_1`. Ids in it were checked when it was made, and
/// are again, since it comes out of a database.
pub(crate) fn subject(subject: &str) -> Ended<(&str, Vec<&str>)> {
    let wrong = || Step::Never("What is to be read isn't written as this provider writes it.".to_owned());
    let (kind, rest) = subject.split_once('/').ok_or_else(wrong)?;
    let ids: Option<Vec<&str>> = rest.split('/').map(plain).collect();
    ids.map(|ids| (kind, ids)).ok_or_else(wrong)
}

/// A question's outcome, whichever way it ended.
pub(crate) fn step(outcome: Ended<Step>) -> Step {
    outcome.unwrap_or_else(|ended| ended)
}
