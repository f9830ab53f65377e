//! The way out to a register, within limits.
//!
//! No redirects (an answer that sends us elsewhere is an answer, and the key stays here), no cookies, no compression,
//! a limit on time and on size, and a turn to wait for.

use std::time::Duration;

use eencent_activations::register::NoEntry;
use reqwest::header::{self, HeaderMap, HeaderValue};

use crate::pace::{NoTurn, Pace};
use crate::settings::Access;

/// Most time for one answer, from the first byte sent to the last received.
const TIME: Duration = Duration::from_secs(10);

/// Most time to get a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Most bytes of an answer. An organisation with a thousand branches is some 400,000.
const BYTES: usize = 2 * 1024 * 1024;

/// How long a register is left alone that doesn't say for how long.
const ALONE: Duration = Duration::from_secs(60);

/// The longest that it is believed.
const LONGEST_ALONE: Duration = Duration::from_secs(60 * 60);

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Asks one register.
pub(crate) struct Asking {
    client: Result<reqwest::Client, String>,
    url: String,
    pace: Pace,
}

impl Asking {
    /// A client that sends the key as the header `key_header`.
    pub(crate) fn new(access: &Access, key_header: &'static str) -> Self {
        Self {
            client: client(access, key_header),
            url: access.url.clone(),
            pace: Pace::a_second(access.a_second),
        }
    }

    /// Asks once for what is below the register's address at `path`.
    ///
    /// # Errors
    /// When no whole answer came back, when it isn't JSON, or when the register refuses the key or wants to be left
    /// alone. Other statuses are for the caller.
    pub(crate) async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, NoEntry> {
        let client = self.client.as_ref().map_err(|why| NoEntry::Down(why.clone()))?;
        self.pace.turn().await.map_err(|no_turn| match no_turn {
            NoTurn::TooMuch(retry_after) => NoEntry::Limited { retry_after },
            NoTurn::Silent(_) => NoEntry::Down("it didn't answer a moment ago".to_owned()),
        })?;
        let asked = client.get(format!("{}{path}", self.url)).query(query).send().await;
        let mut response = asked.map_err(|error| self.unanswered(error))?;
        let status = response.status().as_u16();
        match status {
            401 | 403 => return Err(NoEntry::KeyRefused(status.to_string())),
            429 => {
                let retry_after = retry_after(response.headers());
                self.pace.leave_alone(retry_after);
                return Err(NoEntry::Limited { retry_after });
            }
            200..=299 | 400 | 404 => {}
            300..=399 => {
                return Err(NoEntry::Down(format!(
                    "it sends us elsewhere ({status}); check its address in the settings"
                )));
            }
            _ => return Err(NoEntry::Down(format!("it answers {status}"))),
        }
        let is_json = is_json(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unanswered(error))? {
            if chunk.len() > BYTES - body.len() {
                return Err(NoEntry::Unreadable(format!("it is larger than {BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if status < 300 && !is_json {
            return Err(NoEntry::Unreadable("it is not declared to be JSON".to_owned()));
        }
        Ok(Answer { status, body })
    }

    fn unanswered(&self, error: reqwest::Error) -> NoEntry {
        if error.is_timeout() {
            self.pace.is_silent();
            return NoEntry::Down(format!("it didn't answer within {} seconds", TIME.as_secs()));
        }
        // The cause says what went wrong; the error itself would say the address, with what was asked.
        let error = error.without_url();
        let mut deepest: &dyn std::error::Error = &error;
        while let Some(cause) = deepest.source() {
            deepest = cause;
        }
        NoEntry::Down(deepest.to_string())
    }
}

fn client(access: &Access, key_header: &'static str) -> Result<reqwest::Client, String> {
    let mut key = HeaderValue::from_str(&access.key).map_err(|error| error.to_string())?;
    key.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(key_header, key);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIME)
        .connect_timeout(CONNECT)
        .default_headers(headers)
        .user_agent(concat!("eencent/", env!("CARGO_PKG_VERSION")));
    for certificate in reqwest::Certificate::from_pem_bundle(&access.trusted).map_err(|error| error.to_string())? {
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| error.to_string())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
}

/// Seconds, as registers write it; a date is not read.
fn retry_after(headers: &HeaderMap) -> Duration {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = said.and_then(|text| text.trim().parse::<u64>().ok());
    seconds.map_or(ALONE, |seconds| Duration::from_secs(seconds.max(1)).min(LONGEST_ALONE))
}
