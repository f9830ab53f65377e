//! Legal forms and their notations. The tables are `data/legal_forms.tsv` and,
//! for countries in which one form has several names, `data/same_forms.tsv`.

use crate::fold::{latin, plain_letters};
use crate::lexicon::lines;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
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
pub(crate) enum Certainty {
    Sure,
    /// Also a word: in a registered name only when the register states the form.
    AlsoWord,
    /// Never read as a form in a registered name.
    AccountOnly,
}

/// One way of writing a form.
pub(crate) struct Notation {
    pub form: &'static Form,
    pub certainty: Certainty,
    /// The lengths of its words.
    pub words: SmallVec<[usize; 4]>,
}

/// One row of the table.
pub(crate) struct Form {
    pub code: &'static str,
    pub kind: FormKind,
    /// It may stand in front of a name.
    pub in_front: bool,
    /// It may stand behind a name.
    pub behind: bool,
    notations: &'static str,
    wordings: &'static str,
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| lines(TABLE).filter_map(row).collect());

const TABLE: &str = include_str!("../data/legal_forms.tsv");

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
    Some(Form {
        code,
        kind,
        in_front: matches!(position, "prefix" | "both"),
        behind: matches!(position, "suffix" | "both"),
        notations,
        wordings,
    })
}

impl Form {
    fn notations(&self) -> impl Iterator<Item = (&'static str, Certainty)> + use<> {
        let notations = self.notations.split('|').filter(|text| !text.is_empty());
        notations.map(|text| match (text.strip_prefix('?'), text.strip_prefix('!')) {
            (Some(rest), _) => (rest, Certainty::AlsoWord),
            (_, Some(rest)) => (rest, Certainty::AccountOnly),
            _ => (text, Certainty::Sure),
        })
    }

    /// The ways it is written in one word behind a name; for names whose end is cut off. Longer wordings would
    /// let "Be…" stand for "Besloten Vennootschap" where it may be "Beheer".
    pub(crate) fn short_notations_behind(&self) -> impl Iterator<Item = &'static str> + use<> {
        let short = self.notations().map(|(text, _)| text);
        let behind = self.behind;
        short.filter(move |text| behind && !text.contains(' '))
    }
}

/// All notations, by their letters.
static NOTATIONS: LazyLock<FxHashMap<Vec<u8>, Notation>> = LazyLock::new(|| {
    let mut found = FxHashMap::default();
    for form in FORMS.iter() {
        for (text, certainty) in form.notations() {
            for text in with_connectors(text) {
                let words = text.split(' ').map(str::len).collect();
                let letters = text.replace(' ', "").into_bytes();
                found.entry(letters).or_insert(Notation { form, certainty, words });
            }
        }
    }
    found
});

/// "GmbH & Co KG" may be written with a word for the &.
fn with_connectors(text: &str) -> Vec<String> {
    if text.contains('&') {
        ["&", "und", "en", "et", "and"]
            .map(|connector| text.replace('&', connector))
            .into()
    } else {
        vec![text.to_owned()]
    }
}

/// The notation that these letters spell.
pub(crate) fn spelled(letters: &[u8]) -> Option<&'static Notation> {
    NOTATIONS.get(letters)
}

/// The form with this code.
pub(crate) fn form(code: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.code == code)
}

/// No notation has more words than this.
pub(crate) const MOST_WORDS: usize = 8;

/// Every notation of the table, a space between words; and whether it is nothing but a form.
pub(crate) fn notations() -> impl Iterator<Item = (&'static str, bool)> {
    let all = FORMS.iter().flat_map(Form::notations);
    all.map(|(text, certainty)| (text, certainty == Certainty::Sure))
}

/// The form that a register's form field states, if the table knows the wording.
pub(crate) fn stated(wording: &str) -> Option<&'static Form> {
    let mut letters: SmallVec<[u8; 64]> = SmallVec::new();
    for c in wording.chars() {
        if c.is_ascii_alphanumeric() {
            letters.push(u8::try_from(c.to_ascii_lowercase()).unwrap_or_default());
        } else if let Some(folded) = latin(c) {
            letters.extend_from_slice(folded.plain());
        }
    }
    WORDINGS.get(letters.as_slice()).copied()
}

static WORDINGS: LazyLock<FxHashMap<Vec<u8>, &'static Form>> = LazyLock::new(|| {
    let mut found = FxHashMap::default();
    for form in FORMS.iter() {
        for wording in form.wordings.split('|').filter(|text| !text.is_empty()) {
            found.entry(plain_letters(wording).into_bytes()).or_insert(form);
        }
    }
    found
});

/// (country, the forms that are one and the same there).
static SAME: LazyLock<Vec<(&'static str, Vec<&'static Form>)>> = LazyLock::new(|| {
    let find = |code: &str| FORMS.iter().find(|form| form.code == code);
    let rows = lines(include_str!("../data/same_forms.tsv")).filter_map(|line| line.split_once('\t'));
    rows.map(|(country, codes)| (country, codes.split('|').filter_map(find).collect()))
        .collect()
});

/// The form under its first name in that country: a Belgian BV is a SRL is a BV.
pub(crate) fn in_country(form: &'static Form, country: Option<&str>) -> &'static Form {
    let Some(country) = country else { return form };
    let group = SAME
        .iter()
        .find(|(place, forms)| place.eq_ignore_ascii_case(country) && forms.contains(&form));
    group.and_then(|(_, forms)| forms.first().copied()).unwrap_or(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let rows = lines(TABLE).count();
        assert_eq!(FORMS.len(), rows);
        let codes: BTreeSet<&str> = FORMS.iter().map(|form| form.code).collect();
        assert_eq!(codes.len(), rows, "a code twice");
        let all: Vec<&str> = notations().map(|(text, _)| text).collect();
        let unique: BTreeSet<String> = all.iter().map(|text| text.replace(' ', "")).collect();
        assert_eq!(all.len(), unique.len(), "a notation twice");
        assert!(all.iter().all(|text| text.split(' ').count() <= MOST_WORDS));
        for line in lines(include_str!("../data/same_forms.tsv")) {
            let (_, codes) = line.split_once('\t').unwrap();
            assert!(
                codes.split('|').all(|code| FORMS.iter().any(|form| form.code == code)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_cut_form_is_the_beginning_of_its_abbreviation_only() {
        let short = |code: &str| -> Vec<&str> {
            let form = FORMS.iter().find(|form| form.code == code).unwrap();
            form.short_notations_behind().collect()
        };
        assert!(short("bv").contains(&"bv"));
        assert!(short("vve").is_empty());
    }

    #[test]
    fn the_register_wording_gives_the_form() {
        assert_eq!(stated("Besloten Vennootschap").map(|form| form.code), Some("bv"));
        assert_eq!(stated("Vereniging van Eigenaars").map(|form| form.code), Some("vve"));
        assert!(stated("Buitenlandse rechtsvorm").is_none());
    }
}
