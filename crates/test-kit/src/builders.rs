//! Ready-made domain values, so that a test names only what it is about. Every builder gives a plain
//! value with public fields: change what matters before it is used.

use domain::{
    Timestamp,
    agent::{Agent, AgentName, ReplyPolicy},
    approval::Approvers,
    budget::{Limit, Micros},
    channel::{ChannelType, ChatKind, InboundMessage, Place, Sender},
    effect::{Effect, EffectAction, EffectStatus},
    guard::LoopLimits,
    id::{AgentId, EffectId, IntegrationId, JobId, MessageId, ModelCallId, TenantId, WorkItemId},
    integration::{Health, Integration, Visibility},
    job::{Job, JobStatus},
    message::{Message, Part, Role, Trust},
    model::{ModelCall, ModelCallPurpose, ModelCallStatus, ModelRef, Usage},
    queue::{Lane, Steering},
    work::WorkItem,
};
use ports::{ids::Ids, ingest::Accept};
use std::time::Duration;

/// An enabled agent without a model of its own and without a limit.
///
/// # Panics
/// When the name is not one.
#[expect(
    clippy::expect_used,
    reason = "a test that names an impossible agent is wrong"
)]
pub fn agent(ids: &dyn Ids, tenant: TenantId, name: &str, now: Timestamp) -> Agent {
    Agent {
        id: AgentId::from_uuid(ids.next()),
        tenant_id: tenant,
        name: AgentName::parse(name).expect("a name"),
        model: None,
        instructions: String::new(),
        enabled: true,
        reply_policy: ReplyPolicy::Auto,
        steering: Steering::Steer,
        loop_limits: LoopLimits::default(),
        daily_budget: Limit::Unlimited,
        tools: None,
        approvers: Approvers::default(),
        created_at: now,
        updated_at: now,
        archived_at: None,
    }
}

/// An enabled Telegram integration that every agent sees.
pub fn integration(ids: &dyn Ids, tenant: TenantId, name: &str, now: Timestamp) -> Integration {
    Integration {
        id: IntegrationId::from_uuid(ids.next()),
        tenant_id: tenant,
        channel: ChannelType::Telegram,
        name: name.to_owned(),
        config: serde_json::json!({}),
        visibility: Visibility::AllAgents,
        enabled: true,
        health: Health::Unknown,
        health_detail: None,
        poll_cursor: None,
        created_at: now,
        updated_at: now,
    }
}

/// A message of Ada's in a direct chat; `event_id` tells it from others.
pub fn inbound(event_id: &str, channel: &str, text: &str, now: Timestamp) -> InboundMessage {
    InboundMessage {
        event_id: event_id.to_owned(),
        message_id: Some(format!("message-{event_id}")),
        place: Place {
            channel: channel.to_owned(),
            thread: None,
        },
        chat: ChatKind::Direct,
        title: None,
        sender: Sender {
            external_id: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            is_bot: false,
        },
        text: text.to_owned(),
        attachments: Vec::new(),
        command: None,
        addressed: false,
        edit_of: None,
        quoted: None,
        sent_at: now,
    }
}

/// A message as it is handed to ingest.
pub fn accept(integration: &Integration, message: InboundMessage) -> Accept {
    Accept {
        tenant_id: integration.tenant_id,
        integration_id: integration.id,
        message,
        assigned: Vec::new(),
        except: Vec::new(),
    }
}

/// A queued first attempt of the lane's agent at an item.
///
/// # Panics
/// Never: the model it names is one.
#[expect(clippy::expect_used, reason = "the text is a model")]
pub fn job(ids: &dyn Ids, lane: &Lane, item: WorkItemId, now: Timestamp) -> Job {
    let id = JobId::from_uuid(ids.next());
    Job {
        id,
        tenant_id: lane.tenant_id,
        work_item_id: item,
        agent_id: lane.agent_id,
        lane_id: lane.id,
        conversation_id: lane.conversation_id,
        attempt: 1,
        status: JobStatus::Queued,
        model: ModelRef::parse("demo/scripted").expect("a model"),
        parent_id: None,
        root_id: id,
        retry_of: None,
        cancel_requested_at: None,
        failure: None,
        usage: Usage::default(),
        cost: Micros::ZERO,
        created_at: now,
        started_at: None,
        finished_at: None,
    }
}

/// A person's message in a job's transcript.
pub fn message(ids: &dyn Ids, job: &Job, seq: i64, text: &str) -> Message {
    Message {
        id: MessageId::from_uuid(ids.next()),
        tenant_id: job.tenant_id,
        job_id: job.id,
        seq,
        role: Role::User,
        parts: vec![Part::human(text, Trust::Guest)],
        created_at: job.created_at,
    }
}

/// A reserved call of the job's model.
pub fn model_call(ids: &dyn Ids, job: &Job, reserved: Micros, now: Timestamp) -> ModelCall {
    ModelCall {
        id: ModelCallId::from_uuid(ids.next()),
        tenant_id: job.tenant_id,
        work_item_id: job.work_item_id,
        job_id: Some(job.id),
        purpose: ModelCallPurpose::Turn,
        model: job.model.clone(),
        status: ModelCallStatus::Reserved,
        reserved,
        cost: Micros::ZERO,
        usage: Usage::default(),
        outcome: None,
        started_at: now,
        finished_at: None,
    }
}

/// A pending reply of the job, due at once and of use for an hour.
pub fn reply(ids: &dyn Ids, job: &Job, item: &WorkItem, now: Timestamp) -> Effect {
    Effect {
        id: EffectId::from_uuid(ids.next()),
        tenant_id: job.tenant_id,
        job_id: job.id,
        slot: domain::effect::REPLY_SLOT.to_owned(),
        integration_id: item.integration_id,
        conversation_id: job.conversation_id,
        action: EffectAction::Reply {
            markdown: "Done.".to_owned(),
            reply_to: item.message.message_id.clone(),
        },
        status: EffectStatus::Pending,
        dead_reason: None,
        detail: None,
        attempts: 0,
        next_attempt_at: now,
        expires_at: now + Duration::from_hours(1),
        provider_reference: None,
        created_at: now,
        settled_at: None,
    }
}
