//! Conversations on the wire.

use super::{
    PageView,
    words::{ChannelType, EffectStatus, JobStatus},
};
use chrono::{DateTime, Utc};
use domain::{
    access::Hidden,
    id::{AgentId, EffectId, IntegrationId, JobId},
};
use ports::store::{ConversationFilter, ListedConversation};
use serde::{Deserialize, Serialize};
use services::conversations::{self, Entries, Entry, EntryCursor};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which conversations to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConversationQuery {
    /// On this integration.
    #[param(value_type = Option<Uuid>)]
    integration_id: Option<IntegrationId>,
    /// In which this agent has work, or with which it was begun.
    #[param(value_type = Option<Uuid>)]
    agent_id: Option<AgentId>,
}

/// A conversation to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateConversation {
    /// With whom: everything said in it is for this agent alone.
    #[schema(value_type = Uuid)]
    agent_id: AgentId,
    /// What people call it; absent, null or blank: nothing.
    #[schema(example = "Release notes", max_length = 200)]
    title: Option<String>,
}

/// One thread on one integration.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationView {
    id: Uuid,
    integration_id: Uuid,
    integration_name: String,
    /// What kind of integration that is.
    r#type: ChannelType,
    #[schema(required)]
    title: Option<String>,
    /// The only agent it is with; null where every agent that sees the integration may act.
    #[schema(required)]
    agent_id: Option<Uuid>,
    /// When something last came in, or it began.
    last_activity_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

/// What an entry of a conversation is: something that came in, an answer, a notice that there is none, or why nobody
/// acted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Message,
    Reply,
    Notice,
    Pass,
}

/// One thing that a conversation shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationEntryView {
    kind: EntryKind,
    /// Unique among entries of its kind.
    id: Uuid,
    at: DateTime<Utc>,
    /// What it is, or is about.
    work_item_id: Uuid,
    /// The job that said it.
    #[schema(required)]
    job_id: Option<Uuid>,
    #[schema(required)]
    job_status: Option<JobStatus>,
    /// Who answered, or left it alone.
    #[schema(required)]
    agent_id: Option<Uuid>,
    /// What people call whoever said it.
    #[schema(required, example = "Grace")]
    author: Option<String>,
    /// Markdown in a reply.
    text: String,
    /// What brings it to its channel.
    #[schema(required)]
    effect_id: Option<Uuid>,
    #[schema(required)]
    effect_status: Option<EffectStatus>,
}

impl From<ConversationQuery> for ConversationFilter {
    fn from(query: ConversationQuery) -> Self {
        Self {
            integration_id: query.integration_id,
            agent_id: query.agent_id,
            id: None,
            hidden: Hidden::default(),
        }
    }
}

impl From<CreateConversation> for conversations::CreateConversation {
    fn from(body: CreateConversation) -> Self {
        Self {
            agent_id: body.agent_id,
            title: body.title,
        }
    }
}

impl From<ListedConversation> for ConversationView {
    fn from(listed: ListedConversation) -> Self {
        let conversation = listed.conversation;
        Self {
            id: conversation.id.as_uuid(),
            integration_id: conversation.integration_id.as_uuid(),
            integration_name: listed.integration_name,
            r#type: ChannelType(listed.channel),
            title: conversation.title,
            agent_id: conversation.agent_id.map(AgentId::as_uuid),
            last_activity_at: listed.last_activity_at,
            created_at: conversation.created_at,
        }
    }
}

impl From<conversations::EntryKind> for EntryKind {
    fn from(kind: conversations::EntryKind) -> Self {
        match kind {
            conversations::EntryKind::Message => Self::Message,
            conversations::EntryKind::Reply => Self::Reply,
            conversations::EntryKind::Notice => Self::Notice,
            conversations::EntryKind::Pass => Self::Pass,
        }
    }
}

impl From<Entry> for ConversationEntryView {
    fn from(entry: Entry) -> Self {
        let (job_id, job_status) = entry.job.unzip();
        let (effect_id, effect_status) = entry.effect.unzip();
        Self {
            kind: entry.kind.into(),
            id: entry.id,
            at: entry.at,
            work_item_id: entry.work_item_id.as_uuid(),
            job_id: job_id.map(JobId::as_uuid),
            job_status: job_status.map(JobStatus),
            agent_id: entry.agent_id.map(AgentId::as_uuid),
            author: entry.author,
            text: entry.text,
            effect_id: effect_id.map(EffectId::as_uuid),
            effect_status: effect_status.map(EffectStatus),
        }
    }
}

impl From<Entries> for PageView<ConversationEntryView> {
    fn from(entries: Entries) -> Self {
        let items = entries.items.into_iter().map(Into::into).collect();
        Self::new(items, entries.next.as_ref().map(cursor))
    }
}

/// The cursor of a page of entries, as text that fits a query.
fn cursor(next: &EntryCursor) -> String {
    let micros = next.at.timestamp_micros();
    let kind = if next.is_message {
        "message"
    } else {
        "outcome"
    };
    format!("{micros}.{}.{kind}", next.id)
}

/// The cursor that was given out as this text.
pub(crate) fn parse_cursor(text: &str) -> Option<EntryCursor> {
    let mut parts = text.splitn(3, '.');
    let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let id = parts.next()?.parse().ok()?;
    let is_message = match parts.next()? {
        "message" => true,
        "outcome" => false,
        _ => return None,
    };
    Some(EntryCursor { at, id, is_message })
}
