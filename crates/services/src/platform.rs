//! What every use case is given: the ports, and on whose behalf it runs. Built once by the
//! server; holds no state of its own.

use crate::{Channels, Error, Providers, SingleSignOn, status::Deployment};
use domain::{
    Timestamp,
    access::{Actor, Area, Right},
    budget::Limit,
    id::TenantId,
    retention::Retention,
};
use ports::{
    cipher::Cipher,
    clock::Clock,
    ids::Ids,
    inference::{Models, ToolSpec},
    ingest::IngestQueue,
    login::Credentials,
    sandbox::SandboxHost,
    secrets::Secrets,
    store::{BoxTx, Durability, Store, SystemStore},
};
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// What an operator decided at start.
#[derive(Clone, Debug)]
pub struct PlatformSettings {
    /// The version of this build.
    pub version: &'static str,
    /// The tenant of a self-hosted install; the administrator's token opens it.
    pub home_tenant: TenantId,
    /// Hash of the token given by the environment, when there is one.
    pub admin_token_hash: Option<String>,
    /// Where the world reaches this server, without a final slash.
    pub public_url: Option<String>,
    /// Where people find this server, without a final slash: the public URL, or the address it listens on.
    pub people_url: String,
    /// What an agent may spend in a day when nobody said otherwise.
    pub default_agent_budget: Limit,
    /// What one job may spend.
    pub job_budget: Limit,
    /// What stays the same over restarts of this process.
    pub instance: String,
    /// How long what jobs leave behind is kept when the settings do not say otherwise.
    pub retention: Retention,
    /// What the server is made of.
    pub deployment: Deployment,
}

/// Everything use cases need.
pub struct Platform {
    /// Transactions.
    pub store: Arc<dyn Store>,
    /// Finding the tenant behind a credential or webhook path.
    pub system: Arc<dyn SystemStore>,
    /// The way in for messages.
    pub ingest: Arc<dyn IngestQueue>,
    /// Encryption of single values.
    pub cipher: Arc<dyn Cipher>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// The models that can be asked.
    pub models: Arc<dyn Models>,
    /// The providers that people added.
    pub providers: Arc<Providers>,
    /// Sign-in at an issuer.
    pub sso: Arc<SingleSignOn>,
    /// The tools agents may use, by name.
    pub tools: Vec<ToolSpec>,
    /// Where sprites live.
    pub sandboxes: Arc<dyn SandboxHost>,
    /// Connected channels.
    pub channels: Arc<Channels>,
    /// Tokens.
    pub secrets: Arc<dyn Secrets>,
    /// Passwords and second factors.
    pub credentials: Arc<dyn Credentials>,
    /// What the operator decided.
    pub settings: PlatformSettings,
}

/// On whose behalf a use case runs; the first argument of every one.
#[derive(Clone)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// In which tenant.
    pub tenant: TenantId,
    /// With what.
    pub platform: Arc<Platform>,
    /// The id of the request it runs for, where that was given a key: what the request makes gets this id, so
    /// that the same request, sent again after a crash, finds it.
    pub request: Option<Uuid>,
    /// Where the request came from, of one that came over the network.
    pub address: Option<IpAddr>,
    /// The id under which the log knows the request.
    pub request_id: Option<String>,
}

impl Context {
    /// The server acting for itself in a tenant.
    pub const fn system(platform: Arc<Platform>, tenant: TenantId) -> Self {
        Self::of(platform, tenant, Actor::System)
    }

    /// Somebody acting in a tenant, from nowhere in particular.
    pub const fn of(platform: Arc<Platform>, tenant: TenantId, actor: Actor) -> Self {
        Self {
            actor,
            tenant,
            platform,
            request: None,
            address: None,
            request_id: None,
        }
    }

    /// The same request, once it is known who sent it.
    pub(crate) fn acting(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }

    /// Refuses unless the actor carries the right.
    pub fn authorise(&self, area: Area, right: Right) -> Result<(), Error> {
        if self.actor.may(area, right) {
            Ok(())
        } else {
            Err(Error::denied(area, right))
        }
    }

    /// A snapshot to read from.
    pub(crate) async fn read(&self) -> Result<BoxTx, Error> {
        Ok(self.platform.store.read(self.tenant).await?)
    }

    /// A transaction for a person's command: when it was answered it survives power loss.
    pub(crate) async fn write(&self) -> Result<BoxTx, Error> {
        Ok(self
            .platform
            .store
            .write(self.tenant, Durability::Durable)
            .await?)
    }

    /// A transaction for a change that rests on what it reads: until its end nobody else in the tenant changes what
    /// is noted, so that none undoes what another just did.
    pub(crate) async fn change(&self) -> Result<BoxTx, Error> {
        let tx = self.write().await?;
        tx.audit().hold(self.tenant).await?;
        Ok(tx)
    }

    /// The id of what a request makes.
    pub(crate) fn new_id(&self) -> Uuid {
        self.request.unwrap_or_else(|| self.platform.ids.next())
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }
}
