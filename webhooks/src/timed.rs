//! Signatures of the form `t=<unix seconds>,v1=<hex>`: HMAC-SHA-256 over the time, a point and the raw
//! body (Stripe, and those who followed it).

use crate::endpoint::Endpoint;
use crate::providers::{Request, shared_keys};
use crate::refused::{Code, Refused};
use crate::signature;

/// A header with a timed signature, and who writes it.
pub(crate) struct Timed {
    /// The header, in lower case.
    pub(crate) header: &'static str,
    /// As people write it.
    pub(crate) shown: &'static str,
    /// Who sends it.
    pub(crate) sender: &'static str,
}

impl Timed {
    /// The number of the secret that signed the request. Any `v1` may match; other versions are not
    /// looked at. The time may be as far ahead as behind, is of digits alone, and is said once.
    pub(crate) fn check(
        &self,
        request: &Request<'_>,
        endpoint: &Endpoint,
        now: eencent_activations::clock::Timestamp,
    ) -> Result<usize, Refused> {
        let (shown, sender) = (self.shown, self.sender);
        let Some(joined) = signature::header(request.headers, self.header, ',')? else {
            return Err(Refused::new(
                Code::MissingSignature,
                format!("The header {shown} is missing. This isn't {sender}, or a proxy removed the header."),
            ));
        };
        let mut signed_at = None;
        let mut given = Vec::new();
        let mut versions = 0;
        for item in signature::items(&joined, ',', shown)? {
            match item.split_once('=') {
                Some(("t", seconds)) => {
                    let read = signature::unix_seconds(seconds)
                        .ok_or_else(|| self.malformed("its t isn't whole seconds in digits"))?;
                    if signed_at.replace((seconds, read)).is_some() {
                        return Err(self.malformed("it says t twice"));
                    }
                }
                Some(("v1", code)) => {
                    versions += 1;
                    given.extend(signature::lower_hex(code));
                }
                // v0 in test mode, and whatever comes next.
                Some(_) => {}
                None => return Err(self.malformed("it isn't a list of name=value")),
            }
        }
        let (seconds, signed_at) = signed_at.ok_or_else(|| self.malformed("it has no t"))?;
        if versions == 0 {
            return Err(self.malformed("it has no v1"));
        }
        let parts = [seconds.as_bytes(), b".", request.body];
        let number = signature::made_by(shared_keys(endpoint), &parts, &given)
            .ok_or_else(|| signature::mismatch(endpoint.secrets(), shown))?;
        signature::check_time(signed_at, now, endpoint.tolerance())?;
        Ok(number)
    }

    fn malformed(&self, what: &str) -> Refused {
        let (shown, sender) = (self.shown, self.sender);
        Refused::new(
            Code::MalformedSignature,
            format!(
                "{shown} isn't written as {sender} writes it: {what}. This isn't {sender}, or a proxy rewrote the header."
            ),
        )
    }
}
