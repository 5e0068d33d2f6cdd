//! Sign-in at an OpenID Connect issuer: who it may let in, and as what. Knows neither HTTP nor how claims are proven.

use crate::access::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What an issuer says of somebody, by name.
pub type Claims = Map<String, Value>;

/// What is set for single sign-on. The client secret is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsoSettings {
    /// What people call it.
    pub name: String,
    /// The issuer, letter by letter as it calls itself.
    pub issuer: String,
    /// Who this server is there.
    pub client_id: String,
    /// What is asked for; `openid` is among it.
    pub scopes: Vec<String>,
    /// Where the issuer says what somebody may do; without it, it does not decide on that.
    pub role_claim: Option<String>,
    /// What the values of that claim mean here.
    pub roles: BTreeMap<String, Role>,
    /// What people become whom the claim does not name; without it they are refused.
    pub default_role: Option<Role>,
    /// Whether a verified address makes somebody the user who has it.
    pub link_by_email: bool,
}

/// What the issuer's word means for somebody who is a user already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are this from now on.
    Becomes(Role),
    /// They are what they were.
    Stays,
    /// They were let in by the issuer alone, and it names them no longer.
    Refused,
}

impl SsoSettings {
    /// What a newcomer is to be, and was perhaps invited as; nothing when they are refused.
    pub fn newcomer(&self, claims: &Claims, invited: Option<Role>) -> Option<Role> {
        self.named(claims).or(invited).or(self.default_role)
    }

    /// What a user is to be. One with a password was let in here, and needs no word of the issuer to stay.
    pub fn known(&self, claims: &Claims, has_password: bool) -> Standing {
        if self.role_claim.is_none() {
            return Standing::Stays;
        }
        let named = self.named(claims);
        if named.is_none() && has_password {
            return Standing::Stays;
        }
        let role = named.or(self.default_role);
        role.map_or(Standing::Refused, Standing::Becomes)
    }

    /// The highest role that the claim gives.
    fn named(&self, claims: &Claims) -> Option<Role> {
        let value = look_up(claims, self.role_claim.as_deref()?)?;
        let role = |value: &Value| self.roles.get(value.as_str()?).copied();
        match value {
            // The highest stands first.
            Value::Array(values) => values.iter().filter_map(role).min(),
            one => role(one),
        }
    }

    /// The name under which somebody is known here for good: a subject means nothing without its issuer.
    pub fn subject(&self, subject: &str) -> String {
        format!("{} {subject}", self.issuer)
    }

    /// Whether a name is one of this issuer.
    pub fn is_own(&self, subject: &str) -> bool {
        let (issuer, _) = subject.split_once(' ').unwrap_or_default();
        issuer == self.issuer
    }
}

/// A claim by its name, which may have dots in it, or by the names that lead to it, with dots between.
fn look_up<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    let deeper = || {
        let mut names = name.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    };
    claims.get(name).or_else(deeper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role::{Admin, Member, Owner, Viewer};
    use serde_json::json;

    fn settings(role_claim: Option<&str>, default_role: Option<Role>) -> SsoSettings {
        let roles = [("boss", Owner), ("ops", Admin), ("staff", Member)];
        SsoSettings {
            name: "Company".to_owned(),
            issuer: "https://login.example.com".to_owned(),
            client_id: "nitejar".to_owned(),
            scopes: vec!["openid".to_owned()],
            role_claim: role_claim.map(str::to_owned),
            roles: roles.map(|(value, role)| (value.to_owned(), role)).into(),
            default_role,
            link_by_email: false,
        }
    }

    fn claims(value: &Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_highest_role_that_a_claim_names_counts() {
        for (name, said, role) in [
            ("groups", json!({"groups": "ops"}), Some(Admin)),
            (
                "groups",
                json!({"groups": ["x", "staff", "ops"]}),
                Some(Admin),
            ),
            ("groups", json!({"groups": ["staff", "boss"]}), Some(Owner)),
            ("groups", json!({"groups": ["x", 1, null, ["ops"]]}), None),
            ("groups", json!({"groups": {"ops": true}}), None),
            ("groups", json!({"groups": "staff ops"}), None),
            ("groups", json!({"groups": "Ops"}), None),
            ("groups", json!({"roles": "ops"}), None),
            (
                "realm.roles",
                json!({"realm": {"roles": ["ops"]}}),
                Some(Admin),
            ),
            (
                "realm.roles",
                json!({"realm.roles": "staff", "realm": {"roles": ["ops"]}}),
                Some(Member),
            ),
            (
                "https://x.example/roles",
                json!({"https://x.example/roles": ["staff"]}),
                Some(Member),
            ),
        ] {
            assert_eq!(
                settings(Some(name), None).newcomer(&claims(&said), None),
                role,
                "{said}"
            );
        }
    }

    #[test]
    fn who_is_not_named_becomes_what_everybody_else_is_or_is_refused() {
        let none = claims(&json!({}));
        let boss = claims(&json!({"groups": "boss"}));
        assert_eq!(
            settings(Some("groups"), Some(Viewer)).newcomer(&none, None),
            Some(Viewer)
        );
        assert_eq!(
            settings(Some("groups"), Some(Viewer)).newcomer(&boss, None),
            Some(Owner)
        );
        assert_eq!(settings(None, None).newcomer(&boss, None), None);
        let invited = settings(Some("groups"), Some(Viewer));
        assert_eq!(invited.newcomer(&none, Some(Admin)), Some(Admin));
        assert_eq!(invited.newcomer(&boss, Some(Admin)), Some(Owner));
        assert_eq!(
            settings(None, Some(Member)).newcomer(&boss, None),
            Some(Member)
        );
    }

    #[test]
    fn only_who_has_a_password_stays_without_a_word_of_the_issuer() {
        let none = claims(&json!({}));
        let ops = claims(&json!({"groups": ["ops"]}));
        for (settings, said, has_password, standing) in [
            (settings(None, Some(Viewer)), &ops, false, Standing::Stays),
            (
                settings(Some("groups"), None),
                &ops,
                true,
                Standing::Becomes(Admin),
            ),
            (settings(Some("groups"), None), &none, true, Standing::Stays),
            (
                settings(Some("groups"), None),
                &none,
                false,
                Standing::Refused,
            ),
            (
                settings(Some("groups"), Some(Viewer)),
                &none,
                true,
                Standing::Stays,
            ),
            (
                settings(Some("groups"), Some(Viewer)),
                &none,
                false,
                Standing::Becomes(Viewer),
            ),
        ] {
            assert_eq!(settings.known(said, has_password), standing, "{settings:?}");
        }
    }

    #[test]
    fn a_subject_belongs_to_one_issuer() {
        let settings = settings(None, None);
        assert!(settings.is_own(&settings.subject("a b")));
        assert!(!settings.is_own("https://login.example.com.evil.example a"));
        assert!(!settings.is_own("https://login.example.com"));
    }
}
