//! What people ask of integrations, and what of it is refused: settings the channel cannot use, agents that are not
//! there. Writes nothing.

use crate::{Context, Error};
use domain::{
    agent::Agent,
    channel::ChannelType,
    id::AgentId,
    integration::{Integration, Visibility},
    secret::Secret,
};
use ports::{
    channel::{ChannelSettings, InvalidSettings},
    store::BoxTx,
};
use serde_json::{Map, Value};

/// What is asked of a new integration.
#[derive(Clone)]
pub struct CreateIntegration {
    /// The type of channel.
    pub channel: ChannelType,
    /// Its name.
    pub name: String,
    /// Its settings, secrets in the clear.
    pub config: Map<String, Value>,
    /// Which agents see it.
    pub visibility: Visibility,
    /// Whether it takes messages at once.
    pub enabled: bool,
}

/// What is to change; absent fields stay.
#[derive(Clone, Default)]
pub struct UpdateIntegration {
    /// A new name.
    pub name: Option<String>,
    /// Settings to merge: `null` removes one, or has a generated one made anew.
    pub config: Option<Map<String, Value>>,
    /// Which agents see it.
    pub visibility: Option<Visibility>,
    /// Whether it takes messages.
    pub enabled: Option<bool>,
}

/// A name that can be shown in one line.
pub(crate) fn name(text: &str) -> Result<String, Error> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            "must have 1 to 64 characters and no control characters",
        ));
    }
    Ok(name.to_owned())
}

/// The settings as the channel takes them; what it can make itself is made where it is missing.
pub(super) fn check(
    context: &Context,
    channel: ChannelType,
    config: Map<String, Value>,
) -> Result<ChannelSettings, Error> {
    let generate = || -> Secret { context.platform.secrets.generate() };
    context
        .platform
        .channels
        .factory(channel)?
        .check(config, &generate)
        .map_err(|InvalidSettings { field, message }| {
            Error::invalid(format!("config.{field}"), message)
        })
}

/// The settings in the clear with the patch applied. A secret that the patch replaces need not open.
pub(super) fn merged(
    context: &Context,
    integration: &Integration,
    patch: Map<String, Value>,
) -> Result<Map<String, Value>, Error> {
    let channels = &context.platform.channels;
    let mut config = channels.public(integration);
    for field in channels.secret_fields(integration.channel) {
        if patch.contains_key(*field) {
            continue;
        }
        match channels.open(integration, field) {
            None => {}
            Some(Ok(secret)) => {
                config.insert((*field).to_owned(), secret.expose().into());
            }
            Some(Err(error)) => {
                return Err(Error::conflict(
                    "secret_unreadable",
                    format!("{field}: {error}"),
                ));
            }
        }
    }
    for (field, value) in patch {
        if value.is_null() {
            config.remove(&field);
        } else {
            config.insert(field, value);
        }
    }
    Ok(config)
}

/// Refuses to show an integration to agents that are not there or were put away.
pub(super) async fn known_agents(
    context: &Context,
    tx: &BoxTx,
    visibility: &Visibility,
) -> Result<(), Error> {
    let Visibility::Agents(ids) = visibility else {
        return Ok(());
    };
    for id in ids {
        usable_agent(context, tx, *id).await?;
    }
    Ok(())
}

async fn usable_agent(context: &Context, tx: &BoxTx, id: AgentId) -> Result<Agent, Error> {
    tx.agents()
        .find(context.tenant, id)
        .await?
        .filter(|agent| agent.archived_at.is_none())
        .ok_or_else(|| Error::invalid("agent_ids", format!("{id} is no agent of this tenant")))
}
