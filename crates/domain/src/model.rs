//! Models, what they use and what that costs.

use crate::{
    Timestamp,
    budget::Micros,
    id::{JobId, ModelCallId, TenantId, WorkItemId},
    text::words,
};
use serde::{Deserialize, Serialize};

/// `provider/model`. The provider is one this server is configured for; everything after the
/// first slash is the provider's own name of the model and may contain slashes itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef {
    provider: String,
    name: String,
}

/// Text that is not `provider/model`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a model: write provider/model, for example demo/scripted")]
pub struct InvalidModelRef(String);

impl ModelRef {
    /// Parses `provider/model`.
    pub fn parse(text: &str) -> Result<Self, InvalidModelRef> {
        match text.trim().split_once('/') {
            Some((provider, name)) if !provider.is_empty() && !name.is_empty() => Ok(Self {
                provider: provider.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(InvalidModelRef(text.to_owned())),
        }
    }

    /// The configured provider.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The provider's name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for ModelRef {
    type Error = InvalidModelRef;

    fn try_from(text: String) -> Result<Self, InvalidModelRef> {
        Self::parse(&text)
    }
}

impl From<ModelRef> for String {
    fn from(model: ModelRef) -> Self {
        model.to_string()
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.name)
    }
}

/// Tokens by kind. The kinds do not overlap: `input` excludes what came from or went to a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Fresh prompt tokens.
    pub input: i64,
    /// Generated tokens, reasoning included.
    pub output: i64,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: i64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: i64,
}

impl Usage {
    /// The sum of two calls.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
        }
    }
}

/// Prices in micro-dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Fresh prompt tokens.
    pub input: i64,
    /// Generated tokens.
    pub output: i64,
    /// Prompt tokens read from the cache.
    pub cache_read: i64,
    /// Prompt tokens written to the cache.
    pub cache_write: i64,
}

impl Price {
    /// What the usage costs, rounded up, so that nothing is free by rounding.
    pub fn cost(&self, usage: Usage) -> Micros {
        let product = |tokens: i64, price: i64| i128::from(tokens) * i128::from(price);
        let sum = product(usage.input, self.input)
            + product(usage.output, self.output)
            + product(usage.cache_read, self.cache_read)
            + product(usage.cache_write, self.cache_write);
        let micros = (sum + 999_999) / 1_000_000;
        Micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// The most that `input` prompt tokens and `output` generated tokens can cost.
    pub fn worst_case(&self, input: i64, output: i64) -> Micros {
        let dearest = self.input.max(self.cache_read).max(self.cache_write);
        Self {
            input: dearest,
            ..*self
        }
        .cost(Usage {
            input,
            output,
            ..Usage::default()
        })
    }
}

words!(
    /// Why a model stopped.
    StopReason {
        /// It said all it wanted.
        EndTurn = "end_turn",
        /// It wants tools.
        ToolUse = "tool_use",
        /// It hit its output limit.
        MaxTokens = "max_tokens",
        /// It, or its provider, declined.
        Refusal = "refusal",
    }
);

words!(
    /// What a model call was for.
    ModelCallPurpose {
        /// A turn of a job.
        Turn = "turn",
        /// Deciding whether to act.
        Triage = "triage",
    }
);

words!(
    /// Where a model call stands.
    ModelCallStatus {
        /// Its worst-case cost is reserved; it may be under way.
        Reserved = "reserved",
        /// It answered; usage and cost are final.
        Settled = "settled",
        /// It failed; cost is what the provider is known to have counted.
        Failed = "failed",
    }
);

/// One call of a model: the receipt that carries tokens and money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCall {
    /// Its id.
    pub id: ModelCallId,
    /// The tenant that pays.
    pub tenant_id: TenantId,
    /// The work item it was made for: cost is counted by what people asked.
    pub work_item_id: WorkItemId,
    /// The job it was made for; absent while an agent still decides whether to take one.
    pub job_id: Option<JobId>,
    /// What it was for.
    pub purpose: ModelCallPurpose,
    /// Which model.
    pub model: ModelRef,
    /// Where it stands.
    pub status: ModelCallStatus,
    /// Worst-case cost, held until it settles.
    pub reserved: Micros,
    /// What it cost; zero until settled.
    pub cost: Micros,
    /// Tokens by kind.
    pub usage: Usage,
    /// Why it stopped, or why it failed.
    pub outcome: Option<String>,
    /// When the money was reserved.
    pub started_at: Timestamp,
    /// When it settled.
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_slash_divides() {
        let model = ModelRef::parse("openrouter/anthropic/claude").unwrap();
        assert_eq!(
            (model.provider(), model.name()),
            ("openrouter", "anthropic/claude")
        );
        assert!(ModelRef::parse("claude").is_err());
        assert!(ModelRef::parse("/x").is_err());
    }

    #[test]
    fn cost_is_exact_and_rounds_up() {
        let price = Price {
            input: 3_000_000,
            output: 15_000_000,
            cache_read: 300_000,
            cache_write: 3_750_000,
        };
        let usage = Usage {
            input: 1_000,
            output: 100,
            cache_read: 1,
            cache_write: 0,
        };
        assert_eq!(price.cost(usage), Micros(3_000 + 1_500 + 1));
        assert_eq!(price.worst_case(1_000, 100), Micros(3_750 + 1_500));
        assert_eq!(Price::default().cost(usage), Micros::ZERO);
    }
}
