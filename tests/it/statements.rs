//! Bank statements, by hand and by the watched folder.

use crate::payments::{NAME, activation, started, text, wait_for_state};
use crate::server::{Installation, wait_for};

/// A camt.054 of one transfer for an invoice.
fn camt(bank_reference: &str, amount: &str, remittance: &str, holder: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><Ntfctn>
 <Acct><Id><IBAN>NL86BUNQ2025105541</IBAN></Id></Acct>
 <Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
  <BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>{bank_reference}</AcctSvcrRef>
  <NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>{holder}</Nm></Pty></Dbtr>
   <DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct></RltdPties>
   <RmtInf><Ustrd>{remittance}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"#
    )
}

#[test]
fn an_imported_statement_activates_once_and_says_who_imported_it() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 32_000_001, "invoice");
    let reference = text(&wanted, "reference").to_lowercase();
    let file = home.path().join("statement.xml");
    std::fs::write(
        &file,
        camt("B-1", "18.15", &format!("betreft {reference} dank u"), NAME),
    )
    .unwrap();
    let broken = home.path().join("broken.sta");
    std::fs::write(&broken, ":20:X\n:25:NL86BUNQ2025105541\n:61:no date\n").unwrap();
    let import = || home.run(&["import", "--by", "P. de Boer", "statement.xml", "broken.sta"]);
    let first = import();
    assert_eq!(first.status.code(), Some(1), "{first:?}");
    assert!(
        first.stdout.contains("broken.sta: refused") && first.stdout.contains("line 3: "),
        "{first:?}"
    );
    assert!(first.stdout.contains("1 transactions, 1 of them new"), "{first:?}");
    wait_for_state(&server, text(&wanted, "id"), "activated");
    let again = import();
    assert!(again.stdout.contains("1 transactions, 0 of them new"), "{again:?}");
    let told = home.run(&["explain", text(&wanted, "reference")]);
    assert!(told.stdout.contains("imported by P. de Boer"), "{}", told.stdout);
    assert_eq!(
        activation(&server, text(&wanted, "id"))["payments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn nothing_is_stored_by_a_dry_run_or_by_a_file_that_isnt_whole() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 32_000_002, "invoice");
    let good = camt("B-1", "18.15", text(&wanted, "reference"), NAME);
    std::fs::write(home.path().join("good.xml"), &good).unwrap();
    let dry = home.run(&["import", "--by", "x", "--dry-run", "good.xml"]);
    assert_eq!(dry.status.code(), Some(0), "{dry:?}");
    assert_eq!(
        dry.stdout,
        "good.xml: camt.054.001.08, NL86BUNQ2025105541, 1 transactions\n"
    );
    // One good entry, and one of which the amount is broken.
    let (entry, end) = (good.find(" <Ntry>").unwrap(), good.find("</Ntfctn>").unwrap());
    let second = good[entry..end].replace("18.15", "18,15");
    let half = format!("{}{second}{}", &good[..end], &good[end..]);
    std::fs::write(home.path().join("half.xml"), half).unwrap();
    let refused = home.run(&["import", "--by", "x", "half.xml"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stdout.contains("nothing of it was imported: line "),
        "{refused:?}"
    );
    assert_eq!(activation(&server, text(&wanted, "id"))["state"], "awaiting_payment");
}

#[test]
fn what_is_dropped_in_the_watched_folder_is_imported_or_refused_with_the_reason() {
    let home = Installation::new();
    let folder = home.path().join("dropped");
    let home = home.with("STATEMENTS__FOLDER", folder.to_str().unwrap());
    let server = home.serve();
    let wanted = started(&server, 32_000_003, "invoice");
    wait_for("the folder", || folder.join("refused").is_dir().then_some(()));
    std::fs::write(
        folder.join("a.xml"),
        camt("B-1", "18.15", text(&wanted, "reference"), NAME),
    )
    .unwrap();
    std::fs::write(folder.join("b.csv"), "date;amount\n").unwrap();
    wait_for_state(&server, text(&wanted, "id"), "activated");
    wait_for("both to be dealt with", || {
        (folder.join("imported/a.xml").exists() && folder.join("refused/b.csv").exists()).then_some(())
    });
    let why = std::fs::read_to_string(folder.join("refused/b.reason.txt")).unwrap();
    assert!(why.starts_with("b.csv: line 1: "), "{why}");
}
