//! Accounts that a person looks at whatever the names say.

use crate::LONGEST_NAME;
use crate::accept::Registered;
use crate::forms::{Reading, split};
use crate::persons::clearly_personal;
use crate::reason::{Reason, ReasonCode};
use crate::token::{Token, shown, tokens};
use crate::visible::{findings, visible};
use crate::words::{Role, find_phrase, has_role, is_phrase, phrase_at};
use unicode_normalization::UnicodeNormalization;

/// What makes the text unreadable as a name; nothing is compared then.
pub(crate) fn unreadable(account: &str) -> Vec<Reason> {
    if account.chars().nth(LONGEST_NAME).is_some() {
        return vec![Reason::plain(ReasonCode::TooLong)];
    }
    let strange = findings(account);
    if !strange.is_empty() {
        return strange
            .into_iter()
            .map(|(code, words)| Reason::new(code, words))
            .collect();
    }
    let tokens = tokens(account);
    if tokens.iter().all(|token| token.is_connector() && token.plain == "&") {
        return vec![Reason::plain(ReasonCode::NameMissing)];
    }
    if is_placeholder(&tokens) {
        return vec![Reason::new(ReasonCode::PlaceholderName, vec![visible(account.trim())])];
    }
    Vec::new()
}

/// No name: a standing phrase, a number or IBAN, only a legal form or title.
fn is_placeholder(tokens: &[Token]) -> bool {
    let letters: String = tokens.iter().map(|token| token.plain.as_str()).collect();
    let iban = letters.len() >= 15
        && letters.chars().take(2).all(|c| c.is_ascii_alphabetic())
        && letters.chars().skip(2).take(2).all(|c| c.is_ascii_digit())
        && letters.chars().filter(char::is_ascii_digit).count() * 2 > letters.len();
    let only_digits = letters.chars().all(|c| c.is_ascii_digit());
    let titles = tokens.iter().all(|token| has_role(token, Role::Title));
    iban || only_digits || titles || is_phrase(tokens, Role::Placeholder) || only_forms(tokens)
}

fn only_forms(tokens: &[Token]) -> bool {
    // A form needs something beside it to be read as one.
    let mut with_name = tokens.to_vec();
    let Some(mut name) = tokens.first().cloned() else {
        return false;
    };
    name.plain = "zzzz".to_owned();
    name.gap = crate::token::Gap::Space;
    with_name.push(name);
    split(&with_name, Reading::Sure).core.len() == 1
}

/// What makes an account reviewable even where its letters are those of a registered name.
pub(crate) fn objections(account: &[Token], registered: &[Registered<'_>]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut note = |role, code| {
        if let Some((at, count)) = find_phrase(account, role) {
            let words = account.get(at..at + count).map(shown).unwrap_or_default();
            reasons.push(Reason::new(code, words));
        }
    };
    note(Role::Status, ReasonCode::NotInFullLife);
    // "Stichting Bewind Zeewolf" is what the foundation is called.
    let called_so = |role| registered.iter().any(|name| find_phrase(&name.tokens, role).is_some());
    for (role, code) in [
        (Role::Purpose, ReasonCode::HeldForAnother),
        (Role::Joint, ReasonCode::SeveralHolders),
    ] {
        if !called_so(role) {
            note(role, code);
        }
    }
    let io = account
        .last()
        .filter(|last| matches!(last.plain.as_str(), "io" | "il") && last.shown.contains('.'));
    if let Some(last) = io {
        reasons.push(Reason::new(ReasonCode::NotInFullLife, vec![last.shown.clone()]));
    }
    reasons
}

/// Letters that are Latin but strange enough to disguise a plain one (ı for i, ø for o, ẹ for e): fine when the
/// registered name has that very letter, for a bank that drops accents doesn't invent letters.
pub(crate) fn disguises(account: &str, registered: &[Registered<'_>]) -> Option<Reason> {
    let mut strange: Vec<char> = account.nfc().filter(|c| is_uncommon(*c)).collect();
    strange.retain(|c| {
        let same = |other: char| other == *c || other.to_lowercase().eq(c.to_lowercase());
        !registered.iter().any(|name| name.text.nfc().any(same))
    });
    strange.truncate(10);
    let words: Vec<String> = strange.into_iter().map(String::from).collect();
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
        || matches!(c, '\u{fb00}'..='\u{fb06}')
}

/// Whether the account is that of a bank or payment service.
pub(crate) fn payment_service(account: &[Token]) -> Option<Reason> {
    either(account, |tokens| phrase_at(tokens, Role::Payment).is_some())
        .then(|| Reason::new(ReasonCode::PaymentServiceAccount, shown(account)))
}

/// Whether the name says no more than that.
pub(crate) fn only_payment_service(account: &[Token]) -> bool {
    either(account, |tokens| is_phrase(tokens, Role::Payment))
}

/// With or without its legal form.
fn either(account: &[Token], is: impl Fn(&[Token]) -> bool) -> bool {
    is(account) || is(split(account, Reading::Account).core)
}

/// Whether the account is a person's.
pub(crate) fn person(account: &[Token]) -> Option<Reason> {
    let person = split(account, Reading::Sure).forms.is_empty() && clearly_personal(account);
    person.then(|| Reason::new(ReasonCode::PrivatePerson, shown(account)))
}
