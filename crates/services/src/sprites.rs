//! Looking at an agent's computer without waking it.

use crate::{Context, Error, error::found};
use domain::{
    access::Right,
    id::AgentId,
    sprite::{SpriteKey, SpriteSession},
};
use ports::sandbox::{SandboxError, SandboxReport, SpriteReport};

/// How many shells are shown.
const SESSIONS: u32 = 20;

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
