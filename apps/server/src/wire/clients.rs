//! The HTTP clients. They are made here only, so that nobody else decides about redirects and how long to connect.

use anyhow::Context;
use std::time::Duration;

/// The one HTTP client. It follows no redirects: a key in a header would follow too.
#[expect(clippy::disallowed_methods, reason = "this is the shared client")]
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(inference::CONNECT_TIMEOUT)
        // A connection that died while idle would leave doubt whether a message was sent.
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(inference::GuardedResolver)
        .user_agent(concat!("nitejar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client cannot be built")
}

/// The client for sprites: `WebSocket` needs HTTP/1.1, and a command may take as long as it takes.
#[expect(
    clippy::disallowed_methods,
    reason = "a second client for a second protocol"
)]
pub(super) fn sprites_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .http1_only()
        .connect_timeout(inference::CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("nitejar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client for sprites cannot be built")
}
