//! `eencent person export|erase`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::person::{File, Foreseen, Whose};
use eencent_activations::desk::{Actor, Desk};
use eencent_activations::store;

use super::offline;
use crate::settings::Settings;

/// What to do with what is stored of somebody.
#[derive(Subcommand)]
pub enum Act {
    /// Write everything that is stored of somebody, as JSON.
    Export {
        #[command(flatten)]
        person: PersonArgs,
        /// The file to write, for its owner alone; one that is there is not replaced. `-` is standard output.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Who asks for it; goes into the audit.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why, without saying who it is about; goes into the audit.
        #[arg(long)]
        reason: String,
    },
    /// Tell what would be erased and what kept; with --yes, erase it.
    Erase {
        #[command(flatten)]
        person: PersonArgs,
        /// Do it. It can't be undone.
        #[arg(long, requires_all = ["by", "reason"])]
        yes: bool,
        /// On SQLite don't write the file anew, for which writers wait one to two seconds for each 100 MB: the next
        /// `erase` without this does it.
        #[arg(long)]
        leave_file: bool,
        /// Who asks for it; goes into the audit.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why, without saying who it is about; goes into the audit.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Who it is about.
#[derive(Args)]
pub struct PersonArgs {
    /// The e-mail address of whoever registered an organisation.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "iban",
        conflicts_with = "iban"
    )]
    email: Option<String>,
    /// The account that somebody paid from.
    #[arg(long, value_name = "IBAN")]
    iban: Option<String>,
    /// A name of theirs, which is looked for in notes and other texts about anybody; more than once for more.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
}

impl PersonArgs {
    fn whose(&self) -> anyhow::Result<Whose> {
        let whose = match (&self.email, &self.iban) {
            (Some(address), _) => Whose::email(address),
            (None, iban) => Whose::iban(iban.as_deref().unwrap_or_default()),
        };
        let whose = whose.map_err(|refused| anyhow::anyhow!(refused.text))?;
        Ok(self.names.iter().fold(whose, |whose, name| whose.named(name)))
    }
}

/// Does it.
///
/// # Errors
/// When the database or the file can't be used, or what is asked is refused.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let on_a_file = store::is_file(&settings.database.url);
    let done = match act {
        Act::Export {
            person,
            out,
            by,
            reason,
        } => export(&desk, &person, &out, (&by, &reason)).await,
        Act::Erase {
            person,
            yes: true,
            leave_file,
            by: Some(by),
            reason: Some(reason),
        } => {
            let file = if leave_file { File::Left } else { File::WrittenAnew };
            erase(&desk, &person, (&by, &reason), file, on_a_file).await
        }
        Act::Erase { person, .. } => foresee(&desk, &person).await,
    };
    store.close().await;
    done
}

async fn export(desk: &Desk, person: &PersonArgs, out: &Path, (by, reason): (&str, &str)) -> anyhow::Result<ExitCode> {
    let whose = person.whose()?;
    let told = || {
        format!(
            "can't write {}; name a file that isn't there yet, in a folder that you may write to",
            out.display()
        )
    };
    let to_terminal = out == Path::new("-");
    if !to_terminal && out.exists() {
        anyhow::bail!("{} is there already; name another file", out.display());
    }
    let actor = Actor::command_line().as_person(by);
    let order = Order { actor: &actor, reason };
    let Some(exported) = desk.export_person(order, &whose).await? else {
        return Ok(nothing(&whose));
    };
    let mut text = serde_json::to_vec_pretty(&exported.json)?;
    text.push(b'\n');
    if to_terminal {
        std::io::stdout().write_all(&text)?;
    } else {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
        let mut file = file.with_context(told)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .with_context(told)?;
    }
    let counts: Vec<String> = exported
        .counts
        .iter()
        .map(|(what, many)| format!("{many} {what}"))
        .collect();
    eprintln!("Exported what is stored of {}: {}.", whose.masked(), counts.join(", "));
    Ok(ExitCode::SUCCESS)
}

async fn foresee(desk: &Desk, person: &PersonArgs) -> anyhow::Result<ExitCode> {
    let whose = person.whose()?;
    let Some(foreseen) = desk.foresee_erasure(&whose).await? else {
        return Ok(nothing(&whose));
    };
    tell(&whose, &foreseen);
    if foreseen.obstacles.is_empty() {
        println!("\nNothing was changed. To erase it, add: --yes --by NAME --reason \"the number of the request\"");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nNothing was changed, and nothing can be erased before this has ended:");
    for one in &foreseen.obstacles {
        println!("  {}: {}", one.what, one.instead);
    }
    Ok(ExitCode::FAILURE)
}

fn tell(whose: &Whose, foreseen: &Foreseen) {
    println!("Of {} would be erased:", whose.masked());
    for one in &foreseen.erased {
        println!("  {:>6}  {}", one.many, one.what);
    }
    println!("and kept:");
    for one in &foreseen.kept {
        println!("  {:>6}  {}: {}", one.many, one.what, one.why);
    }
    for warning in &foreseen.warnings {
        println!("Note: {warning}");
    }
}

async fn erase(
    desk: &Desk,
    person: &PersonArgs,
    (by, reason): (&str, &str),
    file: File,
    on_a_file: bool,
) -> anyhow::Result<ExitCode> {
    let whose = person.whose()?;
    let actor = Actor::command_line().as_person(by);
    let order = Order { actor: &actor, reason };
    let Some(erased) = desk.erase_person(order, &whose, file).await? else {
        return Ok(nothing(&whose));
    };
    println!("Of {} was erased:", whose.masked());
    for one in &erased.erased {
        println!("  {:>6}  {}", one.many, one.what);
    }
    if on_a_file && file == File::Left {
        println!(
            "The database's file was left as it is: pages of it that are free may still hold something, until the same command is run without --leave-file."
        );
    } else if on_a_file {
        println!("The database's file was written anew, and holds nothing of it any more.");
    } else {
        println!("PostgreSQL gives up the old versions of rows at its next VACUUM.");
    }
    println!(
        "Backups that were made before, copies of e-mails, logs of mail servers, and what the platform and the providers hold are not changed: docs/personal-data.md"
    );
    if erased.left > 0 {
        println!(
            "While it was erased {} texts or messages came in that mention them; run the same command again.",
            erased.left
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(whose: &Whose) -> ExitCode {
    println!(
        "Nothing is stored of {}. Of an account only payments of which the provider tells the whole number are found by it.",
        whose.masked()
    );
    ExitCode::SUCCESS
}
