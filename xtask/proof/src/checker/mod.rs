//! Decides from rows and from what the outside saw whether every promise was kept. It uses nothing of
//! the product, changes nothing, and reports everything it finds, not only the first.

mod delivery;
mod effects;
mod history;
#[cfg(test)]
mod kept;
mod money;
mod queue;
#[cfg(test)]
mod tests;
mod transcript;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::rows::Rows;

/// A broken promise, with the ids to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Which rule.
    pub(crate) rule: &'static str,
    /// What is wrong.
    pub(crate) what: String,
}

/// What the world outside the server knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// Deliveries the server took (it answered 2xx, or the vendor handed them out and they were confirmed):
    /// integration and the provider's event id.
    pub(crate) accepted: Vec<(Uuid, String)>,
    /// Work items the API answered with.
    pub(crate) handed_in: Vec<Uuid>,
    /// What people see, by integration and chat.
    pub(crate) shown: BTreeMap<(Uuid, String), Vec<Shown>>,
    /// Effects a human sent again although nobody knew whether they had arrived.
    pub(crate) resent: BTreeSet<Uuid>,
    /// Requests with an idempotency key that were under way at a crash and never got an answer.
    pub(crate) stuck: Vec<String>,
    /// Lines that commands with an effect wrote into sandboxes; each may stand there once.
    pub(crate) written: Vec<String>,
}

/// A message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The vendor's id.
    pub(crate) id: String,
    /// Its text as it reads now.
    pub(crate) text: String,
    /// Whether it is a progress message, which is edited in place.
    pub(crate) is_progress: bool,
}

/// Everything there is to judge by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The rows right after each crash, oldest first.
    pub(crate) crashes: Vec<Rows>,
    /// The rows at the end.
    pub(crate) end: Rows,
    /// The outside.
    pub(crate) outside: Outside,
}

/// Every broken promise.
pub(crate) fn check(evidence: &Evidence) -> Vec<Violation> {
    let mut findings = Findings::default();
    delivery::check(evidence, &mut findings);
    queue::check(evidence, &mut findings);
    transcript::check(&evidence.end, &mut findings);
    money::check(&evidence.end, &mut findings);
    effects::check(evidence, &mut findings);
    history::check(evidence, &mut findings);
    findings.0
}

/// Collects violations.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, rule: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.0.push(Violation { rule, what });
    }

    fn unless(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        if !holds {
            self.add(rule, what());
        }
    }
}

/// Things by a key, in their order.
fn group<T, K: std::hash::Hash + Eq>(things: &[T], key: impl Fn(&T) -> K) -> HashMap<K, Vec<&T>> {
    let mut groups: HashMap<K, Vec<&T>> = HashMap::new();
    for thing in things {
        groups.entry(key(thing)).or_default().push(thing);
    }
    groups
}
