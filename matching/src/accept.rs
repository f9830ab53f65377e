//! When a name *is* a registered name.
//!
//! Three questions, all to be answered yes: is every letter explained ([`align`]), do the legal forms agree,
//! and is the name distinctive enough to be evidence ([`too_little`]).

use crate::align::{Rules, align};
use crate::distinct::{too_little, too_little_with_form};
use crate::evidence::Folding;
use crate::forms::{Form, FormKind, Reading, Split, kind, notations_behind, split};
use crate::reason::{Reason, ReasonCode};
use crate::shorten::Context;
use crate::token::{Token, tokens};
use std::collections::BTreeSet;

/// One name on record, read once.
pub(crate) struct Registered<'n> {
    pub text: &'n str,
    pub statutory: bool,
    pub tokens: Vec<Token>,
}

impl<'n> Registered<'n> {
    pub(crate) fn new(text: &'n str, statutory: bool) -> Self {
        Self {
            text,
            statutory,
            tokens: tokens(text),
        }
    }
}

/// What the register says beside the names.
pub(crate) struct Record {
    pub form: Option<&'static Form>,
}

impl Record {
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.form.map(|form| form.code)
    }

    pub(crate) fn kind(&self) -> Option<FormKind> {
        self.form.map(|form| form.kind)
    }

    fn is_body(&self) -> bool {
        matches!(self.code(), Some("stichting" | "vereniging"))
    }

    fn context(&self) -> Context {
        match self.kind() {
            Some(FormKind::Church) => Context::Church,
            Some(FormKind::Public) => Context::Public,
            _ if self.is_body() => Context::Body,
            _ => Context::Company,
        }
    }

    /// The registered name as forms and core. Where its apparent form is not the one the register states, it is
    /// an ordinary word ("CV Ketelservice").
    pub(crate) fn split<'t>(&self, tokens: &'t [Token]) -> Split<'t> {
        let read = split(tokens, Reading::Registered(self.code()));
        match self.code() {
            Some(code) if !read.forms.is_empty() && !read.forms.contains(code) => Split {
                forms: BTreeSet::new(),
                liability: None,
                core: tokens,
                written: Vec::new(),
                behind: false,
            },
            _ => read,
        }
    }
}

/// How a registered name was recognised.
pub(crate) struct Accepted {
    pub folded: BTreeSet<Folding>,
    /// Reasons beyond "it is that name".
    pub notes: Vec<ReasonCode>,
}

/// Why a name whose letters all agree is still no match.
pub(crate) type Objection = Reason;

/// `Ok(None)`: another name. `Err`: this name, but with an objection.
pub(crate) fn accept(
    account: &[Token],
    length: usize,
    registered: &Registered<'_>,
    record: &Record,
) -> Result<Option<Accepted>, Objection> {
    let mut objection = None;
    for attempt in [literal, by_form, cut] {
        match attempt(account, length, registered, record) {
            Ok(Some(accepted)) => return Ok(Some(accepted)),
            Ok(None) => {}
            Err(reason) => objection = objection.or(Some(reason)),
        }
    }
    objection.map_or(Ok(None), Err)
}

/// The names as they stand: trade names, and names whose form stands in its place. A form that the register
/// does not state is read here too, so that it keeps apart from the word before it: "Zeewolf AG" is not the
/// trade name "zeewolf.ag", though the letters are the same.
fn literal(
    account: &[Token],
    _: usize,
    registered: &Registered<'_>,
    record: &Record,
) -> Result<Option<Accepted>, Objection> {
    let mine = split(account, Reading::Sure);
    let theirs = split(&registered.tokens, Reading::Sure);
    if !mine.same_forms(&theirs) || mine.behind != theirs.behind {
        return Ok(None);
    }
    let rules = Rules {
        context: record.context(),
        cut: false,
    };
    let Some(mut folded) = align(mine.core, theirs.core, &[], rules) else {
        return Ok(None);
    };
    let other = theirs.forms.iter().find(|code| is_other_person(code, record));
    if let (false, Some(other)) = (registered.statutory, other) {
        let detail = vec![(*other).to_owned()];
        return Err(Reason::new(ReasonCode::TradeNameOfOtherForm, detail));
    }
    gate(mine.core, &record.split(&registered.tokens), registered, record)?;
    fold_forms(&mine, &theirs, &mut folded);
    Ok(Some(accepted(folded)))
}

/// A trade name worded "Stichting X" for a B.V. may be another legal person's name.
fn is_other_person(code: &str, record: &Record) -> bool {
    kind(code) == Some(FormKind::Person) && record.code().is_some_and(|stated| stated != code)
}

/// The legal forms taken off both names and compared by themselves.
fn by_form(
    account: &[Token],
    _: usize,
    registered: &Registered<'_>,
    record: &Record,
) -> Result<Option<Accepted>, Objection> {
    let theirs = record.split(&registered.tokens);
    let mut objection = None;
    for reading in [Reading::Account, Reading::Sure] {
        let mine = split(account, reading);
        let rules = Rules {
            context: record.context(),
            cut: false,
        };
        let Some(mut folded) = align(mine.core, theirs.core, &[], rules) else {
            continue;
        };
        match forms_agree(&mine, &theirs, registered, record) {
            Ok(note) => {
                gate(mine.core, &mine, registered, record)?;
                fold_forms(&mine, &theirs, &mut folded);
                let mut accepted = accepted(folded);
                if let Some((code, folding)) = note {
                    accepted.notes.push(code);
                    accepted.folded.insert(folding);
                }
                return Ok(Some(accepted));
            }
            Err(reason) => objection = objection.or(Some(reason)),
        }
    }
    objection.map_or(Ok(None), Err)
}

type FormNote = Option<(ReasonCode, Folding)>;

fn forms_agree(
    mine: &Split<'_>,
    theirs: &Split<'_>,
    registered: &Registered<'_>,
    record: &Record,
) -> Result<FormNote, Objection> {
    if mine.same_forms(theirs) {
        return Ok(None);
    }
    let stated = record.form;
    if mine.forms.is_empty() {
        let partnership = !theirs.forms.is_empty()
            && theirs
                .forms
                .iter()
                .all(|code| kind(code) == Some(FormKind::Partnership))
            && stated.is_none_or(|form| theirs.forms.contains(form.code));
        if partnership && registered.statutory {
            return Ok(Some((ReasonCode::PartnershipFormLeftOut, Folding::LegalFormLeftOut)));
        }
        return Err(Reason::new(ReasonCode::LegalFormMissing, theirs.written.clone()));
    }
    // The register keeps some names without the form: the account may add what the register states.
    let adds_stated = registered.statutory
        && theirs.forms.is_empty()
        && theirs.liability.is_none()
        && stated.is_some_and(|form| mine.forms.len() == 1 && mine.forms.contains(form.code));
    if adds_stated {
        return Ok(Some((ReasonCode::FormFromRegister, Folding::LegalFormFromRegister)));
    }
    let mut detail = mine.written.clone();
    detail.extend(theirs.written.iter().cloned());
    Err(Reason::new(ReasonCode::LegalFormDiffers, detail))
}

fn fold_forms(mine: &Split<'_>, theirs: &Split<'_>, folded: &mut BTreeSet<Folding>) {
    if mine.forms.is_empty() || theirs.forms.is_empty() {
        return;
    }
    if mine.written != theirs.written {
        folded.insert(Folding::LegalFormNotation);
    }
    if mine.behind != theirs.behind {
        folded.insert(Folding::LegalFormPosition);
    }
}

/// The lengths at which banks and registers cut a name: old SEPA and MT940 fields, old register fields, SEPA.
const CUT_LENGTHS: [usize; 3] = [35, 60, 70];

/// A cut name that ends in a space loses it.
pub(crate) fn is_cut_length(length: usize) -> bool {
    CUT_LENGTHS.iter().any(|&cut| length == cut || length + 1 == cut)
}

/// A name that ends where a bank's field ends.
fn cut(
    account: &[Token],
    length: usize,
    registered: &Registered<'_>,
    record: &Record,
) -> Result<Option<Accepted>, Objection> {
    if !is_cut_length(length) {
        return Ok(None);
    }
    let theirs = record.split(&registered.tokens);
    for reading in [Reading::CutAccount, Reading::Sure] {
        let mine = split(account, reading);
        if reading == Reading::Sure && mine.behind {
            continue;
        }
        // The form is either visible in front on both sides, or hidden behind.
        let in_front = !theirs.behind && mine.same_forms(&theirs);
        let hidden = if theirs.behind && mine.forms.is_empty() {
            hidden_forms(&theirs)
        } else {
            Vec::new()
        };
        // "Coöperatie X U.A." shows half its form.
        let half = theirs.behind && !mine.forms.is_empty() && mine.same_forms(&theirs);
        if !(in_front || half || !hidden.is_empty()) {
            continue;
        }
        let hidden = if half {
            theirs.liability.map(str::to_owned).into_iter().collect()
        } else {
            hidden
        };
        let rules = Rules {
            context: record.context(),
            cut: true,
        };
        let Some(mut folded) = align(mine.core, theirs.core, &hidden, rules) else {
            continue;
        };
        if length_is_short_by_a_space(length) && !ends_on_a_word(account, &registered.tokens) {
            continue;
        }
        gate(theirs.core, &mine, registered, record)?;
        folded.insert(Folding::Cut);
        let mut accepted = accepted(folded);
        accepted.notes.push(ReasonCode::CutByBank);
        return Ok(Some(accepted));
    }
    Ok(None)
}

fn length_is_short_by_a_space(length: usize) -> bool {
    !CUT_LENGTHS.contains(&length)
}

/// One short of a field's length is a cut only if the field's last character was the space after a word.
fn ends_on_a_word(account: &[Token], registered: &[Token]) -> bool {
    let spelled: usize = account.iter().map(|token| token.plain.len()).sum();
    let mut letters = 0;
    registered.iter().any(|token| {
        letters += token.plain.len();
        letters == spelled
    })
}

fn hidden_forms(theirs: &Split<'_>) -> Vec<String> {
    let mut hidden = Vec::new();
    for code in &theirs.forms {
        for notation in notations_behind(code) {
            hidden.push(match theirs.liability {
                Some(liability) => format!("{notation}{liability}"),
                None => notation.to_owned(),
            });
        }
    }
    hidden.extend(theirs.liability.map(str::to_owned));
    hidden
}

/// The distinctiveness gate. A statutory name with its legal form on the account stands for itself, except for
/// foundations and associations: "Vereniging Christelijke School" is the name of many.
fn gate(core: &[Token], mine: &Split<'_>, registered: &Registered<'_>, record: &Record) -> Result<(), Objection> {
    let objection = if registered.statutory && !mine.forms.is_empty() {
        let body = ["stichting", "vereniging"].iter().any(|code| mine.forms.contains(code));
        if body { too_little_with_form(mine.core) } else { None }
    } else if registered.statutory && record.kind() == Some(FormKind::Public) && core.len() > 1 {
        // "Provincie Noord-Holland": the kind of body and the place are the name.
        None
    } else {
        too_little(core)
    };
    objection.map_or(Ok(()), Err)
}

fn accepted(folded: BTreeSet<Folding>) -> Accepted {
    let notes = if folded.contains(&Folding::Abbreviation) {
        vec![ReasonCode::AbbreviationRecognised]
    } else {
        Vec::new()
    };
    Accepted { folded, notes }
}
