//! The platform's endpoints, which events are posted to: `[events]` of the settings.
//!
//! The address is the operator's, but what its name resolves to is not ours to trust: without `private = true`
//! nothing is posted into private networks or to this machine, whatever DNS says at that moment. No redirects.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::deliveries::Listener;
use hmac::{Hmac, Mac as _};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;
use sha2::Sha256;

/// Most time for one attempt.
const TIME: Duration = Duration::from_secs(15);

/// Shortest key, in bytes: what the specification asks.
const SHORTEST: usize = 24;

/// The types of events, as `docs/events.md` describes them.
pub const TYPES: [&str; 9] = [
    "activation.invoiced",
    "activation.partly_paid",
    "activation.under_review",
    "activation.rejected",
    "activation.scheduled",
    "activation.approved",
    "activation.expired",
    "activation.cancelled",
    "organisation.activated",
];

/// `[events.NAME]`: one endpoint of the platform.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Where events are posted.
    #[serde(default)]
    pub url: String,
    /// `whsec_…`; each event is signed with all of them.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// The types that it wants; empty: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whether it may be in a private network, or without TLS.
    #[serde(default)]
    pub private: bool,
}

impl fmt::Debug for EndpointSettings {
    /// Without the secrets, and without the address, which may hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSettings")
            .field("types", &self.types)
            .field("private", &self.private)
            .finish_non_exhaustive()
    }
}

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The platform has it.
    Yes,
    /// Not this time.
    NotNow(String),
    /// It says that it never will.
    Never(String),
}

/// All endpoints, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoints(BTreeMap<String, Endpoint>);

/// One endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: String,
    keys: Vec<Vec<u8>>,
    types: Vec<String>,
    client: reqwest::Client,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}

impl Endpoints {
    /// Checks the settings.
    ///
    /// # Errors
    /// Every problem, as a sentence that begins with its key and repeats no secret.
    pub(crate) fn from_settings(settings: &BTreeMap<String, EndpointSettings>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut endpoints = BTreeMap::new();
        for (name, given) in settings {
            let mut wrong = |key: &str, what: String| problems.push(format!("events.{name}.{key}: {what}"));
            if let Err(what) = address(&given.url, given.private) {
                wrong("url", what);
            }
            let keys: Vec<Vec<u8>> = given.secrets.iter().filter_map(|secret| key(secret)).collect();
            if keys.is_empty() || keys.len() < given.secrets.len() {
                wrong(
                    "secrets",
                    format!(
                        "write \"whsec_\" and {SHORTEST} to 64 bytes in base64: echo whsec_$(openssl rand -base64 32)"
                    ),
                );
            }
            for kind in given.types.iter().filter(|kind| !TYPES.contains(&kind.as_str())) {
                wrong("types", format!("there is no {kind:?}; there are {}", TYPES.join(", ")));
            }
            match client(given.private) {
                Ok(client) => {
                    let endpoint = Endpoint {
                        url: given.url.clone(),
                        keys,
                        types: given.types.clone(),
                        client,
                    };
                    endpoints.insert(name.clone(), endpoint);
                }
                Err(error) => wrong("url", format!("nothing can be posted from here: {error}")),
            }
        }
        if problems.is_empty() {
            Ok(Self(endpoints))
        } else {
            Err(problems)
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Endpoint> {
        self.0.get(name)
    }

    /// Who is told of what.
    pub(crate) fn listeners(&self) -> Vec<Listener> {
        let listener = |(name, endpoint): (&String, &Endpoint)| Listener {
            endpoint: name.clone(),
            types: endpoint.types.clone(),
        };
        self.0.iter().map(listener).collect()
    }
}

impl Endpoint {
    /// Posts an event once.
    pub(crate) async fn post(&self, id: &str, now: Timestamp, payload: &str) -> Taken {
        let seconds = now.unix_seconds();
        let asked = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", self.signatures(id, seconds, payload))
            .body(payload.to_owned());
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => {
                return Taken::NotNow(format!("no answer within {} seconds", TIME.as_secs()));
            }
            Err(error) => return Taken::NotNow(deepest(&error.without_url())),
        };
        match answer.status().as_u16() {
            200..=299 => Taken::Yes,
            410 => Taken::Never("answered 410: it doesn't want events any more".to_owned()),
            status => Taken::NotNow(format!("answered {status}")),
        }
    }

    /// One signature for each secret, so that a receiver that knows one of them believes it.
    fn signatures(&self, id: &str, seconds: i64, payload: &str) -> String {
        let signed = self.keys.iter().filter_map(|key| {
            let mut code = Hmac::<Sha256>::new_from_slice(key).ok()?;
            code.update(format!("{id}.{seconds}.").as_bytes());
            code.update(payload.as_bytes());
            Some(format!("v1,{}", STANDARD.encode(code.finalize().into_bytes())))
        });
        signed.collect::<Vec<_>>().join(" ")
    }
}

fn key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (SHORTEST..=64).contains(&key.len()).then_some(key)
}

fn address(url: &str, private: bool) -> Result<(), String> {
    let wrong = "write an address that begins with https://, without a user in it";
    let parsed: reqwest::Url = url.parse().map_err(|_| wrong.to_owned())?;
    let encrypted = parsed.scheme() == "https" || private && parsed.scheme() == "http";
    let Some(host) = parsed.host_str().filter(|_| encrypted && parsed.username().is_empty()) else {
        return Err(wrong.to_owned());
    };
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if !private && literal.is_some_and(is_private) {
        return Err("is an address of a private network; set private = true if events may go there".to_owned());
    }
    Ok(())
}

fn client(private: bool) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIME)
        .connect_timeout(TIME / 3)
        .no_proxy()
        .user_agent(concat!("eencent/", env!("CARGO_PKG_VERSION")));
    if private {
        builder.build()
    } else {
        builder.dns_resolver(Arc::new(Public)).build()
    }
}

/// Resolves names to public addresses only. Asked at each connection, so that a name which changes its mind between a
/// check and its use gains nothing.
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                return Err("its name leads into a private network; set private = true if events may go there".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is not one of the public internet (IANA's special-purpose registries).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_private(IpAddr::V4(v4));
            }
            let [first, second, ..] = v6.segments();
            // Only 2000::/3 is public; of it not the documentation's, nor tunnels that lead to any IPv4 address.
            first & 0xe000 != 0x2000 || first == 0x2002 || (first == 0x2001 && (second < 0x200 || second == 0xdb8))
        }
    }
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    format!("can't be reached: {deepest}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    fn one(url: &str, secrets: &[&str], types: &[&str], private: bool) -> Result<Endpoints, Vec<String>> {
        let text = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let settings = EndpointSettings {
            url: url.to_owned(),
            secrets: text(secrets),
            types: text(types),
            private,
        };
        Endpoints::from_settings(&BTreeMap::from([("platform".to_owned(), settings)]))
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the Standard Webhooks libraries: secret, id, time and body with the signature that they give.
    #[test]
    fn an_event_is_signed_as_the_specification_says_with_each_secret() {
        let endpoints = one("https://platform.example.nl/events", &[SECRET, SECRET], &[], false).unwrap();
        let signed = endpoints.get("platform").unwrap().signatures(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        let once = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, format!("{once} {once}"));
    }

    #[test]
    fn fault_71_what_is_wrong_with_an_endpoint_is_told_by_key_and_no_secret_is() {
        let wrong = one("http://10.0.0.8/x", &["geheim"], &["activation.paid"], false).unwrap_err();
        let keys: Vec<&str> = wrong.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            keys,
            [
                "events.platform.url",
                "events.platform.secrets",
                "events.platform.types"
            ]
        );
        assert!(!wrong.concat().contains("geheim"));
        assert!(one("https://10.0.0.8/x", &[SECRET], &[], false).is_err());
        assert!(one("http://10.0.0.8/x", &[SECRET], &[], true).is_ok());
        assert!(one("https://u:p@platform.example.nl/", &[SECRET], &[], false).is_err());
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2002:a00:1::1",
        ];
        for address in private {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "93.184.216.34",
            "1.1.1.1",
            "2606:4700:4700::1111",
            "2a00:1450:4009::200e",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_types_are_those_of_the_table_of_moves() {
        let told: std::collections::BTreeSet<&str> = eencent_activations::state::MOVES
            .iter()
            .filter_map(|row| row.told)
            .collect();
        assert_eq!(told, TYPES.into_iter().collect());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_posted_to() {
        let endpoints = one("https://localhost:1/", &[SECRET], &[], false).unwrap();
        let endpoint = endpoints.get("platform").unwrap();
        let taken = endpoint.post("out_1", Timestamp::from_micros(0), "{}").await;
        assert!(
            matches!(&taken, Taken::NotNow(why) if why.contains("private network")),
            "{taken:?}"
        );
    }
}
