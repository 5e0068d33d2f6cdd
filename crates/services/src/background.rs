//! Commands that agents left running: how they stand, and how people stop them.

use crate::{Context, Error, error::found, people::see_agent, sprites::noted};
use domain::{
    Timestamp,
    access::{Area, Right},
    audit::Change,
    id::{AgentId, BackgroundProcessId, TenantId},
    sprite::{BackgroundProcess, BackgroundStatus, SpriteKey},
};
use ports::sandbox::{
    Exit, ProcessId, ProcessReport, ProcessState, SandboxError, SandboxHost, Sprite,
};
use std::{sync::Arc, time::Duration};

/// The most that are shown of one agent.
pub const SHOWN: u32 = 50;
/// How much of its last output a row keeps, in bytes.
const KEPT: usize = 16 << 10;
/// How long a process may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
const TERM: i32 = 15;

/// The sprite of an agent.
pub fn sprite_of(
    sandboxes: &Arc<dyn SandboxHost>,
    tenant: TenantId,
    agent: AgentId,
) -> Arc<dyn Sprite> {
    sandboxes.sprite(SpriteKey {
        tenant_id: tenant,
        agent_id: agent,
    })
}

/// Brings what is known of running processes up to date with the sprite and gives those that changed.
/// A sprite that sleeps is not woken.
pub async fn observe(
    sprite: &dyn Sprite,
    known: &mut [BackgroundProcess],
    now: Timestamp,
) -> Result<Vec<BackgroundProcess>, SandboxError> {
    let open: Vec<&mut BackgroundProcess> = known
        .iter_mut()
        .filter(|process| process.status == BackgroundStatus::Running)
        .collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let reports = sprite.processes().await?;
    let mut changed = Vec::new();
    for process in open {
        let report = process.process.as_ref().and_then(|id| {
            let of = |report: &&ProcessReport| report.id.0 == *id;
            reports.iter().find(of)
        });
        let (status, exit_code) = match report.map(|report| report.state) {
            Some(ProcessState::Running) => continue,
            Some(ProcessState::Ended(exit)) => (BackgroundStatus::Ended, Some(code(exit))),
            Some(ProcessState::Lost) | None => (BackgroundStatus::Lost, None),
        };
        process.output = last_output(sprite, process).await;
        process.status = status;
        process.exit_code = exit_code;
        process.ended_at = Some(now);
        changed.push(process.clone());
    }
    Ok(changed)
}

/// Ends a process and notes how.
pub async fn end(
    sprite: &dyn Sprite,
    process: &mut BackgroundProcess,
    now: Timestamp,
) -> Result<(), SandboxError> {
    if process.status != BackgroundStatus::Running {
        return Ok(());
    }
    let Some(id) = process.process.clone().map(ProcessId) else {
        process.status = BackgroundStatus::Lost;
        process.ended_at = Some(now);
        return Ok(());
    };
    let exit = match sprite.kill(&id, TERM, PATIENCE).await {
        Ok(exit) => exit,
        // It ended by itself meanwhile, or with the sprite.
        Err(SandboxError::NotFound { .. } | SandboxError::Conflict(_)) => {
            observe(sprite, std::slice::from_mut(process), now).await?;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    process.output = last_output(sprite, process).await;
    process.status = BackgroundStatus::Stopped;
    process.exit_code = exit.map(code);
    process.ended_at = Some(now);
    Ok(())
}

/// The last of a process's output as text; `None` when nothing is known of it any more.
pub async fn last_output(sprite: &dyn Sprite, process: &BackgroundProcess) -> Option<String> {
    if process.output.is_some() {
        return process.output.clone();
    }
    let id = ProcessId(process.process.clone()?);
    let output = sprite.last_output(&id).await.ok()?;
    let from = output.len().saturating_sub(KEPT);
    let text = String::from_utf8_lossy(output.get(from..).unwrap_or_default());
    // Databases hold no NUL in text.
    Some(text.replace('\0', "\u{fffd}"))
}

/// The background processes of an agent as they stand, newest first.
pub async fn list(context: &Context, agent: AgentId) -> Result<Vec<BackgroundProcess>, Error> {
    context.authorise(Area::Sprites, Right::Read)?;
    let tx = context.read().await?;
    found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    see_agent(context, &tx, agent, "agent").await?;
    let mut known = tx
        .background_processes()
        .of_agent(context.tenant, agent, None, SHOWN)
        .await?;
    drop(tx);
    let sprite = sprite_of(&context.platform.sandboxes, context.tenant, agent);
    let changed = observe(sprite.as_ref(), &mut known, context.now()).await;
    save(context, &changed?).await?;
    Ok(known)
}

/// One of them, with the last of its output.
pub async fn output(
    context: &Context,
    agent: AgentId,
    id: BackgroundProcessId,
) -> Result<(BackgroundProcess, String), Error> {
    context.authorise(Area::Sprites, Right::Read)?;
    let (sprite, mut process) = find(context, agent, id).await?;
    let one = std::slice::from_mut(&mut process);
    let changed = observe(sprite.as_ref(), one, context.now()).await;
    save(context, &changed?).await?;
    let output = last_output(sprite.as_ref(), &process).await;
    Ok((process, output.unwrap_or_default()))
}

/// Stops one. One that has ended already stays as it is.
#[tracing::instrument(name = "background.stop", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn stop(
    context: &Context,
    agent: AgentId,
    id: BackgroundProcessId,
) -> Result<BackgroundProcess, Error> {
    context.authorise(Area::Sprites, Right::Administer)?;
    let (sprite, mut process) = find(context, agent, id).await?;
    if process.status != BackgroundStatus::Running {
        return Ok(process);
    }
    let change = Change::to("process.stopped", "process", id.as_uuid(), None);
    let before = serde_json::json!({ "agent_id": agent, "command": process.command });
    let ending = end(sprite.as_ref(), &mut process, context.now());
    noted(context, change.between(Some(before), None), ending).await?;
    save(context, std::slice::from_ref(&process)).await?;
    Ok(process)
}

async fn find(
    context: &Context,
    agent: AgentId,
    id: BackgroundProcessId,
) -> Result<(Arc<dyn Sprite>, BackgroundProcess), Error> {
    let tx = context.read().await?;
    let process = tx.background_processes().find(context.tenant, id).await?;
    let process = process.filter(|process| process.agent_id == agent);
    let process = found(process, "background process")?;
    see_agent(context, &tx, agent, "background process").await?;
    let sprite = sprite_of(&context.platform.sandboxes, context.tenant, agent);
    Ok((sprite, process))
}

async fn save(context: &Context, changed: &[BackgroundProcess]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let tx = context.write().await?;
    for process in changed {
        tx.background_processes().update(process).await?;
    }
    Ok(tx.commit().await?)
}

/// As shells have it: 128 and the signal.
const fn code(exit: Exit) -> i32 {
    const KILLED: i32 = 128 + 9;
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => 128 + signal,
        Exit::TimedOut => KILLED,
    }
}
