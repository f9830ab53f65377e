//! Words of the registered name that an account may lack: a connector the bank lost, prepositions in long names.

use super::{MOST_WORDS, Place, Places, Row};
use crate::distinct::is_generic;
use crate::foldings::Folding;
use crate::lexicon::{Context, Role};
use crate::name::{Gap, Kind, Word};

impl Row<'_, '_> {
    /// Words of the registered name that the account may lack before this word of its own.
    pub(super) fn skip(&self, places: &mut Places, word: &Word) {
        let mut turn = 0;
        let mut in_a_row = 0;
        while let Some((from, place)) = places.now.get(turn).and_then(|at| Some((*at, *places.all.get(*at)?))) {
            turn += 1;
            let Some(index) = self.index_at(place.at) else { continue };
            let skipped = self
                .lost_connector(index, word)
                .or_else(|| self.lost_preposition(index, word));
            if let (Some((folding, loose)), Some(lost), true) = (skipped, self.words.get(index), in_a_row < MOST_WORDS)
            {
                in_a_row += 1;
                let place = Place {
                    at: place.at + lost.len(),
                    folded: place.folded.with(folding),
                    loose: place.loose || loose,
                    from,
                    ..place
                };
                Places::reach(&mut places.now, &mut places.all, place);
            }
        }
    }

    /// Banks lose an & and leave the gap. Between single letters only a wide gap shows it: J. & M. de Vries is
    /// not J.M. de Vries.
    fn lost_connector(&self, index: usize, word: &Word) -> Option<(Folding, bool)> {
        let lost = self.words.get(index)?;
        let (left, right) = (self.words.get(index.checked_sub(1)?)?, self.words.get(index + 1)?);
        // Jan & Jansen is not Jan Jansen.
        let person = left.is(Role::FirstName) || left.is(Role::Surname);
        let words = left.len() > 1 && right.len() > 1 && !person;
        let gap_shows = word.gap == Gap::WideSpace || (words && word.gap == Gap::Space);
        if lost.kind == Kind::Ampersand && gap_shows && !word.is_connector() {
            return Some((Folding::ConnectorLost, false));
        }
        // "onderwijs/voorzieningen" for "onderwijs en voorzieningen", in names that are descriptions.
        let slash = lost.is_connector() && word.gap == Gap::Slash && self.rules.context.is_descriptive();
        slash.then_some((Folding::Connector, false))
    }

    /// "te" before a church's place, "voor" in a foundation's name, and where the name is being shortened anyway
    /// also the other prepositions before a descriptive word.
    fn lost_preposition(&self, index: usize, word: &Word) -> Option<(Folding, bool)> {
        let lost = self.words.get(index)?;
        let is_address = self.rules.context == Context::Vve;
        if !(self.rules.context.is_descriptive() || is_address) || (index > 0 && word.gap == Gap::Start) {
            return None;
        }
        let loose = match (self.rules.context, self.words.letters_of(lost)) {
            (Context::Body, b"voor") => false,
            (Context::Church | Context::Vve, b"te") if index > 0 => false,
            (Context::Vve, _) => return None,
            (Context::Body, b"tot") if index == 0 => true,
            (_, b"de" | b"der")
                if index == 1 && self.words.first().is_some_and(|first| self.words.spells(first, "voor")) =>
            {
                true
            }
            _ if index == 0 => return None,
            (_, b"v" | b"voor" | b"van" | b"te" | b"in" | b"de" | b"het" | b"der" | b"den" | b"tot") => true,
            _ => return None,
        };
        let next = self.words.get(index + 1)?;
        let describes = || {
            next.is(Role::Descriptive) || next.is(Role::Particle) || is_generic(self.words.letters_of(next), next.known)
        };
        (!loose || describes()).then_some((Folding::Preposition, loose))
    }
}
