//! How much an address may send to an endpoint that proves nothing, before it is told to wait.
//!
//! A flood of forgeries costs a hash over each body, and a flood of unsigned pings a question each to the
//! provider's API. So every address has an account at every endpoint: what is refused is written to its
//! debt, the debt goes with time, and who owes too much is answered before anything is read.
//!
//! Providers post from few addresses, and now and then with a wrong secret. Therefore the account is per
//! endpoint; one proven message settles it; and whoever proved one within the hour is always heard.
//!
//! Not the crate `governor`: it can't be asked without being charged, and its table has no end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eencent_activations::clock::Timestamp;
use lru::LruCache;

use super::remote::Network;

/// What an address may send that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Refusals (401) at once; from 1. Default 20. A request is only read while there is room for one more.
    pub at_once: u32,
    /// How many are forgotten in a minute; from 1. Default 60.
    pub a_minute: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            at_once: 20,
            a_minute: 60,
        }
    }
}

/// So many unsigned pings weigh as much as one refusal: they are how some providers speak.
const PINGS: i64 = 10;

/// Most debtors of an endpoint that are remembered, and most that proved something; the longest unheard
/// of is forgotten first. Whoever has more addresses than this has an allowance for each anyway.
const REMEMBERED: usize = 4_096;

/// For how long an address that proved a message is heard whatever it owes, in microseconds.
const KNOWN_FOR: u64 = 3_600_000_000;

/// The accounts of one endpoint.
pub(super) struct Unproven {
    /// What a refusal adds to a debt, in microseconds until it is forgotten.
    refusal: i64,
    /// The largest debt.
    most: i64,
    accounts: Mutex<Accounts>,
}

struct Accounts {
    /// When each debt will be gone.
    debts: LruCache<Network, Timestamp>,
    /// When each last proved a message. Apart from the debts, so that no number of strangers can make a
    /// provider a stranger.
    known: LruCache<Network, Timestamp>,
}

impl Unproven {
    pub(super) fn new(allowance: Allowance) -> Self {
        let refusal = 60_000_000 / i64::from(allowance.a_minute.max(1));
        Self {
            refusal,
            most: refusal.saturating_mul(i64::from(allowance.at_once.max(1))),
            accounts: Mutex::new(Accounts {
                debts: LruCache::unbounded(),
                known: LruCache::unbounded(),
            }),
        }
    }

    /// Whether a request may be read.
    ///
    /// # Errors
    /// How long to wait until one may.
    pub(super) fn admit(&self, from: Network, now: Timestamp) -> Result<(), Duration> {
        let mut accounts = self.accounts();
        let Some(until) = accounts.debts.get(&from).copied() else {
            return Ok(());
        };
        let over = self.debt(until, now) + self.refusal - self.most;
        let known = accounts.known.peek(&from);
        if over <= 0 || known.is_some_and(|at| at.micros().abs_diff(now.micros()) < KNOWN_FOR) {
            return Ok(());
        }
        Err(Duration::from_micros(over.unsigned_abs()))
    }

    /// A message was refused.
    pub(super) fn refused(&self, from: Network, now: Timestamp) {
        self.charge(from, now, self.refusal);
    }

    /// A message was taken that proves nothing.
    pub(super) fn pinged(&self, from: Network, now: Timestamp) {
        self.charge(from, now, self.refusal / PINGS);
    }

    /// A message was proven: what is owed is forgiven.
    pub(super) fn proven(&self, from: Network, now: Timestamp) {
        let mut accounts = self.accounts();
        accounts.debts.pop(&from);
        accounts.known.put(from, now);
        shorten(&mut accounts.known);
    }

    fn charge(&self, from: Network, now: Timestamp, cost: i64) {
        let mut accounts = self.accounts();
        let owed = accounts.debts.get(&from).map_or(0, |until| self.debt(*until, now));
        let debt = (owed + cost).min(self.most);
        accounts.debts.put(from, Timestamp::from_micros(now.micros() + debt));
        shorten(&mut accounts.debts);
    }

    /// What is left of a debt. More than the most is of a time before the clock was set back, and forgotten.
    fn debt(&self, until: Timestamp, now: Timestamp) -> i64 {
        let left = until.micros().saturating_sub(now.micros());
        if left > self.most { 0 } else { left.max(0) }
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shorten(table: &mut LruCache<Network, Timestamp>) {
    if table.len() > REMEMBERED {
        table.pop_lru();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn network(number: u32) -> Network {
        Network::of(Ipv4Addr::from(number).into())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn fault_21_the_table_has_an_end_and_strangers_make_no_provider_a_stranger() {
        let unproven = Unproven::new(Allowance::default());
        unproven.proven(network(0), at(0));
        for number in 0..20_000 {
            unproven.refused(network(number), at(1));
        }
        let accounts = unproven.accounts();
        assert_eq!(accounts.debts.len(), REMEMBERED);
        assert!(accounts.known.contains(&network(0)));
    }

    #[test]
    fn fault_44_a_clock_that_is_set_back_locks_nobody_out() {
        let unproven = Unproven::new(Allowance::default());
        for _ in 0..20 {
            unproven.refused(network(1), at(7_200));
        }
        assert!(unproven.admit(network(1), at(7_200)).is_err());
        assert_eq!(unproven.admit(network(1), at(0)), Ok(()));
    }

    #[test]
    fn an_ipv6_client_has_one_account_whichever_address_it_takes() {
        let address = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_the_allowance_and_everybody_gets_it_back(
            at_once in 1_u32..50,
            a_minute in 1_u32..600,
            steps in prop::collection::vec(0_i64..5_000_000, 1..200),
        ) {
            let unproven = Unproven::new(Allowance { at_once, a_minute });
            let (mut now, mut refused) = (0_i64, 0_i64);
            for step in steps {
                now += step;
                let moment = Timestamp::from_micros(now);
                match unproven.admit(network(1), moment) {
                    Ok(()) => {
                        unproven.refused(network(1), moment);
                        refused += 1;
                    }
                    Err(wait) => {
                        let then = now + i64::try_from(wait.as_micros()).unwrap();
                        prop_assert_eq!(unproven.admit(network(1), Timestamp::from_micros(then)), Ok(()));
                    }
                }
                let most = i64::from(at_once) + now / (60_000_000 / i64::from(a_minute));
                prop_assert!(refused <= most, "{} of {}", refused, most);
            }
        }

        #[test]
        fn a_network_is_the_same_for_all_its_addresses(high: u64, one: u64, other: u64) {
            let address = |low: u64| IpAddr::from(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)));
            prop_assume!(high != 0);
            prop_assert_eq!(Network::of(address(one)), Network::of(address(other)));
        }
    }
}
