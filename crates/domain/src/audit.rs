//! Who changed what, kept as a chain: each entry carries a hash over itself and the hash before it, so that none can
//! be changed, taken out or moved unnoticed. Hashing itself is done outside; nothing here reads a clock.

use crate::{Timestamp, id::TenantId, text::words};
use serde_json::{Value, json};
use std::net::IpAddr;
use uuid::Uuid;

words!(
    /// What kind of somebody changed something.
    AuditActorKind {
        /// A person who signed in.
        User = "user",
        /// A bearer token.
        Token = "token",
        /// An agent.
        Agent = "agent",
        /// The server itself.
        System = "system",
    }
);

/// Who changed something, as they were called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditActor {
    /// What kind of somebody.
    pub kind: AuditActorKind,
    /// Which one; absent for the server and the token of the environment.
    pub id: Option<Uuid>,
    /// What people called them.
    pub name: Option<String>,
}

/// What was changed, as it was called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<K = &'static str> {
    /// What kind of thing.
    pub kind: K,
    /// Which one; absent where there is only one.
    pub id: Option<Uuid>,
    /// What people called it.
    pub name: Option<String>,
}

/// A change, for the audit trail. `before` and `after` hold no secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What was done, as `thing.past_participle`.
    pub action: &'static str,
    /// To what.
    pub subject: Subject,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

impl Change {
    /// A change to one thing.
    pub const fn to(
        action: &'static str,
        kind: &'static str,
        id: Uuid,
        name: Option<String>,
    ) -> Self {
        Self {
            action,
            subject: Subject {
                kind,
                id: Some(id),
                name,
            },
            before: None,
            after: None,
        }
    }

    /// The same with what it was and what it is, as far as they differ.
    #[must_use]
    pub fn between(mut self, before: Option<Value>, after: Option<Value>) -> Self {
        self.before = before;
        self.after = after;
        self.narrowed()
    }

    /// The same with only those fields of `before` and `after` that differ.
    #[must_use]
    pub fn narrowed(mut self) -> Self {
        if let (Some(Value::Object(before)), Some(Value::Object(after))) =
            (&mut self.before, &mut self.after)
        {
            before.retain(|field, was| match after.get(field) {
                Some(is) if is == was => {
                    after.remove(field);
                    false
                }
                Some(_) | None => true,
            });
        }
        self
    }
}

/// One entry of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Whose trail it is in.
    pub tenant_id: TenantId,
    /// Its place there: 1, 2, 3, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: AuditActor,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: Subject<String>,
    /// What it was, as the JSON text that was hashed.
    pub before: Option<String>,
    /// What it is, as the JSON text that was hashed.
    pub after: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The id under which the log knows the request.
    pub request_id: Option<String>,
    /// The hash of the entry before.
    pub previous: String,
    /// The hash of this one.
    pub hash: String,
}

impl AuditEntry {
    /// What is hashed: every field but the hash itself, in an order that never changes, as JSON, in which no two
    /// different entries are written alike.
    pub fn content(&self) -> Vec<u8> {
        json!([
            "nitejar audit 1",
            self.tenant_id,
            self.seq,
            self.at.timestamp_micros(),
            self.actor.kind,
            self.actor.id,
            self.actor.name,
            self.action,
            self.subject.kind,
            self.subject.id,
            self.subject.name,
            self.before,
            self.after,
            self.address,
            self.request_id,
            self.previous,
        ])
        .to_string()
        .into_bytes()
    }
}

/// What is stored where an entry should be cannot be read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The end of a chain so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The place of the last entry; 0 when there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(64),
        }
    }
}

/// Where a chain does not hold, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// An entry is missing, or stands where it does not belong.
    #[error("entry {expected} is missing; the next one there is has number {found}")]
    Gap {
        /// What should stand here.
        expected: i64,
        /// What does.
        found: i64,
    },
    /// An entry does not follow from the one before it.
    #[error("entry {seq} does not carry the hash of the entry before it")]
    Unlinked {
        /// Which one.
        seq: i64,
    },
    /// An entry is not what was hashed.
    #[error("entry {seq} was changed: its hash does not fit what it says")]
    Changed {
        /// Which one.
        seq: i64,
    },
    /// What is stored of an entry is none.
    #[error("entry {seq} was changed: what is stored of it cannot be read")]
    Unreadable {
        /// Which one.
        seq: i64,
    },
    /// The chain ends elsewhere than its head says.
    #[error("the chain ends at entry {found}, but its head says {expected}, or has another hash")]
    End {
        /// What the head says.
        expected: i64,
        /// The last entry there is.
        found: i64,
    },
}

impl Break {
    /// The first entry that is not as it was.
    pub const fn seq(&self) -> i64 {
        match self {
            Self::Gap { expected, .. } => *expected,
            Self::Unlinked { seq } | Self::Changed { seq } | Self::Unreadable { seq } => *seq,
            Self::End { expected, found } if *expected > *found => *found + 1,
            Self::End { found, .. } => *found,
        }
    }
}

impl Link {
    /// Goes one entry on. `hash` is what the entry's content hashes to.
    ///
    /// # Errors
    /// When the entry does not follow.
    pub fn follow(&mut self, entry: &AuditEntry, hash: &str) -> Result<(), Break> {
        if entry.seq != self.seq + 1 {
            return Err(Break::Gap {
                expected: self.seq + 1,
                found: entry.seq,
            });
        }
        if entry.previous != self.hash {
            return Err(Break::Unlinked { seq: entry.seq });
        }
        if entry.hash != hash {
            return Err(Break::Changed { seq: entry.seq });
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }
    /// Goes on over what is stored next.
    ///
    /// # Errors
    /// When it is no entry, or one that does not follow.
    pub fn pass(
        &mut self,
        stored: &Result<AuditEntry, Unreadable>,
        digest: impl Fn(&[u8]) -> String,
    ) -> Result<(), Break> {
        match stored {
            Ok(entry) => self.follow(entry, &digest(&entry.content())),
            Err(Unreadable) => Err(Break::Unreadable { seq: self.seq + 1 }),
        }
    }

    /// Whether this is where the head says that the chain ends; `beyond` is what was stored behind that.
    ///
    /// # Errors
    /// When it is not, or something comes after.
    pub fn finish(
        &self,
        head: &Self,
        beyond: Option<&Result<AuditEntry, Unreadable>>,
    ) -> Result<(), Break> {
        let found = match beyond {
            None if self == head => return Ok(()),
            None => self.seq,
            Some(Ok(entry)) => entry.seq,
            Some(Err(Unreadable)) => head.seq + 1,
        };
        Err(Break::End {
            expected: head.seq,
            found,
        })
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
