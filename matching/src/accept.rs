//! When a name *is* a registered name.
//!
//! Three questions, all to be answered yes: is every letter explained ([`align`]), do the legal forms agree,
//! and is the name distinctive enough to be evidence ([`too_little`]).

use crate::align::{Alignment, Rules, align};
use crate::distinct::{too_little, too_little_with_form};
use crate::foldings::{Folding, Foldings};
use crate::forms::{Form, FormKind, in_country};
use crate::lexicon::Context;
use crate::name::{Name, Word, Words};
use crate::reason::{Reason, ReasonCode};
use crate::split::{Reading, Split, split};
use compact_str::CompactString;
use smallvec::SmallVec;

/// The account's name, read once.
pub(crate) struct Account<'a> {
    pub words: Words<'a>,
    /// Read with every notation of a form that there is.
    pub split: Split<'a>,
    /// Read only with notations that are nothing but a form.
    pub sure: Split<'a>,
    /// How many characters it has: a name that fills a bank's field may be cut.
    length: usize,
}

impl<'a> Account<'a> {
    pub(crate) fn new(words: Words<'a>, length: usize) -> Self {
        let sure = split(words, Reading::Sure);
        let split = if words.may_be_misread() {
            split(words, Reading::Account)
        } else {
            sure.clone()
        };
        Self {
            words,
            split,
            sure,
            length,
        }
    }

    pub(crate) fn may_be_cut(&self) -> bool {
        CUT_LENGTHS
            .iter()
            .any(|&cut| self.length == cut || self.length + 1 == cut)
    }

    /// One short of a field's length is a cut only if the field's last character was the space after a word.
    fn lost_a_space(&self) -> bool {
        !CUT_LENGTHS.contains(&self.length)
    }
}

/// The lengths at which banks and registers cut a name: old SEPA and MT940 fields, old register fields, SEPA.
const CUT_LENGTHS: [usize; 3] = [35, 60, 70];

/// One name on record, read once.
pub(crate) struct Registered<'n> {
    pub text: &'n str,
    /// 0 the statutory name, 1 the first trade name, and so on.
    pub index: usize,
    pub name: Name<'n>,
}

impl Registered<'_> {
    /// There is no word in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.name.words().iter().all(Word::is_connector)
    }

    pub(crate) fn is_statutory(&self) -> bool {
        self.index == 0
    }
}

/// What the register says beside the names.
#[derive(Clone, Copy)]
pub(crate) struct Record<'c> {
    pub form: Option<&'static Form>,
    pub country: Option<&'c str>,
}

impl Record<'_> {
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.form.map(|form| form.code)
    }

    pub(crate) fn kind(&self) -> Option<FormKind> {
        self.form.map(|form| form.kind)
    }

    /// Whether the register states this form.
    pub(crate) fn states(&self, form: &'static Form) -> bool {
        self.form
            .is_some_and(|stated| in_country(stated, self.country) == in_country(form, self.country))
    }

    fn context(&self) -> Context {
        match (self.kind(), self.code()) {
            (Some(FormKind::Church), _) => Context::Church,
            (Some(FormKind::Public), _) => Context::Public,
            (_, Some("vve")) => Context::Vve,
            (_, Some("stichting" | "vereniging")) => Context::Body,
            _ => Context::Company,
        }
    }

    /// The registered name as forms and core. Where its apparent form is not the one the register states, it is
    /// an ordinary word ("CV Ketelservice").
    pub(crate) fn split<'n>(&self, words: Words<'n>) -> Split<'n> {
        self.trusted(split(words, Reading::Registered(self.code())))
    }

    fn trusted<'n>(&self, read: Split<'n>) -> Split<'n> {
        let foreign_to_it =
            self.form.is_some() && !read.forms.is_empty() && !read.forms.iter().any(|form| self.states(form));
        if foreign_to_it { Split::unread(read.whole) } else { read }
    }
}

/// Words of the account beside those of the registered name that they are; either may be empty.
pub(crate) type Pairs<'a, 'r> = SmallVec<[(Words<'a>, Words<'r>); 10]>;

/// How a registered name was recognised.
pub(crate) struct Accepted<'a, 'r> {
    pub folded: Foldings,
    /// Reasons beyond "it is that name".
    pub notes: SmallVec<[ReasonCode; 2]>,
    pub pairs: Pairs<'a, 'r>,
    /// Why the name, though it is this one, proves nothing on its own.
    pub too_little: Option<Reason>,
}

/// The two names of a comparison, in one of the ways to read them.
struct Attempt<'s, 'a, 'r> {
    mine: &'s Split<'a>,
    theirs: &'s Split<'r>,
    registered: &'s Registered<'r>,
    record: &'s Record<'s>,
}

/// `Ok(None)`: another name. `Err`: this name, were it not for its legal form.
pub(crate) fn accept<'a, 'r>(
    account: &Account<'a>,
    registered: &'r Registered<'r>,
    record: &Record<'_>,
) -> Result<Option<Accepted<'a, 'r>>, Reason> {
    let words = registered.name.words();
    let literally = split(words, Reading::Sure);
    let theirs = if words.may_be_misread() {
        record.split(words)
    } else {
        record.trusted(literally.clone())
    };
    let cut;
    let attempt = |mine, theirs| Attempt {
        mine,
        theirs,
        registered,
        record,
    };
    let mut objection = None;
    let mut kept = |outcome: Result<Option<Accepted<'a, 'r>>, Reason>| {
        outcome.unwrap_or_else(|reason| {
            objection.get_or_insert(reason);
            None
        })
    };
    let literal = attempt(&account.sure, &literally);
    if let Some(found) = kept(literal.literal()) {
        return Ok(Some(found));
    }
    // The same words were just laid on the same words.
    let again = literal.forms_in_place() && account.split.is_read_as(&account.sure) && theirs.is_read_as(&literally);
    if !again && let Some(found) = kept(attempt(&account.split, &theirs).by_form()) {
        return Ok(Some(found));
    }
    if !account.split.is_read_as(&account.sure)
        && let Some(found) = kept(attempt(&account.sure, &theirs).by_form())
    {
        return Ok(Some(found));
    }
    if account.may_be_cut() {
        cut = split(account.words, Reading::CutAccount);
        let found = attempt(&cut, &theirs).cut(account);
        let found = found.or_else(|| (!account.sure.behind).then(|| attempt(&account.sure, &theirs).cut(account))?);
        if found.is_some() {
            return Ok(found);
        }
    }
    objection.map_or(Ok(None), Err)
}

type FormNote = Option<(ReasonCode, Folding)>;

impl<'a, 'r> Attempt<'_, 'a, 'r> {
    fn rules(&self, cut: bool) -> Rules {
        Rules {
            context: self.record.context(),
            cut,
        }
    }

    fn same_forms(&self) -> bool {
        self.mine.same_forms(self.theirs, self.record.country)
    }

    fn forms_in_place(&self) -> bool {
        self.mine.behind == self.theirs.behind && self.same_forms()
    }

    /// The names as they stand: trade names, and names whose form stands in its place. A form that the register
    /// does not state is read here too, so that it keeps apart from the word before it: "Zeewolf AG" is not the
    /// trade name "zeewolf.ag", though the letters are the same.
    fn literal(&self) -> Result<Option<Accepted<'a, 'r>>, Reason> {
        if !self.forms_in_place() {
            return Ok(self.glued());
        }
        let Some(alignment) = align(self.mine.core, self.theirs.core, &[], self.rules(false)) else {
            return Ok(None);
        };
        if let (false, Some(other)) = (self.registered.is_statutory(), self.other_person()) {
            let detail = vec![other.code.into()];
            return Err(Reason::new(ReasonCode::TradeNameOfOtherForm, detail));
        }
        Ok(Some(self.accepted(&alignment)))
    }

    /// The legal form written onto the name, or apart from a name that has it inside: "Zeewolfbv",
    /// "Zeewolf Stichting" for Zeewolfstichting. Only the register's own form can be hidden so.
    fn glued(&self) -> Option<Accepted<'a, 'r>> {
        let mut forms = self.mine.forms.iter().chain(&self.theirs.forms);
        if self.record.form.is_none() || !forms.all(|form| self.record.states(form)) {
            return None;
        }
        if self.mine.core.letters().len() < 4 || self.theirs.core.letters().len() < 4 {
            return None;
        }
        let (mine, theirs) = (Split::unread(self.mine.whole), Split::unread(self.theirs.whole));
        let rules = Rules {
            context: Context::Company,
            cut: false,
        };
        let alignment = align(mine.core, theirs.core, &[], rules)?;
        let attempt = Attempt {
            mine: &mine,
            theirs: &theirs,
            ..*self
        };
        Some(Accepted {
            too_little: self.too_little(self.theirs.core, true),
            ..attempt.accepted(&alignment)
        })
    }

    /// A trade name worded "Stichting X" for a B.V. may be another legal person's name.
    fn other_person(&self) -> Option<&'static Form> {
        let other = |form: &&&'static Form| {
            form.kind == FormKind::Person && self.record.form.is_some() && !self.record.states(form)
        };
        self.theirs.forms.iter().find(other).copied()
    }

    /// The legal forms taken off both names and compared by themselves.
    fn by_form(&self) -> Result<Option<Accepted<'a, 'r>>, Reason> {
        let Some(alignment) = align(self.mine.core, self.theirs.core, &[], self.rules(false)) else {
            return Ok(None);
        };
        let note = self.forms_agree()?;
        let mut accepted = self.accepted(&alignment);
        if let Some((code, folding)) = note {
            accepted.notes.push(code);
            accepted.folded.insert(folding);
        }
        Ok(Some(accepted))
    }

    fn forms_agree(&self) -> Result<FormNote, Reason> {
        if self.same_forms() {
            return Ok(None);
        }
        let (mine, theirs) = (self.mine, self.theirs);
        if mine.forms.is_empty() {
            let partnership = theirs.forms.iter().all(|form| form.kind == FormKind::Partnership)
                && theirs
                    .forms
                    .iter()
                    .all(|form| self.record.form.is_none() || self.record.states(form));
            if partnership && self.registered.is_statutory() {
                return Ok(Some((ReasonCode::PartnershipFormLeftOut, Folding::LegalFormLeftOut)));
            }
            return Err(Reason::new(ReasonCode::LegalFormMissing, owned(theirs.written())));
        }
        // The register keeps some names without the form: the account may add what the register states.
        let adds_stated = self.registered.is_statutory()
            && theirs.forms.is_empty()
            && theirs.liability.is_none()
            && mine.forms.len() == 1
            && mine.forms.iter().all(|form| self.record.states(form));
        if adds_stated {
            return Ok(Some((ReasonCode::FormFromRegister, Folding::LegalFormFromRegister)));
        }
        let detail = owned(mine.written().chain(theirs.written()));
        Err(Reason::new(ReasonCode::LegalFormDiffers, detail))
    }

    /// A name that ends where a bank's field ends.
    fn cut(&self, account: &Account<'a>) -> Option<Accepted<'a, 'r>> {
        let (mine, theirs) = (self.mine, self.theirs);
        // The form is either visible in front on both sides, or hidden behind.
        let in_front = !theirs.behind && self.same_forms();
        // "Coöperatie X U.A." shows half its form.
        let half = theirs.behind && !mine.forms.is_empty() && self.same_forms();
        let hidden: Vec<String> = if half {
            theirs.liability.map(|form| form.code.to_owned()).into_iter().collect()
        } else if theirs.behind && mine.forms.is_empty() {
            hidden_forms(theirs)
        } else {
            Vec::new()
        };
        if !(in_front || half || !hidden.is_empty()) {
            return None;
        }
        let alignment = align(mine.core, theirs.core, &hidden, self.rules(true))?;
        if account.lost_a_space() && !ends_on_a_word(account.words, theirs.whole) {
            return None;
        }
        let mut accepted = self.accepted(&alignment);
        // The form is there, behind the cut.
        accepted.too_little = self.too_little(theirs.core, true);
        accepted.folded.insert(Folding::Cut);
        accepted.notes.push(ReasonCode::CutByBank);
        Some(accepted)
    }

    /// The distinctiveness gate. A statutory name with its legal form on the account stands for itself, except
    /// for foundations and associations: "Vereniging Christelijke School" is the name of many.
    fn too_little(&self, core: Words<'_>, with_form: bool) -> Option<Reason> {
        let statutory = self.registered.is_statutory();
        let with_form = with_form || (self.record.context() == Context::Body && names_its_form(core));
        // A partnership may go without its form, so with it the name says no more.
        let partnership = self.record.kind() == Some(FormKind::Partnership);
        if statutory && with_form && !partnership {
            let body = self.record.context() == Context::Body
                || ["stichting", "vereniging"].iter().any(|code| self.mine.has(code));
            if body { too_little_with_form(core) } else { None }
        } else if statutory && self.record.kind() == Some(FormKind::Public) && core.len() > 1 {
            // "Provincie Noord-Holland": the kind of body and the place are the name.
            None
        } else {
            too_little(core)
        }
    }

    fn accepted(&self, alignment: &Alignment) -> Accepted<'a, 'r> {
        let (mine, theirs) = (self.mine, self.theirs);
        let mut folded = alignment.folded;
        if !mine.forms.is_empty() && !theirs.forms.is_empty() {
            if mine.forms != theirs.forms {
                folded.insert(Folding::LegalFormLanguage);
            } else if !mine.written().eq(theirs.written()) {
                folded.insert(Folding::LegalFormNotation);
            }
            if mine.behind != theirs.behind {
                folded.insert(Folding::LegalFormPosition);
            }
        }
        let mut notes = SmallVec::new();
        if folded.contains(Folding::Abbreviation) {
            notes.push(ReasonCode::AbbreviationRecognised);
        }
        Accepted {
            folded,
            notes,
            pairs: self.pairs(alignment),
            too_little: self.too_little(mine.core, !mine.forms.is_empty()),
        }
    }

    fn pairs(&self, alignment: &Alignment) -> Pairs<'a, 'r> {
        let (mine, theirs) = (self.mine, self.theirs);
        let none = |words: Words<'r>| words.part(0..0);
        let [my_front, my_back] = mine.form_words();
        let [their_front, their_back] = theirs.form_words();
        // A form that moved from one end to the other stands beside the same form.
        let (front, back) = match (my_front.is_empty(), my_back.is_empty()) {
            (false, true) if their_front.is_empty() => (their_back, none(their_back)),
            (true, false) if their_back.is_empty() => (none(their_front), their_front),
            _ => (their_front, their_back),
        };
        let mut pairs = Pairs::new();
        if !(my_front.is_empty() && front.is_empty()) {
            pairs.push((my_front, front));
        }
        for [words, letters] in alignment.runs(theirs.core) {
            pairs.push((mine.core.part(words), theirs.core.part(letters)));
        }
        if !(my_back.is_empty() && back.is_empty()) {
            pairs.push((my_back, back));
        }
        pairs
    }
}

/// "Imkersvereniging Zeewolde": the form is in the name.
fn names_its_form(core: Words<'_>) -> bool {
    let ends = |word: &Word, form: &str| core.letters_of(word).ends_with(form.as_bytes());
    core.iter()
        .any(|word| ends(word, "vereniging") || ends(word, "stichting"))
}

fn owned<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<CompactString> {
    texts.map(CompactString::from).collect()
}

fn ends_on_a_word(account: Words<'_>, registered: Words<'_>) -> bool {
    let spelled: usize = account.letters().len();
    let base = registered.start();
    registered.iter().any(|word| word.end().saturating_sub(base) == spelled)
}

fn hidden_forms(theirs: &Split<'_>) -> Vec<String> {
    let mut hidden = Vec::new();
    for form in &theirs.forms {
        for notation in form.short_notations_behind() {
            hidden.push(match theirs.liability {
                Some(liability) => format!("{notation}{}", liability.code),
                None => notation.to_owned(),
            });
        }
    }
    hidden.extend(theirs.liability.map(|form| form.code.to_owned()));
    hidden
}
