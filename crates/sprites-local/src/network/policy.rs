//! Where a sprite's network policy is kept and which ones a tier can enforce.

use crate::{home::Home, record};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule, SandboxTier};
use ports::sandbox::SandboxError;
use serde::{Deserialize, Serialize};
use std::{io, path::PathBuf};

#[derive(Serialize, Deserialize)]
struct Stored {
    rules: Vec<StoredRule>,
    otherwise: NetworkAction,
}

#[derive(Serialize, Deserialize)]
struct StoredRule {
    domain: String,
    action: NetworkAction,
}

/// The policy that holds for a sprite in a tier. Without one of its own a sprite reaches nothing,
/// or, where nothing can be kept from it, everything.
pub(crate) fn load(home: &Home, tier: SandboxTier) -> Result<NetworkPolicy, SandboxError> {
    let unreadable = |error: &dyn std::error::Error| {
        let text = format!("its network policy cannot be read: {error}; set it again");
        SandboxError::Unavailable(text)
    };
    let Some(stored) = record::read::<Stored>(&path(home)).map_err(|error| unreadable(&error))?
    else {
        return Ok(match tier {
            SandboxTier::Namespaces | SandboxTier::Landlock => NetworkPolicy::default(),
            SandboxTier::Plain => NetworkPolicy::open(),
        });
    };
    let rules = stored.rules.iter();
    let rules = rules.map(|rule| NetworkRule::new(&rule.domain, rule.action));
    let policy = NetworkPolicy {
        rules: rules
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(&error))?,
        otherwise: stored.otherwise,
    };
    match (unenforceable(&policy, tier), tier) {
        // It was set when there were namespaces. What holds now is stricter.
        (Some(_), SandboxTier::Landlock) => Ok(NetworkPolicy::default()),
        (Some(reason), _) => Err(SandboxError::Unavailable(reason)),
        (None, _) => Ok(policy),
    }
}

/// Keeps a policy; blocks.
pub(super) fn store(home: &Home, policy: &NetworkPolicy) -> io::Result<()> {
    let rules = policy.rules.iter().map(|rule| StoredRule {
        domain: rule.domain.clone(),
        action: rule.action,
    });
    let stored = Stored {
        rules: rules.collect(),
        otherwise: policy.otherwise,
    };
    record::write(&path(home), &stored)
}

/// Why a tier cannot enforce a policy, and the way out.
pub(super) fn unenforceable(policy: &NetworkPolicy, tier: SandboxTier) -> Option<String> {
    match tier {
        SandboxTier::Namespaces => None,
        SandboxTier::Landlock if policy.denies_all() => None,
        SandboxTier::Landlock => Some(
            "this machine's sandbox tier `landlock` can only keep a sprite off the network altogether: deny everything, or install bubblewrap and allow unprivileged user namespaces to get the tier `namespaces`".into(),
        ),
        SandboxTier::Plain if allows_all(policy) => None,
        SandboxTier::Plain => Some(
            "this machine runs sprites without isolation (tier `plain`), where no network policy can be enforced: allow everything (`*`), or use the tier `namespaces`, which needs bubblewrap and unprivileged user namespaces".into(),
        ),
    }
}

fn allows_all(policy: &NetworkPolicy) -> bool {
    let denies = |rule: &NetworkRule| rule.action == NetworkAction::Deny;
    let any = policy.rules.iter().any(|rule| rule.domain == "*");
    !policy.rules.iter().any(denies) && (any || policy.otherwise == NetworkAction::Allow)
}

fn path(home: &Home) -> PathBuf {
    home.folder.join("policy.json")
}
