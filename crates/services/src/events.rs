//! The payloads of stored events. They read like the rows in the REST API, so that a client may
//! put either into the same place; a test of the HTTP surface compares the two.

use domain::{
    Timestamp,
    approval::{Approval, Approvers, Decider},
    budget::Micros,
    effect::Effect,
    event::{EventKind, NewEvent},
    id::{
        AgentId, ApprovalId, ConversationId, EffectId, IntegrationId, JobId, MessageId,
        ModelCallId, ToolCallId, WorkItemId,
    },
    job::Job,
    message::{Arguments, Message, Part, ToolCall},
    model::{ModelCall, Usage},
};
use serde::Serialize;

/// The job changed its status.
pub fn job_status(job: &Job) -> NewEvent {
    event(
        EventKind::JobStatus,
        &JobStatusPayload {
            job_id: job.id,
            work_item_id: job.work_item_id,
            agent_id: job.agent_id,
            conversation_id: job.conversation_id,
            attempt: job.attempt,
            retry_of: job.retry_of,
            status: job.status.as_str(),
            failure: job.failure.as_ref().map(|failure| FailurePayload {
                code: &failure.code,
                message: &failure.message,
            }),
            model: job.model.to_string(),
            usage: job.usage,
            cost_micros: job.cost,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        },
    )
}

/// A message was added to the transcript.
pub fn message(message: &Message) -> NewEvent {
    event(
        EventKind::Message,
        &MessagePayload {
            id: message.id,
            job_id: message.job_id,
            seq: message.seq,
            role: message.role.as_str(),
            parts: &message.parts,
            created_at: message.created_at,
        },
    )
}

/// A tool call began.
pub fn tool_started(call: &ToolCall) -> NewEvent {
    event(EventKind::ToolStarted, &tool_call(call))
}

/// A tool call ended.
pub fn tool_finished(call: &ToolCall) -> NewEvent {
    event(EventKind::ToolFinished, &tool_call(call))
}

/// An effect was written or changed its status.
pub fn effect(effect: &Effect) -> NewEvent {
    event(
        EventKind::Effect,
        &EffectPayload {
            effect_id: effect.id,
            job_id: effect.job_id,
            slot: &effect.slot,
            kind: effect.action.kind(),
            integration_id: effect.integration_id,
            conversation_id: effect.conversation_id,
            status: effect.status.as_str(),
            dead_reason: effect.dead_reason.map(domain::effect::DeadReason::as_str),
            detail: effect.detail.as_deref(),
            attempts: effect.attempts,
        },
    )
}

/// An approval was asked for, or became final.
pub fn approval(approval: &Approval) -> NewEvent {
    event(EventKind::Approval, &ApprovalPayload::from(approval))
}

/// A model call settled.
pub fn usage(call: &ModelCall) -> NewEvent {
    event(
        EventKind::Usage,
        &UsagePayload {
            id: call.id,
            work_item_id: call.work_item_id,
            job_id: call.job_id,
            purpose: call.purpose.as_str(),
            model: call.model.to_string(),
            status: call.status.as_str(),
            usage: call.usage,
            reserved_micros: call.reserved,
            cost_micros: call.cost,
            outcome: call.outcome.as_deref(),
            started_at: call.started_at,
            finished_at: call.finished_at,
        },
    )
}

#[derive(Serialize)]
struct JobStatusPayload<'a> {
    job_id: JobId,
    work_item_id: WorkItemId,
    agent_id: AgentId,
    conversation_id: ConversationId,
    attempt: i32,
    retry_of: Option<JobId>,
    status: &'static str,
    failure: Option<FailurePayload<'a>>,
    model: String,
    usage: Usage,
    cost_micros: Micros,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct FailurePayload<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct MessagePayload<'a> {
    id: MessageId,
    job_id: JobId,
    seq: i64,
    role: &'static str,
    parts: &'a [Part],
    created_at: Timestamp,
}

#[derive(Serialize)]
struct ToolCallPayload<'a> {
    id: ToolCallId,
    job_id: JobId,
    message_id: MessageId,
    position: i32,
    provider_call_id: &'a str,
    name: &'a str,
    arguments: &'a Arguments,
    status: &'static str,
    result: Option<&'a str>,
    detail: Option<&'a serde_json::Value>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct EffectPayload<'a> {
    effect_id: EffectId,
    job_id: JobId,
    slot: &'a str,
    kind: &'static str,
    integration_id: IntegrationId,
    conversation_id: ConversationId,
    status: &'static str,
    dead_reason: Option<&'static str>,
    detail: Option<&'a str>,
    attempts: i32,
}

#[derive(Serialize)]
struct UsagePayload<'a> {
    id: ModelCallId,
    work_item_id: WorkItemId,
    job_id: Option<JobId>,
    purpose: &'static str,
    model: String,
    status: &'static str,
    usage: Usage,
    reserved_micros: Micros,
    cost_micros: Micros,
    outcome: Option<&'a str>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct ApprovalPayload<'a> {
    id: ApprovalId,
    kind: &'static str,
    status: &'static str,
    agent_id: AgentId,
    job_id: JobId,
    work_item_id: WorkItemId,
    conversation_id: ConversationId,
    effect_id: Option<EffectId>,
    tool_call_id: Option<ToolCallId>,
    question: &'a str,
    action: &'a serde_json::Value,
    digest: &'a str,
    approvers: &'a Approvers,
    requested_by: Option<RequestedBy<'a>>,
    requested_at: Timestamp,
    expires_at: Timestamp,
    decided_at: Option<Timestamp>,
    decided_by: Option<&'a Decider>,
    note: Option<&'a str>,
}

/// Whose message led to a question.
#[derive(Serialize)]
pub struct RequestedBy<'a> {
    /// `user`, `token` or `guest`.
    pub kind: &'static str,
    /// The user, token or sender.
    pub id: Option<String>,
    /// What people call them.
    pub name: &'a str,
}

/// Whose message led to a question, as far as that is known.
pub fn requested_by(approval: &Approval) -> Option<RequestedBy<'_>> {
    let first = approval.requesters.first()?;
    let token = first.external_id.strip_prefix("token:");
    let (kind, id) = match (first.user_id, token) {
        (Some(user), _) => ("user", Some(user.to_string())),
        (None, Some(token)) => ("token", Some(token.to_owned()).filter(|id| id != "admin")),
        (None, None) => ("guest", Some(first.external_id.clone())),
    };
    Some(RequestedBy {
        kind,
        id,
        name: &first.name,
    })
}

impl<'a> From<&'a Approval> for ApprovalPayload<'a> {
    fn from(approval: &'a Approval) -> Self {
        Self {
            id: approval.id,
            kind: approval.kind.as_str(),
            status: approval.status.as_str(),
            agent_id: approval.agent_id,
            job_id: approval.job_id,
            work_item_id: approval.work_item_id,
            conversation_id: approval.conversation_id,
            effect_id: approval.effect_id,
            tool_call_id: approval.tool_call_id,
            question: &approval.question,
            action: &approval.action,
            digest: &approval.digest,
            approvers: &approval.approvers,
            requested_by: requested_by(approval),
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_at: approval.decided_at,
            decided_by: approval.decided_by.as_ref(),
            note: approval.note.as_deref(),
        }
    }
}

fn tool_call(call: &ToolCall) -> ToolCallPayload<'_> {
    ToolCallPayload {
        id: call.id,
        job_id: call.job_id,
        message_id: call.message_id,
        position: call.position,
        provider_call_id: &call.provider_call_id,
        name: &call.name,
        arguments: &call.arguments,
        status: call.status.as_str(),
        result: call.result.as_deref(),
        detail: call.detail.as_ref(),
        started_at: call.started_at,
        finished_at: call.finished_at,
    }
}

fn event(kind: EventKind, payload: &impl Serialize) -> NewEvent {
    NewEvent {
        kind,
        // These structs hold text, numbers and JSON values under string keys, which always
        // serialise; null would show in the tests that compare payloads with rows.
        payload: serde_json::to_value(payload).unwrap_or_default(),
    }
}
