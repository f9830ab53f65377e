//! Section `[console.identity_provider]` of the settings.

use std::fmt;

use eencent_activations::people::Role;
use serde::Deserialize;
use serde_json::Value;

use super::foreign::is_safe;

/// The section as it is written; see `config/default.toml`.
#[derive(Clone, Deserialize)]
pub struct Settings {
    /// As the provider calls itself; empty: off.
    pub issuer: String,
    /// As people call it; may be empty.
    pub name: String,
    /// As it knows us.
    pub client_id: String,
    /// What proves that we are that; may be empty.
    pub client_secret: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// In which claim the groups are.
    pub groups_claim: String,
    /// How people must have proven who they are, one of these; empty: as the provider likes.
    pub acr_values: Vec<String>,
    /// Whether password and code go on working.
    pub local: bool,
    /// Which groups give which role.
    pub roles: Groups,
}

/// Section `[console.identity_provider.roles]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Groups {
    support: Vec<String>,
    lead: Vec<String>,
    operations: Vec<String>,
    administrator: Vec<String>,
    read_only: Vec<String>,
}

impl Groups {
    fn of(&self, role: Role) -> &[String] {
        match role {
            Role::Support => &self.support,
            Role::Lead => &self.lead,
            Role::Operations => &self.operations,
            Role::Administrator => &self.administrator,
            Role::ReadOnly => &self.read_only,
        }
    }

    /// The roles that these groups give.
    pub(crate) fn roles(&self, groups: &[&str]) -> Vec<Role> {
        let given = |role: &Role| self.of(*role).iter().any(|group| groups.contains(&group.as_str()));
        Role::ALL.iter().copied().filter(given).collect()
    }
}

/// The section, checked, where a provider is set.
#[derive(Clone)]
pub struct Checked {
    /// As the provider calls itself.
    pub issuer: String,
    /// As people call it; may be empty.
    pub name: String,
    /// As it knows us.
    pub client_id: String,
    /// What proves that we are that; may be empty.
    pub(crate) client_secret: String,
    /// What is asked for, a space between two.
    pub scopes: String,
    /// In which claim the groups are.
    pub groups_claim: String,
    /// How people must have proven who they are, one of these.
    pub acr_values: Vec<String>,
    /// Whether password and code go on working.
    pub local: bool,
    /// Which groups give which role.
    pub roles: Groups,
}

impl Settings {
    /// Checks the section, and adds a sentence for everything that is wrong. `None` where no provider is set.
    pub(crate) fn validate(&self, problems: &mut Vec<String>) -> Option<Checked> {
        let issuer = self.issuer.trim();
        if issuer.is_empty() {
            if !self.local {
                problems.push(
                    "`console.identity_provider.local` is false, and no issuer is set: nobody could sign in."
                        .to_owned(),
                );
            }
            return None;
        }
        let mut wrong = |key: &str, told: &str| problems.push(format!("`console.identity_provider.{key}` {told}"));
        if !is_safe(issuer) || issuer.contains(['?', '#']) {
            wrong(
                "issuer",
                "must be an https:// address without query, such as https://login.example.nl/realms/staff.",
            );
        }
        if self.client_id.trim().is_empty() {
            wrong("client_id", "is missing: as the provider knows Eencent.");
        }
        if self.groups_claim.trim().is_empty() {
            wrong("groups_claim", "is empty: name the claim that has the groups.");
        }
        let unfit = |one: &String| one.is_empty() || !one.bytes().all(|b| b.is_ascii_graphic());
        for (key, list) in [("scopes", &self.scopes), ("acr_values", &self.acr_values)] {
            if list.iter().any(unfit) {
                wrong(key, "must be a list of words without spaces.");
            }
        }
        if Role::ALL.iter().all(|role| self.roles.of(*role).is_empty()) {
            wrong(
                "roles",
                "names no group, so nobody would get in: say which groups give which role.",
            );
        }
        let mut scopes = vec!["openid"];
        scopes.extend(
            self.scopes
                .iter()
                .map(String::as_str)
                .filter(|scope| *scope != "openid"),
        );
        Some(Checked {
            issuer: issuer.to_owned(),
            name: self.name.trim().to_owned(),
            client_id: self.client_id.trim().to_owned(),
            client_secret: self.client_secret.clone(),
            scopes: scopes.join(" "),
            groups_claim: self.groups_claim.trim().to_owned(),
            acr_values: self.acr_values.clone(),
            local: self.local,
            roles: self.roles.clone(),
        })
    }
}

impl Checked {
    /// The roles that the claims give.
    pub(crate) fn roles_of(&self, claims: &Value) -> Vec<Role> {
        let groups = match claim(claims, &self.groups_claim) {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        self.roles.roles(&groups)
    }
}

/// A claim by its name; or, where no claim has it, by the way to it. Names may be addresses, which have dots too.
pub(crate) fn claim<'c>(claims: &'c Value, name: &str) -> Option<&'c Value> {
    claims
        .get(name)
        .or_else(|| name.split('.').try_fold(claims, |inside, part| inside.get(part)))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({})", self.issuer)
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checked({})", self.issuer)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use serde_json::json;

    use super::*;

    pub(crate) fn settings() -> Settings {
        serde_json::from_value(json!({
            "issuer": "https://login.example.nl/staff", "name": "", "client_id": "eencent", "client_secret": "s3cret",
            "scopes": ["email"], "groups_claim": "groups", "acr_values": [], "local": true,
            "roles": {
                "support": ["desk", "Klanten & Co"], "lead": ["desk"], "operations": [], "administrator": ["boss"], "read_only": []
            }
        }))
        .unwrap()
    }

    fn problems(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let (mut settings, mut problems) = (settings(), Vec::new());
        change(&mut settings);
        settings.validate(&mut problems);
        problems
    }

    #[test]
    fn what_would_let_nobody_in_or_tell_secrets_to_the_street_is_refused() {
        assert_eq!(problems(|_| ()), Vec::<String>::new());
        for change in [
            (|it| it.issuer = "http://login.example.nl".to_owned()) as fn(&mut Settings),
            |it| it.issuer = "login.example.nl".to_owned(),
            |it| it.client_id = String::new(),
            |it| it.groups_claim = " ".to_owned(),
            |it| it.scopes = vec!["a b".to_owned()],
            |it| {
                it.roles = Groups {
                    support: vec![],
                    lead: vec![],
                    operations: vec![],
                    administrator: vec![],
                    read_only: vec![],
                }
            },
            |it| (it.issuer, it.local) = (String::new(), false),
        ] {
            assert_eq!(problems(change).len(), 1);
        }
        assert!(problems(|it| it.issuer = "http://127.0.0.1:8080/staff".to_owned()).is_empty());
    }

    #[test]
    fn no_secret_is_printed() {
        let checked = settings().validate(&mut Vec::new()).unwrap();
        assert!(!format!("{checked:?}{:?}", settings()).contains("s3cret"));
        assert_eq!(checked.scopes, "openid email");
    }

    #[test]
    fn groups_give_roles_wherever_the_provider_puts_them_and_what_is_no_group_gives_none() {
        let mut checked = settings().validate(&mut Vec::new()).unwrap();
        assert_eq!(
            checked.roles_of(&json!({ "groups": ["x", "desk"] })),
            [Role::Support, Role::Lead]
        );
        assert_eq!(checked.roles_of(&json!({ "groups": "boss" })), [Role::Administrator]);
        assert_eq!(
            checked.roles_of(&json!({ "groups": ["Klanten & Co", 1] })),
            [Role::Support]
        );
        for none in [
            json!({}),
            json!({ "groups": null }),
            json!({ "groups": { "boss": true } }),
            json!({ "groups": ["Boss", "bos"] }),
        ] {
            assert!(checked.roles_of(&none).is_empty(), "{none}");
        }
        checked.groups_claim = "realm_access.roles".to_owned();
        assert_eq!(
            checked.roles_of(&json!({ "realm_access": { "roles": ["boss"] } })),
            [Role::Administrator]
        );
        assert_eq!(
            checked.roles_of(&json!({ "realm_access.roles": ["desk"] })),
            [Role::Support, Role::Lead]
        );
    }
}
