//! Work items: handed in by people and programs, listed, looked into.

use crate::{
    Context, Error,
    error::found,
    people::{see_conversation, see_integration, see_item},
};
use domain::{
    access::{Actor, Area, Hidden, Right},
    audit::Change,
    budget::Micros,
    channel::{ChatKind, InboundMessage, Place, Sender},
    conversation::Conversation,
    id::{AgentId, ConversationId, IntegrationId, WorkItemId},
    job::Job,
    page::{MAX_LIMIT, Page, PageRequest},
    work::{Decision, WorkItem},
};
use metrics::counter;
use ports::{
    ingest::Accept,
    store::{BoxTx, JobFilter, WorkFilter},
};
use serde_json::Value;
use uuid::Uuid;

/// The longest text that can be handed in, in characters.
const MAX_TEXT: usize = 100_000;
/// The longest title of a thread that nobody named, in characters.
const LONGEST_TITLE: usize = 80;

/// Work handed in over the API.
#[derive(Clone, Debug)]
pub struct CreateWorkItem {
    /// What is wanted.
    pub text: String,
    /// Who shall do it; empty = every agent decides for itself.
    pub agent_ids: Vec<AgentId>,
    /// The thread it belongs to, and where the answer goes; absent = a new one of its own.
    pub conversation_id: Option<ConversationId>,
}

/// A work item with all that was decided and done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkDetail {
    /// The item.
    pub item: WorkItem,
    /// Every agent's decision, oldest first, with what the model calls cost by which it was made.
    pub decisions: Vec<(Decision, Micros)>,
    /// Jobs made for it, newest first.
    pub jobs: Vec<Job>,
}

/// Hands work in. It takes the same way as a message from a channel.
#[tracing::instrument(name = "work.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(context: &Context, request: CreateWorkItem) -> Result<WorkDetail, Error> {
    context.authorise(Area::Work, Right::Operate)?;
    let text = text(&request.text)?;
    // The same for a request that is sent again, which ingest then knows.
    let event = context.new_id();
    let tx = context.read().await?;
    let to = destination(context, &tx, request.conversation_id, (event, &text)).await?;
    let assigned = assigned(request.agent_ids, to.only)?;
    check_agents(context, &tx, to.integration_id, ("agent_ids", &assigned)).await?;
    let except = context.hidden(&tx).await?.agents;
    drop(tx);
    let facts =
        serde_json::json!({ "agent_ids": assigned, "conversation_id": request.conversation_id });
    let message = InboundMessage {
        event_id: format!("api:{event}"),
        message_id: None,
        place: to.place,
        chat: to.chat,
        title: to.title,
        sender: sender(context),
        text,
        attachments: Vec::new(),
        command: None,
        addressed: true,
        edit_of: None,
        quoted: None,
        sent_at: context.now(),
    };
    let accept = Accept {
        tenant_id: context.tenant,
        integration_id: to.integration_id,
        message,
        assigned,
        except,
    };
    let id = take_in(context, accept, facts).await?;
    find(context, id).await
}

/// Takes the work in and notes who handed it in, once. Not through the queue of what vendors deliver: an item
/// without its note, or a note without its item, must not be possible.
async fn take_in(context: &Context, accept: Accept, facts: Value) -> Result<WorkItemId, Error> {
    let tx = context.write().await?;
    let accepted = tx.work().ingest(&[accept], context.now()).await?;
    let accepted = found(accepted.first().copied(), "work item")?;
    let id = accepted.work_item_id;
    if !accepted.duplicate {
        let change = Change::to("work_item.created", "work_item", id.as_uuid(), None);
        let change = change.between(None, Some(facts));
        context.audit(tx.as_ref(), change).await?;
    }
    tx.commit().await?;
    counter!("nitejar_ingested_total").increment(u64::from(!accepted.duplicate));
    Ok(id)
}

/// Where work goes that is handed in.
struct Destination {
    integration_id: IntegrationId,
    place: Place,
    chat: ChatKind,
    title: Option<String>,
    /// The one agent that is there, where there is one only.
    only: Option<AgentId>,
}

/// The conversation that is named, or one of its own.
async fn destination(
    context: &Context,
    tx: &BoxTx,
    conversation: Option<ConversationId>,
    (event, text): (Uuid, &str),
) -> Result<Destination, Error> {
    let Some(id) = conversation else {
        let integration_id = built_in(context, tx).await?;
        see_integration(context, tx, integration_id, "built-in integration").await?;
        return Ok(Destination {
            integration_id,
            place: Place {
                channel: event.to_string(),
                thread: None,
            },
            chat: ChatKind::Direct,
            title: Some(title(text)),
            only: None,
        });
    };
    let there = thread(context, tx, id).await?;
    Ok(Destination {
        integration_id: there.integration_id,
        only: there.agent_id,
        place: there.place,
        chat: there.chat,
        title: there.title,
    })
}

/// Work items, newest first.
pub async fn list(
    context: &Context,
    filter: &WorkFilter,
    page: PageRequest,
) -> Result<Page<WorkItem>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let filter = WorkFilter {
        hidden: context.hidden(&tx).await?,
        ..filter.clone()
    };
    // Of an item that others have too, nobody learns here that a hidden agent has it.
    if filter.hidden.hides(filter.agent_id) {
        return Ok(Page::empty());
    }
    let mut page = tx.work().list(context.tenant, &filter, page).await?;
    for item in &mut page.items {
        conceal(item, &filter.hidden, true);
    }
    Ok(page)
}

/// Leaves out what would tell of agents that the reader does not see: who has the item, and a reason that may be
/// theirs.
pub(crate) fn conceal(item: &mut WorkItem, hidden: &Hidden, theirs: bool) {
    if hidden.agents.is_empty() {
        return;
    }
    item.assigned.retain(|agent| !hidden.agents.contains(agent));
    if theirs {
        item.reason = None;
    }
}

/// One work item with decisions and jobs.
pub async fn find(context: &Context, id: WorkItemId) -> Result<WorkDetail, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let mut item = found(tx.work().find(context.tenant, id).await?, "work item")?;
    let hidden = context.hidden(&tx).await?;
    see_item(context, &tx, &hidden, id, "work item").await?;
    let mut decisions = tx.work().decisions(context.tenant, id).await?;
    let decided = decisions.len();
    decisions.retain(|decision| !hidden.agents.contains(&decision.agent_id));
    conceal(&mut item, &hidden, decisions.len() < decided);
    let filter = JobFilter {
        work_item_id: Some(id),
        hidden,
        ..JobFilter::default()
    };
    let jobs = tx
        .jobs()
        .list(context.tenant, &filter, PageRequest::first(MAX_LIMIT))
        .await?;
    let asked = tx.ledger().triage_calls(context.tenant, id).await?;
    let cost_of = |decision: &Decision| {
        let theirs = asked
            .iter()
            .filter(|(agent, _)| *agent == decision.agent_id);
        Micros(theirs.map(|(_, call)| call.cost.0).sum())
    };
    let decisions = decisions.into_iter();
    Ok(WorkDetail {
        item,
        decisions: decisions
            .map(|decision| {
                let cost = cost_of(&decision);
                (decision, cost)
            })
            .collect(),
        jobs: jobs.items,
    })
}

/// What people call a thread that nobody named: the start of what was wanted.
fn title(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line.trim_end().to_owned(),
    }
}

fn text(text: &str) -> Result<String, Error> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::invalid("text", "must not be blank"));
    }
    if trimmed.chars().count() > MAX_TEXT {
        return Err(Error::invalid(
            "text",
            format!("at most {MAX_TEXT} characters"),
        ));
    }
    Ok(trimmed.to_owned())
}

/// The integration of the web app and the API.
pub(crate) async fn built_in(context: &Context, tx: &BoxTx) -> Result<IntegrationId, Error> {
    let built_in = tx.integrations().built_in(context.tenant).await?;
    Ok(found(built_in, "built-in integration")?.id)
}

/// For whom an item is: a conversation that is with one agent only is for that agent.
fn assigned(named: Vec<AgentId>, only: Option<AgentId>) -> Result<Vec<AgentId>, Error> {
    let Some(only) = only else {
        return Ok(named);
    };
    if named.iter().any(|agent| *agent != only) {
        let message = format!("this conversation is with {only} alone");
        return Err(Error::invalid("agent_ids", message));
    }
    Ok(vec![only])
}

async fn thread(context: &Context, tx: &BoxTx, id: ConversationId) -> Result<Conversation, Error> {
    let unknown = || {
        let message = format!("{id} is no conversation of this tenant");
        Error::invalid("conversation_id", message)
    };
    let conversation = tx.conversations().find(context.tenant, id).await?;
    let conversation = conversation.ok_or_else(unknown)?;
    if let Err(Error::NotFound { .. }) = see_conversation(context, tx, &conversation).await {
        return Err(unknown());
    }
    let usable = tx
        .integrations()
        .find(context.tenant, conversation.integration_id)
        .await?
        .is_some_and(|integration| integration.enabled);
    if !usable {
        return Err(Error::conflict(
            "integration_unavailable",
            "the integration of that conversation was deleted or switched off, so no answer could be sent there",
        ));
    }
    Ok(conversation)
}

/// Work is handed by name only to agents that are switched on and see the integration, and without a name only where
/// the caller sees one that could take it.
pub(crate) async fn check_agents(
    context: &Context,
    tx: &BoxTx,
    integration: IntegrationId,
    (field, agents): (&'static str, &[AgentId]),
) -> Result<(), Error> {
    let hidden = context.hidden(tx).await?;
    if agents.is_empty() && hidden.agents.is_empty() {
        return Ok(());
    }
    let mut seeing = tx.agents().seeing(context.tenant, integration).await?;
    let any = !seeing.is_empty();
    seeing.retain(|agent| !hidden.agents.contains(&agent.id));
    if agents.is_empty() && any && seeing.is_empty() {
        return Err(Error::conflict(
            "no_agent",
            "no agent that you see works there; ask an administrator to show you one",
        ));
    }
    for id in agents {
        if !seeing.iter().any(|agent| agent.id == *id) {
            return Err(Error::invalid(
                field,
                format!("{id} is no agent that is switched on and sees this integration"),
            ));
        }
    }
    Ok(())
}

pub(crate) fn sender(context: &Context) -> Sender {
    let (external_id, display_name) = match &context.actor {
        Actor::User { id, name, .. }
        | Actor::Token {
            user: Some(id),
            name,
            ..
        } => (format!("user:{id}"), name.as_str()),
        Actor::Token { id: Some(id), .. } => (format!("token:{id}"), "API"),
        Actor::Token { id: None, .. } => ("token:admin".to_owned(), "API"),
        Actor::Agent(id) => (format!("agent:{id}"), "Agent"),
        Actor::System => ("system".to_owned(), "Nitejar"),
    };
    Sender {
        external_id,
        display_name: display_name.to_owned(),
        is_bot: matches!(context.actor, Actor::Agent(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_TITLE, title};

    #[test]
    fn a_thread_that_nobody_named_is_called_by_how_it_began() {
        assert_eq!(title("Count the stars \nof the sky"), "Count the stars");
        let long = "ä".repeat(LONGEST_TITLE + 1);
        assert_eq!(title(&long), format!("{}…", "ä".repeat(LONGEST_TITLE)));
        assert_eq!(title(&"ä".repeat(LONGEST_TITLE)), "ä".repeat(LONGEST_TITLE));
    }
}
