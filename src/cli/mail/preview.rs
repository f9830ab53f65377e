//! `eencent mail preview`: e-mails as their receivers would see them, with sample data. Needs no database and sends
//! nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use eencent_activations::state::{EmailKind, MOVES, State};
use eencent_jobs::Preview;

use crate::settings::Settings;

/// What to show.
#[derive(Args)]
pub struct PreviewArgs {
    /// Which e-mail, such as round_off; without it, all.
    #[arg(value_parser = kind)]
    kind: Option<EmailKind>,
    /// In which language; without it, both.
    #[arg(long, value_parser = ["nl", "en"])]
    language: Option<String>,
    /// In which form.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A folder to write files to, such as nl/round_off.html, in all forms unless one is named; made when missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A form of an e-mail.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Subject and plain text.
    Text,
    /// The page.
    Html,
    /// The whole message.
    Eml,
}

impl Format {
    const fn ending(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Html => "html",
            Self::Eml => "eml",
        }
    }

    fn of(self, preview: &Preview) -> Vec<u8> {
        match self {
            Self::Text => format!("Subject: {}\n\n{}", preview.subject, preview.text).into_bytes(),
            Self::Html => preview.html.clone().into_bytes(),
            Self::Eml => preview.message.clone(),
        }
    }
}

fn kind(text: &str) -> Result<EmailKind, String> {
    EmailKind::parse(text).ok_or_else(|| {
        let names: Vec<&str> = EmailKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("there is no such e-mail; there is {}", names.join(", "))
    })
}

/// Shows them.
///
/// # Errors
/// When templates or keys are wrong, or files can't be written.
pub fn run(args: &PreviewArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let previews = settings
        .jobs
        .previews()
        .map_err(|told| anyhow::anyhow!("{}", told.join("\n")))?;
    if args.kind.is_none() && args.language.is_none() && args.format.is_none() && args.out.is_none() {
        list(&previews);
        return Ok(ExitCode::SUCCESS);
    }
    let language = args.language.as_deref();
    let wanted = previews
        .iter()
        .filter(|one| args.kind.is_none_or(|kind| kind == one.kind));
    let wanted = wanted.filter(|one| language.is_none_or(|language| language == one.language));
    match &args.out {
        Some(folder) => {
            let all = [Format::Text, Format::Html, Format::Eml];
            let mut many = 0;
            for preview in wanted {
                for format in all
                    .into_iter()
                    .filter(|one| args.format.is_none_or(|format| format == *one))
                {
                    write(folder, preview, format)?;
                    many += 1;
                }
            }
            println!("{many} files in {}", folder.display());
        }
        None => {
            let format = args.format.unwrap_or(Format::Text);
            let shown: Vec<Vec<u8>> = wanted.map(|preview| format.of(preview)).collect();
            anyhow::ensure!(
                shown.len() == 1 || format == Format::Text,
                "a page is shown by itself: name the e-mail and --language, or write all of them with --out DIR"
            );
            let between: &[u8] = b"\n========================================\n\n";
            std::io::stdout()
                .write_all(&shown.join(between))
                .context("it can't be shown")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Which there are, when they are sent, and which are the operator's own.
fn list(previews: &[Preview]) {
    for kind in EmailKind::ALL {
        let moves = MOVES.iter().filter(|row| row.email == Some(*kind));
        let when: Vec<String> = moves
            .map(|row| format!("{} ({})", row.happening, row.from.map_or("–", State::as_str)))
            .collect();
        if kind.is_to_the_house() {
            println!("{kind}: sent to support.digest_to, when support.digest says");
        } else {
            println!("{kind}: sent at {}", when.join(", "));
        }
        for preview in previews.iter().filter(|one| one.kind == *kind) {
            let own = match &preview.file {
                Some(file) => format!("   from {}", file.display()),
                None => String::new(),
            };
            println!("    {}/{kind}.txt  {}{own}", preview.language, preview.subject);
        }
    }
    println!(
        "Beside these: nl/_signature.txt, en/_signature.txt and layout.html. docs/emails.md tells how they are written."
    );
}

fn write(folder: &Path, preview: &Preview, format: Format) -> anyhow::Result<()> {
    let folder = folder.join(preview.language);
    let file = folder.join(format!("{}.{}", preview.kind, format.ending()));
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, format.of(preview)))
        .with_context(|| format!("{} can't be written", file.display()))
}
