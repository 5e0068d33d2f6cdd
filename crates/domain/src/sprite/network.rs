//! What a sprite may reach over the network: rules by host name, decided here and enforced by the
//! backends. Addresses of private networks and of the cloud's metadata service are never reachable,
//! whatever the rules say; that is the enforcer's to check, after the name was resolved.

use crate::text::words;

words!(
    /// Whether a host may be reached.
    NetworkAction {
        /// It may.
        Allow = "allow",
        /// It may not.
        Deny = "deny",
    }
);

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkRule {
    /// `example.com` is that host alone, `*.example.com` every host below it, `*` every host.
    /// Lower case, without a trailing dot.
    pub domain: String,
    /// What it says of them.
    pub action: NetworkAction,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{domain}` is not a host name; write `example.com`, `*.example.com` or `*`")]
pub struct BadRule {
    /// As it was given.
    pub domain: String,
}

impl NetworkRule {
    /// A rule from what a person wrote.
    pub fn new(domain: &str, action: NetworkAction) -> Result<Self, BadRule> {
        let name = normal(domain);
        let bare = name.strip_prefix("*.").unwrap_or(&name);
        let all = domain.trim() == "*";
        if !all && !is_host(bare) {
            return Err(BadRule {
                domain: domain.to_owned(),
            });
        }
        Ok(Self {
            domain: name,
            action,
        })
    }

    /// How closely the rule names a host: the more, the closer; `None` where it does not.
    fn closeness(&self, host: &str) -> Option<usize> {
        const EXACT: usize = usize::MAX;
        if self.domain == host {
            return Some(EXACT);
        }
        let suffix = self.domain.strip_prefix('*')?;
        let below = host.len() > suffix.len() && host.ends_with(suffix);
        below.then_some(suffix.len())
    }
}

/// What a sprite may reach. A new sprite reaches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// The rule that names a host most closely decides; of two that do equally, the one that denies.
    pub rules: Vec<NetworkRule>,
    /// What holds for a host that no rule names.
    pub otherwise: NetworkAction,
}

impl Default for NetworkPolicy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: NetworkAction::Deny,
        }
    }
}

impl NetworkPolicy {
    /// Everything public.
    pub fn open() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: NetworkAction::Allow,
        }
    }

    /// Whether a host name may be reached. A literal address is a name like any other here.
    pub fn allows(&self, host: &str) -> bool {
        let host = normal(host);
        let closest = self
            .rules
            .iter()
            .filter_map(|rule| {
                let denies = rule.action == NetworkAction::Deny;
                Some((rule.closeness(&host)?, denies))
            })
            .max();
        match closest {
            Some((_, denies)) => !denies,
            None => self.otherwise == NetworkAction::Allow,
        }
    }

    /// Whether nothing may be reached, which every tier can enforce.
    pub fn denies_all(&self) -> bool {
        let allows = |rule: &NetworkRule| rule.action == NetworkAction::Allow;
        let any = self.rules.iter().any(|rule| rule.domain == "*");
        (self.otherwise == NetworkAction::Deny || any) && !self.rules.iter().any(allows)
    }
}

fn normal(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Letters, digits, hyphens and underscores in labels of at most 63 (RFC 1035), or an address.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let address = name.parse::<std::net::IpAddr>().is_ok();
    address || (name.len() <= 253 && name.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::{NetworkAction, NetworkPolicy, NetworkRule};

    fn policy(rules: &[(&str, NetworkAction)], otherwise: NetworkAction) -> NetworkPolicy {
        let rules = rules
            .iter()
            .map(|(domain, action)| NetworkRule::new(domain, *action).unwrap())
            .collect();
        NetworkPolicy { rules, otherwise }
    }

    #[test]
    fn the_closest_rule_decides() {
        use NetworkAction::{Allow, Deny};
        let policy = policy(
            &[
                ("*", Deny),
                ("*.example.com", Allow),
                ("bad.example.com", Deny),
                ("*.deep.example.com", Deny),
                ("ok.deep.example.com", Allow),
            ],
            Allow,
        );
        for (host, allowed) in [
            ("a.example.com", true),
            ("A.Example.COM.", true),
            ("example.com", false),
            ("bad.example.com", false),
            ("x.deep.example.com", false),
            ("ok.deep.example.com", true),
            ("notexample.com", false),
            ("evil-example.com", false),
            ("example.org", false),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
    }

    #[test]
    fn of_two_equal_rules_the_one_that_denies_wins() {
        use NetworkAction::{Allow, Deny};
        for rules in [
            [("a.com", Allow), ("a.com", Deny)],
            [("a.com", Deny), ("a.com", Allow)],
        ] {
            assert!(!policy(&rules, Allow).allows("a.com"));
        }
    }

    #[test]
    fn nothing_is_reached_by_default() {
        assert!(NetworkPolicy::default().denies_all());
        assert!(!NetworkPolicy::default().allows("example.com"));
        assert!(NetworkPolicy::open().allows("example.com"));
        assert!(!NetworkPolicy::open().denies_all());
        assert!(policy(&[("*", NetworkAction::Deny)], NetworkAction::Allow).denies_all());
        assert!(!policy(&[("a.com", NetworkAction::Allow)], NetworkAction::Deny).denies_all());
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        for bad in [
            "",
            "a b",
            "https://a.com",
            "a..b",
            "-a.com",
            "*.",
            "*a.com",
            "a.*",
            "a.com:443",
            "a/b",
        ] {
            assert!(
                NetworkRule::new(bad, NetworkAction::Allow).is_err(),
                "{bad}"
            );
        }
        for good in ["localhost", "A.com.", "*.a.b", "1.2.3.4", "::1", "x_y.z"] {
            assert!(
                NetworkRule::new(good, NetworkAction::Allow).is_ok(),
                "{good}"
            );
        }
    }
}
