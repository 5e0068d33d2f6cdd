//! `nitejar openapi`: the document from the router alone, without configuration or database.

use super::say;

/// Prints the OpenAPI document.
pub fn run() -> anyhow::Result<()> {
    say(api::document().to_pretty_json()?)
}
