//! The tree of keys in default.toml, and whether what was set fits into it.

use std::path::PathBuf;

use figment::value::{Dict, Value};

use super::environment;
use super::problems::Problems;

/// The tables whose keys are names of one's own choosing: whom notifications come from, and whom events go to.
const ENDPOINTS: [&str; 2] = ["webhooks", "events"];

/// An endpoint as default.toml would write it; names are free, so it can't stand there itself.
fn endpoint(table: &str) -> Dict {
    let text = || Value::from("");
    if table == "events" {
        return Dict::from([
            ("url".to_owned(), text()),
            ("secrets".to_owned(), Value::from(Vec::<String>::new())),
            ("types".to_owned(), Value::from(Vec::<String>::new())),
            ("private".to_owned(), Value::from(false)),
        ]);
    }
    Dict::from([
        ("provider".to_owned(), text()),
        ("secrets".to_owned(), Value::from(Vec::<String>::new())),
        ("account".to_owned(), text()),
        ("mode".to_owned(), text()),
        ("username".to_owned(), text()),
        ("password".to_owned(), text()),
        ("tolerance_seconds".to_owned(), Value::from(0)),
        ("keys".to_owned(), Value::from(Dict::new())),
        ("jwks".to_owned(), text()),
        ("jwks_url".to_owned(), text()),
        ("issuer".to_owned(), text()),
        ("algorithm".to_owned(), text()),
        ("url".to_owned(), text()),
        ("api_key".to_owned(), text()),
        ("api_user".to_owned(), text()),
        ("api_url".to_owned(), text()),
    ])
}

/// Where a layer of settings comes from.
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
}

impl Origin {
    /// How a person finds the key back.
    fn key(&self, path: &[String]) -> String {
        match self {
            Self::File(file) => format!("`{}` in {}", path.join("."), file.display()),
            Self::Environment => environment::variable(path),
        }
    }
}

/// Keeps what fits the tree of defaults, as the kind of value that stands there; tells the rest.
pub fn fit(defaults: &Dict, given: &Dict, origin: &Origin, problems: &mut Problems) -> Dict {
    let mut path = Vec::new();
    fit_table(defaults, given, origin, &mut path, problems)
}

fn fit_table(defaults: &Dict, given: &Dict, origin: &Origin, path: &mut Vec<String>, problems: &mut Problems) -> Dict {
    let mut kept = Dict::new();
    for (name, value) in given {
        path.push(name.clone());
        if let Some(default) = defaults.get(name) {
            let fitted = if matches!(path.as_slice(), [table] if ENDPOINTS.contains(&table.as_str())) {
                fit_endpoints(value, origin, path, problems)
            } else {
                fit_value(default, value, origin, path, problems)
            };
            if let Some(fitted) = fitted {
                kept.insert(name.clone(), fitted);
            }
        } else {
            problems.add(unknown(defaults, name, origin, path));
        }
        path.pop();
    }
    kept
}

fn fit_endpoints(given: &Value, origin: &Origin, path: &mut Vec<String>, problems: &mut Problems) -> Option<Value> {
    let table = path.first().cloned().unwrap_or_default();
    let first = if table == "events" {
        ["platform", "url"]
    } else {
        ["mollie", "provider"]
    };
    let Value::Dict(_, given) = given else {
        problems.add(format!(
            "{} sets nothing: name the endpoint and its key, such as {}.",
            origin.key(path),
            origin.key(&[table, first[0].to_owned(), first[1].to_owned()]),
        ));
        return None;
    };
    let keys = endpoint(&table);
    let mut kept = Dict::new();
    for (name, value) in given {
        path.push(name.clone());
        match value {
            Value::Dict(_, table) => {
                let table = fit_table(&keys, table, origin, path, problems);
                kept.insert(name.clone(), Value::from(table));
            }
            _ => problems.add(format!(
                "{} sets nothing: an endpoint has keys of its own, such as {}.",
                origin.key(path),
                origin.key(&[table.clone(), name.clone(), first[1].to_owned()]),
            )),
        }
        path.pop();
    }
    Some(Value::from(kept))
}

fn fit_value(
    default: &Value,
    given: &Value,
    origin: &Origin,
    path: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Value> {
    let wrong = |what: &str, problems: &mut Problems, path: &[String]| {
        problems.add(format!("{} must be {what}.", origin.key(path)));
        None
    };
    match (default, given) {
        // An empty table in default.toml takes any names.
        (Value::Dict(_, keys), Value::Dict(..)) if keys.is_empty() => Some(given.clone()),
        (Value::Dict(_, keys), Value::Dict(_, table)) => {
            Some(Value::from(fit_table(keys, table, origin, path, problems)))
        }
        (Value::Dict(..), _) => wrong("a table of keys", problems, path),
        (Value::Array(..), Value::Array(_, items)) => {
            if items.iter().all(|item| matches!(item, Value::String(..))) {
                Some(given.clone())
            } else {
                wrong("a list of texts, such as [\"one\", \"two\"]", problems, path)
            }
        }
        (Value::Array(..), Value::String(_, text)) => Some(Value::from(vec![text.clone()])),
        (Value::Array(..), _) => wrong("a list of texts, such as [\"one\", \"two\"]", problems, path),
        (Value::Bool(..), Value::Bool(..)) => Some(given.clone()),
        (Value::Bool(..), Value::String(_, text)) => match text.trim() {
            "true" => Some(Value::from(true)),
            "false" => Some(Value::from(false)),
            _ => wrong("true or false", problems, path),
        },
        (Value::Bool(..), _) => wrong("true or false", problems, path),
        (Value::Num(_, number), given) => {
            let whole = number.to_i128().is_some() || number.to_u128().is_some();
            match as_number(given, whole) {
                Some(value) => Some(value),
                None if whole => wrong("a whole number", problems, path),
                None => wrong("a number", problems, path),
            }
        }
        (Value::String(..), Value::String(..)) => Some(given.clone()),
        (Value::String(..), _) => wrong("a text", problems, path),
        _ => Some(given.clone()),
    }
}

fn as_number(given: &Value, whole: bool) -> Option<Value> {
    match given {
        Value::Num(_, number) if whole => {
            (number.to_i128().is_some() || number.to_u128().is_some()).then(|| given.clone())
        }
        Value::Num(..) => Some(given.clone()),
        Value::String(_, text) if whole => text.trim().parse::<i64>().ok().map(Value::from),
        Value::String(_, text) => text.trim().parse::<f64>().ok().map(Value::from),
        _ => None,
    }
}

fn unknown(known: &Dict, name: &str, origin: &Origin, path: &[String]) -> String {
    let nearest = known
        .keys()
        .map(|key| (strsim::damerau_levenshtein(key, name), key))
        .min()
        .filter(|(distance, key)| *distance <= 1 + key.len() / 3);
    let advice = match nearest {
        Some((_, key)) => {
            let mut meant = path.to_vec();
            meant.pop();
            meant.push(key.clone());
            format!("did you mean {}?", origin.key(&meant))
        }
        None => {
            let keys: Vec<&str> = known.keys().map(String::as_str).collect();
            format!("what can stand there is {}.", keys.join(", "))
        }
    };
    format!("{} is not a setting: {advice}", origin.key(path))
}
