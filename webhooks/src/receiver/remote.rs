//! Where a request came from.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;

/// Where a request came from. A layer in front sets it as a request extension; without one the peer of
/// the connection is the client. Displays as the address, for the record of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remote {
    /// The client's own address.
    Client(IpAddr),
    /// A trusted proxy that doesn't say for whom it speaks. Whatever is limited by address isn't limited
    /// here: one client's flood would be everybody's.
    Proxy(IpAddr),
    /// Nobody knows: there was no connection.
    Unknown,
}

impl Remote {
    /// As the layers in front, or else the connection, say.
    pub(super) fn of(extensions: &http::Extensions) -> Self {
        let told = extensions.get().copied();
        let peer = || extensions.get::<ConnectInfo<SocketAddr>>();
        told.or_else(|| peer().map(|ConnectInfo(peer)| Self::Client(peer.ip())))
            .unwrap_or(Self::Unknown)
    }

    /// What its share is counted under; none where no share is kept.
    pub fn network(self) -> Option<Network> {
        match self {
            Self::Client(address) => Some(Network::of(address)),
            Self::Proxy(_) | Self::Unknown => None,
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(address) | Self::Proxy(address) => address.to_canonical().fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// What one client can be assumed to have: an IPv4 address, or the 64 bits that name a network in IPv6,
/// within which it may pick a new address for every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address. IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        })
    }
}
