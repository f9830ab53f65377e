//! Where the texts of e-mails come from: they are compiled in, and a file of the operator's folder takes the place of
//! the one of its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use eencent_activations::state::EmailKind;

/// The languages that e-mails are written in.
pub(crate) const LANGUAGES: [&str; 2] = ["nl", "en"];

/// What stands around the blocks of every e-mail; made of `layout.mjml`.
pub(super) const LAYOUT: &str = "layout.html";

/// A template is text of some lines; a file beyond this is something else.
const LARGEST: u64 = 256 * 1024;

macro_rules! compiled_in {
    ($($name:literal),+ $(,)?) => {
        &[$(
            (concat!("nl/", $name, ".txt"), include_str!(concat!("../../../config/emails/nl/", $name, ".txt"))),
            (concat!("en/", $name, ".txt"), include_str!(concat!("../../../config/emails/en/", $name, ".txt"))),
        )+]
    };
}

const COMPILED_IN: &[(&str, &str)] = compiled_in![
    "_signature",
    "invoice",
    "partly_paid",
    "takes_longer",
    "information_requested",
    "rejected",
    "scheduled",
    "round_off",
    "activated",
    "reminder_to_pay",
    "reminder_to_round_off",
    "reminder_to_answer",
    "expired",
    "cancelled",
    "review_digest",
];

/// One template.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) text: String,
    /// The file that it was read from; none: compiled in.
    pub(super) file: Option<PathBuf>,
}

/// All templates, by name, such as `nl/round_off.txt`.
#[derive(Debug, Clone)]
pub(crate) struct Templates {
    pub(super) all: BTreeMap<&'static str, Source>,
    /// Files of the folder that aren't the name of a template.
    pub(crate) strangers: Vec<PathBuf>,
}

/// The name of the template of an e-mail.
pub(super) fn name_of(kind: EmailKind, language: &str) -> String {
    format!("{language}/{kind}.txt")
}

/// The name of what stands below each e-mail.
pub(super) fn signature_of(language: &str) -> String {
    format!("{language}/_signature.txt")
}

impl Templates {
    /// Those that are compiled in, with the files of `folder` in the place of those of their names.
    ///
    /// # Errors
    /// All files that can't be read, each a sentence that begins with its name.
    pub(crate) fn read(folder: Option<&Path>) -> Result<Self, Vec<String>> {
        let layout = (LAYOUT, include_str!("../../../config/emails/layout.html"));
        let compiled_in = COMPILED_IN.iter().copied().chain([layout]).map(|(name, text)| {
            let text = text.to_owned();
            (name, Source { text, file: None })
        });
        let mut templates = Self {
            all: compiled_in.collect(),
            strangers: Vec::new(),
        };
        let mut problems = Vec::new();
        if let Some(folder) = folder {
            templates.overlay(folder, folder, &mut problems);
        }
        templates.strangers.sort();
        if problems.is_empty() {
            Ok(templates)
        } else {
            Err(problems)
        }
    }

    fn overlay(&mut self, root: &Path, folder: &Path, problems: &mut Vec<String>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries.flatten(),
            Err(error) => {
                problems.push(format!("the folder {} can't be read: {error}", folder.display()));
                return;
            }
        };
        for path in entries.map(|entry| entry.path()) {
            // What editors and version control leave there.
            if path
                .file_name()
                .is_none_or(|name| name.to_string_lossy().starts_with('.'))
            {
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if path.is_dir() && LANGUAGES.contains(&name.as_str()) {
                self.overlay(root, &path, problems);
            } else if let Some(source) = self.all.get_mut(name.as_str()) {
                match read_file(&path) {
                    Ok(text) => {
                        let file = Some(path);
                        *source = Source { text, file };
                    }
                    Err(error) => problems.push(format!("{} {error}", path.display())),
                }
            } else {
                self.strangers.push(path);
            }
        }
    }

    /// The template of an e-mail in a language was read from this file; none: it is compiled in.
    pub(crate) fn file_of(&self, kind: EmailKind, language: &str) -> Option<&Path> {
        self.all.get(name_of(kind, language).as_str())?.file.as_deref()
    }

    /// How a template is called where something is wrong with it.
    pub(super) fn called(&self, name: &str) -> String {
        match self.all.get(name).and_then(|source| source.file.as_deref()) {
            Some(file) => file.display().to_string(),
            None => format!("{name} (compiled in)"),
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("can't be read: {error}");
    if fs::metadata(path).map_err(wrong)?.len() > LARGEST {
        return Err(format!(
            "is larger than {} kB; a template is a page of text",
            LARGEST / 1024
        ));
    }
    let text = String::from_utf8(fs::read(path).map_err(wrong)?).map_err(|error| {
        let good = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        format!("line {line}: is not UTF-8; save it in that encoding")
    })?;
    Ok(text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n"))
}
