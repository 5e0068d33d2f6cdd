//! `nitejar user`: who may sign in, and a way back in for who cannot, straight from the database.

use super::{audit::note_command, say};
use crate::{bootstrap, cli::Failure, config::Config, secrets::RingSecrets, wire};
use anyhow::Context as _;
use clap::Subcommand;
use domain::{
    Timestamp,
    audit::Change,
    id::{TenantId, UserLinkId},
    login::{LinkKind, User, UserLink},
    secret::Redactor,
};
use ports::{secrets::Secrets, store::Durability};
use serde_json::json;
use services::links;
use std::sync::Arc;

/// What can be done with users.
#[derive(Subcommand)]
pub enum UserCommand {
    /// List everybody who has a login.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a link with which a user gets a new password; it is shown this once and good for a day.
    ResetLink {
        /// The user's address, from `list`.
        email: String,
        /// Take their second factor away as well: they lost it, and their recovery codes.
        #[arg(long)]
        drop_second_factor: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Lists, or makes the link.
pub async fn run(config: Config, command: UserCommand) -> Result<(), Failure> {
    let foundation = wire::foundation(&config, Arc::new(Redactor::default())).await?;
    let now = foundation.clock.now();
    let tenant = foundation.store.ensure_tenant(bootstrap::TENANT, now).await;
    let tenant = tenant.map_err(anyhow::Error::from)?.id;
    let desk = Desk {
        people_url: wire::people_url(&config, config.server.port),
        foundation,
        tenant,
        now,
    };
    Ok(match command {
        UserCommand::List { json } => desk.list(json).await,
        UserCommand::ResetLink {
            email,
            drop_second_factor,
            json,
        } => desk.reset_link(&email, drop_second_factor, json).await,
    }?)
}

struct Desk {
    foundation: wire::Foundation,
    people_url: String,
    tenant: TenantId,
    now: Timestamp,
}

impl Desk {
    async fn list(&self, json: bool) -> anyhow::Result<()> {
        let tx = self.foundation.store.read(self.tenant).await?;
        let users = tx.users().list(self.tenant).await?;
        if json {
            return say(json!({ "items": users.iter().map(view).collect::<Vec<_>>() }));
        }
        for user in users {
            let state = if user.disabled_at.is_none() {
                "enabled"
            } else {
                "disabled"
            };
            let factor = if user.has_totp() { "totp" } else { "-" };
            say(format!(
                "{}  {:<8} {state:<8} {factor:<4} {}  {}",
                user.id, user.role, user.email, user.name
            ))?;
        }
        Ok(())
    }

    async fn reset_link(&self, email: &str, drop_factor: bool, json: bool) -> anyhow::Result<()> {
        let (store, tenant) = (&self.foundation.store, self.tenant);
        let tx = store.write(tenant, Durability::Durable).await?;
        let email = email.trim().to_lowercase();
        let user = tx.users().find_by_email(tenant, &email).await?;
        let mut user = user.with_context(|| {
            format!("nobody has the address {email}; `nitejar user list` shows who has a login")
        })?;
        anyhow::ensure!(
            user.disabled_at.is_none(),
            "{email} is disabled, and a link would not let them in; enable them first"
        );
        let token = RingSecrets.generate();
        let id = UserLinkId::from_uuid(self.foundation.ids.next());
        let hash = RingSecrets.hash(&token);
        let link = UserLink {
            email: Some(email),
            user_id: Some(user.id),
            ..UserLink::new(id, tenant, LinkKind::Reset, hash, self.now)
        };
        tx.logins().insert_link(&link).await?;
        let by = (tenant, "nitejar user", self.now);
        if drop_factor {
            user.totp = None;
            tx.users().update(&user).await?;
            let name = Some(user.name.clone());
            let change = Change::to("user.totp_removed", "user", user.id.as_uuid(), name);
            note_command(tx.as_ref(), by, change).await?;
        }
        let change = links::change("link.created", &link);
        let change = change.between(None, Some(links::facts(&link)));
        note_command(tx.as_ref(), by, change).await?;
        tx.commit().await?;
        let url = links::url(&self.people_url, &token);
        if json {
            say(json!({ "url": url.expose(), "expires_at": link.expires_at }))
        } else {
            say(url.expose())
        }
    }
}

fn view(user: &User) -> serde_json::Value {
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "enabled": user.disabled_at.is_none(),
        "has_totp": user.has_totp(),
        "created_at": user.created_at,
        "last_seen_at": user.last_seen_at,
    })
}
