//! What was said a short while ago: so many answers, each for so long.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use eencent_activations::clock::Timestamp;
use lru::LruCache;

/// Most answers. An entry is a kilobyte or so; with hundreds of trade names some tens.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);

/// Answers by question.
pub(crate) struct Cache<K: Hash + Eq, V> {
    age: Duration,
    kept: Mutex<LruCache<K, (Timestamp, V)>>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// A cache of answers younger than `age`.
    pub(crate) fn new(age: Duration) -> Self {
        let kept = Mutex::new(LruCache::new(MOST));
        Self { age, kept }
    }

    /// What was answered, if that is not too long ago. An answer of the future is of a clock that was set back, and
    /// nobody knows how old it is.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.get(key)?;
        (*at <= now && now.since(*at) < self.age).then(|| value.clone())
    }

    /// Keeps an answer from `at`.
    pub(crate) fn keep(&self, key: K, value: V, at: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(key, (at, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_until_it_is_old_and_the_oldest_make_room() {
        let cache = Cache::new(Duration::from_secs(60));
        let at = Timestamp::from_unix_seconds;
        cache.keep("a", 1, at(1_000));
        assert_eq!(cache.get(&"a", at(1_059)), Some(1));
        assert_eq!(cache.get(&"a", at(1_060)), None);
        assert_eq!(cache.get(&"a", at(999)), None, "the clock was set back");
        let many = Cache::new(Duration::from_secs(60));
        for key in 0..2_000 {
            many.keep(key, key, at(0));
        }
        assert_eq!((many.get(&999, at(1)), many.get(&1_999, at(1))), (None, Some(1_999)));
    }
}
