//! Legal forms: their notations, and where they stand in a name. The table is `data/legal_forms.tsv`.

use crate::fold::plain_letters;
use crate::token::{Gap, Token};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What sort of subject a form makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FormKind {
    /// A Dutch legal person.
    Person,
    /// The liability letters behind a cooperative.
    Liability,
    /// V.O.F. and maatschap: their names may go without the form.
    Partnership,
    Limited,
    Sole,
    Church,
    Public,
    Foreign,
}

/// How sure a notation is to be a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Certainty {
    Sure,
    /// Also a word: in a registered name only when the register states the form.
    AlsoWord,
    /// Never read as a form in a registered name.
    AccountOnly,
}

struct Notation {
    words: Vec<&'static str>,
    letters: String,
    certainty: Certainty,
}

/// One row of the table.
pub(crate) struct Form {
    pub code: &'static str,
    pub kind: FormKind,
    in_front: bool,
    behind: bool,
    notations: Vec<Notation>,
    wordings: Vec<String>,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    include_str!("../data/legal_forms.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(row)
        .collect()
});

fn row(line: &'static str) -> Option<Form> {
    let mut columns = line.split('\t');
    let (code, kind, position) = (columns.next()?, columns.next()?, columns.next()?);
    let (notations, wordings) = (columns.next()?, columns.next()?);
    let kind = match kind {
        "person" => FormKind::Person,
        "liability" => FormKind::Liability,
        "partnership" => FormKind::Partnership,
        "limited" => FormKind::Limited,
        "sole" => FormKind::Sole,
        "church" => FormKind::Church,
        "public" => FormKind::Public,
        "foreign" => FormKind::Foreign,
        _ => return None,
    };
    let notation = |text: &'static str| {
        let (text, certainty) = match (text.strip_prefix('?'), text.strip_prefix('!')) {
            (Some(rest), _) => (rest, Certainty::AlsoWord),
            (_, Some(rest)) => (rest, Certainty::AccountOnly),
            _ => (text, Certainty::Sure),
        };
        let words: Vec<&str> = text.split(' ').collect();
        Notation {
            letters: words.concat(),
            words,
            certainty,
        }
    };
    Some(Form {
        code,
        kind,
        in_front: matches!(position, "prefix" | "both"),
        behind: matches!(position, "suffix" | "both"),
        notations: notations
            .split('|')
            .filter(|text| !text.is_empty())
            .map(notation)
            .collect(),
        wordings: wordings
            .split('|')
            .filter(|text| !text.is_empty())
            .map(plain_letters)
            .collect(),
    })
}

fn form(code: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.code == code)
}

/// The sort of a form by its code.
pub(crate) fn kind(code: &str) -> Option<FormKind> {
    form(code).map(|form| form.kind)
}

/// The form that a register's form field states, if the table knows the wording.
pub(crate) fn stated(wording: &str) -> Option<&'static Form> {
    let letters = plain_letters(wording);
    FORMS.iter().find(|form| form.wordings.contains(&letters))
}

/// The ways a form is written in one word behind a name; for names whose end is cut off. Longer wordings would
/// let "Be…" stand for "Besloten Vennootschap" where it may be "Beheer".
pub(crate) fn notations_behind(code: &str) -> Vec<&'static str> {
    let Some(form) = form(code).filter(|form| form.behind) else {
        return Vec::new();
    };
    let short = form.notations.iter().filter(|notation| notation.words.len() == 1);
    short.map(|notation| notation.letters.as_str()).collect()
}

/// Whose name is read, and therefore which notations count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Only notations that are nothing but a form.
    Sure,
    /// The account: also those that may be a word.
    Account,
    /// The registered name, when the register states this form.
    Registered(Option<&'static str>),
    /// A name that may be cut at its end: only what stands in front, as for an account.
    CutAccount,
}

impl Reading {
    fn allows(self, form: &Form, certainty: Certainty) -> bool {
        match (certainty, self) {
            (Certainty::Sure, _) | (_, Reading::Account | Reading::CutAccount) => true,
            (Certainty::AlsoWord, Reading::Registered(stated)) => stated == Some(form.code),
            _ => false,
        }
    }
}

/// A name as its forms and the rest.
pub(crate) struct Split<'t> {
    /// The codes, with a cooperative's liability letters implied into it.
    pub forms: BTreeSet<&'static str>,
    pub liability: Option<&'static str>,
    pub core: &'t [Token],
    /// The forms as written, for people.
    pub written: Vec<String>,
    /// A form stood behind the core.
    pub behind: bool,
}

impl Split<'_> {
    /// Whether both name the same legal form; liability letters count only where both show them.
    pub(crate) fn same_forms(&self, other: &Split<'_>) -> bool {
        let liability = match (self.liability, other.liability) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        self.forms == other.forms && liability
    }
}

/// Takes the legal forms off both ends of a name. Something always remains: a name of forms only keeps its last.
pub(crate) fn split(tokens: &[Token], reading: Reading) -> Split<'_> {
    let mut split = Split {
        forms: BTreeSet::new(),
        liability: None,
        core: tokens,
        written: Vec::new(),
        behind: false,
    };
    let mut took = None;
    while let Some((form, count)) = in_front(split.core, reading) {
        // Only the parts of a cooperative's form come in twos.
        if took.is_some_and(|code| code != "cooperatie") || took == Some(form.code) {
            break;
        }
        took = Some(form.code);
        split.take(form, count, true);
    }
    if reading != Reading::CutAccount {
        let mut took: Option<&Form> = None;
        while let Some((form, count)) = behind(split.core, reading) {
            if took.is_some_and(|last| last.kind != FormKind::Liability && last.code != "cooperatie") {
                break;
            }
            took = Some(form);
            split.take(form, count, false);
        }
    }
    if split.liability.is_some() && !split.forms.contains("owm") {
        split.forms.insert("cooperatie");
    }
    split
}

impl<'t> Split<'t> {
    fn take(&mut self, form: &'static Form, count: usize, front: bool) {
        let at = if front {
            count
        } else {
            self.core.len().saturating_sub(count)
        };
        let Some((head, tail)) = self.core.split_at_checked(at) else {
            return;
        };
        let (taken, rest) = if front { (head, tail) } else { (tail, head) };
        let written = taken
            .iter()
            .map(|token| token.shown.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        self.written.push(written);
        self.core = rest;
        self.behind |= !front;
        if form.kind == FormKind::Liability {
            self.liability = Some(form.code);
        } else {
            self.forms.insert(form.code);
        }
    }
}

fn in_front(tokens: &[Token], reading: Reading) -> Option<(&'static Form, usize)> {
    longest(FORMS.iter().filter(|form| form.in_front), reading, |notation| {
        let count = reads(notation, tokens)?;
        let next = tokens.get(count)?;
        // B.V.-kredieten is a word, Stg.Zeewolf is not.
        (!matches!(next.gap, Gap::Mark | Gap::Slash)).then_some(count)
    })
}

fn behind(tokens: &[Token], reading: Reading) -> Option<(&'static Form, usize)> {
    longest(FORMS.iter().filter(|form| form.behind), reading, |notation| {
        (1..tokens.len()).rev().take(8).find_map(|at| {
            let tail = tokens.get(at..)?;
            let first = tail.first()?;
            // zeewolf.ag is an address, not a Swiss company.
            let whole = reads(notation, tail) == Some(tail.len());
            (whole && !first.is_attached()).then_some(tail.len())
        })
    })
}

fn longest(
    forms: impl Iterator<Item = &'static Form>,
    reading: Reading,
    fits: impl Fn(&Notation) -> Option<usize>,
) -> Option<(&'static Form, usize)> {
    let mut best: Option<(&'static Form, usize, usize)> = None;
    for form in forms {
        for notation in form
            .notations
            .iter()
            .filter(|notation| reading.allows(form, notation.certainty))
        {
            if let Some(count) = fits(notation) {
                let letters = notation.letters.len();
                if best.is_none_or(|(_, _, most)| letters > most) {
                    best = Some((form, count, letters));
                }
            }
        }
    }
    best.map(|(form, count, _)| (form, count))
}

/// The number of tokens at the start that spell the notation.
///
/// Word boundaries must be the notation's own, unless every token is one or two letters long: then it is an
/// abbreviation with its letters apart (`B V`, `S.à r.l.`).
fn reads(notation: &Notation, tokens: &[Token]) -> Option<usize> {
    let mut rest = notation.letters.as_str();
    let mut count = 0;
    for token in tokens {
        rest = rest.strip_prefix(token.plain.as_str())?;
        count += 1;
        if rest.is_empty() {
            break;
        }
    }
    if !rest.is_empty() || count == 0 {
        return None;
    }
    let taken = tokens.get(..count)?;
    let own_boundaries = taken
        .iter()
        .map(|token| token.plain.as_str())
        .eq(notation.words.iter().copied());
    let letters_apart = taken.iter().all(|token| token.plain.len() <= 2);
    (count == 1 || own_boundaries || letters_apart).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    fn read(name: &str) -> (Vec<&'static str>, String) {
        let tokens = tokens(name);
        let split = split(&tokens, Reading::Account);
        let core: Vec<&str> = split.core.iter().map(|token| token.plain.as_str()).collect();
        (split.forms.into_iter().collect(), core.join(" "))
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = include_str!("../data/legal_forms.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        assert_eq!(FORMS.len(), rows);
        let codes: BTreeSet<&str> = FORMS.iter().map(|form| form.code).collect();
        assert_eq!(codes.len(), rows, "a code twice");
    }

    #[test]
    fn a_form_is_read_in_every_notation_on_either_side() {
        for name in [
            "Zeewolf B.V.",
            "zeewolf bv",
            "Zeewolf B V",
            "ZEEWOLF B. V.",
            "B.V. Zeewolf",
            "Zeewolf Besloten Vennootschap",
        ] {
            assert_eq!(read(name), (vec!["bv"], "zeewolf".to_owned()), "{name}");
        }
        for name in [
            "Stichting Zeewolf",
            "STG ZEEWOLF",
            "Stg. Zeewolf",
            "St. Zeewolf",
            "Zeewolf Stichting",
        ] {
            assert_eq!(read(name), (vec!["stichting"], "zeewolf".to_owned()), "{name}");
        }
        for name in [
            "Coöperatie Zeewolf U.A.",
            "Zeewolf Coöperatief U.A.",
            "Coöperatieve Vereniging Zeewolf UA",
            "Zeewolf U.A.",
        ] {
            assert_eq!(read(name), (vec!["cooperatie"], "zeewolf".to_owned()), "{name}");
        }
    }

    #[test]
    fn a_form_inside_a_word_or_address_is_no_form() {
        assert_eq!(read("zeewolf.ag").0, Vec::<&str>::new());
        assert_eq!(read("Zeewolfbv").0, Vec::<&str>::new());
        assert_eq!(read("BV-kredieten Zeewolf").0, Vec::<&str>::new());
        assert_eq!(read("B.V."), (vec![], "bv".to_owned()));
    }

    #[test]
    fn a_doubtful_notation_in_a_registered_name_needs_the_register_to_state_the_form() {
        let tokens = tokens("Ver Weg");
        assert!(split(&tokens, Reading::Registered(None)).forms.is_empty());
        assert!(
            split(&tokens, Reading::Registered(Some("vereniging")))
                .forms
                .contains("vereniging")
        );
    }

    #[test]
    fn a_cut_form_is_the_beginning_of_its_abbreviation_only() {
        assert_eq!(notations_behind("bv"), ["bv"]);
        assert!(notations_behind("vve").is_empty());
    }

    #[test]
    fn the_register_wording_gives_the_form() {
        assert_eq!(stated("Besloten Vennootschap").map(|form| form.code), Some("bv"));
        assert_eq!(stated("Vereniging van Eigenaars").map(|form| form.code), Some("vve"));
        assert!(stated("Buitenlandse rechtsvorm").is_none());
    }
}
