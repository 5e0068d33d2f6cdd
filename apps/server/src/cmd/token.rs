//! `nitejar token`: bearer tokens for people and programs, straight from the database.

use super::{audit::note_command, say};
use crate::{bootstrap, cli::Failure, config::Config, secrets::RingSecrets, wire};
use anyhow::Context as _;
use chrono::TimeDelta;
use clap::Subcommand;
use domain::{
    Timestamp,
    access::{ApiToken, Role},
    id::{TenantId, TokenId},
    secret::Redactor,
};
use ports::{
    secrets::Secrets,
    store::{Durability, StoreError, StoreTx},
};
use serde_json::json;
use services::tokens;
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
    let now = foundation.clock.now();
    let tenant = foundation
        .store
        .ensure_tenant(bootstrap::TENANT, now)
        .await
        .map_err(anyhow::Error::from)?
        .id;
    let desk = Desk {
        foundation,
        tenant,
        now,
    };
    Ok(match command {
        TokenCommand::Create {
            name,
            role,
            expires_days,
            json,
        } => desk.create(name, role, expires_days, json).await,
        TokenCommand::List { json } => desk.list(json).await,
        TokenCommand::Revoke { id } => desk.revoke(id).await,
    }?)
}

struct Desk {
    foundation: wire::Foundation,
    tenant: TenantId,
    now: Timestamp,
}

impl Desk {
    async fn create(
        &self,
        name: String,
        role: Role,
        expires_days: Option<u16>,
        json: bool,
    ) -> anyhow::Result<()> {
        let secret = RingSecrets.generate();
        let token = ApiToken {
            id: TokenId::from_uuid(self.foundation.ids.next()),
            tenant_id: self.tenant,
            user_id: None,
            name,
            role,
            hash: RingSecrets.hash(&secret),
            created_at: self.now,
            expires_at: expires_days.map(|days| self.now + TimeDelta::days(days.into())),
            revoked_at: None,
            scopes: None,
            last_used_at: None,
        };
        let tx = self
            .foundation
            .store
            .write(self.tenant, Durability::Durable)
            .await?;
        tx.access().insert_token(&token).await?;
        self.note(tx.as_ref(), "token.created", &token).await?;
        tx.commit().await?;
        if json {
            say(json!({ "token": secret.expose(), "row": view(&token) }))
        } else {
            say(secret.expose())
        }
    }

    async fn list(&self, json: bool) -> anyhow::Result<()> {
        let tx = self.foundation.store.read(self.tenant).await?;
        let tokens = tx.access().list_tokens(self.tenant).await?;
        if json {
            return say(json!({ "items": tokens.iter().map(view).collect::<Vec<_>>() }));
        }
        for token in tokens {
            let state = if token.is_live(self.now) {
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

    async fn revoke(&self, id: TokenId) -> anyhow::Result<()> {
        let tx = self
            .foundation
            .store
            .write(self.tenant, Durability::Durable)
            .await?;
        let tokens = tx.access().list_tokens(self.tenant).await?;
        let token = tokens.iter().find(|token| token.id == id);
        let token = token.with_context(|| {
            format!("there is no token {id}; `nitejar token list` shows those there are")
        })?;
        if token.revoked_at.is_none() {
            tx.access().revoke_token(self.tenant, id, self.now).await?;
            self.note(tx.as_ref(), "token.revoked", token).await?;
            tx.commit().await?;
        }
        say(format!("{id} no longer opens anything"))
    }

    async fn note(
        &self,
        tx: &dyn StoreTx,
        action: &'static str,
        token: &ApiToken,
    ) -> Result<(), StoreError> {
        let change = tokens::change(action, token).between(None, Some(tokens::facts(token)));
        note_command(tx, (self.tenant, "nitejar token", self.now), change).await
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
