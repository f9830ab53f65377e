//! How many connections each address has, so that one can't have them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eencent_webhooks::receiver::Network;

/// Who is connected, and how often. Never more entries than there are connections.
#[derive(Debug, Clone, Default)]
pub struct Crowd(Arc<Mutex<HashMap<Network, usize>>>);

/// A place among the connections of an address; given back when dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Crowd,
    network: Network,
}

impl Crowd {
    /// A place for one more connection from an address, unless it has `most` already.
    pub fn enter(&self, from: IpAddr, most: usize) -> Option<Place> {
        let network = Network::of(from);
        let mut counts = self.counts();
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            crowd: self.clone(),
            network,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_20_an_address_has_so_many_places_and_no_entry_once_it_has_left() {
        let crowd = Crowd::default();
        let address = |text: &str| text.parse().unwrap();
        let first = crowd.enter(address("192.0.2.1"), 2).unwrap();
        let second = crowd.enter(address("192.0.2.1"), 2).unwrap();
        assert!(crowd.enter(address("192.0.2.1"), 2).is_none());
        let other = crowd.enter(address("192.0.2.2"), 2).unwrap();
        drop(first);
        let third = crowd.enter(address("192.0.2.1"), 2).unwrap();
        drop((second, other, third));
        assert!(crowd.counts().is_empty());
    }
}
