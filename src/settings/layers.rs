//! Puts the layers on each other.

use std::path::Path;

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::environment::Environment;
use super::problems::Problems;
use super::tree::{Origin, fit};

/// A layer that has been compared with the tree.
struct Fitted {
    name: String,
    settings: Dict,
}

impl Provider for Fitted {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.settings.clone()))
    }
}

/// The defaults with the file and the environment on top, so far as they fit.
pub fn merged(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
    problems: &mut Problems,
) -> Figment {
    let defaults = match table(&Toml::string(super::DEFAULT)) {
        Ok(defaults) => defaults,
        Err(error) => {
            problems.add(format!("config/default.toml, compiled in, can't be read: {error}"));
            Dict::new()
        }
    };
    let mut merged = Figment::from(Toml::string(super::DEFAULT));
    if let Some(path) = file {
        match std::fs::read_to_string(path) {
            Err(error) => problems.add(format!(
                "The settings file {} can't be read ({error}): mend its path or its rights, or leave --config and EENCENT_CONFIG out.",
                path.display()
            )),
            Ok(text) => match table(&Toml::string(&text)) {
                Err(place) => problems.add(format!("{} is not valid TOML: {place}", path.display())),
                Ok(given) => {
                    let origin = Origin::File(path.to_owned());
                    let settings = fit(&defaults, &given, &origin, problems);
                    merged = merged.merge(Fitted { name: path.display().to_string(), settings });
                }
            },
        }
    }
    let environment = Environment::from_variables(variables);
    let settings = fit(&defaults, environment.settings(), &Origin::Environment, problems);
    merged.merge(Fitted {
        name: environment.metadata().name.into_owned(),
        settings,
    })
}

/// The table that a TOML text holds; otherwise where it is wrong, without the line itself, which
/// may hold a secret.
fn table(toml: &impl Provider) -> Result<Dict, String> {
    let told = |error: Error| {
        let told = error.to_string();
        let lines = told
            .lines()
            .map(str::trim)
            .filter(|line| !line.contains('|') && !line.is_empty());
        lines.collect::<Vec<_>>().join("; ")
    };
    let mut profiles = toml.data().map_err(told)?;
    Ok(profiles.remove(&Profile::Default).unwrap_or_default())
}
