//! Importing bank statements: read as a whole, committed in portions, known again when they come twice.
//!
//! If we crash between two portions, the file is imported again and what was committed is a repeat.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use eencent_activations::clock::Clock;
use eencent_activations::desk::{Actor, Desk};
use eencent_activations::entropy::{Entropy, new_id};
use eencent_activations::inbox::Inbox;
use eencent_activations::notification::{Event, Mode, Receipt, Told};
use eencent_webhooks::statements::{self, Statement, Unreadable};
use sha2::{Digest as _, Sha256};

pub mod folder;

/// What an import is committed as: no endpoint has this name, since it holds a space.
const ENDPOINT: &str = "bank statement";

/// Events that share a transaction; the server goes on receiving between two.
const PORTION: usize = 250;

/// Who imports, and into what.
pub struct Importer {
    /// Where messages are committed.
    pub inbox: Inbox,
    /// Who records it.
    pub desk: Desk,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub entropy: Arc<dyn Entropy>,
    /// Who does it.
    pub actor: Actor,
}

/// A file that was read and not yet imported.
pub struct Ready {
    /// Its name, without the folder.
    pub name: String,
    bytes: Vec<u8>,
    /// What it says.
    pub statement: Statement,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Transactions in it.
    pub transactions: u64,
    /// Those that weren't known yet.
    pub new: u64,
    /// Those, new or not, that brought money.
    pub received: u64,
    /// Those, new or not, that a person has to look at.
    pub set_apart: u64,
}

/// Why a file isn't read.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It can't be opened.
    #[error("can't be read ({0}); check its path and rights")]
    Unopened(#[from] std::io::Error),
    /// It isn't a statement, or not a whole one.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Reads a file; nothing is stored yet.
///
/// # Errors
/// [`Refused`], with the line and the reason.
pub fn read(path: &Path) -> Result<Ready, Refused> {
    let longest = u64::try_from(statements::MOST_BYTES).unwrap_or(u64::MAX);
    if std::fs::metadata(path)?.len() > longest {
        // As the reader says it, without filling the memory first.
        return Err(statements::read(&vec![b' '; statements::MOST_BYTES + 1])
            .err()
            .map_or_else(|| std::io::Error::other("it is too large").into(), Refused::Unreadable));
    }
    let bytes = std::fs::read(path)?;
    let statement = statements::read(&bytes)?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok(Ready { name, bytes, statement })
}

impl Importer {
    /// Commits everything that a file says; `progress` hears how many transactions were committed.
    ///
    /// # Errors
    /// When the store fails; what was committed before stays, and the file can be imported again.
    pub async fn import(&self, ready: &Ready, progress: impl Fn(usize)) -> anyhow::Result<Imported> {
        let sum = hex::encode(Sha256::digest(&ready.bytes));
        let subject = format!("{} sha256:{sum}", ready.name);
        let mut imported = Imported {
            transactions: 0,
            new: 0,
            received: 0,
            set_apart: 0,
        };
        for of_account in &ready.statement.accounts {
            for (portion, number) in of_account.events.chunks(PORTION).zip(0..) {
                let body = if number == 0 {
                    ready.bytes.clone()
                } else {
                    format!("part {} of {subject}", number + 1).into_bytes()
                };
                let request_id = new_id("req", self.clock.now(), self.entropy.as_ref())?;
                let receipt = self.receipt(ready, &subject, &of_account.account, &request_id, body, portion);
                self.inbox
                    .commit(receipt)
                    .await
                    .context("the transactions could not be stored")?;
                imported.new += self.desk.new_events_of(&request_id).await?;
                imported.transactions += u64::try_from(portion.len()).unwrap_or(0);
                for event in portion {
                    match event.told {
                        Told::Payment(_) => imported.received += 1,
                        Told::Quarantined(_) => imported.set_apart += 1,
                        Told::Ignored(_) => {}
                    }
                }
                progress(portion.len());
            }
        }
        let what = format!(
            "{} transactions, {} new, {} received",
            imported.transactions, imported.new, imported.received
        );
        self.desk.statement_imported(&self.actor, &subject, &what).await?;
        Ok(imported)
    }

    fn receipt(
        &self,
        ready: &Ready,
        subject: &str,
        account: &str,
        request_id: &str,
        body: Vec<u8>,
        events: &[Event],
    ) -> Receipt {
        Receipt {
            endpoint: ENDPOINT.to_owned(),
            provider: "bank".to_owned(),
            account: format!("bank {account}"),
            mode: Mode::Live,
            received_at: self.clock.now(),
            request_id: request_id.to_owned(),
            proven_by: format!(
                "nothing in itself: imported by {} from {subject} ({})",
                self.actor, ready.statement.format
            ),
            headers: Vec::new(),
            body,
            events: events.to_vec(),
        }
    }
}
