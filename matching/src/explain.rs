//! Why a name is not accepted, for support. Nothing here decides: it is only reached for a review.

use crate::accept::{Account, Pairs, Record, Registered};
use crate::distinct::is_generic;
use crate::edit::one_edit;
use crate::forms::FormKind;
use crate::lexicon::Role;
use crate::likeness::LetterPairs;
use crate::name::{Word, Words};
use crate::pairing::{Some8, pair};
use crate::reason::{Reason, ReasonCode};
use crate::refuse::person;
use crate::split::Split;
use compact_str::CompactString;
use smallvec::SmallVec;

/// What is told about a review.
pub(crate) struct Told<'a, 'r> {
    pub reasons: Vec<Reason>,
    pub pairs: Pairs<'a, 'r>,
    pub left_over_account: Vec<CompactString>,
    pub left_over_registered: Vec<CompactString>,
}

/// The registered name most like the account, with their likeness in percent. It orders the queue only.
pub(crate) fn closest<'r>(
    account: &Account<'_>,
    names: &'r [Registered<'r>],
    record: &Record<'_>,
) -> Option<(&'r Registered<'r>, u8)> {
    let mine = LetterPairs::of(account.split.core);
    let mut best: Option<(&Registered<'_>, u8)> = None;
    for name in names {
        let alike = mine.likeness(&LetterPairs::of(record.split(name.name.words()).core));
        if best.is_none_or(|(_, most)| alike > most) {
            best = Some((name, alike));
        }
    }
    best
}

/// The two cores, and the words left over on either side.
struct Sides<'a, 'r> {
    account: Words<'a>,
    mine: Words<'a>,
    theirs: Words<'r>,
    extra: Some8<'a>,
    missing: Some8<'r>,
}

impl Sides<'_, '_> {
    fn extra_words(&self) -> Vec<CompactString> {
        shown(self.mine, &self.extra)
    }

    fn missing_words(&self) -> Vec<CompactString> {
        shown(self.theirs, &self.missing)
    }

    fn both(&self) -> Vec<CompactString> {
        let mut both = self.extra_words();
        both.extend(self.missing_words());
        both
    }

    /// The left-over words, of both sides, that fit.
    fn left_over(&self, fits: impl Fn(Words<'_>, &Word) -> bool) -> Vec<CompactString> {
        let extra = self.extra.iter().filter(|word| fits(self.mine, word));
        let mut found: Vec<CompactString> = extra.map(|word| self.mine.shown(word).into()).collect();
        let missing = self.missing.iter().filter(|word| fits(self.theirs, word));
        found.extend(missing.map(|word| self.theirs.shown(word).into()));
        found
    }
}

fn shown(words: Words<'_>, some: &[&Word]) -> Vec<CompactString> {
    some.iter().map(|word| words.shown(word).into()).collect()
}

/// Adds to the objections already found what the words themselves show.
pub(crate) fn explain<'a, 'r>(
    account: &Account<'a>,
    name: &'r Registered<'r>,
    record: &Record<'_>,
    objections: Vec<Reason>,
) -> Told<'a, 'r> {
    let theirs = record.split(name.name.words());
    let pairing = pair(account.split.core, theirs.core);
    let sides = Sides {
        account: account.words,
        mine: account.split.core,
        theirs: theirs.core,
        extra: pairing.extra,
        missing: pairing.missing,
    };
    let mut found = Vec::new();
    found.extend(person(account));
    found.extend(noted(
        ReasonCode::SupportingBody,
        sides.left_over_account(Role::Supporting),
    ));
    let settled = objections
        .iter()
        .any(|reason| reason.code != ReasonCode::PaymentServiceAccount);
    let shared = sides.extra.len() < sides.mine.len();
    if settled && sides.extra.is_empty() && sides.missing.is_empty() {
        // The objection is the whole story.
    } else if let Some(reason) = spelling(&sides) {
        found.push(reason);
    } else if is_cut(account, &sides) {
        found.push(Reason::new(ReasonCode::CutTooShort, sides.missing_words()));
    } else if let Some(reason) = initials(&sides) {
        found.push(reason);
    } else if shared {
        by_role(&sides, &mut found);
        let articles = sides.left_over(|_, word| word.is(Role::Particle));
        let only_articles = articles.len() == sides.extra.len() + sides.missing.len();
        let article = noted(ReasonCode::ArticleDiffers, articles);
        if only_articles {
            found.extend(article);
            by_side(&sides, &mut found);
        } else {
            by_side(&sides, &mut found);
            found.extend(article);
        }
    } else if found.is_empty() && objections.is_empty() {
        found.push(Reason::plain(ReasonCode::OtherName));
    }
    if shared || sides.extra.is_empty() {
        found.extend(forms(&account.split, &theirs, name, record));
    }
    let mut pairs = pairing.pairs;
    if account.split.same_forms(&theirs, record.country) {
        let forms = account.split.form_words().into_iter().zip(theirs.form_words());
        for (at, form) in forms
            .enumerate()
            .filter(|(_, (mine, theirs))| !(mine.is_empty() || theirs.is_empty()))
        {
            pairs.insert(if at == 0 { 0 } else { pairs.len() }, form);
        }
    }
    let mut reasons = objections;
    for reason in found {
        if !reasons.iter().any(|known| known.code == reason.code) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        reasons.push(Reason::plain(ReasonCode::OtherName));
    }
    Told {
        reasons,
        left_over_account: sides.extra_words(),
        left_over_registered: sides.missing_words(),
        pairs,
    }
}

fn noted(code: ReasonCode, words: Vec<CompactString>) -> Option<Reason> {
    (!words.is_empty()).then(|| Reason::new(code, words))
}

impl Sides<'_, '_> {
    fn left_over_account(&self, role: Role) -> Vec<CompactString> {
        let some: Some8<'_> = self.extra.iter().copied().filter(|word| word.is(role)).collect();
        shown(self.mine, &some)
    }
}

type Letters = SmallVec<[u8; 96]>;

/// One word against one word: a letter, a digit for a letter, y for ij.
fn spelling(sides: &Sides<'_, '_>) -> Option<Reason> {
    let (mine, theirs) = (sides.mine.letters(), sides.theirs.letters());
    let reason = |code| Some(Reason::new(code, sides.both()));
    if mine == theirs {
        return None;
    }
    let eye = |letters: &[u8]| -> Letters { letters.iter().map(|letter| alike_to_the_eye(*letter)).collect() };
    if mine.len() == theirs.len() && eye(mine) == eye(theirs) {
        return reason(ReasonCode::DigitForLetter);
    }
    if mine.contains(&b'y') != theirs.contains(&b'y') && with_y(mine) == with_y(theirs) {
        return reason(ReasonCode::YForIj);
    }
    let without_digits =
        |letters: &[u8]| -> Letters { letters.iter().copied().filter(|l| !l.is_ascii_digit()).collect() };
    let any_digit = mine.iter().chain(theirs).any(u8::is_ascii_digit);
    if any_digit && without_digits(mine) == without_digits(theirs) {
        return reason(ReasonCode::NumberDiffers);
    }
    let ([one], [other]) = (sides.extra.as_slice(), sides.missing.as_slice()) else {
        return None;
    };
    if sides.mine.has_digit(one) || sides.theirs.has_digit(other) || one.len().min(other.len()) < 4 {
        return None;
    }
    one_edit(sides.mine.letters_of(one), sides.theirs.letters_of(other))
        .then(|| reason(ReasonCode::OneLetterDiffers))
        .flatten()
}

fn alike_to_the_eye(letter: u8) -> u8 {
    match letter {
        b'0' => b'o',
        b'1' | b'i' => b'l',
        b'5' => b's',
        b'8' => b'b',
        b'3' => b'e',
        other => other,
    }
}

/// The letters with y for every ij.
fn with_y(letters: &[u8]) -> Letters {
    let mut folded = Letters::new();
    for letter in letters {
        match (folded.last(), letter) {
            (Some(b'i'), b'j') => {
                folded.pop();
                folded.push(b'y');
            }
            _ => folded.push(*letter),
        }
    }
    folded
}

fn is_cut(account: &Account<'_>, sides: &Sides<'_, '_>) -> bool {
    let (mine, theirs) = (sides.mine.letters(), sides.theirs.letters());
    account.may_be_cut() && mine.len() < theirs.len() && theirs.starts_with(mine)
}

fn initials(sides: &Sides<'_, '_>) -> Option<Reason> {
    let [only] = sides.mine.list() else { return None };
    let letters = sides.mine.letters_of(only);
    let firsts = |all: bool| {
        let counts = move |word: &&Word| all || !(word.is_connector() || word.is(Role::Particle));
        let words = sides.theirs.iter().filter(counts);
        words.filter_map(|word| sides.theirs.letters_of(word).first())
    };
    let fits = letters.len() > 1
        && sides.theirs.len() > 1
        && (letters.iter().eq(firsts(true)) || letters.iter().eq(firsts(false)));
    fits.then(|| Reason::new(ReasonCode::InitialsOnly, vec![sides.mine.shown(only).into()]))
}

/// The words left over, by what they do in a name.
fn by_role(sides: &Sides<'_, '_>, found: &mut Vec<Reason>) {
    let mut note = |code, words| found.extend(noted(code, words));
    note(
        ReasonCode::HoldingOrGroupWord,
        sides.left_over(|_, word| word.is(Role::Holding)),
    );
    note(
        ReasonCode::NumberDiffers,
        sides.left_over(|words, word| words.has_digit(word) || (words.is_roman(word) && !word.is(Role::Particle))),
    );
    note(
        ReasonCode::RegionDiffers,
        sides.left_over(|_, word| word.is(Role::Region) || word.is(Role::Direction)),
    );
    note(
        ReasonCode::BusinessPartDiffers,
        sides.left_over(|_, word| word.is(Role::Part) && !word.is(Role::Holding)),
    );
    note(
        ReasonCode::FormerName,
        sides.left_over(|_, word| word.is(Role::Successor)),
    );
}

fn by_side(sides: &Sides<'_, '_>, found: &mut Vec<Reason>) {
    match (sides.extra.is_empty(), sides.missing.is_empty()) {
        (true, true) => found.push(Reason::plain(ReasonCode::WordOrderDiffers)),
        (false, true) => {
            let times = |word: &Word| {
                let letters = sides.mine.letters_of(word);
                sides
                    .mine
                    .iter()
                    .filter(|other| sides.mine.letters_of(other) == letters)
                    .count()
            };
            let repeated = sides.extra.iter().all(|word| times(word) > 1);
            let code = if repeated {
                ReasonCode::WordRepeated
            } else {
                ReasonCode::ExtraWords
            };
            found.push(Reason::new(code, sides.extra_words()));
        }
        (true, false) => {
            found.push(Reason::new(ReasonCode::WordsMissing, sides.missing_words()));
            let generic = |word: &Word| is_generic(sides.account.letters_of(word), word.known);
            if sides.account.iter().all(generic) {
                found.push(Reason::new(ReasonCode::GenericName, sides.account.each_shown()));
            }
        }
        (false, false) => found.push(Reason::new(ReasonCode::WordReplaced, sides.both())),
    }
}

fn forms(mine: &Split<'_>, theirs: &Split<'_>, name: &Registered<'_>, record: &Record<'_>) -> Option<Reason> {
    if mine.same_forms(theirs, record.country) {
        return None;
    }
    let owned = |split: &Split<'_>| split.written().map(CompactString::from).collect::<Vec<_>>();
    if mine.forms.is_empty() {
        let needed = theirs.forms.iter().any(|form| form.kind != FormKind::Partnership);
        return needed.then(|| Reason::new(ReasonCode::LegalFormMissing, owned(theirs)));
    }
    let adds_stated =
        name.is_statutory() && theirs.forms.is_empty() && mine.forms.iter().any(|form| record.states(form));
    (!adds_stated).then(|| {
        let mut detail = owned(mine);
        detail.extend(owned(theirs));
        Reason::new(ReasonCode::LegalFormDiffers, detail)
    })
}
