//! Agents' computers: looking at them without waking them, what they may reach, the states they can go back to,
//! and ending the shells there that nobody uses any more.

use crate::{Context, Error, background, error::found, people::PageOfSeen};
use domain::{
    access::{Area, Right},
    id::AgentId,
    page::{Page, PageRequest},
    sprite::{BackgroundProcess, NetworkPolicy, SpriteKey, SpriteSession, SpriteSessionStatus},
};
use ports::sandbox::{
    Checkpoint, SandboxError, SandboxReport, ServiceReport, Sprite, SpriteReport,
};
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
    let sprite = open(context, agent).await?;
    sprite.set_network_policy(policy).await?;
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
    let sprite = open(context, agent).await?;
    Ok(sprite.checkpoint(comment, &()).await?)
}

/// Puts the files of a sprite back as they were. Its commands end; what there was is a checkpoint of
/// its own.
#[tracing::instrument(name = "sprites.restore", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn restore(context: &Context, agent: AgentId, id: &str) -> Result<(), Error> {
    let sprite = open(context, agent).await?;
    sprite.restore(id, &()).await.map_err(no_checkpoint)
}

/// Forgets a checkpoint.
#[tracing::instrument(name = "sprites.delete_checkpoint", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn delete_checkpoint(context: &Context, agent: AgentId, id: &str) -> Result<(), Error> {
    let sprite = open(context, agent).await?;
    sprite.delete_checkpoint(id).await.map_err(no_checkpoint)
}

/// The sprite, for somebody who may change it.
async fn open(context: &Context, agent: AgentId) -> Result<Arc<dyn Sprite>, Error> {
    context.authorise(Area::Sprites, Right::Administer)?;
    let tx = context.read().await?;
    found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    Ok(context.platform.sandboxes.sprite(key(context, agent)))
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
