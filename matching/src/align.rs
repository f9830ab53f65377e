//! Two names side by side: does the account spell the registered name, but for explained differences?
//!
//! The registered name is a row of letters; the account's words are laid on it from left to right. After each
//! word we keep every position that can be reached and the foldings it took, so the work is bounded by
//! (words of the account) × (letters of the registered name). There is no skipping of letters and no cost:
//! either all of both names is used up, or the names differ.

use crate::evidence::Folding;
use crate::shorten::{Context, expansions};
use crate::token::{Gap, Kind, Token};
use std::collections::{BTreeMap, BTreeSet};

/// One letter of the registered name.
struct Cell {
    letter: char,
    /// Index of its token.
    token: usize,
    /// First letter of its token.
    first: bool,
}

/// What may be explained, beyond letters and spaces.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Which abbreviations apply.
    pub context: Context,
    /// The account may end before the registered name does: it has a bank's field length.
    pub cut: bool,
}

/// The foldings used by a successful alignment; `None` when the names differ.
pub(crate) type Alignment = Option<BTreeSet<Folding>>;

/// Lays the account's words on the registered ones. `hidden_form` is how the legal form behind the registered
/// name may be written; only a cut account may run into it or stop before it.
pub(crate) fn align(account: &[Token], registered: &[Token], hidden_form: &[String], rules: Rules) -> Alignment {
    if account.is_empty() || registered.is_empty() {
        return None;
    }
    let mut best: Alignment = None;
    for two_letter in [false, true] {
        for connectors in [true, false] {
            let forms: &[String] = if rules.cut { hidden_form } else { &[] };
            // No form at all, and each way of writing it.
            for form in std::iter::once("").chain(forms.iter().map(String::as_str)) {
                let row = Row::new(registered, form, two_letter, connectors);
                if let Some(mut used) = row.walk(account, rules) {
                    if two_letter && !registered.iter().all(|token| token.plain == token.two_letter) {
                        used.insert(Folding::Diacritics);
                    }
                    if best.as_ref().is_none_or(|best| used.len() < best.len()) {
                        best = Some(used);
                    }
                }
            }
        }
    }
    best
}

struct Row<'t> {
    cells: Vec<Cell>,
    tokens: &'t [Token],
    /// Cells from here on are the legal form.
    core: usize,
}

/// Reached positions, each with the foldings that led there.
type Reached = BTreeMap<usize, BTreeSet<Folding>>;

fn reach(reached: &mut Reached, at: usize, used: BTreeSet<Folding>) {
    match reached.get(&at) {
        Some(known) if known.len() <= used.len() => {}
        _ => {
            reached.insert(at, used);
        }
    }
}

impl<'t> Row<'t> {
    fn new(tokens: &'t [Token], form: &str, two_letter: bool, connectors: bool) -> Self {
        let mut cells = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            let text = match token.kind {
                Kind::ConnectorWord if connectors => "&",
                _ if two_letter => &token.two_letter,
                _ => &token.plain,
            };
            cells.extend(text.chars().enumerate().map(|(i, letter)| Cell {
                letter,
                token: index,
                first: i == 0,
            }));
        }
        let core = cells.len();
        cells.extend(form.chars().enumerate().map(|(i, letter)| Cell {
            letter,
            token: tokens.len(),
            first: i == 0,
        }));
        Self { cells, tokens, core }
    }

    fn walk(&self, account: &[Token], rules: Rules) -> Alignment {
        let mut reached: Reached = BTreeMap::from([(0, BTreeSet::new())]);
        for (index, token) in account.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|at| account.get(at));
            let last = index + 1 == account.len();
            self.skip_lost_connector(&mut reached, token);
            self.skip_preposition(&mut reached, token, rules);
            let mut next: Reached = BTreeMap::new();
            for (text, folding) in alternatives(token, rules.context) {
                for (&at, used) in &reached {
                    if !self.boundary_allows(at, before, &text, token, last) {
                        continue;
                    }
                    if let Some(end) = self.lay(&text, at) {
                        let mut used = used.clone();
                        used.extend(folding);
                        if self.connector_swapped(at, token) {
                            used.insert(Folding::Connector);
                        }
                        reach(&mut next, end, used);
                    }
                }
            }
            reached = next;
            if reached.is_empty() {
                return None;
            }
        }
        reached
            .into_iter()
            .filter(|(end, _)| {
                if rules.cut {
                    self.may_be_cut_at(*end)
                } else {
                    *end == self.cells.len()
                }
            })
            .map(|(_, used)| used)
            .min_by_key(BTreeSet::len)
    }

    /// The end of the text laid at a position, letter by letter.
    fn lay(&self, text: &str, at: usize) -> Option<usize> {
        let mut end = at;
        for letter in text.chars() {
            let cell = self.cells.get(end)?;
            if cell.letter != letter {
                return None;
            }
            if end > at && cell.first && (self.between_digits(end) || self.starts_series_number(end)) {
                return None;
            }
            end += 1;
        }
        Some(end)
    }

    fn between_digits(&self, at: usize) -> bool {
        let digit = |cell: Option<&Cell>| cell.is_some_and(|cell| cell.letter.is_ascii_digit());
        digit(at.checked_sub(1).and_then(|before| self.cells.get(before))) && digit(self.cells.get(at))
    }

    /// The last word is I, II, … : it must stand apart on both sides, or "Delta XI" would be "Deltax I".
    fn starts_series_number(&self, at: usize) -> bool {
        self.cells.get(at).is_some_and(|cell| {
            at > 0
                && cell.first
                && cell.token + 1 == self.tokens.len()
                && self.tokens.get(cell.token).is_some_and(Token::is_roman)
        })
    }

    /// A word boundary of the account that keeps numbers apart must be one in the registered name too.
    fn boundary_allows(&self, at: usize, before: Option<&Token>, text: &str, token: &Token, last: bool) -> bool {
        let Some(before) = before else { return true };
        let starts_word = self.cells.get(at).is_none_or(|cell| cell.first);
        let digits =
            before.plain.ends_with(|c: char| c.is_ascii_digit()) && text.starts_with(|c: char| c.is_ascii_digit());
        let series = last && token.is_roman() && at < self.core;
        starts_word || !(digits || series)
    }

    fn connector_swapped(&self, at: usize, token: &Token) -> bool {
        token.is_connector()
            && self
                .cells
                .get(at)
                .and_then(|cell| self.tokens.get(cell.token))
                .is_some_and(|registered| registered.is_connector() && registered.shown != token.shown)
    }

    /// Banks lose an & and leave the gap. Between single letters only a wide gap shows it: J. & M. de Vries is
    /// not J.M. de Vries.
    fn skip_lost_connector(&self, reached: &mut Reached, token: &Token) {
        let mut skipped = Vec::new();
        for (&at, used) in reached.iter() {
            let Some(cell) = self.cells.get(at) else {
                continue;
            };
            let index = cell.token;
            let neighbours = (
                index.checked_sub(1).and_then(|i| self.tokens.get(i)),
                self.tokens.get(index + 1),
            );
            let (true, (Some(left), Some(right))) = (
                cell.first && self.tokens.get(index).is_some_and(|t| t.kind == Kind::Ampersand),
                neighbours,
            ) else {
                continue;
            };
            let words = left.plain.len() > 1 && right.plain.len() > 1;
            let gap_shows = token.gap == Gap::WideSpace || (words && token.gap == Gap::Space);
            if gap_shows && !token.is_connector() {
                let mut used = used.clone();
                used.insert(Folding::ConnectorLost);
                skipped.push((at + 1, used));
            }
        }
        for (at, used) in skipped {
            reach(reached, at, used);
        }
    }

    /// "te" before a church's place; "voor" and "in de" where the name is being shortened anyway.
    fn skip_preposition(&self, reached: &mut Reached, token: &Token, rules: Rules) {
        if token.gap == Gap::Start {
            return;
        }
        // Two in a row at most: "in de".
        for _ in 0..2 {
            let mut skipped = Vec::new();
            for (&at, used) in reached.iter() {
                let Some(cell) = self.cells.get(at).filter(|cell| cell.first && at < self.core) else {
                    continue;
                };
                let Some(word) = self.tokens.get(cell.token) else {
                    continue;
                };
                let may_go = match rules.context {
                    Context::Church => word.plain == "te",
                    Context::Body => word.plain == "voor",
                    _ => false,
                };
                if may_go && at > 0 {
                    let mut used = used.clone();
                    used.insert(Folding::Preposition);
                    skipped.push((at + word.plain.len(), used));
                }
            }
            for (at, used) in skipped {
                reach(reached, at, used);
            }
        }
    }

    /// A cut may hide the legal form and the end of the last word, of which four letters must show. It never
    /// hides a digit, a series number or a word.
    fn may_be_cut_at(&self, end: usize) -> bool {
        if end >= self.core {
            return true;
        }
        let Some(last) = self.tokens.len().checked_sub(1) else {
            return false;
        };
        let start = self
            .cells
            .iter()
            .position(|cell| cell.token == last)
            .unwrap_or(self.core);
        let hidden_letters = self
            .cells
            .get(end..self.core)
            .is_some_and(|hidden| hidden.iter().all(|cell| cell.letter.is_ascii_lowercase()));
        end >= start.saturating_add(4) && hidden_letters
    }
}

/// What a word of the account may spell.
fn alternatives(token: &Token, context: Context) -> Vec<(String, Option<Folding>)> {
    let mut spelled = vec![(token.plain.clone(), None)];
    if token.two_letter != token.plain {
        spelled.push((token.two_letter.clone(), Some(Folding::Diacritics)));
    }
    if token.kind == Kind::ConnectorWord {
        spelled.push(("&".to_owned(), None));
    }
    spelled.extend(
        expansions(token, context)
            .into_iter()
            .map(|full| (full, Some(Folding::Abbreviation))),
    );
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    const PLAIN: Rules = Rules {
        context: Context::Company,
        cut: false,
    };

    fn same(account: &str, registered: &str, rules: Rules) -> bool {
        align(&tokens(account), &tokens(registered), &[], rules).is_some()
    }

    #[test]
    fn the_same_letters_align_however_they_are_spaced() {
        assert!(same("Zee Wolf", "Zeewolf", PLAIN));
        assert!(same("zeewolf", "Zee-Wolf", PLAIN));
        assert!(!same("Zeewolff", "Zeewolf", PLAIN));
        assert!(!same("Zeewol", "Zeewolf", PLAIN));
    }

    #[test]
    fn umlauts_align_with_either_spelling_and_with_themselves() {
        for account in ["Zeehörn", "Zeehorn", "Zeehoern"] {
            assert!(same(account, "Zeehörn", PLAIN), "{account}");
        }
        assert!(same("Zeehörn", "Zeehoern", PLAIN));
        assert!(!same("Zeehorn", "Zeehoern", PLAIN));
    }

    #[test]
    fn connectors_stand_for_each_other_and_only_a_visible_gap_stands_for_a_lost_one() {
        for account in [
            "Zee en Wolf",
            "ZEE + WOLF",
            "Zee&Wolf",
            "zee and wolf",
            "Zee  Wolf",
            "Zee Wolf",
        ] {
            assert!(same(account, "Zee & Wolf", PLAIN), "{account}");
        }
        assert!(!same("ZeeWolf", "Zee & Wolf", PLAIN));
        assert!(!same("J M Zeewolf", "J & M Zeewolf", PLAIN));
        assert!(same("J  M Zeewolf", "J & M Zeewolf", PLAIN));
        assert!(!same("Zee Wolf", "Zee en Wolf", PLAIN));
    }

    #[test]
    fn numbers_keep_their_boundaries() {
        assert!(same("Zeeweg 10 - 12", "Zeeweg 10-12", PLAIN));
        assert!(!same("Zeeweg 1012", "Zeeweg 10-12", PLAIN));
        assert!(!same("Zeeweg 1 012", "Zeeweg 10-12", PLAIN));
        assert!(same("Zeeweg 10A", "Zeeweg 10 a", PLAIN));
    }

    #[test]
    fn a_series_number_stands_apart_on_both_sides() {
        assert!(same("Delta XI", "Delta XI", PLAIN));
        assert!(!same("Deltax I", "Delta XI", PLAIN));
        assert!(!same("DELTAXI", "Delta XI", PLAIN));
    }

    #[test]
    fn a_cut_hides_only_the_end_of_the_last_word() {
        let cut = Rules {
            context: Context::Company,
            cut: true,
        };
        assert!(same("Zeewolf Visse", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf Vis", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf", "Zeewolf Visserij", cut));
        assert!(!same("Zeewolf Visserij", "Zeewolf Visserij 2", cut));
        let forms = ["bv".to_owned()];
        for account in ["Zeewolf", "Zeewolf B", "Zeewolf B V"] {
            assert!(
                align(&tokens(account), &tokens("Zeewolf"), &forms, cut).is_some(),
                "{account}"
            );
        }
    }

    #[test]
    fn only_the_account_may_be_shortened() {
        assert!(same("Gebr. Zeewolf", "Gebroeders Zeewolf", PLAIN));
        assert!(!same("Gebroeders Zeewolf", "Gebr. Zeewolf", PLAIN));
    }
}
