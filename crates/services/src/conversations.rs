//! Conversations as people see them: the list, one that is begun with an agent, and what was said. Nothing is said
//! here; that is done by handing in work.

use crate::{
    Context, Error,
    error::found,
    people::see_integration,
    work::{built_in, check_agents, conceal},
};
use domain::{
    Timestamp,
    access::{Area, Hidden, Right},
    audit::Change,
    channel::{ChatKind, Place},
    conversation::Conversation,
    effect::{Effect, EffectAction, EffectStatus},
    id::{AgentId, ConversationId, EffectId, JobId, WorkItemId},
    job::{Job, JobStatus},
    page::{Page, PageRequest},
    work::WorkItem,
};
use ports::store::{Answered, Before, BoxTx, ConversationFilter, ListedConversation, Passed};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};
use uuid::Uuid;

/// The longest title, in characters.
const MAX_TITLE: usize = 200;

/// A conversation to begin with an agent.
#[derive(Clone, Debug)]
pub struct CreateConversation {
    /// With whom.
    pub agent_id: AgentId,
    /// What people call it.
    pub title: Option<String>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Something came in.
    Message,
    /// An agent answered.
    Reply,
    /// A job ended without an answer.
    Notice,
    /// Nobody acted.
    Pass,
}

/// One thing that a conversation shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Unique among entries of its kind: the item's or the job's.
    pub id: Uuid,
    /// When it was said.
    pub at: Timestamp,
    /// The item it is, or is about.
    pub work_item_id: WorkItemId,
    /// The job that said it.
    pub job: Option<(JobId, JobStatus)>,
    /// Whose job that was, or who left the item alone.
    pub agent_id: Option<AgentId>,
    /// What people call whoever said it.
    pub author: Option<String>,
    /// What was said; Markdown, when an agent did.
    pub text: String,
    /// How it gets to its channel.
    pub effect: Option<(EffectId, EffectStatus)>,
}

/// Where entries go on: behind this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryCursor {
    /// When it was said.
    pub at: Timestamp,
    /// Its id.
    pub id: Uuid,
    /// Whether it is what came in, which goes last among entries of the same instant and id.
    pub is_message: bool,
}

/// Entries, newest first, and where they go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    /// The entries.
    pub items: Vec<Entry>,
    /// Present when there are more.
    pub next: Option<EntryCursor>,
}

/// Conversations, those in which something came in last first.
pub async fn list(
    context: &Context,
    filter: &ConversationFilter,
    page: PageRequest,
) -> Result<Page<ListedConversation>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let filter = ConversationFilter {
        hidden: context.hidden(&tx).await?,
        ..filter.clone()
    };
    // Of a conversation in which others work too, nobody learns here that a hidden agent does.
    if filter.hidden.hides(filter.agent_id) {
        return Ok(Page::empty());
    }
    let conversations = tx.conversations();
    Ok(conversations.list(context.tenant, &filter, page).await?)
}

/// One conversation.
pub async fn find(context: &Context, id: ConversationId) -> Result<ListedConversation, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    Ok(load(context, &tx, id).await?.0)
}

/// Begins a conversation with one agent on the built-in integration.
#[tracing::instrument(name = "conversations.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(
    context: &Context,
    request: CreateConversation,
) -> Result<ListedConversation, Error> {
    context.authorise(Area::Work, Right::Operate)?;
    let title = request.title.as_deref().map(title).transpose()?.flatten();
    let id = ConversationId::from_uuid(context.new_id());
    let tx = context.write().await?;
    let integration_id = built_in(context, &tx).await?;
    see_integration(context, &tx, integration_id, "built-in integration").await?;
    let made = tx.conversations().find(context.tenant, id).await?;
    if made.is_none() {
        let with = [request.agent_id];
        check_agents(context, &tx, integration_id, ("agent_id", &with)).await?;
        let conversation = Conversation {
            id,
            tenant_id: context.tenant,
            integration_id,
            place: Place {
                channel: id.to_string(),
                thread: None,
            },
            chat: ChatKind::Direct,
            title,
            agent_id: Some(request.agent_id),
            created_at: context.now(),
        };
        tx.conversations().insert(&conversation).await?;
        let after =
            serde_json::json!({ "agent_id": request.agent_id, "title": conversation.title });
        let change = Change::to(
            "conversation.created",
            "conversation",
            id.as_uuid(),
            conversation.title,
        )
        .between(None, Some(after));
        context.audit(tx.as_ref(), change).await?;
    }
    let (conversation, _) = load(context, &tx, id).await?;
    tx.commit().await?;
    Ok(conversation)
}

/// What a conversation shows, newest first: what came in, what agents answered, and where nobody acted.
pub async fn entries(
    context: &Context,
    id: ConversationId,
    after: Option<EntryCursor>,
    limit: u32,
) -> Result<Entries, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let (_, hidden) = load(context, &tx, id).await?;
    let mut items = gather(context, &tx, (id, &hidden), after, limit + 1).await?;
    items.sort_unstable_by_key(|entry| Reverse(entry.place()));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(Entry::cursor);
    name_agents(context, &tx, &mut items).await?;
    Ok(Entries { items, next })
}

async fn load(
    context: &Context,
    tx: &BoxTx,
    id: ConversationId,
) -> Result<(ListedConversation, Hidden), Error> {
    let filter = ConversationFilter {
        id: Some(id),
        hidden: context.hidden(tx).await?,
        ..ConversationFilter::default()
    };
    let mut found_ones = tx
        .conversations()
        .list(context.tenant, &filter, PageRequest::first(1))
        .await?;
    let conversation = found(found_ones.items.pop(), "conversation")?;
    Ok((conversation, filter.hidden))
}

fn title(text: &str) -> Result<Option<String>, Error> {
    let title = text.trim();
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        let message = format!("at most {MAX_TITLE} characters in one line");
        return Err(Error::invalid("title", message));
    }
    Ok(Some(title.to_owned()).filter(|title| !title.is_empty()))
}

/// The first entries of every kind, enough for a page.
async fn gather(
    context: &Context,
    tx: &BoxTx,
    (id, hidden): (ConversationId, &Hidden),
    after: Option<EntryCursor>,
    limit: u32,
) -> Result<Vec<Entry>, Error> {
    let before = after.map(|cursor| Before {
        at: cursor.at,
        id: cursor.id,
        inclusive: false,
    });
    // The message itself comes behind what became of it.
    let messages = before.map(|before| Before {
        inclusive: after.is_some_and(|cursor| !cursor.is_message),
        ..before
    });
    let (repo, tenant) = (tx.conversations(), context.tenant);
    let said = repo.items(tenant, id, hidden, messages, limit).await?;
    let answers = repo.answers(tenant, id, hidden, before, limit).await?;
    let mut passes = repo.passes(tenant, id, hidden, before, limit).await?;
    for passed in &mut passes {
        conceal(&mut passed.item, hidden, passed.agent_id.is_none());
    }
    let mut entries: Vec<Entry> = said.into_iter().map(Entry::from).collect();
    entries.extend(answers.into_iter().filter_map(answer));
    entries.extend(passes.into_iter().map(Entry::from));
    Ok(entries)
}

/// Says who the agents are, archived ones included.
async fn name_agents(context: &Context, tx: &BoxTx, entries: &mut [Entry]) -> Result<(), Error> {
    let agents: BTreeSet<AgentId> = entries.iter().filter_map(|entry| entry.agent_id).collect();
    let mut names = HashMap::new();
    for id in agents {
        if let Some(agent) = tx.agents().find(context.tenant, id).await? {
            names.insert(id, agent.name.as_str().to_owned());
        }
    }
    for entry in entries {
        if let Some(id) = entry.agent_id {
            entry.author = names.get(&id).cloned();
        }
    }
    Ok(())
}

impl Entry {
    /// Later entries have a greater place.
    fn place(&self) -> (Timestamp, Uuid, bool) {
        (self.at, self.id, self.kind != EntryKind::Message)
    }

    fn cursor(&self) -> EntryCursor {
        EntryCursor {
            at: self.at,
            id: self.id,
            is_message: self.kind == EntryKind::Message,
        }
    }
}

impl From<WorkItem> for Entry {
    fn from(item: WorkItem) -> Self {
        Self {
            kind: EntryKind::Message,
            id: item.id.as_uuid(),
            at: item.created_at,
            work_item_id: item.id,
            job: None,
            agent_id: None,
            author: Some(item.message.sender.display_name),
            text: item.message.text,
            effect: None,
        }
    }
}

impl From<Passed> for Entry {
    fn from(passed: Passed) -> Self {
        let item = passed.item;
        Self {
            kind: EntryKind::Pass,
            id: item.id.as_uuid(),
            at: item.closed_at.unwrap_or(item.created_at),
            work_item_id: item.id,
            job: None,
            agent_id: passed.agent_id,
            author: None,
            text: item.reason.unwrap_or_default(),
            effect: None,
        }
    }
}

/// What is shown of a job that is over.
fn answer(answered: Answered) -> Option<Entry> {
    let Answered {
        job,
        message,
        reply,
    } = answered;
    let at = job.finished_at?;
    let kind = if job.status == JobStatus::Completed {
        EntryKind::Reply
    } else {
        EntryKind::Notice
    };
    let text = match reply.as_ref().and_then(markdown) {
        Some(text) => text.to_owned(),
        None => match kind {
            EntryKind::Reply => message.map(|message| message.text()).unwrap_or_default(),
            EntryKind::Notice | EntryKind::Message | EntryKind::Pass => notice(&job),
        },
    };
    Some(Entry {
        kind,
        id: job.id.as_uuid(),
        at,
        work_item_id: job.work_item_id,
        job: Some((job.id, job.status)),
        agent_id: Some(job.agent_id),
        author: None,
        text,
        effect: reply.map(|reply| (reply.id, reply.status)),
    })
}

fn markdown(effect: &Effect) -> Option<&str> {
    match &effect.action {
        EffectAction::Reply { markdown, .. } => Some(markdown),
        EffectAction::Receipt { .. }
        | EffectAction::Progress { .. }
        | EffectAction::Question { .. } => None,
    }
}

/// What is said of a job that ended without an answer where no channel heard of it.
fn notice(job: &Job) -> String {
    match &job.failure {
        Some(failure) => failure.message.clone(),
        None => "This job was stopped before it was finished.".to_owned(),
    }
}
