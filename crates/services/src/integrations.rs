//! Integrations: configured, tested, switched, removed. Secrets go in and never come out; the
//! built-in one through which work is handed in cannot be touched.

mod request;
mod trail;

pub(crate) use request::name;
pub use request::{CreateIntegration, UpdateIntegration};

use crate::{
    Context, Error,
    error::found,
    people::{PageOfSeen, see_integration},
};
use domain::{
    access::{Area, Hidden, Right},
    channel::ChannelType,
    id::IntegrationId,
    integration::{Health, Integration, Visibility},
    page::{Page, PageRequest},
};
use ports::{
    channel::IngressMode,
    store::{BoxTx, StoreError},
};
use request::{check, known_agents, merged};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An integration as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The row; its `config` still holds sealed text and is not for showing.
    pub integration: Integration,
    /// The settings that are no secrets.
    pub config: Map<String, Value>,
    /// Every secret field of the type, and whether it is set.
    pub secrets: BTreeMap<String, bool>,
}

/// What a test of the connection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// What is known of the connection now.
    pub health: Health,
    /// The account at the vendor.
    pub account: Option<String>,
    /// Reservations or the failure, in words for a person.
    pub detail: Option<String>,
}

/// Connects a new integration.
#[tracing::instrument(name = "integrations.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(context: &Context, request: CreateIntegration) -> Result<Shown, Error> {
    context.authorise(Area::Integrations, Right::Administer)?;
    let given: Vec<String> = request.config.keys().cloned().collect();
    let settings = check(context, request.channel, request.config)?;
    let now = context.now();
    let mut integration = Integration {
        id: IntegrationId::from_uuid(context.new_id()),
        tenant_id: context.tenant,
        channel: request.channel,
        name: name(&request.name)?,
        config: Value::Null,
        visibility: request.visibility,
        enabled: request.enabled,
        health: Health::Unknown,
        health_detail: None,
        poll_cursor: None,
        created_at: now,
        updated_at: now,
    };
    integration.config = context.platform.channels.seal(&integration, &settings);
    let tx = context.write().await?;
    let repo = tx.integrations();
    if let Some(made) = repo.find(context.tenant, integration.id).await? {
        return Ok(show(context, made));
    }
    known_agents(context, &tx, &integration.visibility).await?;
    repo.insert(&integration)
        .await
        .map_err(|error| name_taken(error, &integration))?;
    drop(repo);
    let states = (None, Some(&integration));
    trail::note(context, &tx, "integration.created", states, &given).await?;
    tx.commit().await?;
    Ok(show(context, integration))
}

/// Makes the built-in integration of the web app and the API, unless it is there. The server calls it
/// at every start.
pub async fn ensure_built_in(context: &Context) -> Result<(), Error> {
    context.authorise(Area::Integrations, Right::Administer)?;
    let tx = context.write().await?;
    if tx.integrations().built_in(context.tenant).await?.is_some() {
        return Ok(());
    }
    let now = context.now();
    let web = Integration {
        id: IntegrationId::from_uuid(context.platform.ids.next()),
        tenant_id: context.tenant,
        channel: ChannelType::Web,
        name: "Web".to_owned(),
        config: Value::Object(Map::new()),
        visibility: Visibility::AllAgents,
        enabled: true,
        health: Health::Ok,
        health_detail: None,
        poll_cursor: None,
        created_at: now,
        updated_at: now,
    };
    tx.integrations().insert(&web).await?;
    tx.commit().await?;
    Ok(())
}

/// One integration.
pub async fn find(context: &Context, id: IntegrationId) -> Result<Shown, Error> {
    context.authorise(Area::Integrations, Right::Read)?;
    let tx = context.read().await?;
    let integration = load(context, &tx, id).await?;
    see_integration(context, &tx, id, "integration").await?;
    let hidden = context.hidden(&tx).await?;
    Ok(show(context, concealed(integration, &hidden)))
}

/// All of them, newest first, the built-in one included.
pub async fn list(context: &Context, page: PageRequest) -> Result<Page<Shown>, Error> {
    context.authorise(Area::Integrations, Right::Read)?;
    let tx = context.read().await?;
    let hidden = context.hidden(&tx).await?;
    let mut rows = PageOfSeen::new(page);
    while let Some(page) = rows.wanted {
        let page = tx.integrations().list(context.tenant, page).await?;
        rows.add(page, |row: &Integration| {
            !hidden.integrations.contains(&row.id)
        });
    }
    let page = rows.whole(|row| row.id.as_uuid());
    Ok(page.map(|integration| show(context, concealed(integration, &hidden))))
}

/// The integration without the agents that the reader does not see.
fn concealed(mut integration: Integration, hidden: &Hidden) -> Integration {
    if let Visibility::Agents(agents) = &mut integration.visibility {
        agents.retain(|agent| !hidden.agents.contains(agent));
    }
    integration
}

/// Changes an integration.
#[tracing::instrument(name = "integrations.update", skip_all, fields(tenant.id = %context.tenant, integration.id = %id))]
pub async fn update(
    context: &Context,
    id: IntegrationId,
    change: UpdateIntegration,
) -> Result<Shown, Error> {
    context.authorise(Area::Integrations, Right::Administer)?;
    let channels = &context.platform.channels;
    let tx = context.change().await?;
    let before = load(context, &tx, id).await?;
    let mut integration = before.clone();
    channels.factory(integration.channel)?;
    let mut given = Vec::new();
    if let Some(patch) = change.config {
        given.extend(patch.keys().cloned());
        let config = merged(context, &integration, patch)?;
        let settings = check(context, integration.channel, config)?;
        integration.config = channels.seal(&integration, &settings);
    }
    if let Some(text) = &change.name {
        integration.name = name(text)?;
    }
    if let Some(visibility) = change.visibility {
        known_agents(context, &tx, &visibility).await?;
        integration.visibility = visibility;
    }
    integration.enabled = change.enabled.unwrap_or(integration.enabled);
    // Strictly later: connected channels are told apart by this instant.
    let after = integration.updated_at + chrono::TimeDelta::microseconds(1);
    integration.updated_at = context.now().max(after);
    tx.integrations()
        .update(&integration)
        .await
        .map_err(|error| name_taken(error, &integration))?;
    let states = (Some(&before), Some(&integration));
    trail::note(context, &tx, "integration.updated", states, &given).await?;
    tx.commit().await?;
    Ok(show(context, integration))
}

/// Removes an integration; its work stays readable. The vendor is told to stop calling, as far as
/// it can be reached.
#[tracing::instrument(name = "integrations.delete", skip_all, fields(tenant.id = %context.tenant, integration.id = %id))]
pub async fn delete(context: &Context, id: IntegrationId) -> Result<(), Error> {
    context.authorise(Area::Integrations, Right::Administer)?;
    let channels = &context.platform.channels;
    let tx = context.change().await?;
    let integration = load(context, &tx, id).await?;
    channels.factory(integration.channel)?;
    tx.integrations()
        .delete(context.tenant, id, context.now())
        .await?;
    let states = (Some(&integration), None);
    trail::note(context, &tx, "integration.deleted", states, &[]).await?;
    tx.commit().await?;
    if let Ok(channel) = channels.connect(&integration)
        && channel.mode() == IngressMode::Webhook
        && let Err(error) = channel.register(None).await
    {
        let error = channels.redact(&error.to_string());
        tracing::warn!(integration.id = %id, error, "the vendor was not told to stop calling");
    }
    channels.disconnect(id);
    Ok(())
}

/// Asks the vendor who we are and notes what it said.
#[tracing::instrument(name = "integrations.test", skip_all, fields(tenant.id = %context.tenant, integration.id = %id))]
pub async fn test(context: &Context, id: IntegrationId) -> Result<Tested, Error> {
    context.authorise(Area::Integrations, Right::Operate)?;
    let integration = load(context, &context.read().await?, id).await?;
    let tested = match integration.channel {
        ChannelType::Web => Tested {
            health: Health::Ok,
            account: None,
            detail: None,
        },
        ChannelType::Telegram => ask(context, &integration).await,
    };
    let tx = context.write().await?;
    tx.integrations()
        .set_health(context.tenant, id, tested.health, tested.detail.as_deref())
        .await?;
    let after = json!({ "health": tested.health, "detail": tested.detail });
    let change = trail::change("integration.tested", &integration).between(None, Some(after));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(tested)
}

async fn ask(context: &Context, integration: &Integration) -> Tested {
    let channels = &context.platform.channels;
    let channel = match channels.connect(integration) {
        Ok(channel) => channel,
        Err(error) => {
            return Tested {
                health: Health::Failed,
                account: None,
                detail: Some(channels.redact(&error.to_string())),
            };
        }
    };
    match channel.test().await {
        Ok(account) if account.warnings.is_empty() => Tested {
            health: Health::Ok,
            account: Some(account.name),
            detail: None,
        },
        Ok(account) => Tested {
            health: Health::Degraded,
            account: Some(account.name),
            detail: Some(channels.redact(&account.warnings.join("\n"))),
        },
        Err(error) => Tested {
            health: Health::Failed,
            account: None,
            detail: Some(channels.redact(&error.to_string())),
        },
    }
}

async fn load(context: &Context, tx: &BoxTx, id: IntegrationId) -> Result<Integration, Error> {
    found(
        tx.integrations().find(context.tenant, id).await?,
        "integration",
    )
}

fn show(context: &Context, integration: Integration) -> Shown {
    let channels = &context.platform.channels;
    let secrets = channels
        .secret_fields(integration.channel)
        .iter()
        .map(|field| {
            let set = integration.config.get(field).is_some_and(|v| !v.is_null());
            ((*field).to_owned(), set)
        })
        .collect();
    Shown {
        config: channels.public(&integration),
        secrets,
        integration,
    }
}

fn name_taken(error: StoreError, integration: &Integration) -> Error {
    match error {
        StoreError::Conflict { .. } => Error::conflict(
            "name_taken",
            format!(
                "there is an integration named `{}` already; choose another name",
                integration.name
            ),
        ),
        other @ (StoreError::Stale | StoreError::Corrupt { .. } | StoreError::Backend(_)) => {
            other.into()
        }
    }
}
