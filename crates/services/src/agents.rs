//! Agents: made by a name alone, changed, shown integrations, put away.

use crate::{
    Context, Error,
    error::found,
    offers,
    people::{self, PageOfSeen, see_agent},
    providers, sprites,
};
use domain::audit::Change;
use domain::{
    access::{Area, Right, Role},
    agent::{Agent, AgentName, ReplyPolicy},
    approval::Approvers,
    budget::{Limit, Micros},
    guard::LoopLimits,
    id::{AgentId, IntegrationId},
    integration::Visibility,
    model::ModelRef,
    page::{Page, PageRequest},
    queue::Steering,
};
use ports::store::{StoreError, StoreTx};
use serde_json::{Value, json};

/// The most an agent's instructions may hold, in characters.
const MAX_INSTRUCTIONS: usize = 100_000;

/// What is asked of a new agent; everything but the name has a default.
#[derive(Clone, Debug, Default)]
pub struct CreateAgent {
    /// Its name.
    pub name: String,
    /// Its model; absent = the server's default.
    pub model: Option<String>,
    /// What its humans want of it.
    pub instructions: Option<String>,
    /// Whether it sees new work; yes when absent.
    pub enabled: Option<bool>,
    /// What happens to its replies; sent when absent.
    pub reply_policy: Option<ReplyPolicy>,
    /// What becomes of messages that arrive while it works; they steer when absent.
    pub steering: Option<Steering>,
    /// Where it stops to go along with a loop; what is absent has its default.
    pub loop_limits: UpdateLoopLimits,
    /// What it may spend in a day; absent = the server's default.
    pub budget: Option<Limit>,
    /// The tools it may use; absent = all there are.
    pub tools: Option<Vec<String>>,
    /// Who may answer what it asks; members when absent.
    pub approvers: Option<Approvers>,
}

/// What is to change; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct UpdateAgent {
    /// A new name.
    pub name: Option<String>,
    /// Another model; `Some(None)` = the server's default.
    pub model: Option<Option<String>>,
    /// New instructions.
    pub instructions: Option<String>,
    /// Whether it sees new work.
    pub enabled: Option<bool>,
    /// What happens to its replies.
    pub reply_policy: Option<ReplyPolicy>,
    /// What becomes of messages that arrive while it works.
    pub steering: Option<Steering>,
    /// Where it stops to go along with a loop; what is absent stays.
    pub loop_limits: UpdateLoopLimits,
    /// What it may spend in a day.
    pub budget: Option<Limit>,
    /// The tools it may use; `Some(None)` = all there are.
    pub tools: Option<Option<Vec<String>>>,
    /// Who may answer what it asks.
    pub approvers: Option<Approvers>,
}

/// The limits of [`LoopLimits`] that are to change.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateLoopLimits {
    /// See [`LoopLimits::relay_depth`].
    pub relay_depth: Option<u32>,
    /// See [`LoopLimits::bot_window_items`].
    pub bot_window_items: Option<u32>,
    /// See [`LoopLimits::bot_window_seconds`].
    pub bot_window_seconds: Option<u32>,
    /// See [`LoopLimits::bot_cooldown_seconds`].
    pub bot_cooldown_seconds: Option<u32>,
    /// See [`LoopLimits::identical_calls`].
    pub identical_calls: Option<u32>,
    /// See [`LoopLimits::identical_answers`].
    pub identical_answers: Option<u32>,
    /// See [`LoopLimits::resumes`].
    pub resumes: Option<u32>,
}

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
    let tx = context.write().await?;
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
    let change = Change::to(
        "agent.integrations_set",
        "agent",
        id.as_uuid(),
        Some(agent.name.to_string()),
    )
    .between(
        Some(json!({ "integration_ids": before })),
        Some(json!({ "integration_ids": now })),
    );
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(now)
}

async fn note(
    context: &Context,
    tx: &dyn StoreTx,
    action: &'static str,
    before: Option<Value>,
    agent: &Agent,
) -> Result<(), Error> {
    let change = Change::to(
        action,
        "agent",
        agent.id.as_uuid(),
        Some(agent.name.to_string()),
    )
    .between(before, Some(facts(agent)));
    context.audit(tx, change).await
}

/// What people decide about an agent.
fn facts(agent: &Agent) -> Value {
    json!({
        "name": agent.name.to_string(),
        "model": agent.model.as_ref().map(ModelRef::to_string),
        "instructions": agent.instructions,
        "enabled": agent.enabled,
        "reply_policy": agent.reply_policy,
        "steering": agent.steering,
        "loop_limits": agent.loop_limits,
        "budget_micros_per_day": match agent.daily_budget {
            Limit::Of(amount) => Some(amount.0),
            Limit::Unlimited => None,
        },
        "tools": agent.tools,
        "approvers": agent.approvers,
        "archived": agent.archived_at.is_some(),
    })
}

fn name(text: &str) -> Result<AgentName, Error> {
    AgentName::parse(text).map_err(|error| Error::invalid("name", error.to_string()))
}

async fn approvers(
    context: &Context,
    tx: &dyn StoreTx,
    mut approvers: Approvers,
) -> Result<Approvers, Error> {
    if approvers.min_role == Role::Viewer {
        let text =
            "a viewer may answer nothing; say member, admin or owner, and name people beside it";
        return Err(Error::invalid("approvers.min_role", text));
    }
    people::known(context, tx, "approvers.user_ids", &mut approvers.user_ids).await?;
    Ok(approvers)
}

async fn model(
    context: &Context,
    tx: &dyn StoreTx,
    text: Option<&str>,
) -> Result<Option<ModelRef>, Error> {
    let Some(text) = text else { return Ok(None) };
    let model =
        ModelRef::parse(text).map_err(|error| Error::invalid("model", error.to_string()))?;
    providers::resolve(&context.platform, tx, context.tenant, &model)
        .await?
        .map_err(|error| Error::invalid("model", error.to_string()))?;
    Ok(Some(model))
}

fn instructions(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_INSTRUCTIONS {
        return Err(Error::invalid(
            "instructions",
            format!("at most {MAX_INSTRUCTIONS} characters"),
        ));
    }
    Ok(text)
}

fn budget(limit: Limit) -> Result<Limit, Error> {
    match limit {
        Limit::Of(amount) if amount < Micros::ZERO => Err(Error::invalid(
            "budget_micros_per_day",
            "must not be negative; null means unlimited",
        )),
        Limit::Of(_) | Limit::Unlimited => Ok(limit),
    }
}

fn loop_limits(now: LoopLimits, change: UpdateLoopLimits) -> Result<LoopLimits, Error> {
    let limits = LoopLimits {
        relay_depth: change.relay_depth.unwrap_or(now.relay_depth),
        bot_window_items: change.bot_window_items.unwrap_or(now.bot_window_items),
        bot_window_seconds: change.bot_window_seconds.unwrap_or(now.bot_window_seconds),
        bot_cooldown_seconds: change
            .bot_cooldown_seconds
            .unwrap_or(now.bot_cooldown_seconds),
        identical_calls: change.identical_calls.unwrap_or(now.identical_calls),
        identical_answers: change.identical_answers.unwrap_or(now.identical_answers),
        resumes: change.resumes.unwrap_or(now.resumes),
    };
    let named = |limit| format!("loop_limits.{limit}");
    limits
        .check()
        .map_err(|error| Error::invalid(named(error.limit), error.to_string()))?;
    Ok(limits)
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
