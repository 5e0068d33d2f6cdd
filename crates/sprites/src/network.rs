//! What a sprite may reach, and its own ports.
//!
//! A policy of the port is a list of rules of the wire: the default becomes a rule for `*`, so that
//! a policy of ours always has a rule and one without any was never set.

use crate::{
    api::{Api, Twice},
    error::SpritesError,
    sprite::RemoteSprite,
    tunnel,
    wire::network::{Policy, PortMessage, Rule},
};
use async_trait::async_trait;
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule};
use futures_util::StreamExt as _;
use ports::sandbox::{ListeningPort, Network, SandboxError, Tunnel};
use reqwest::Method;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const ANY: &str = "*";

/// The rules of a sprite as they are on the wire.
pub(crate) async fn rules(api: &Api, name: &str) -> Result<Vec<Rule>, SpritesError> {
    let request = api.request(Method::GET, &["sprites", name, "policy", "network"]);
    let policy: Policy = api.json(request, Twice::Same).await?;
    Ok(policy.rules)
}

/// Puts a policy in force.
pub(crate) async fn put(api: &Api, name: &str, policy: &NetworkPolicy) -> Result<(), SpritesError> {
    let request = api.request(Method::POST, &["sprites", name, "policy", "network"]);
    let request = request.json(&wire_of(policy));
    api.send(request, Twice::Same).await.map(drop)
}

fn wire_of(policy: &NetworkPolicy) -> Policy {
    let rule = |domain: &str, action: NetworkAction| Rule {
        domain: Some(domain.to_owned()),
        action: Some(action.as_str().to_owned()),
        include: None,
    };
    let named = policy.rules.iter().map(|it| rule(&it.domain, it.action));
    let mut rules: Vec<_> = named.collect();
    if !policy.rules.iter().any(|rule| rule.domain == ANY) {
        rules.push(rule(ANY, policy.otherwise));
    }
    Policy { rules }
}

/// Sets of rules by name are left out: they are not known here, and they only allow.
fn policy_of(rules: Vec<Rule>) -> Result<NetworkPolicy, SpritesError> {
    if rules.is_empty() {
        return Ok(NetworkPolicy::open());
    }
    let mut policy = NetworkPolicy::default();
    let mut any = Vec::new();
    for rule in rules {
        let Some(domain) = rule.domain else {
            continue;
        };
        let action = match rule.action.as_deref() {
            Some("allow") => NetworkAction::Allow,
            // What is not understood allows nothing.
            _ => NetworkAction::Deny,
        };
        if domain == ANY {
            any.push(action);
            continue;
        }
        let rule = NetworkRule::new(&domain, action)
            .map_err(|error| SpritesError::Protocol(error.to_string()))?;
        policy.rules.push(rule);
    }
    // Of two that say different things the one that denies holds.
    if !any.is_empty() && !any.contains(&NetworkAction::Deny) {
        policy.otherwise = NetworkAction::Allow;
    }
    Ok(policy)
}

#[async_trait]
impl Network for RemoteSprite {
    async fn network_policy(&self) -> Result<NetworkPolicy, SandboxError> {
        // One that is made later is denied everything before anything runs in it.
        let Some(place) = self.existing().await? else {
            return Ok(NetworkPolicy::default());
        };
        let rules = rules(self.api(), &place.door.sprite).await;
        let policy = rules.and_then(policy_of);
        policy.map_err(|error| place.failed(error))
    }

    async fn set_network_policy(&self, policy: NetworkPolicy) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let done = put(self.api(), &place.door.sprite, &policy).await;
        done.map_err(|error| place.failed(error))
    }

    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel, SandboxError> {
        let place = self.place().await?;
        tunnel::open(&place, host, port).await
    }

    async fn listening(&self) -> Result<Vec<ListeningPort>, SandboxError> {
        use crate::wire::sprite::Status;
        // Asking one that sleeps would wake it.
        match self.described().await? {
            Some(described) if described.status != Status::Cold => {}
            _ => return Ok(Vec::new()),
        }
        let place = self.place().await?;
        let list = port_list(self.api(), &place.door.sprite).await;
        list.map_err(|error| place.failed(error))
    }
}

/// The first message of the watch is all there are.
async fn port_list(api: &Api, name: &str) -> Result<Vec<ListeningPort>, SpritesError> {
    let path = ["sprites", name, "ports", "watch"];
    let mut socket = api.socket(&path, &[], Twice::Same).await?;
    loop {
        let message = timeout(api.timing.answer, socket.next()).await;
        let Ok(Some(Ok(message))) = message else {
            return Err(SpritesError::Interrupted("no list of ports came".into()));
        };
        let Message::Text(text) = message else {
            continue;
        };
        if let Ok(PortMessage::PortList { ports }) = serde_json::from_str(&text) {
            let listening = ports.into_iter().map(|port| ListeningPort {
                port: port.port,
                address: port.address,
                process: port.pid,
            });
            return Ok(listening.collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{policy_of, wire_of};
    use crate::wire::network::Rule;
    use domain::sprite::{
        NetworkAction::{Allow, Deny},
        NetworkPolicy, NetworkRule,
    };

    #[test]
    fn policies_survive_the_way_there_and_back() {
        let rules = vec![
            NetworkRule::new("*.example.com", Allow).unwrap(),
            NetworkRule::new("bad.example.com", Deny).unwrap(),
        ];
        for otherwise in [Allow, Deny] {
            for rules in [rules.clone(), Vec::new()] {
                let policy = NetworkPolicy { rules, otherwise };
                let wire = wire_of(&policy);
                assert!(!wire.rules.is_empty());
                assert_eq!(policy_of(wire.rules).unwrap(), policy);
            }
        }
        assert_eq!(policy_of(Vec::new()).unwrap(), NetworkPolicy::open());
    }

    #[test]
    fn what_is_not_understood_allows_nothing() {
        let odd = Rule {
            domain: Some("a.com".into()),
            action: Some("maybe".into()),
            include: None,
        };
        let set = Rule {
            include: Some("defaults".into()),
            ..Rule::default()
        };
        let policy = policy_of(vec![set, odd]).unwrap();
        assert!(!policy.allows("a.com") && !policy.allows("b.com"));
    }
}
