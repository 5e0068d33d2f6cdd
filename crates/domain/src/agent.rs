//! The durable identity of an agent.

use crate::{
    Timestamp,
    approval::Approvers,
    budget::Limit,
    guard::LoopLimits,
    id::{AgentId, TenantId},
    model::ModelRef,
    queue::Steering,
    text::words,
};
use serde::{Deserialize, Serialize};

words!(
    /// What happens to an agent's replies before they leave.
    ReplyPolicy {
        /// They are sent.
        Auto = "auto",
        /// They are held as drafts until a human releases them.
        Approve = "approve",
    }
);

/// A name people can call in a chat: 1 to 64 characters, no control characters, not blank at
/// either end, and without `@`, `/` or `:`, which mark mentions, commands and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentName(String);

/// Why a name was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidName {
    /// Nothing but blanks.
    #[error("a name must not be blank")]
    Blank,
    /// Longer than 64 characters.
    #[error("a name has at most 64 characters")]
    TooLong,
    /// A character that chats give a meaning of their own.
    #[error("a name must not contain {0:?}")]
    Forbidden(char),
}

impl AgentName {
    /// Parses a name; surrounding blanks are cut.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim();
        if name.is_empty() {
            return Err(InvalidName::Blank);
        }
        if name.chars().count() > 64 {
            return Err(InvalidName::TooLong);
        }
        match name
            .chars()
            .find(|c| c.is_control() || matches!(c, '@' | '/' | ':'))
        {
            Some(c) => Err(InvalidName::Forbidden(c)),
            None => Ok(Self(name.to_owned())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AgentName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::parse(&text)
    }
}

impl From<AgentName> for String {
    fn from(name: AgentName) -> Self {
        name.0
    }
}

impl std::fmt::Display for AgentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An employee of the company: identity, instructions, model, budget and sprite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its id; also the identity of its sprite.
    pub id: AgentId,
    /// The tenant it works for.
    pub tenant_id: TenantId,
    /// Unique per tenant among agents that are not archived, without regard to case.
    pub name: AgentName,
    /// The model it thinks with; absent means the server's default.
    pub model: Option<ModelRef>,
    /// What its humans want of it; goes verbatim into every prompt.
    pub instructions: String,
    /// Only enabled agents see new work.
    pub enabled: bool,
    /// What happens to its replies.
    pub reply_policy: ReplyPolicy,
    /// What becomes of messages that arrive while it works.
    pub steering: Steering,
    /// Where it stops to go along with a loop.
    pub loop_limits: LoopLimits,
    /// What it may spend in a UTC day.
    pub daily_budget: Limit,
    /// The tools it may use, by name; absent means all there are.
    pub tools: Option<Vec<String>>,
    /// Who may answer what it asks.
    pub approvers: Approvers,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Set when it was deleted; its history stays readable.
    pub archived_at: Option<Timestamp>,
}

impl Agent {
    /// Whether it may use the tool.
    pub fn may_use(&self, tool: &str) -> bool {
        let listed = |tools: &Vec<String>| tools.iter().any(|name| name == tool);
        self.tools.as_ref().is_none_or(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_chats_could_misread_are_refused() {
        assert_eq!(
            AgentName::parse("  Ada Lovelace ").unwrap().as_str(),
            "Ada Lovelace"
        );
        assert_eq!(AgentName::parse("  "), Err(InvalidName::Blank));
        assert_eq!(AgentName::parse("a@b"), Err(InvalidName::Forbidden('@')));
        assert_eq!(AgentName::parse(&"x".repeat(65)), Err(InvalidName::TooLong));
    }
}
