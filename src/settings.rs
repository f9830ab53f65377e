//! The settings: `config/default.toml` (compiled in), then a file, then the environment.
//!
//! Each layer is compared with the tree of keys in `default.toml`, so that a misspelt key is
//! refused, and everything that is wrong anywhere is told at once. What a value was is never
//! repeated in a problem: it may be a secret.

mod environment;
mod layers;
mod problems;
mod same_file;
mod sections;
mod tree;

use std::path::Path;

pub use problems::Problems;
pub use sections::{Log, LogFormat, Settings, Traces};

/// `config/default.toml`, which documents every key.
pub const DEFAULT: &str = include_str!("../config/default.toml");

/// Reads the settings of this process: defaults, then `file`, then the environment.
///
/// # Errors
/// Everything that is wrong with them, at once.
pub fn load(file: Option<&Path>) -> Result<Settings, Problems> {
    // A variable that isn't text can't be one of ours in a usable form; `vars()` would panic on it.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    load_from(file, variables)
}

/// The same with the environment given, for tests and the demonstration.
///
/// # Errors
/// Everything that is wrong with them, at once.
pub fn load_from(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, Problems> {
    let mut problems = Problems::default();
    let merged = layers::merged(file, variables, &mut problems);
    let settings = sections::read(&merged, &mut problems);
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests;
