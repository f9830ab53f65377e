//! Settings from the environment: `EENCENT__SECTION__KEY`.
//!
//! A value is text, or a list if it is a JSON array. Nothing else is guessed: a secret such as
//! `1234` or `true` stays the text that it is. What a number or a switch is, default.toml knows.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// What the names of our variables start with.
pub const PREFIX: &str = "EENCENT__";

/// The variables of ours, as a layer of settings.
pub struct Environment {
    settings: Dict,
}

impl Environment {
    /// Takes those that start with [`PREFIX`]; `EENCENT_CONFIG` (one underscore) isn't one.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut settings = Dict::new();
        for (name, text) in variables {
            if let Some(keys) = name.strip_prefix(PREFIX) {
                let keys: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
                put(&mut settings, &keys, value_of(text));
            }
        }
        Self { settings }
    }

    /// The tree of what was set.
    pub fn settings(&self) -> &Dict {
        &self.settings
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.settings.clone()))
    }
}

/// The name of the variable that sets this key.
pub fn variable(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("__").to_uppercase())
}

fn value_of(text: String) -> Value {
    if text.trim_start().starts_with('[')
        && let Ok(list) = serde_json::from_str::<Vec<String>>(text.trim())
    {
        return Value::from(list);
    }
    Value::from(text)
}

fn put(into: &mut Dict, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            into.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let below = into.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if !matches!(below, Value::Dict(..)) {
                *below = Value::from(Dict::new());
            }
            if let Value::Dict(_, dict) = below {
                put(dict, rest, value);
            }
        }
    }
}
