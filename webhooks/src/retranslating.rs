//! Stored messages, translated again by today's code.
//!
//! A message is proven once more, as of the time when it came in and by the secrets of today's settings. What isn't kept
//! of a request can't be: Basic auth, which was checked then, is passed over; a signature over a query makes the message
//! one that can't be proven any more.

use eencent_activations::desk::operations::{Retranslating, StoredMessage};
use eencent_activations::notification::Event;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::endpoint::Endpoints;
use crate::providers::Request;
use crate::receiver::translate;

/// Whether Basic auth was part of what proved it, where a provider's proof depends on that.
fn with_basic_auth(proven_by: &str) -> bool {
    proven_by.contains("Basic auth") && !proven_by.contains("without Basic auth")
}

impl Retranslating for Endpoints {
    fn retranslate(&self, message: &StoredMessage) -> Result<Vec<Event>, String> {
        if message.proven_by.starts_with("read from") {
            return Err("read from the provider's API: `eencent queue retry` of kind reread asks it again".to_owned());
        }
        let endpoint = self
            .get(&message.endpoint)
            .ok_or("not of an endpoint in the settings: imported, or the endpoint is gone")?;
        let provider = endpoint.provider();
        if provider.name() != message.provider {
            return Err("the endpoint is another provider's now".to_owned());
        }
        let endpoint = endpoint.for_stored(with_basic_auth(&message.proven_by));
        let mut headers = HeaderMap::new();
        for (name, value) in &message.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
                headers.append(name, value);
            }
        }
        let url = format!("/webhooks/{}", message.endpoint);
        let request = Request {
            method: "POST",
            url: &url,
            headers: &headers,
            body: &message.body,
        };
        match provider.authenticate(&request, &endpoint, message.received_at) {
            Ok(authentic) => Ok(translate(&authentic, &endpoint)),
            Err(refused) => Err(format!(
                "can't be proven any more by today's settings: {}",
                refused.code()
            )),
        }
    }
}
