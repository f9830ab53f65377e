//! Which words of two different names are the same, and which are left over on either side.

use crate::accept::Pairs;
use crate::name::{Word, Words};
use smallvec::SmallVec;

/// A few words of one name.
pub(crate) type Some8<'n> = SmallVec<[&'n Word; 8]>;

/// Two names beside each other.
pub(crate) struct Pairing<'a, 'r> {
    pub pairs: Pairs<'a, 'r>,
    /// Words of the account that the registered name does not have.
    pub extra: Some8<'a>,
    /// Words of the registered name that the account does not have.
    pub missing: Some8<'r>,
}

/// Pairs each word of the account with the first free registered word of the same letters, then runs of words
/// that are one word on the other side. Every word counts as often as it occurs.
pub(crate) fn pair<'a, 'r>(mine: Words<'a>, theirs: Words<'r>) -> Pairing<'a, 'r> {
    let mut free_mine: SmallVec<[bool; 16]> = SmallVec::from_elem(true, mine.len());
    let mut free_theirs: SmallVec<[bool; 16]> = SmallVec::from_elem(true, theirs.len());
    let mut found: SmallVec<[(usize, Words<'a>, Words<'r>); 10]> = SmallVec::new();
    for (at, word) in mine.iter().enumerate() {
        let same = |(index, other): (usize, &Word)| {
            let free = free_theirs.get(index) == Some(&true);
            let equal = theirs.letters_of(other) == mine.letters_of(word);
            free && (equal || (other.is_connector() && word.is_connector()))
        };
        if let Some(index) =
            (0..theirs.len()).find(|index| theirs.get(*index).is_some_and(|other| same((*index, other))))
        {
            take(&mut free_mine, at..at + 1);
            take(&mut free_theirs, index..index + 1);
            found.push((at, mine.part(at..at + 1), theirs.part(index..index + 1)));
        }
    }
    for at in 0..mine.len() {
        let word = mine.part(at..at + 1);
        if free_mine.get(at) == Some(&true)
            && let Some(run) = run_of(theirs, &free_theirs, word.letters())
        {
            take(&mut free_mine, at..at + 1);
            take(&mut free_theirs, run.clone());
            found.push((at, word, theirs.part(run)));
        }
    }
    for index in 0..theirs.len() {
        let word = theirs.part(index..index + 1);
        if free_theirs.get(index) == Some(&true)
            && let Some(run) = run_of(mine, &free_mine, word.letters())
        {
            take(&mut free_theirs, index..index + 1);
            take(&mut free_mine, run.clone());
            found.push((run.start, mine.part(run), word));
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    let left = |words: Words<'_>, free: &[bool]| -> SmallVec<[usize; 8]> {
        (0..words.len()).filter(|at| free.get(*at) == Some(&true)).collect()
    };
    Pairing {
        pairs: found.into_iter().map(|(_, mine, theirs)| (mine, theirs)).collect(),
        extra: left(mine, &free_mine)
            .into_iter()
            .filter_map(|at| mine.get(at))
            .collect(),
        missing: left(theirs, &free_theirs)
            .into_iter()
            .filter_map(|at| theirs.get(at))
            .collect(),
    }
}

fn take(free: &mut [bool], range: std::ops::Range<usize>) {
    for slot in free.get_mut(range).unwrap_or_default() {
        *slot = false;
    }
}

/// Two or more free neighbours that spell these letters together.
fn run_of(words: Words<'_>, free: &[bool], letters: &[u8]) -> Option<std::ops::Range<usize>> {
    (0..words.len()).find_map(|from| {
        let mut to = from;
        while free.get(to) == Some(&true) {
            to += 1;
            let joined = words.part(from..to).letters();
            if joined.len() >= letters.len() {
                return (joined == letters && to - from > 1).then_some(from..to);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn words_pair_wherever_they_stand_and_however_they_are_joined() {
        let (mine, theirs) = (Name::read("Zee Wolf Kwal Noord"), Name::read("Kwal Zeewolf Zuid Kwal"));
        let pairing = pair(mine.words(), theirs.words());
        let pairs: Vec<(&str, &str)> = pairing
            .pairs
            .iter()
            .map(|(mine, theirs)| (mine.as_written(), theirs.as_written()))
            .collect();
        assert_eq!(pairs, [("Zee Wolf", "Zeewolf"), ("Kwal", "Kwal")]);
        let left = |words: Words<'_>, left: &Some8<'_>| {
            left.iter().map(|word| words.shown(word).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(left(mine.words(), &pairing.extra), ["Noord"]);
        assert_eq!(left(theirs.words(), &pairing.missing), ["Zuid", "Kwal"]);
    }
}
