//! Whose request it is, when proxies stand in front.
//!
//! A proxy adds the address that it was called from at the end of a header. What stands before it may have
//! been written by anybody. So the header is read from its end, and only as far as trusted proxies wrote it:
//! the first address that isn't one of theirs is the client. One header is read, the one that the settings
//! name: a proxy passes the other on as the client wrote it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use eencent_webhooks::receiver::Remote;
use ipnet::IpNet;

/// The proxies that are believed, and the header that they write.
#[derive(Debug, Clone)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: Header,
}

/// In which header proxies say for whom they speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// `X-Forwarded-For: client, proxy`
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
}

impl Header {
    /// By its name in the settings.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "x-forwarded-for" => Some(Self::XForwardedFor),
            "forwarded" => Some(Self::Forwarded),
            _ => None,
        }
    }

    fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => HeaderName::from_static("forwarded"),
        }
    }

    /// The address in one entry; none where it isn't one (`unknown`, or a name that hides it).
    fn address(self, entry: &str) -> Option<IpAddr> {
        let node = match self {
            Self::XForwardedFor => entry.trim(),
            Self::Forwarded => {
                let pairs = entry.split(';').filter_map(|pair| pair.trim().split_once('='));
                let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
                // Said twice it says nothing.
                let (Some((_, node)), None) = (named.next(), named.next()) else {
                    return None;
                };
                node.trim_matches('"')
            }
        };
        let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = bare.unwrap_or(node).parse();
        address
            .or_else(|_| node.parse().map(|with_port: SocketAddr| with_port.ip()))
            .ok()
    }
}

impl Default for Proxies {
    /// None: every peer is the client.
    fn default() -> Self {
        Self::new(Vec::new(), Header::XForwardedFor)
    }
}

impl Proxies {
    /// Those in these networks, which write that header.
    pub const fn new(networks: Vec<IpNet>, header: Header) -> Self {
        Self { networks, header }
    }

    /// Whether an address is a trusted proxy's.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whose request it is that came over a connection with `peer`.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Remote {
        if !self.trust(peer) {
            return Remote::Client(peer);
        }
        let values: Vec<&str> = headers
            .get_all(self.header.name())
            .iter()
            // What isn't text stays an entry, and is where reading ends.
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        let mut proxy = peer;
        // A comma within quotes would part an entry in two, neither of which is an address.
        for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            match self.header.address(entry) {
                Some(address) if self.trust(address) => proxy = address,
                Some(address) => return Remote::Client(address),
                None => break,
            }
        }
        Remote::Proxy(proxy)
    }
}

/// A network as it is written in the settings: an address, or an address and the length of its prefix.
pub fn network(written: &str) -> Option<IpNet> {
    let written = written.trim();
    let network = written
        .parse::<IpAddr>()
        .map(|address| IpNet::from(address.to_canonical()));
    network
        .or_else(|_| written.parse::<IpNet>().map(|network| network.trunc()))
        .ok()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(header: Header) -> Proxies {
        Proxies::new(
            ["10.0.0.0/8", "::1", "2001:db8:ffff::/48"]
                .map(|written| network(written).unwrap())
                .into(),
            header,
        )
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn client(text: &str) -> Remote {
        Remote::Client(text.parse().unwrap())
    }

    fn proxy(text: &str) -> Remote {
        Remote::Proxy(text.parse().unwrap())
    }

    #[test]
    fn fault_23_the_client_is_the_last_address_that_is_no_proxy() {
        for (peer, values, expected) in [
            ("10.0.0.1", vec!["192.0.2.7"], client("192.0.2.7")),
            ("10.0.0.1", vec!["1.1.1.1, 192.0.2.7, 10.0.0.2"], client("192.0.2.7")),
            ("10.0.0.1", vec!["1.1.1.1", "192.0.2.7"], client("192.0.2.7")),
            ("::ffff:10.0.0.1", vec!["192.0.2.7:4711"], client("192.0.2.7")),
            ("::1", vec!["[2001:db8::7]:4711"], client("2001:db8::7")),
            ("::1", vec!["[2001:db8::7]"], client("2001:db8::7")),
            ("10.0.0.1", vec![], proxy("10.0.0.1")),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], proxy("10.0.0.3")),
            ("10.0.0.1", vec!["192.0.2.7, unknown"], proxy("10.0.0.1")),
            ("10.0.0.1", vec!["192.0.2.7, , 10.0.0.2"], proxy("10.0.0.2")),
        ] {
            let told =
                proxies(Header::XForwardedFor).client(peer.parse().unwrap(), &headers("x-forwarded-for", &values));
            assert_eq!(told, expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn the_header_of_rfc_7239_is_read_as_well() {
        for (value, expected) in [
            ("for=192.0.2.7", client("192.0.2.7")),
            (
                "for=1.1.1.1, FOR=192.0.2.7;proto=https;by=10.0.0.2",
                client("192.0.2.7"),
            ),
            ("by=10.0.0.9; for=\"[2001:db8::7]:4711\"", client("2001:db8::7")),
            ("for=192.0.2.7, for=10.0.0.2", client("192.0.2.7")),
            ("for=192.0.2.7;for=192.0.2.8", proxy("10.0.0.1")),
            ("for=192.0.2.7, for=_hidden", proxy("10.0.0.1")),
            ("for=192.0.2.7, for=\"a,b\"", proxy("10.0.0.1")),
            ("proto=https", proxy("10.0.0.1")),
        ] {
            let told = proxies(Header::Forwarded).client("10.0.0.1".parse().unwrap(), &headers("forwarded", &[value]));
            assert_eq!(told, expected, "{value}");
        }
    }

    #[test]
    fn fault_23_the_header_that_the_settings_do_not_name_is_not_read() {
        let spoofed = headers("forwarded", &["for=192.0.2.7"]);
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(proxies(Header::XForwardedFor).client(peer, &spoofed), proxy("10.0.0.1"));
        let spoofed = headers("x-forwarded-for", &["192.0.2.7"]);
        assert_eq!(proxies(Header::Forwarded).client(peer, &spoofed), proxy("10.0.0.1"));
    }

    #[test]
    fn a_network_is_an_address_or_has_a_prefix() {
        assert!(
            network("10.1.2.3/8")
                .unwrap()
                .contains(&"10.9.9.9".parse::<IpAddr>().unwrap())
        );
        for wrong in ["", "10.0.0.0/33", "proxy.example", "10.0.0", "10.0.0.1:80", "*"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into()),
            any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into()),
        ]
    }

    proptest! {
        #[test]
        fn fault_23_whatever_a_stranger_writes_he_is_himself(peer in address(), written in "[ -~]{0,80}") {
            for (header, name) in [(Header::XForwardedFor, "x-forwarded-for"), (Header::Forwarded, "forwarded")] {
                let proxies = proxies(header);
                prop_assume!(!proxies.trust(peer));
                prop_assert_eq!(proxies.client(peer, &headers(name, &[&written])), Remote::Client(peer));
            }
        }

        #[test]
        fn fault_23_whatever_a_client_writes_the_proxy_has_the_last_word(
            written in "[ -~]{0,80}",
            from in address(),
            own_line: bool,
        ) {
            let proxies_of = |header| {
                let proxies = proxies(header);
                (!proxies.trust(from)).then_some(proxies)
            };
            let peer = "10.0.0.1".parse().unwrap();
            for (header, name, added) in [
                (Header::XForwardedFor, "x-forwarded-for", from.to_string()),
                (Header::Forwarded, "forwarded", match from {
                    IpAddr::V4(from) => format!("for={from}"),
                    IpAddr::V6(from) => format!("for=\"[{from}]\""),
                }),
            ] {
                let Some(proxies) = proxies_of(header) else { return Ok(()) };
                let joined = format!("{written}, {added}");
                let lines: Vec<&str> = if own_line { vec![&written, &added] } else { vec![&joined] };
                prop_assert_eq!(proxies.client(peer, &headers(name, &lines)), Remote::Client(from));
            }
        }
    }
}
