//! Two names in one: "LEGAL h.o.d.n. TRADE", "TRADE (LEGAL)", "person h/o TRADE".

use crate::accept::{Record, Registered, accept};
use crate::evidence::Folding;
use crate::forms::{FormKind, Reading, split};
use crate::persons::looks_personal;
use crate::reason::{Reason, ReasonCode};
use crate::token::{Token, shown};
use crate::words::{Role, find_phrase};
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// h.o.d.n. and the like.
    Link,
    Brackets,
}

struct Halves<'t> {
    left: &'t [Token],
    right: &'t [Token],
    joint: Joint,
}

/// One link between two names, or a last part in brackets. Two links are more than we explain.
fn halves(account: &[Token]) -> Option<Halves<'_>> {
    if let Some((at, count)) = find_phrase(account, Role::Link) {
        let (left, right) = (account.get(..at)?, account.get(at + count..)?);
        let single = find_phrase(right, Role::Link).is_none();
        return (single && !left.is_empty() && !right.is_empty()).then_some(Halves {
            left,
            right,
            joint: Joint::Link,
        });
    }
    let at = account.iter().position(|token| token.bracketed)?;
    let (left, right) = account.split_at_checked(at)?;
    let closed = right.iter().all(|token| token.bracketed);
    (closed && !left.is_empty()).then_some(Halves {
        left,
        right,
        joint: Joint::Brackets,
    })
}

/// A recognised pair of names, and the registered name that is the weightier.
pub(crate) struct Pair<'r> {
    pub code: ReasonCode,
    pub name: &'r str,
    pub names: Vec<String>,
    pub folded: BTreeSet<Folding>,
}

/// Both halves on record, or the reason why not. `Ok(None)` when the account is not two names.
pub(crate) fn pair<'r>(
    account: &[Token],
    length: usize,
    names: &'r [Registered<'_>],
    record: &Record,
) -> Result<Option<Pair<'r>>, Reason> {
    let Some(halves) = halves(account) else {
        return Ok(None);
    };
    let whole = |half: &[Token], length: usize, statutory: bool| {
        names.iter().filter(|name| name.statutory == statutory).find(|name| {
            // Beside the statutory name a trade name need not be distinctive: it only has to be on record.
            match accept(half, length, name, record) {
                Ok(found) => found.is_some(),
                Err(reason) => !statutory && matches!(reason.code, ReasonCode::GenericName),
            }
        })
    };
    let found = match halves.joint {
        Joint::Link => whole(halves.left, 0, true).zip(whole(halves.right, length, false)),
        Joint::Brackets => whole(halves.left, 0, true)
            .zip(whole(halves.right, 0, false))
            .or_else(|| whole(halves.right, 0, true).zip(whole(halves.left, 0, false))),
    };
    let folded = BTreeSet::from([Folding::TwoNames]);
    if let Some((statutory, trade)) = found {
        let names = vec![statutory.text.to_owned(), trade.text.to_owned()];
        return Ok(Some(Pair {
            code: ReasonCode::LegalAndTradeName,
            name: statutory.text,
            names,
            folded,
        }));
    }
    if halves.joint == Joint::Brackets {
        return Ok(None);
    }
    let left_is_person = split(halves.left, Reading::Account).forms.is_empty() && looks_personal(halves.left);
    if left_is_person {
        if record.kind() != Some(FormKind::Sole) {
            return Err(Reason::new(ReasonCode::SoleTraderAccount, shown(halves.left)));
        }
        let trade = names
            .iter()
            .find(|name| matches!(accept(halves.right, length, name, record), Ok(Some(_))));
        if let Some(trade) = trade {
            let names = vec![trade.text.to_owned()];
            return Ok(Some(Pair {
                code: ReasonCode::OwnerAndTradeName,
                name: trade.text,
                names,
                folded,
            }));
        }
    }
    let unknown = if whole(halves.left, 0, true).is_some() {
        halves.right
    } else {
        halves.left
    };
    let unknown = if left_is_person { halves.right } else { unknown };
    Err(Reason::new(ReasonCode::TradeNameNotRegistered, shown(unknown)))
}
