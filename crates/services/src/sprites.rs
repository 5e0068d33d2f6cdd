//! Agents' computers: looking at them without waking them, what they may reach, the states they can go back to,
//! and ending the shells there that nobody uses any more.

use crate::{Context, Error, background, error::found, people::PageOfSeen};
use domain::{
    access::{Area, Right},
    agent::Agent,
    audit::Change,
    id::AgentId,
    page::{Page, PageRequest},
    sprite::{BackgroundProcess, NetworkPolicy, SpriteKey, SpriteSession, SpriteSessionStatus},
};
use ports::sandbox::{
    Checkpoint, SandboxError, SandboxReport, ServiceReport, Sprite, SpriteReport,
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

/// How many shells are shown.
const SESSIONS: u32 = 20;
/// How many orphaned shells one cleanup ends.
const CLEANUP: u32 = 500;
/// The longest comment of a checkpoint, in characters.
const COMMENT: usize = 500;

/// An agent's sprite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpriteDetail {
    /// What its host offers.
    pub host: SandboxReport,
    /// How it is.
    pub sprite: SpriteReport,
    /// Its latest shells, newest first.
    pub sessions: Vec<SpriteSession>,
    /// What agents left running in it, newest first.
    pub processes: Vec<BackgroundProcess>,
    /// The states it can go back to, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// What it may reach.
    pub network_policy: NetworkPolicy,
    /// What starts with it.
    pub services: Vec<ServiceReport>,
}

/// Shells of all sprites, newest first.
pub async fn sessions(
    context: &Context,
    status: Option<SpriteSessionStatus>,
    page: PageRequest,
) -> Result<Page<SpriteSession>, Error> {
    context.authorise(Area::Sprites, Right::Read)?;
    let tx = context.read().await?;
    let hidden = context.hidden(&tx).await?;
    let mut sessions = PageOfSeen::new(page);
    while let Some(page) = sessions.wanted {
        let page = tx
            .sprite_sessions()
            .list(context.tenant, status, page)
            .await?;
        sessions.add(page, |row: &SpriteSession| {
            !hidden.agents.contains(&row.agent_id)
        });
    }
    Ok(sessions.whole(|row| row.id.as_uuid()))
}

/// Ends orphaned shells of this process and of processes that are gone, and gives them as they are now: `closed`
/// where the shell still ran here, `lost` where it was gone before. One that runs and cannot be ended stays open
/// for the next cleanup, and so do those on other machines.
#[tracing::instrument(name = "sprites.cleanup", skip_all, fields(tenant.id = %context.tenant))]
pub async fn cleanup(context: &Context) -> Result<Vec<SpriteSession>, Error> {
    context.authorise(Area::Sprites, Right::Administer)?;
    let instance = &context.platform.settings.instance;
    let tx = context.read().await?;
    let orphaned = tx
        .sprite_sessions()
        .orphaned(context.tenant, instance, CLEANUP)
        .await?;
    drop(tx);
    let mut reports = HashMap::new();
    let mut ended = Vec::new();
    for mut session in orphaned {
        match end(context, &session, &mut reports).await {
            Ok(status) => {
                session.status = status;
                session.closed_at = Some(context.now());
                ended.push(session);
            }
            Err(error) => {
                tracing::warn!(sprite_session.id = %session.id, error = %ports::Causes(&error), "an orphaned shell could not be ended");
            }
        }
    }
    let tx = context.write().await?;
    for session in &ended {
        tx.sprite_sessions()
            .close(context.tenant, session.id, session.status, context.now())
            .await?;
    }
    for session in &ended {
        let after = json!({ "agent_id": session.agent_id, "status": session.status });
        let change = Change::to("shell.closed", "shell", session.id.as_uuid(), None);
        let change = change.between(None, Some(after));
        context.audit(tx.as_ref(), change).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// Ends a shell where it still runs; a sprite that sleeps has none and is not woken.
async fn end(
    context: &Context,
    session: &SpriteSession,
    reports: &mut HashMap<AgentId, SpriteReport>,
) -> Result<SpriteSessionStatus, SandboxError> {
    let sandboxes = &context.platform.sandboxes;
    let key = SpriteKey {
        tenant_id: session.tenant_id,
        agent_id: session.agent_id,
    };
    let report = match reports.entry(session.agent_id) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(sandboxes.inspect(key).await?),
    };
    if !report.shells.contains(&session.id) {
        return Ok(SpriteSessionStatus::Lost);
    }
    sandboxes.open(key).await?.close_shell(session.id).await?;
    Ok(SpriteSessionStatus::Closed)
}

/// How the sprite of an agent is.
pub async fn find(context: &Context, agent: AgentId) -> Result<SpriteDetail, Error> {
    context.authorise(Area::Sprites, Right::Read)?;
    let processes = background::list(context, agent).await?;
    let tx = context.read().await?;
    let sessions = tx
        .sprite_sessions()
        .of_agent(context.tenant, agent, SESSIONS)
        .await?;
    drop(tx);
    let sandboxes = &context.platform.sandboxes;
    let report = sandboxes.inspect(key(context, agent)).await?;
    let sprite = sandboxes.sprite(key(context, agent));
    let (checkpoints, services) = if report.provisioned {
        (sprite.checkpoints().await?, sprite.services().await?)
    } else {
        (Vec::new(), Vec::new())
    };
    Ok(SpriteDetail {
        host: sandboxes.report(),
        network_policy: sprite.network_policy().await?,
        sprite: report,
        sessions,
        processes,
        checkpoints,
        services,
    })
}

/// Says what a sprite may reach, at once.
#[tracing::instrument(name = "sprites.set_network_policy", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn set_network_policy(
    context: &Context,
    agent: AgentId,
    policy: NetworkPolicy,
) -> Result<NetworkPolicy, Error> {
    let (agent, sprite) = open(context, agent).await?;
    let before = shown(&sprite.network_policy().await?);
    let change = change("sprite.network_policy_set", &agent);
    let change = change.between(Some(before), Some(shown(&policy)));
    noted(context, change, sprite.set_network_policy(policy)).await?;
    Ok(sprite.network_policy().await?)
}

/// Keeps the files of a sprite as they are now.
#[tracing::instrument(name = "sprites.checkpoint", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn checkpoint(
    context: &Context,
    agent: AgentId,
    comment: Option<String>,
) -> Result<Checkpoint, Error> {
    if comment
        .as_ref()
        .is_some_and(|text| text.chars().count() > COMMENT)
    {
        return Err(Error::invalid(
            "comment",
            format!("at most {COMMENT} characters"),
        ));
    }
    let (agent, sprite) = open(context, agent).await?;
    let after = json!({ "comment": comment });
    let change = change("sprite.checkpoint_created", &agent).between(None, Some(after));
    noted(context, change, sprite.checkpoint(comment, &())).await
}

/// Puts the files of a sprite back as they were. Its commands end; what there was is a checkpoint of
/// its own.
#[tracing::instrument(name = "sprites.restore", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn restore(context: &Context, agent: AgentId, id: &str) -> Result<(), Error> {
    let (agent, sprite) = open(context, agent).await?;
    let after = json!({ "checkpoint": id });
    let change = change("sprite.checkpoint_restored", &agent).between(None, Some(after));
    let restoring = async { sprite.restore(id, &()).await.map_err(no_checkpoint) };
    noted(context, change, restoring).await
}

/// Forgets a checkpoint.
#[tracing::instrument(name = "sprites.delete_checkpoint", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn delete_checkpoint(context: &Context, agent: AgentId, id: &str) -> Result<(), Error> {
    let (agent, sprite) = open(context, agent).await?;
    let before = json!({ "checkpoint": id });
    let change = change("sprite.checkpoint_deleted", &agent).between(Some(before), None);
    let deleting = async { sprite.delete_checkpoint(id).await.map_err(no_checkpoint) };
    noted(context, change, deleting).await
}

/// Removes the sprite of an agent for good, when it has one.
pub(crate) async fn destroy(context: &Context, agent: AgentId) -> Result<(), Error> {
    let key = key(context, agent);
    let tx = context.read().await?;
    let agent = found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    drop(tx);
    let sandboxes = &context.platform.sandboxes;
    if sandboxes.inspect(key).await?.provisioned {
        let change = change("sprite.destroyed", &agent);
        noted(context, change, sandboxes.destroy(key)).await?;
    }
    Ok(())
}

/// A change to the sprite of an agent.
pub(crate) fn change(action: &'static str, agent: &Agent) -> Change {
    Change::to(
        action,
        "sprite",
        agent.id.as_uuid(),
        Some(agent.name.to_string()),
    )
}

/// Does what no transaction can take part in. The trail says so first, and says so again when it failed: there is
/// nothing that was done and is not in it.
pub(crate) async fn noted<T, E: Into<Error>>(
    context: &Context,
    change: Change,
    doing: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, Error> {
    let failed = Change {
        action: "sprite.change_failed",
        subject: change.subject.clone(),
        before: None,
        after: Some(json!({ "action": change.action })),
    };
    let note = async |change| -> Result<(), Error> {
        let tx = context.write().await?;
        context.audit(tx.as_ref(), change).await?;
        Ok(tx.commit().await?)
    };
    note(change).await?;
    let done = doing.await.map_err(Into::into);
    if done.is_err()
        && let Err(error) = note(failed).await
    {
        tracing::error!(error = %ports::Causes(&error), "the audit trail does not say that a change in a sprite failed");
    }
    done
}

fn shown(policy: &NetworkPolicy) -> Value {
    let rules = policy.rules.iter();
    json!({
        "rules": rules.map(|rule| json!({ "domain": rule.domain, "action": rule.action })).collect::<Vec<_>>(),
        "otherwise": policy.otherwise,
    })
}

/// The sprite, for somebody who may change it.
async fn open(context: &Context, agent: AgentId) -> Result<(Agent, Arc<dyn Sprite>), Error> {
    context.authorise(Area::Sprites, Right::Administer)?;
    let tx = context.read().await?;
    let agent = found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    let sprite = context.platform.sandboxes.sprite(key(context, agent.id));
    Ok((agent, sprite))
}

fn no_checkpoint(error: SandboxError) -> Error {
    match error {
        SandboxError::NotFound { .. } => Error::NotFound { what: "checkpoint" },
        other => other.into(),
    }
}

pub(crate) fn key(context: &Context, agent: AgentId) -> SpriteKey {
    SpriteKey {
        tenant_id: context.tenant,
        agent_id: agent,
    }
}
