//! What a list is asked for, as it stands in its address: the same for every list, so that an address can be handed on.
//!
//! Times are those on the office's clock, as a browser's field for them has it; or with their zone. Nothing of persons is
//! sought this way: addresses are kept by browsers and proxies.

use chrono::NaiveDateTime;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::{Sought, Standing};
use serde::{Deserialize, Serialize};

use crate::Console;
use crate::trouble::Trouble;

/// As browsers write a time, with and without seconds.
const WRITTEN: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

/// What is asked for; what is empty isn't.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// How rows stand.
    pub state: String,
    /// An endpoint, a kind of e-mail, a code, as the list has it.
    pub of: String,
    /// From then on.
    pub since: String,
    /// Before then.
    pub until: String,
    /// What an id or a reference names.
    pub named: String,
    /// Whether the oldest come first.
    pub oldest: String,
    /// Behind this row.
    pub after: String,
}

impl Filter {
    pub(super) fn sought(&self, console: &Console) -> Result<Sought, Trouble> {
        let fields = [&self.of, &self.named, &self.after];
        if fields.iter().any(|field| field.contains('\0')) {
            return Err(Trouble::Unreadable);
        }
        let standing = given(&self.state).map(|state| Standing::parse(state).ok_or(Trouble::Unreadable));
        Ok(Sought {
            standing: standing.transpose()?,
            of: given(&self.of).map(str::to_owned),
            since: instant(&self.since, console)?,
            until: instant(&self.until, console)?,
            text: given(&self.named).map(str::to_owned),
            after: given(&self.after).map(str::to_owned),
            oldest_first: given(&self.oldest).is_some(),
            limit: 0,
        })
    }

    /// The address of a list with this filter, from its beginning, or behind a row.
    pub(super) fn address(&self, path: &str, after: Option<&str>) -> String {
        let fields = [
            ("state", self.state.as_str()),
            ("of", &self.of),
            ("since", &self.since),
            ("until", &self.until),
            ("named", &self.named),
            ("oldest", &self.oldest),
            ("after", after.unwrap_or_default()),
        ];
        let asked = fields
            .into_iter()
            .filter_map(|(name, value)| given(value).map(|value| (name, value)));
        let query = serde_urlencoded::to_string(asked.collect::<Vec<_>>()).unwrap_or_default();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    /// Whether anything is asked for.
    pub(super) fn asks(&self) -> bool {
        [&self.state, &self.of, &self.since, &self.until, &self.named]
            .into_iter()
            .any(|field| given(field).is_some())
    }
}

fn given(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|field| !field.is_empty())
}

/// A moment of the office's clock. Of an hour that comes twice the first is meant.
pub(super) fn instant(field: &str, console: &Console) -> Result<Option<Timestamp>, Trouble> {
    let Some(written) = given(field) else {
        return Ok(None);
    };
    if let Some(at) = Timestamp::parse_rfc3339(written) {
        return Ok(Some(at));
    }
    let local = WRITTEN
        .iter()
        .find_map(|pattern| NaiveDateTime::parse_from_str(written, pattern).ok())
        .ok_or(Trouble::Unreadable)?;
    let zone = console.desk.rules().hours().local(console.clock.now()).timezone();
    let at = local.and_local_timezone(zone).earliest().ok_or(Trouble::Unreadable)?;
    Ok(Some(at.to_utc().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_is_asked_for_and_nothing_else() {
        let filter = Filter {
            state: "failed".to_owned(),
            of: " mollie&more ".to_owned(),
            after: "evt_1".to_owned(),
            ..Filter::default()
        };
        assert_eq!(
            filter.address("/queue/event", None),
            "/queue/event?state=failed&of=mollie%26more"
        );
        assert_eq!(Filter::default().address("/audit", Some("aud_1")), "/audit?after=aud_1");
        assert_eq!(Filter::default().address("/audit", None), "/audit");
    }
}
