//! What a sprite may reach. Without rules everything public; with rules what none names may not.
//! Private addresses never, whatever the rules say; that is enforced below.

use crate::{answer::Refusal, app::Target, body, registry::Record};
use axum::{Json, body::Bytes, http::StatusCode};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule, SandboxTier};
use ports::sandbox::SandboxError;
use sprites::wire::{
    error::POLICY_NOT_ENFORCEABLE,
    network::{Policy, Rule},
};

const EVERYTHING: &str = "*";
/// What `{"include": "defaults"}` allows, a name a line.
const DEFAULTS: &str = include_str!("defaults.txt");

/// `GET …/policy/network`.
pub(crate) async fn get(target: Target) -> Result<Json<Policy>, Refusal> {
    let policy = target.sprite.network_policy().await?;
    // In the words it was given in, as long as they are still true.
    let given = target.record.network_rules.clone();
    let rules = match given {
        Some(rules) if read(&rules).is_ok_and(|read| read == policy) => rules,
        _ => write(&policy),
    };
    Ok(Json(Policy { rules }))
}

/// `POST …/policy/network`.
pub(crate) async fn set(target: Target, given: Bytes) -> Result<StatusCode, Refusal> {
    let asked: Policy = body::json(&given)?;
    let policy = read(&asked.rules)?;
    target
        .sprite
        .set_network_policy(policy)
        .await
        .map_err(|error| match error {
            SandboxError::Refused(text) => {
                let tier = target.app.tier();
                let message = format!("{text} (this server's sandboxes are of tier `{tier}`)");
                let status = if tier == SandboxTier::Namespaces {
                    StatusCode::BAD_REQUEST
                } else {
                    StatusCode::NOT_IMPLEMENTED
                };
                Refusal::new(status, POLICY_NOT_ENFORCEABLE, &message)
            }
            other => other.into(),
        })?;
    let keep = |record: &mut Record| record.network_rules = Some(asked.rules.clone());
    let kept = target.app.registry.update(&target.record.name, &keep).await;
    kept.map_err(|error| Refusal::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(rules: &[Rule]) -> Result<NetworkPolicy, Refusal> {
    if rules.is_empty() {
        return Ok(NetworkPolicy::open());
    }
    let mut all = Vec::new();
    for rule in rules {
        match (&rule.domain, &rule.action, &rule.include) {
            (Some(domain), Some(action), None) => {
                let action = action.parse().map_err(|_unknown| {
                    Refusal::bad(format!("the action `{action}` is neither allow nor deny"))
                })?;
                let rule = NetworkRule::new(domain, action);
                all.push(rule.map_err(|error| Refusal::bad(error.to_string()))?);
            }
            (None, None, Some(preset)) if preset == "defaults" => {
                let allow = |domain: &str| NetworkRule {
                    domain: domain.to_owned(),
                    action: NetworkAction::Allow,
                };
                all.extend(DEFAULTS.lines().map(allow));
            }
            _ => {
                let text = "a rule has a domain and an action, or is {\"include\": \"defaults\"}";
                return Err(Refusal::bad(text));
            }
        }
    }
    // A rule for everything is what holds otherwise; of two, the one that denies.
    let (whole, rules): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|rule| rule.domain == EVERYTHING);
    let allows = |rule: &NetworkRule| rule.action == NetworkAction::Allow;
    let otherwise = if !whole.is_empty() && whole.iter().all(allows) {
        NetworkAction::Allow
    } else {
        NetworkAction::Deny
    };
    Ok(NetworkPolicy { rules, otherwise })
}

fn write(policy: &NetworkPolicy) -> Vec<Rule> {
    if *policy == NetworkPolicy::open() {
        return Vec::new();
    }
    let rule = |domain: &str, action: NetworkAction| Rule {
        domain: Some(domain.to_owned()),
        action: Some(action.to_string()),
        include: None,
    };
    let rules = policy.rules.iter().map(|of| rule(&of.domain, of.action));
    rules.chain([rule(EVERYTHING, policy.otherwise)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(rules: Value) -> Result<NetworkPolicy, Refusal> {
        read(&serde_json::from_value::<Vec<Rule>>(rules).unwrap())
    }

    #[test]
    fn no_rules_are_no_limit_and_some_rules_limit_to_what_they_name() {
        assert_eq!(policy(json!([])).unwrap(), NetworkPolicy::open());
        let some = policy(json!([{"domain": "a.com", "action": "allow"}])).unwrap();
        assert!(some.allows("a.com") && !some.allows("b.com"));
        let all_but =
            json!([{"domain": "*", "action": "allow"}, {"domain": "a.com", "action": "deny"}]);
        let all_but = policy(all_but).unwrap();
        assert!(!all_but.allows("a.com") && all_but.allows("b.com"));
        let nothing = policy(json!([{"domain": "*", "action": "deny"}])).unwrap();
        assert_eq!(nothing, NetworkPolicy::default());
        let preset = policy(json!([{"include": "defaults"}])).unwrap();
        assert!(preset.allows("static.crates.io") && !preset.allows("example.com"));
    }

    #[test]
    fn the_preset_holds_host_names() {
        for name in DEFAULTS.lines() {
            let rule = NetworkRule::new(name, NetworkAction::Allow).unwrap();
            assert_eq!(rule.domain, name);
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for rules in [
            json!([]),
            json!([{"domain": "*", "action": "deny"}]),
            json!([{"domain": "a.com", "action": "allow"}]),
            json!([{"domain": "a.com", "action": "deny"}, {"domain": "*", "action": "allow"}]),
        ] {
            let policy = policy(rules).unwrap();
            assert_eq!(read(&write(&policy)).unwrap(), policy);
        }
    }

    #[test]
    fn bad_rules_are_refused() {
        for bad in [
            json!([{"domain": "a.com"}]),
            json!([{"domain": "a.com", "action": "maybe"}]),
            json!([{"domain": "https://a.com", "action": "allow"}]),
            json!([{"include": "everything"}]),
            json!([{"include": "defaults", "domain": "a.com", "action": "allow"}]),
            json!([{}]),
        ] {
            assert!(policy(bad.clone()).is_err(), "{bad}");
        }
    }
}
