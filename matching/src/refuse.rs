//! Accounts that a person looks at whatever the names say.

use crate::accept::{Account, Registered};
use crate::fold::is_combining;
use crate::lexicon::{Role, find_phrase, is_phrase, phrase_at};
use crate::name::{Kind, Words};
use crate::persons::clearly_personal;
use crate::reason::{Reason, ReasonCode};
use crate::split::is_only_a_form;
use crate::visible::{findings, visible};
use compact_str::{CompactString, ToCompactString};
use unicode_normalization::UnicodeNormalization;

/// What makes the text unreadable as a name; nothing is compared then.
pub(crate) fn unreadable(account: &str, words: Words<'_>) -> Vec<Reason> {
    let strange = findings(account);
    if !strange.is_empty() {
        let reasons = strange
            .into_iter()
            .map(|(code, words)| Reason::new(code, words.into_iter().map(CompactString::from).collect()));
        return reasons.collect();
    }
    if words.iter().all(|word| word.kind == Kind::Ampersand) {
        return vec![Reason::plain(ReasonCode::NameMissing)];
    }
    if is_phrase(words, Role::Temporary) {
        return vec![Reason::new(
            ReasonCode::TemporaryName,
            vec![visible(account.trim()).into()],
        )];
    }
    if is_placeholder(words) {
        return vec![Reason::new(
            ReasonCode::PlaceholderName,
            vec![visible(account.trim()).into()],
        )];
    }
    Vec::new()
}

/// No name: a standing phrase, a number or IBAN, only a legal form or title.
fn is_placeholder(words: Words<'_>) -> bool {
    let letters = words.letters();
    let digits = letters.iter().filter(|letter| letter.is_ascii_digit()).count();
    let starts = |range: std::ops::Range<usize>, fits: fn(&u8) -> bool| {
        letters.get(range).is_some_and(|part| part.iter().all(fits))
    };
    let iban = letters.len() >= 15
        && digits * 2 > letters.len()
        && starts(0..2, u8::is_ascii_alphabetic)
        && starts(2..4, u8::is_ascii_digit);
    let titles = || words.iter().all(|word| word.is(Role::Title));
    iban || digits == letters.len() || titles() || is_phrase(words, Role::Placeholder) || is_only_a_form(words)
}

/// What makes an account reviewable even where its letters are those of a registered name.
pub(crate) fn objections(account: Words<'_>, registered: &[Registered<'_>]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    // "Stichting Bewind Zeewolf" is what the foundation is called.
    let called_so = |phrase: Words<'_>, role| {
        let same = |name: &Registered<'_>| {
            let words = name.name.words();
            find_phrase(words, role).is_some_and(|(at, count)| words.part(at..at + count).letters() == phrase.letters())
        };
        registered.iter().any(same)
    };
    for (role, code) in [
        (Role::Status, ReasonCode::NotInFullLife),
        (Role::Purpose, ReasonCode::HeldForAnother),
        (Role::Joint, ReasonCode::SeveralHolders),
        (Role::Department, ReasonCode::Department),
    ] {
        let Some((at, count)) = find_phrase(account, role) else {
            continue;
        };
        let phrase = account.part(at..at + count);
        if role == Role::Status || !called_so(phrase, role) {
            reasons.push(Reason::new(code, vec![phrase.as_written().into()]));
        }
    }
    if let Some(last) = account.last()
        && matches!(account.letters_of(last), b"io" | b"il")
        && last.joined
    {
        reasons.push(Reason::new(ReasonCode::NotInFullLife, vec![account.shown(last).into()]));
    }
    reasons
}

/// Letters that are Latin but strange enough to disguise a plain one (ı for i, ø for o, ẹ for e): fine when the
/// registered name has that very letter, for a bank that drops accents doesn't invent letters.
pub(crate) fn disguises(account: &str, registered: &[Registered<'_>]) -> Option<Reason> {
    if account.is_ascii() {
        return None;
    }
    // A letter and its accent may come as two characters.
    let composed = |text: &str, take: &mut dyn FnMut(char)| {
        if text.chars().any(is_combining) {
            text.nfc().for_each(take);
        } else {
            text.chars().for_each(take);
        }
    };
    let mut strange: Vec<char> = Vec::new();
    composed(account, &mut |c| {
        if is_uncommon(c) {
            strange.push(c);
        }
    });
    for name in registered {
        composed(name.text, &mut |other| {
            strange.retain(|c| other != *c && !other.to_lowercase().eq(c.to_lowercase()));
        });
    }
    strange.truncate(10);
    let words: Vec<CompactString> = strange.into_iter().map(|c| c.to_compact_string()).collect();
    (!words.is_empty()).then(|| Reason::new(ReasonCode::LooksLikeLatin, words))
}

fn is_uncommon(c: char) -> bool {
    matches!(
        c,
        'ı' | 'ø'
            | 'Ø'
            | 'ł'
            | 'Ł'
            | 'đ'
            | 'Đ'
            | 'ð'
            | 'Ð'
            | 'ħ'
            | 'Ħ'
            | 'þ'
            | 'Þ'
            | 'ª'
            | 'º'
            | '¹'
            | '²'
            | '³'
    ) || matches!(c, '\u{180}'..='\u{24f}' | '\u{1e00}'..='\u{1e9d}' | '\u{1e9f}'..='\u{1eff}')
}

/// Whether the account is that of a bank or payment service.
pub(crate) fn payment_service(account: &Account<'_>) -> Option<Reason> {
    either(account, |words| phrase_at(words, Role::Payment).is_some())
        .then(|| Reason::new(ReasonCode::PaymentServiceAccount, account.words.each_shown()))
}

/// Whether the name says no more than that.
pub(crate) fn only_payment_service(account: &Account<'_>) -> bool {
    either(account, |words| is_phrase(words, Role::Payment))
}

/// With or without its legal form.
fn either(account: &Account<'_>, is: impl Fn(Words<'_>) -> bool) -> bool {
    is(account.words) || is(account.split.core)
}

/// Whether the account is a person's.
pub(crate) fn person(account: &Account<'_>) -> Option<Reason> {
    let person = account.sure.forms.is_empty() && clearly_personal(account.words);
    person.then(|| Reason::new(ReasonCode::PrivatePerson, account.words.each_shown()))
}
