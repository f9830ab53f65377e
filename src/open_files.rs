//! How many files and connections the system lets this process open.

/// What the process opens besides connections: databases, queue, mail, logs.
const OTHERS: u64 = 200;

/// How many of the wanted public connections there are descriptors for, after the system's limit was raised
/// as far as it goes, and `inside` connections of each of the other listeners were set aside. Were the public
/// listener to take the last one, the others could accept nobody and the database not be opened.
pub fn enough_for(wanted: usize, inside: usize) -> usize {
    let allowed = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "how many files may be open can't be raised");
            return wanted;
        }
    };
    let fits = fits(allowed, wanted, inside);
    if fits < wanted {
        tracing::warn!(
            allowed,
            "the system lets this process open too few files for {wanted} connections: the public listener holds {fits}. Raise the limit (LimitNOFILE of systemd, ulimit -Hn), or lower listen.connections"
        );
    }
    fits
}

fn fits(allowed: u64, wanted: usize, inside: usize) -> usize {
    let inside = u64::try_from(inside).unwrap_or(u64::MAX).saturating_mul(2);
    let left = allowed.saturating_sub(OTHERS).saturating_sub(inside);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_listener_never_takes_the_last_descriptor() {
        assert_eq!(fits(1_024, 2_000, 200), 424);
        assert_eq!(fits(1_048_576, 2_000, 200), 2_000);
        assert_eq!(fits(100, 2_000, 200), 1, "it still answers");
    }
}
