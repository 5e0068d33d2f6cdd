//! Looking at agents' computers without waking them, and ending the shells there that nobody uses any more.

use crate::{Context, Error, error::found};
use domain::{
    access::Right,
    id::AgentId,
    page::{Page, PageRequest},
    sprite::{SpriteKey, SpriteSession, SpriteSessionStatus},
};
use ports::sandbox::{SandboxError, SandboxReport, SpriteReport};
use std::collections::{HashMap, hash_map::Entry};

/// How many shells are shown.
const SESSIONS: u32 = 20;
/// How many orphaned shells one cleanup ends.
const CLEANUP: u32 = 500;

/// An agent's sprite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpriteDetail {
    /// What its host offers.
    pub host: SandboxReport,
    /// How it is.
    pub sprite: SpriteReport,
    /// Its latest shells, newest first.
    pub sessions: Vec<SpriteSession>,
}

/// Shells of all sprites, newest first.
pub async fn sessions(
    context: &Context,
    status: Option<SpriteSessionStatus>,
    page: PageRequest,
) -> Result<Page<SpriteSession>, Error> {
    context.authorise(Right::Read)?;
    let tx = context.read().await?;
    Ok(tx
        .sprite_sessions()
        .list(context.tenant, status, page)
        .await?)
}

/// Ends orphaned shells of this process and of processes that are gone, and gives them as they are now: `closed`
/// where the shell still ran here, `lost` where it was gone before. One that runs and cannot be ended stays open
/// for the next cleanup, and so do those on other machines.
#[tracing::instrument(name = "sprites.cleanup", skip_all, fields(tenant.id = %context.tenant))]
pub async fn cleanup(context: &Context) -> Result<Vec<SpriteSession>, Error> {
    context.authorise(Right::Administer)?;
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
    if !report.awake || !report.shells.contains(&session.id) {
        return Ok(SpriteSessionStatus::Lost);
    }
    sandboxes.open(key).await?.close_shell(session.id).await?;
    Ok(SpriteSessionStatus::Closed)
}

/// How the sprite of an agent is.
pub async fn find(context: &Context, agent: AgentId) -> Result<SpriteDetail, Error> {
    context.authorise(Right::Read)?;
    let tx = context.read().await?;
    found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    let sessions = tx
        .sprite_sessions()
        .of_agent(context.tenant, agent, SESSIONS)
        .await?;
    drop(tx);
    let sandboxes = &context.platform.sandboxes;
    let key = SpriteKey {
        tenant_id: context.tenant,
        agent_id: agent,
    };
    let sprite = sandboxes.inspect(key).await.map_err(|error| match error {
        SandboxError::NotFound { .. } => Error::NotFound { what: "sprite" },
        SandboxError::Refused(_) | SandboxError::Lost(_) | SandboxError::Unavailable(_) => {
            Error::Unavailable {
                message: error.to_string(),
                retry_after: None,
            }
        }
    })?;
    Ok(SpriteDetail {
        host: sandboxes.report(),
        sprite,
        sessions,
    })
}
