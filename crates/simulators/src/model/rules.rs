//! What the vendors refuse, as pure functions of a request's body, so that property tests may ask
//! without a server. It is never more lenient than a vendor; where servers differ, the strictest counts.

mod anthropic;
mod openai;

use super::request::Wire;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why the vendor would answer 400, in its words; `Ok` when it would take the body.
pub fn check_request(wire: Wire, body: &Value) -> Result<(), String> {
    match wire {
        Wire::Anthropic => anthropic::check(body),
        Wire::OpenAi => openai::check(body),
    }
}

/// What both vendors demand of the name of a tool; they differ in the longest.
fn is_name(name: &str, longest: usize) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.len() <= longest && name.chars().all(allowed)
}

/// The first that occurs again.
fn repeated<'v>(words: impl IntoIterator<Item = &'v str>) -> Option<&'v str> {
    let mut seen = BTreeSet::new();
    words.into_iter().find(|word| !seen.insert(*word))
}
