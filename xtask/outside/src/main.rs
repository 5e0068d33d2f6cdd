//! Hosts the stand-ins of the browser tests: a model, a Telegram bot, and a way to play the people who
//! write to it. It knows nothing of the server that uses them.

mod control;
mod model;

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use serde_json::json;
use simulators::telegram::TelegramSimulator;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let provider = rustls::crypto::ring::default_provider();
    provider
        .install_default()
        .map_err(|_taken| anyhow!("a TLS provider is already installed"))?;
    let model = model::start().await?;
    let telegram = Arc::new(TelegramSimulator::start().await?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let line = json!({
        "control": listener.local_addr()?.port(),
        "model_url": model.base_url(),
        "model_key": model::KEY,
        "telegram_url": telegram.base_url(),
        "telegram_token": TelegramSimulator::TOKEN,
    });
    writeln!(std::io::stdout(), "{line}")?;
    tokio::select! {
        ended = control::obey(listener, telegram) => ended,
        () = parent_gone() => Ok(()),
    }
}

/// Returns once whoever started us closed our standard input, by ending too.
async fn parent_gone() {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    // An input that cannot be read is as good as a closed one.
    drop(read.await);
}
