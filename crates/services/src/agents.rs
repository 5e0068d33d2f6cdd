//! Agents: made by a name alone, changed, shown integrations, put away.

mod request;
mod trail;

pub use request::{CreateAgent, UpdateAgent, UpdateLoopLimits};

use crate::{
    Context, Error,
    error::found,
    offers,
    people::{PageOfSeen, see_agent},
    sprites,
};
use domain::{
    access::{Area, Right},
    agent::{Agent, ReplyPolicy},
    guard::LoopLimits,
    id::{AgentId, IntegrationId},
    integration::Visibility,
    page::{Page, PageRequest},
    queue::Steering,
};
use ports::store::StoreError;
use request::{approvers, budget, instructions, loop_limits, model, name};
use serde_json::json;
use trail::{facts, note};

/// Makes an agent.
#[tracing::instrument(name = "agents.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(context: &Context, request: CreateAgent) -> Result<Agent, Error> {
    context.authorise(Area::Agents, Right::Administer)?;
    let now = context.now();
    let tx = context.write().await?;
    let agent = Agent {
        id: AgentId::from_uuid(context.new_id()),
        tenant_id: context.tenant,
        name: name(&request.name)?,
        model: model(context, tx.as_ref(), request.model.as_deref()).await?,
        instructions: instructions(request.instructions.unwrap_or_default())?,
        enabled: request.enabled.unwrap_or(true),
        reply_policy: request.reply_policy.unwrap_or(ReplyPolicy::Auto),
        steering: request.steering.unwrap_or(Steering::Steer),
        loop_limits: loop_limits(LoopLimits::default(), request.loop_limits)?,
        daily_budget: budget(
            request
                .budget
                .unwrap_or(context.platform.settings.default_agent_budget),
        )?,
        tools: offers::chosen(context, request.tools)?,
        approvers: approvers(context, tx.as_ref(), request.approvers.unwrap_or_default()).await?,
        created_at: now,
        updated_at: now,
        archived_at: None,
    };
    if let Some(made) = tx.agents().find(context.tenant, agent.id).await? {
        return Ok(made);
    }
    tx.agents()
        .insert(&agent)
        .await
        .map_err(|error| name_taken(error, &agent))?;
    note(context, tx.as_ref(), "agent.created", None, &agent).await?;
    tx.commit().await?;
    Ok(agent)
}

/// One agent, put away or not.
pub async fn find(context: &Context, id: AgentId) -> Result<Agent, Error> {
    context.authorise(Area::Agents, Right::Read)?;
    let tx = context.read().await?;
    let agent = found(tx.agents().find(context.tenant, id).await?, "agent")?;
    see_agent(context, &tx, id, "agent").await?;
    Ok(agent)
}

/// Agents that are not put away, newest first.
pub async fn list(context: &Context, page: PageRequest) -> Result<Page<Agent>, Error> {
    context.authorise(Area::Agents, Right::Read)?;
    let tx = context.read().await?;
    let hidden = context.hidden(&tx).await?;
    let mut agents = PageOfSeen::new(page);
    while let Some(page) = agents.wanted {
        let page = tx.agents().list(context.tenant, page).await?;
        agents.add(page, |agent: &Agent| !hidden.agents.contains(&agent.id));
    }
    Ok(agents.whole(|agent| agent.id.as_uuid()))
}

/// Changes an agent.
#[tracing::instrument(name = "agents.update", skip_all, fields(tenant.id = %context.tenant, agent.id = %id))]
pub async fn update(context: &Context, id: AgentId, change: UpdateAgent) -> Result<Agent, Error> {
    context.authorise(Area::Agents, Right::Administer)?;
    let tx = context.change().await?;
    let mut agent = found(tx.agents().find(context.tenant, id).await?, "agent")?;
    refuse_archived(&agent)?;
    let before = facts(&agent);
    if let Some(text) = &change.name {
        agent.name = name(text)?;
    }
    if let Some(text) = &change.model {
        agent.model = model(context, tx.as_ref(), text.as_deref()).await?;
    }
    if let Some(text) = change.instructions {
        agent.instructions = instructions(text)?;
    }
    agent.enabled = change.enabled.unwrap_or(agent.enabled);
    agent.reply_policy = change.reply_policy.unwrap_or(agent.reply_policy);
    agent.steering = change.steering.unwrap_or(agent.steering);
    agent.loop_limits = loop_limits(agent.loop_limits, change.loop_limits)?;
    agent.daily_budget = budget(change.budget.unwrap_or(agent.daily_budget))?;
    if let Some(tools) = change.tools {
        agent.tools = offers::chosen(context, tools)?;
    }
    if let Some(change) = change.approvers {
        agent.approvers = approvers(context, tx.as_ref(), change).await?;
    }
    agent.updated_at = context.now();
    tx.agents()
        .update(&agent)
        .await
        .map_err(|error| name_taken(error, &agent))?;
    note(context, tx.as_ref(), "agent.updated", Some(before), &agent).await?;
    tx.commit().await?;
    Ok(agent)
}

/// Puts an agent away: it sees nothing new and leaves the lists; its history and its sprite stay.
/// Doing so twice is fine.
#[tracing::instrument(name = "agents.archive", skip_all, fields(tenant.id = %context.tenant, agent.id = %id))]
pub async fn archive(context: &Context, id: AgentId) -> Result<(), Error> {
    context.authorise(Area::Agents, Right::Administer)?;
    let tx = context.write().await?;
    let mut agent = found(tx.agents().find(context.tenant, id).await?, "agent")?;
    if agent.archived_at.is_some() {
        return Ok(());
    }
    let before = facts(&agent);
    let now = context.now();
    agent.enabled = false;
    agent.updated_at = now;
    agent.archived_at = Some(now);
    tx.agents().update(&agent).await?;
    note(context, tx.as_ref(), "agent.deleted", Some(before), &agent).await?;
    tx.commit().await?;
    Ok(())
}

/// What becomes of the sprite of an agent that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpriteFate {
    /// Its files stay.
    Keep,
    /// It goes with the agent, checkpoints included.
    Destroy,
}

/// Puts an agent away, and its sprite with it when that is wanted.
///
/// # Errors
/// `Conflict` when it has a sprite and nobody said what is to become of that.
pub async fn delete(
    context: &Context,
    id: AgentId,
    sprite: Option<SpriteFate>,
) -> Result<(), Error> {
    context.authorise(Area::Agents, Right::Administer)?;
    let key = sprites::key(context, id);
    let sandboxes = &context.platform.sandboxes;
    if sprite.is_none() {
        let agent = found(
            context
                .read()
                .await?
                .agents()
                .find(context.tenant, id)
                .await?,
            "agent",
        )?;
        if agent.archived_at.is_none() && sandboxes.inspect(key).await?.provisioned {
            return Err(Error::conflict(
                "sprite_exists",
                format!(
                    "{} has a sprite with files in it; repeat the request with ?sprite=destroy to remove both for good, or with ?sprite=keep to keep the files",
                    agent.name
                ),
            ));
        }
    }
    archive(context, id).await?;
    if sprite == Some(SpriteFate::Destroy) {
        sprites::destroy(context, id).await?;
    }
    Ok(())
}

/// The integrations that name this agent; those that all agents see are not among them.
pub async fn integrations(context: &Context, id: AgentId) -> Result<Vec<IntegrationId>, Error> {
    context.authorise(Area::Agents, Right::Read)?;
    let tx = context.read().await?;
    found(tx.agents().find(context.tenant, id).await?, "agent")?;
    see_agent(context, &tx, id, "agent").await?;
    let hidden = context.hidden(&tx).await?;
    let mut integrations = tx.agents().integrations(context.tenant, id).await?;
    integrations.retain(|integration| !hidden.integrations.contains(integration));
    Ok(integrations)
}

/// Replaces the integrations that name this agent.
///
/// # Errors
/// `Conflict` when one of them is seen by all agents: naming one agent would hide it from the rest.
pub async fn set_integrations(
    context: &Context,
    id: AgentId,
    to: Vec<IntegrationId>,
) -> Result<Vec<IntegrationId>, Error> {
    context.authorise(Area::Agents, Right::Administer)?;
    let tx = context.write().await?;
    let agent = found(tx.agents().find(context.tenant, id).await?, "agent")?;
    refuse_archived(&agent)?;
    for integration in &to {
        let integration = tx
            .integrations()
            .find(context.tenant, *integration)
            .await?
            .ok_or_else(|| {
                Error::invalid(
                    "integration_ids",
                    format!("{integration} is no integration of this tenant"),
                )
            })?;
        if integration.visibility == Visibility::AllAgents {
            return Err(Error::conflict(
                "would_narrow_integration",
                format!(
                    "all agents see the integration `{}`, this one included; to show it to some only, change its agent_ids",
                    integration.name
                ),
            ));
        }
    }
    let before = tx.agents().integrations(context.tenant, id).await?;
    tx.agents()
        .set_integrations(context.tenant, id, &to)
        .await?;
    let now = tx.agents().integrations(context.tenant, id).await?;
    let change = trail::change("agent.integrations_set", &agent).between(
        Some(json!({ "integration_ids": before })),
        Some(json!({ "integration_ids": now })),
    );
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(now)
}

fn refuse_archived(agent: &Agent) -> Result<(), Error> {
    if agent.archived_at.is_some() {
        return Err(Error::conflict(
            "agent_archived",
            format!("{} was deleted; make a new agent", agent.name),
        ));
    }
    Ok(())
}

fn name_taken(error: StoreError, agent: &Agent) -> Error {
    match error {
        StoreError::Conflict { .. } => Error::conflict(
            "name_taken",
            format!(
                "there is an agent named `{}` already; choose another name",
                agent.name
            ),
        ),
        other @ (StoreError::Stale | StoreError::Corrupt { .. } | StoreError::Backend(_)) => {
            other.into()
        }
    }
}
