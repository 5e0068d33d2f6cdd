//! `nitejar token`: bearer tokens for people and programs, straight from the database.

use super::say;
use crate::{bootstrap, cli::Failure, config::Config, secrets::RingSecrets, wire};
use anyhow::Context as _;
use chrono::TimeDelta;
use clap::Subcommand;
use domain::{
    access::{ApiToken, Role},
    id::TokenId,
    secret::Redactor,
};
use ports::{
    secrets::Secrets,
    store::{Durability, Store},
};
use serde_json::json;
use std::sync::Arc;

/// What can be done with tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown this once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it may do: owner, admin, member or viewer.
        #[arg(long, default_value = "member")]
        role: Role,
        /// After how many days it stops working; without it, never.
        #[arg(long, value_name = "DAYS")]
        expires_days: Option<u16>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all tokens; never the tokens themselves.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stop a token at once and for good.
    Revoke {
        /// The token's id, from `list`.
        id: TokenId,
    },
}

/// Makes, lists or revokes.
pub async fn run(config: Config, command: TokenCommand) -> Result<(), Failure> {
    let foundation = wire::foundation(&config, Arc::new(Redactor::default())).await?;
    let store = foundation.store.as_ref();
    let now = foundation.clock.now();
    let tenant = bootstrap::home(store, now).await?;
    match command {
        TokenCommand::Create {
            name,
            role,
            expires_days,
            json,
        } => {
            let secret = RingSecrets.generate();
            let token = ApiToken {
                id: TokenId::from_uuid(foundation.ids.next()),
                tenant_id: tenant,
                user_id: None,
                name,
                role,
                hash: RingSecrets.hash(&secret),
                created_at: now,
                expires_at: expires_days.map(|days| now + TimeDelta::days(days.into())),
                revoked_at: None,
            };
            let tx = store
                .write(Durability::Durable)
                .await
                .map_err(anyhow::Error::from)?;
            tx.access()
                .insert_token(&token)
                .await
                .context("the token could not be written")?;
            tx.commit().await.map_err(anyhow::Error::from)?;
            if json {
                let mut view = view(&token);
                view["token"] = json!(secret.expose());
                Ok(say(view)?)
            } else {
                Ok(say(secret.expose())?)
            }
        }
        TokenCommand::List { json } => {
            let tx = store.read().await.map_err(anyhow::Error::from)?;
            let tokens = tx
                .access()
                .list_tokens(tenant)
                .await
                .map_err(anyhow::Error::from)?;
            if json {
                return Ok(say(
                    json!({ "items": tokens.iter().map(view).collect::<Vec<_>>() }),
                )?);
            }
            for token in tokens {
                let state = if token.is_live(now) {
                    "live"
                } else {
                    "stopped"
                };
                say(format!(
                    "{}  {:<8} {:<7} {}",
                    token.id, token.role, state, token.name
                ))?;
            }
            Ok(())
        }
        TokenCommand::Revoke { id } => {
            let tx = store
                .write(Durability::Durable)
                .await
                .map_err(anyhow::Error::from)?;
            let found = tx
                .access()
                .revoke_token(tenant, id, now)
                .await
                .map_err(anyhow::Error::from)?;
            tx.commit().await.map_err(anyhow::Error::from)?;
            if found {
                Ok(say(format!("{id} no longer opens anything"))?)
            } else {
                Err(anyhow::anyhow!(
                    "there is no token {id}; `nitejar token list` shows those there are"
                )
                .into())
            }
        }
    }
}

fn view(token: &ApiToken) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    })
}
