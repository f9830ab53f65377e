//! The way out to a provider's API, within limits.
//!
//! No redirects (an answer that sends us elsewhere is an answer), no cookies, no compression (a small
//! answer can't become a giant one), a limit on time and on size. The address was made by the provider
//! from settings and checked ids.

use std::time::Duration;

use eencent_activations::reread::{Answer, ApiRequest, Method};

/// Most time for one answer, from the first byte sent to the last received.
const TIME: Duration = Duration::from_secs(10);

/// Most time to get a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Most bytes of an answer. A page of a hundred transactions is under 200,000.
const BYTES: usize = 2 * 1024 * 1024;

/// Nothing that could be read came back.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// No connection, or it broke off. Holds no address: those carry ids.
    #[error("the provider's API can't be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the provider's API didn't answer within {} seconds", TIME.as_secs())]
    TooSlow,
    /// It went on and on.
    #[error("the answer of the provider's API is larger than {BYTES} bytes")]
    TooLarge,
}

/// Asks. Clones share connections.
#[derive(Debug, Clone)]
pub struct ApiClient {
    client: Result<reqwest::Client, String>,
}

impl Default for ApiClient {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiClient {
    /// A client with the system's trusted roots.
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIME)
            .connect_timeout(CONNECT)
            .user_agent(concat!("eencent/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            client: client.map_err(|error| error.to_string()),
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`Unanswered`] when no whole answer came back; whatever its status, an answer is `Ok`.
    pub async fn ask(&self, request: &ApiRequest) -> Result<Answer, Unanswered> {
        let client = self
            .client
            .as_ref()
            .map_err(|why| Unanswered::Unreachable(why.clone()))?;
        let mut asking = match request.method {
            Method::Get => client.get(&request.url),
            Method::Post => client.post(&request.url).body(request.body.clone()),
        };
        for (name, value) in &request.headers {
            asking = asking.header(*name, value);
        }
        let mut response = asking.send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if chunk.len() > BYTES - body.len() {
                return Err(Unanswered::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn unanswered(error: reqwest::Error) -> Unanswered {
    if error.is_timeout() {
        return Unanswered::TooSlow;
    }
    // The cause says what went wrong; the error itself would say the address.
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    Unanswered::Unreachable(deepest.to_string())
}
