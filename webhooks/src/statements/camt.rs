//! camt.053 and camt.054 (ISO 20022), any version.
//!
//! Names of elements are looked at, not their namespace: banks write every version, and prefixes of their
//! own. What moved between versions is read in both places: `Dbtr/Nm` and `Dbtr/Pty/Nm`, `Sts` and
//! `Sts/Cd`.

use eencent_activations::money::Money;
use roxmltree::{Document, Node, ParsingOptions};

use super::{Entry, Unreadable, What, amount, hint};

/// The format and the transactions.
pub(super) fn read(text: &str) -> Result<(String, Vec<Entry>), Unreadable> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: 20_000_000,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let line = usize::try_from(error.pos().row).unwrap_or(1);
        Unreadable::at(line, "the XML is broken there; export the file again")
    })?;
    let root = document.root_element();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    let format = namespace.rsplit(':').next().unwrap_or_default();
    let reports: Vec<Node<'_, '_>> = root
        .children()
        .filter(|node| ["BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"].contains(&node.tag_name().name()))
        .flat_map(|message| message.children())
        .filter(|node| ["Stmt", "Ntfctn"].contains(&node.tag_name().name()))
        .collect();
    if reports.is_empty() {
        return Err(Unreadable::at(
            1,
            "this XML is neither a camt.053 statement nor a camt.054 notification; export one of those",
        ));
    }
    let lines = Lines::of(text);
    let mut entries = Vec::new();
    for report in reports {
        let account = account(report);
        for entry in children(report, "Ntry") {
            read_entry(entry, &account, &lines, &mut entries)?;
        }
        balances(report, &lines)?;
    }
    let format = if format.starts_with("camt.05") { format } else { "camt" };
    Ok((format.to_owned(), entries))
}

/// Where each line begins. The tree tells a line by counting from the start of the text, which for every
/// entry of a long statement would take the square of its length.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(breaks.map(|(at, _)| at).collect())
    }

    fn at(&self, node: Node<'_, '_>) -> usize {
        self.0.partition_point(|at| *at < node.range().start) + 1
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn child<'a, 'i>(node: Node<'a, 'i>, path: &[&'static str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| children(node, name).next())
}

fn text<'a>(node: Node<'a, '_>, path: &[&'static str]) -> Option<&'a str> {
    child(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

fn account(report: Node<'_, '_>) -> String {
    text(report, &["Acct", "Id", "IBAN"])
        .or_else(|| text(report, &["Acct", "Id", "Othr", "Id"]))
        .unwrap_or("unnamed")
        .to_owned()
}

fn money(node: Node<'_, '_>, lines: &Lines) -> Result<Money, Unreadable> {
    amount(
        node.text().unwrap_or_default(),
        node.attribute("Ccy").unwrap_or_default(),
        lines.at(node),
    )
}

/// Whether money came in, as the entry or transaction says.
fn credit(node: Node<'_, '_>, lines: &Lines) -> Result<Option<bool>, Unreadable> {
    match text(node, &["CdtDbtInd"]) {
        Some("CRDT") => Ok(Some(true)),
        Some("DBIT") => Ok(Some(false)),
        None => Ok(None),
        Some(_) => Err(Unreadable::at(lines.at(node), "CdtDbtInd is neither CRDT nor DBIT")),
    }
}

fn read_entry(entry: Node<'_, '_>, account: &str, lines: &Lines, entries: &mut Vec<Entry>) -> Result<(), Unreadable> {
    let at = lines.at(entry);
    let total = child(entry, &["Amt"]).ok_or_else(|| Unreadable::at(at, "the entry has no Amt"))?;
    let total = money(total, lines)?;
    let came_in = credit(entry, lines)?.ok_or_else(|| Unreadable::at(at, "the entry has no CdtDbtInd"))?;
    let reversal = matches!(text(entry, &["RvslInd"]), Some("true" | "1"));
    let status = text(entry, &["Sts", "Cd"])
        .or_else(|| text(entry, &["Sts"]))
        .unwrap_or("BOOK");
    let what = match (status, came_in, reversal) {
        ("PDNG" | "INFO" | "FUTR", _, _) => What::NotBooked,
        ("BOOK", true, false) => What::Received,
        ("BOOK", false, true) => What::SentBack,
        ("BOOK", _, _) => What::WentOut,
        _ => return Err(Unreadable::at(at, "Sts is a status that isn't known here")),
    };
    let booked = text(entry, &["BookgDt", "DtTm"])
        .or_else(|| text(entry, &["BookgDt", "Dt"]))
        .or_else(|| text(entry, &["ValDt", "Dt"]));
    let of_entry = text(entry, &["AcctSvcrRef"]).or_else(|| text(entry, &["NtryRef"]));
    let details: Vec<Node<'_, '_>> = children(entry, "NtryDtls")
        .flat_map(|it| children(it, "TxDtls"))
        .collect();
    let many = children(entry, "NtryDtls")
        .filter_map(|it| text(it, &["Btch", "NbOfTxs"])?.parse::<usize>().ok())
        .sum::<usize>();
    let bare = Entry {
        line: at,
        account: account.to_owned(),
        bank_reference: of_entry.map(str::to_owned),
        amount: total,
        what: what.clone(),
        name: None,
        iban: None,
        reference: None,
        booked: booked.map(str::to_owned),
    };
    if details.is_empty() {
        let unclear = "a batch of several payments was booked as one amount, and the file doesn't say which: let the bank's export split batches.";
        entries.push(Entry {
            what: if many > 1 && what == What::Received {
                What::Unclear(unclear.to_owned())
            } else {
                what
            },
            reference: hint(None, &text(entry, &["AddtlNtryInf"]).into_iter().collect::<Vec<_>>()),
            ..bare
        });
        return Ok(());
    }
    let mut sum = 0_i64;
    let mut same_currency = true;
    let alone = details.len() == 1;
    for detail in &details {
        let amount = child(*detail, &["Amt"])
            .or_else(|| child(*detail, &["AmtDtls", "TxAmt", "Amt"]))
            .filter(|_| !alone || child(*detail, &["Amt"]).is_some());
        let amount = match amount {
            Some(amount) => money(amount, lines)?,
            None if alone => total,
            None => {
                return Err(Unreadable::at(
                    lines.at(*detail),
                    "a transaction of a batch has no amount of its own",
                ));
            }
        };
        same_currency &= amount.currency == total.currency;
        let sign = if credit(*detail, lines)?.unwrap_or(came_in) == came_in {
            1
        } else {
            -1
        };
        sum = sum.saturating_add(amount.minor.saturating_mul(sign));
        let own = text(*detail, &["Refs", "AcctSvcrRef"]);
        let (name, iban) = debtor(*detail);
        entries.push(Entry {
            line: lines.at(*detail),
            bank_reference: own.or(of_entry).map(str::to_owned),
            amount,
            what: what.clone(),
            name,
            iban,
            reference: remittance(*detail),
            ..bare.clone()
        });
    }
    // In another currency the bank exchanged, and sums can't be compared.
    if same_currency && sum != total.minor {
        return Err(Unreadable::at(
            at,
            "the transactions of this entry don't add up to its amount; export the file again",
        ));
    }
    Ok(())
}

fn debtor(detail: Node<'_, '_>) -> (Option<String>, Option<String>) {
    let name = text(detail, &["RltdPties", "Dbtr", "Pty", "Nm"]).or_else(|| text(detail, &["RltdPties", "Dbtr", "Nm"]));
    let iban = text(detail, &["RltdPties", "DbtrAcct", "Id", "IBAN"]);
    (name.map(str::to_owned), iban.map(str::to_owned))
}

fn remittance(detail: Node<'_, '_>) -> Option<eencent_activations::notification::ReferenceHint> {
    let info = child(detail, &["RmtInf"]);
    let structured = info.and_then(|info| children(info, "Strd").find_map(|part| text(part, &["CdtrRefInf", "Ref"])));
    let mut free: Vec<&str> = info
        .into_iter()
        .flat_map(|info| children(info, "Ustrd"))
        .filter_map(|part| part.text().map(str::trim))
        .collect();
    let end_to_end = text(detail, &["Refs", "EndToEndId"]).filter(|id| *id != "NOTPROVIDED" && *id != "NOTAVAILABLE");
    if structured.is_none() {
        free.extend(end_to_end);
    }
    hint(structured, &free)
}

/// That opening balance and bookings come to the closing balance, where a statement says both.
fn balances(report: Node<'_, '_>, lines: &Lines) -> Result<(), Unreadable> {
    let balance = |code: [&str; 2]| {
        let mut found = children(report, "Bal")
            .filter(|it| text(*it, &["Tp", "CdOrPrtry", "Cd"]).is_some_and(|said| code.contains(&said)));
        found.next().filter(|_| found.next().is_none())
    };
    let (Some(opening), Some(closing)) = (balance(["OPBD", "PRCD"]), balance(["CLBD", "CLBD"])) else {
        return Ok(());
    };
    let signed = |balance: Node<'_, '_>| -> Result<Option<Money>, Unreadable> {
        let Some(amount) = child(balance, &["Amt"]) else {
            return Ok(None);
        };
        let money = money(amount, lines)?;
        let sign = if credit(balance, lines)? == Some(false) { -1 } else { 1 };
        Ok(Some(Money::new(money.minor.saturating_mul(sign), money.currency)))
    };
    let (Some(before), Some(after)) = (signed(opening)?, signed(closing)?) else {
        return Ok(());
    };
    let mut moved = 0_i64;
    for entry in children(report, "Ntry") {
        let status = text(entry, &["Sts", "Cd"])
            .or_else(|| text(entry, &["Sts"]))
            .unwrap_or("BOOK");
        let Some(amount) = child(entry, &["Amt"]).filter(|_| status == "BOOK") else {
            continue;
        };
        let money = money(amount, lines)?;
        let sign = if credit(entry, lines)? == Some(true) { 1 } else { -1 };
        moved = moved.saturating_add(money.minor.saturating_mul(sign));
    }
    if before.minor.saturating_add(moved) == after.minor {
        return Ok(());
    }
    Err(Unreadable::at(
        lines.at(closing),
        "the opening balance and the bookings don't come to the closing balance: entries are missing; export the file again",
    ))
}
