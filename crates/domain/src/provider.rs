//! Model providers that people add in the settings, beside those of the environment.

use crate::{
    Timestamp,
    id::{ProviderId, TenantId},
    text::words,
};

words!(
    /// What a provider speaks.
    ProviderKind {
        /// Anthropic Messages.
        Anthropic = "anthropic",
        /// Chat Completions, as OpenAI and most others serve it.
        OpenAi = "openai",
        /// The built-in model without AI.
        Demo = "demo",
    }
);

words!(
    /// What the last test of a provider found.
    ProviderHealth {
        /// Not tested since it was last changed.
        Unknown = "unknown",
        /// It answered.
        Ok = "ok",
        /// It did not; the detail says why and what to do.
        Failed = "failed",
    }
);

/// The part before the slash in `provider/model`: a lower-case letter, then up to 31 lower-case letters,
/// digits, `-` or `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderName(String);

/// Text that is no name of a provider.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "must be a lower-case word of 1 to 32 letters, digits, `-` or `_` that begins with a letter, for example `openrouter`"
)]
pub struct InvalidProviderName;

impl ProviderName {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, InvalidProviderName> {
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let good = text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(rest);
        good.then(|| Self(text.to_owned()))
            .ok_or(InvalidProviderName)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody who serves models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The tenant whose agents may ask it.
    pub tenant_id: TenantId,
    /// Unique per tenant.
    pub name: ProviderName,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is; the vendor's own address when absent.
    pub base_url: Option<String>,
    /// The key as `enc:v1:…`, never in the clear; local servers need none.
    pub api_key: Option<String>,
    /// What the last test found.
    pub health: ProviderHealth,
    /// Why, in words for a person.
    pub health_detail: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings were last changed; a connection made before that is stale.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_lower_case_word() {
        for good in ["a", "openrouter", "vllm-2", "my_box"] {
            assert_eq!(ProviderName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "2x", "Open", "a/b", "a b", "-a", &"x".repeat(33)] {
            assert_eq!(ProviderName::parse(bad), Err(InvalidProviderName), "{bad}");
        }
    }
}
