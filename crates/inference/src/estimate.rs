//! Token counts for providers that do not send them.
//!
//! Four characters to a token is the usual rule of thumb for English and code; vendors' own
//! tokenizers differ by some tens of percent. It only serves so that a cost is never missing.

/// About how many tokens a text of this many characters has.
pub(crate) fn tokens(characters: usize) -> i64 {
    i64::try_from(characters.div_ceil(4)).unwrap_or(i64::MAX)
}
