//! Work items on the wire.

use super::{
    job::JobView,
    message::AttachmentView,
    words::{ChatKind, DecidedBy, Verdict, WorkItemStatus},
};
use chrono::{DateTime, Utc};
use domain::{
    access::Hidden,
    budget::Micros,
    channel::{InboundMessage, Place, Quoted, Sender},
    id::{AgentId, ConversationId, IntegrationId},
    work::{Decision, WorkItem},
};
use ports::store::WorkFilter;
use serde::{Deserialize, Serialize};
use services::work::{self, WorkDetail};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which work items to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkQuery {
    /// Came in there.
    #[param(value_type = Option<Uuid>)]
    integration_id: Option<IntegrationId>,
    /// Sits in a lane of this agent.
    #[param(value_type = Option<Uuid>)]
    agent_id: Option<AgentId>,
    /// Belongs to this conversation.
    #[param(value_type = Option<Uuid>)]
    conversation_id: Option<ConversationId>,
    /// Stands so.
    status: Option<WorkItemStatus>,
    /// Its text contains this, without regard to case.
    text: Option<String>,
}

/// Work handed in by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWorkItem {
    /// What is wanted.
    #[schema(example = "Write a script that prints the first ten primes, and run it.")]
    text: String,
    /// Who shall do it; absent, null or empty: every agent decides for itself.
    #[schema(value_type = Option<Vec<Uuid>>)]
    agent_ids: Option<Vec<AgentId>>,
    /// The conversation it belongs to, where the answer goes; absent or null: a new one.
    #[schema(value_type = Option<Uuid>)]
    conversation_id: Option<ConversationId>,
}

/// One thing that came in.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkItemView {
    id: Uuid,
    integration_id: Uuid,
    conversation_id: Uuid,
    status: WorkItemStatus,
    /// Why it ended that way.
    #[schema(required)]
    reason: Option<String>,
    /// Agents it was handed to by name.
    assigned_agent_ids: Vec<Uuid>,
    message: InboundMessageView,
    created_at: DateTime<Utc>,
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
}

/// The message as it came in.
#[derive(Serialize, ToSchema)]
pub(crate) struct InboundMessageView {
    /// The vendor's id of the message.
    #[schema(required)]
    message_id: Option<String>,
    place: PlaceView,
    chat: ChatKind,
    /// The title of the place.
    #[schema(required)]
    title: Option<String>,
    sender: SenderView,
    text: String,
    attachments: Vec<AttachmentView>,
    /// Whether it calls the integration itself.
    addressed: bool,
    /// The vendor's id of the message that this one replaces.
    #[schema(required)]
    edit_of: Option<String>,
    /// The message it answers.
    #[schema(required)]
    quoted: Option<QuotedView>,
    sent_at: DateTime<Utc>,
}

/// Where a conversation takes place.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaceView {
    /// The vendor's id of the chat.
    channel: String,
    /// The vendor's id of a thread inside it.
    #[schema(required)]
    thread: Option<String>,
}

/// Who wrote a message.
#[derive(Serialize, ToSchema)]
pub(crate) struct SenderView {
    /// The vendor's id of the person.
    external_id: String,
    #[schema(example = "Grace")]
    display_name: String,
    /// Whether a program wrote it.
    is_bot: bool,
}

/// The message that another one answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuotedView {
    message_id: String,
    text: String,
    /// Whether it was our own.
    from_us: bool,
}

/// What an agent decided about a work item, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecisionView {
    agent_id: Uuid,
    verdict: Verdict,
    decided_by: DecidedBy,
    /// For people.
    reason: String,
    /// What asking a model cost, where one was asked, in millionths of a US dollar.
    cost_micros: i64,
    created_at: DateTime<Utc>,
}

/// A work item with all that was decided and done about it.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkItemDetailView {
    #[serde(flatten)]
    item: WorkItemView,
    /// Every agent's decision, oldest first.
    decisions: Vec<DecisionView>,
    /// Jobs made for it, newest first.
    jobs: Vec<JobView>,
}

impl From<WorkQuery> for WorkFilter {
    fn from(query: WorkQuery) -> Self {
        Self {
            integration_id: query.integration_id,
            agent_id: query.agent_id,
            conversation_id: query.conversation_id,
            status: query.status.map(|word| word.0),
            text: query.text,
            hidden: Hidden::default(),
        }
    }
}

impl From<CreateWorkItem> for work::CreateWorkItem {
    fn from(body: CreateWorkItem) -> Self {
        Self {
            text: body.text,
            agent_ids: body.agent_ids.unwrap_or_default(),
            conversation_id: body.conversation_id,
        }
    }
}

impl From<WorkItem> for WorkItemView {
    fn from(item: WorkItem) -> Self {
        Self {
            id: item.id.as_uuid(),
            integration_id: item.integration_id.as_uuid(),
            conversation_id: item.conversation_id.as_uuid(),
            status: WorkItemStatus(item.status),
            reason: item.reason,
            assigned_agent_ids: item.assigned.into_iter().map(AgentId::as_uuid).collect(),
            message: item.message.into(),
            created_at: item.created_at,
            closed_at: item.closed_at,
        }
    }
}

impl From<InboundMessage> for InboundMessageView {
    fn from(message: InboundMessage) -> Self {
        let Place { channel, thread } = message.place;
        let Sender {
            external_id,
            display_name,
            is_bot,
        } = message.sender;
        Self {
            message_id: message.message_id,
            place: PlaceView { channel, thread },
            chat: ChatKind(message.chat),
            title: message.title,
            sender: SenderView {
                external_id,
                display_name,
                is_bot,
            },
            text: message.text,
            attachments: message.attachments.into_iter().map(Into::into).collect(),
            addressed: message.addressed,
            edit_of: message.edit_of,
            quoted: message.quoted.map(Into::into),
            sent_at: message.sent_at,
        }
    }
}

impl From<Quoted> for QuotedView {
    fn from(quoted: Quoted) -> Self {
        Self {
            message_id: quoted.message_id,
            text: quoted.text,
            from_us: quoted.from_us,
        }
    }
}

impl From<(Decision, Micros)> for DecisionView {
    fn from((decision, cost): (Decision, Micros)) -> Self {
        Self {
            agent_id: decision.agent_id.as_uuid(),
            verdict: Verdict(decision.verdict),
            decided_by: DecidedBy(decision.decided_by),
            reason: decision.reason,
            cost_micros: cost.0,
            created_at: decision.created_at,
        }
    }
}

impl From<WorkDetail> for WorkItemDetailView {
    fn from(detail: WorkDetail) -> Self {
        Self {
            item: detail.item.into(),
            decisions: detail.decisions.into_iter().map(Into::into).collect(),
            jobs: detail.jobs.into_iter().map(Into::into).collect(),
        }
    }
}
