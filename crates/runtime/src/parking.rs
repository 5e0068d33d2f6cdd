//! Waiting for people: a job gives up its worker while its tool call stays open, a draft is held. Everything that
//! tells of the wait is one transaction, so that a process that dies leaves either no wait or a whole one. The
//! answer is written by `services::approvals`.

use crate::{
    job::{Halt, Run},
    start,
    tool_calls::{self, Asks},
};
use chrono::TimeDelta;
use domain::{
    approval::{self, ApprovalKind},
    effect::Effect,
    message::ToolCallStatus,
};
use ports::{
    store::{StoreError, StoreTx},
    tool::ToolOutcome,
};
use services::{
    approvals::{self, Asked},
    events,
};

/// What the model reads of a second question in one message.
pub(crate) const ONE_AT_A_TIME: &str =
    "Not asked: one approval at a time. Ask again once the other one is decided.";
/// What it reads of the calls behind a question.
const NOT_RUN: &str =
    "Not run: this message asks for an approval first. Call it again once that is given.";

/// Asks people and gives the lane back; the job stays at its head.
pub(crate) async fn park(run: &mut Run, (waiting, asks): Asks) -> Result<(), Halt> {
    let mut calls = std::mem::take(&mut run.calls);
    for call in &mut calls {
        if call.status == ToolCallStatus::Running && call.id != waiting {
            let outcome = ToolOutcome::error(NOT_RUN);
            tool_calls::end(&run.engine, call, ToolCallStatus::Failed, outcome);
        }
    }
    let tx = run.engine.write_durable(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    let current = tx.jobs().find(run.job.tenant_id, run.job.id).await?;
    if current.is_some_and(|job| job.cancel_requested_at.is_some()) {
        run.calls = calls;
        return Err(Halt::Cancelled);
    }
    tool_calls::write_finished(run, tx.as_ref(), &calls).await?;
    let platform = &run.engine.platform;
    let mut action = asks.action;
    run.engine.redactor.redact_json(&mut action);
    let (kind, agent) = (ApprovalKind::Action, run.job.agent_id);
    let place = (
        run.scene.conversation.integration_id,
        run.scene.conversation.id,
    );
    let asked = Asked {
        kind,
        question: run.engine.redactor.redact(&asks.question).into_owned(),
        digest: approvals::digest(platform, kind, agent, &action, place),
        action,
        approvers: run.scene.agent.approvers.clone().of_at_least(asks.min_role),
        open_for: TimeDelta::from_std(asks.open_for).unwrap_or(approval::OPEN_FOR),
        effect_id: None,
        tool_call_id: Some(waiting),
    };
    ask(run, tx.as_ref(), asked).await?;
    run.job.wait().map_err(start::illegal)?;
    tx.jobs().update(&run.job).await?;
    run.events.push(events::job_status(&run.job));
    run.hands.close_in(tx.as_ref()).await?;
    tx.lanes()
        .release(
            run.lane.tenant_id,
            run.lane.id,
            run.lane.fence,
            run.engine.now(),
        )
        .await?;
    run.flush(tx.as_ref()).await?;
    crate::crash::point("park.before_commit");
    tx.commit().await?;
    crate::crash::point("park.after_commit");
    Ok(())
}

/// Asks whether a draft may go out. It is not shown in the conversation: whoever reads there would have it.
pub(crate) async fn hold(
    run: &mut Run,
    tx: &dyn StoreTx,
    draft: &Effect,
) -> Result<(), StoreError> {
    let platform = &run.engine.platform;
    // An effect holds text under string keys, which always serialises.
    let mut action = serde_json::to_value(&draft.action).unwrap_or_default();
    let (kind, agent) = (ApprovalKind::Reply, run.job.agent_id);
    let place = (draft.integration_id, draft.conversation_id);
    let digest = approvals::digest(platform, kind, agent, &action, place);
    run.engine.redactor.redact_json(&mut action);
    let asked = Asked {
        kind,
        question: format!("May {} send this reply?", run.scene.agent.name),
        action,
        digest,
        approvers: run.scene.agent.approvers.clone(),
        open_for: approval::OPEN_FOR,
        effect_id: Some(draft.id),
        tool_call_id: None,
    };
    ask(run, tx, asked).await
}

/// Writes the approval and, where people of the conversation may answer, the question to them.
async fn ask(run: &mut Run, tx: &dyn StoreTx, asked: Asked) -> Result<(), StoreError> {
    let requesters = approvals::requesters(tx, run.job.tenant_id, run.job.id).await?;
    let platform = &run.engine.platform;
    let integration = run.scene.conversation.integration_id;
    let approval = asked.now(platform, &run.job, integration, requesters);
    tx.approvals().insert(&approval).await?;
    run.events.push(events::approval(&approval));
    if approval.kind == ApprovalKind::Action && run.has_channel() {
        let (slot, action) = approvals::question(&approval, run.scene.agent.name.as_str());
        let mut question = run.effect(slot, action);
        question.expires_at = approval.expires_at;
        tx.effects().insert(&question).await?;
        run.events.push(events::effect(&question));
    }
    Ok(())
}
