//! Agents and integrations that are kept for some people. To everybody else they, and all that belongs to them, do not
//! exist; owners and admins see everything.

use crate::{Context, Error, error::found};
use domain::{
    access::{Area, Hidden, People, Restrictable, Right},
    audit::Change,
    conversation::Conversation,
    id::{AgentId, IntegrationId, UserId, WorkItemId},
    job::Job,
    page::{Cursor, Page, PageRequest},
};
use ports::store::{BoxTx, StoreTx};
use uuid::Uuid;

/// For whom it is.
pub async fn find(context: &Context, kind: Restrictable, id: Uuid) -> Result<People, Error> {
    context.authorise(area(kind), Right::Read)?;
    context.authorise(Area::People, Right::Read)?;
    let tx = context.read().await?;
    exists(context, &tx, kind, id).await?;
    Ok(tx.access().people(context.tenant, kind, id).await?)
}

/// Says for whom it is.
#[tracing::instrument(name = "people.set", skip_all, fields(tenant.id = %context.tenant))]
pub async fn set(
    context: &Context,
    kind: Restrictable,
    id: Uuid,
    mut people: People,
) -> Result<People, Error> {
    context.authorise(area(kind), Right::Administer)?;
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.write().await?;
    let name = exists(context, &tx, kind, id).await?;
    known(context, tx.as_ref(), "user_ids", &mut people.users).await?;
    let access = tx.access();
    let before = access.people(context.tenant, kind, id).await?;
    access.set_people(context.tenant, kind, id, &people).await?;
    drop(access);
    let (action, subject) = match kind {
        Restrictable::Agent => ("agent.people_set", "agent"),
        Restrictable::Integration => ("integration.people_set", "integration"),
    };
    let facts = |people: &People| serde_json::json!({ "restricted": people.restricted, "user_ids": people.users });
    let change = Change::to(action, subject, id, name);
    let change = change.between(Some(facts(&before)), Some(facts(&people)));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(people)
}

/// Makes a list of people one of users that exist, each once.
pub(crate) async fn known(
    context: &Context,
    tx: &dyn StoreTx,
    field: &str,
    users: &mut Vec<UserId>,
) -> Result<(), Error> {
    users.sort_unstable();
    users.dedup();
    let known = tx.users().list(context.tenant).await?;
    let stranger = users
        .iter()
        .find(|user| !known.iter().any(|one| one.id == **user));
    stranger.map_or(Ok(()), |user| {
        Err(Error::invalid(field, format!("there is no user {user}")))
    })
}

const fn area(kind: Restrictable) -> Area {
    match kind {
        Restrictable::Agent => Area::Agents,
        Restrictable::Integration => Area::Integrations,
    }
}

/// What people call it, when the caller sees it.
async fn exists(
    context: &Context,
    tx: &BoxTx,
    kind: Restrictable,
    id: Uuid,
) -> Result<Option<String>, Error> {
    match kind {
        Restrictable::Agent => {
            let id = AgentId::from_uuid(id);
            let agent = found(tx.agents().find(context.tenant, id).await?, "agent")?;
            see_agent(context, tx, id, "agent").await?;
            Ok(Some(agent.name.to_string()))
        }
        Restrictable::Integration => {
            let id = IntegrationId::from_uuid(id);
            let integration = tx.integrations().find(context.tenant, id).await?;
            let integration = found(integration, "integration")?;
            see_integration(context, tx, id, "integration").await?;
            Ok(Some(integration.name))
        }
    }
}

/// `NotFound` of `what` when the caller does not see the agent.
pub(crate) async fn see_agent(
    context: &Context,
    tx: &BoxTx,
    agent: AgentId,
    what: &'static str,
) -> Result<(), Error> {
    let hidden = context.hidden(tx).await?;
    seen(!hidden.agents.contains(&agent), what)
}

/// `NotFound` of `what` when the caller does not see the integration.
pub(crate) async fn see_integration(
    context: &Context,
    tx: &BoxTx,
    integration: IntegrationId,
    what: &'static str,
) -> Result<(), Error> {
    let hidden = context.hidden(tx).await?;
    seen(!hidden.integrations.contains(&integration), what)
}

/// `NotFound` of `what` when the caller does not see the job: its agent, or where its work came in.
pub(crate) async fn see_job(
    context: &Context,
    tx: &BoxTx,
    job: &Job,
    what: &'static str,
) -> Result<(), Error> {
    let hidden = context.hidden(tx).await?;
    if hidden.is_empty() {
        return Ok(());
    }
    seen(!hidden.agents.contains(&job.agent_id), what)?;
    see_item(context, tx, &hidden, job.work_item_id, what).await
}

/// `NotFound` of `what` when the caller does not see the work item: where it came in, or all who have it.
pub(crate) async fn see_item(
    context: &Context,
    tx: &BoxTx,
    hidden: &Hidden,
    item: WorkItemId,
    what: &'static str,
) -> Result<(), Error> {
    if hidden.is_empty() {
        return Ok(());
    }
    let is_hidden = tx.work().is_hidden(context.tenant, item, hidden).await?;
    seen(!is_hidden, what)
}

/// `NotFound` when the caller does not see the conversation: where it takes place, or all who work in it.
pub(crate) async fn see_conversation(
    context: &Context,
    tx: &BoxTx,
    conversation: &Conversation,
) -> Result<(), Error> {
    let hidden = context.hidden(tx).await?;
    if hidden.is_empty() {
        return Ok(());
    }
    let conversations = tx.conversations();
    let is_hidden = conversations
        .is_hidden(context.tenant, conversation.id, &hidden)
        .await?;
    seen(!is_hidden, "conversation")
}

/// A full page of what the caller sees, from as many pages as that takes.
pub(crate) struct PageOfSeen<T> {
    limit: u32,
    rows: Vec<T>,
    /// The page to ask for next; none when there is enough, or no more.
    pub(crate) wanted: Option<PageRequest>,
    next: Option<Cursor>,
}

impl<T> PageOfSeen<T> {
    pub(crate) const fn new(request: PageRequest) -> Self {
        Self {
            limit: request.limit,
            rows: Vec::new(),
            wanted: Some(request),
            next: None,
        }
    }

    /// Takes what may be seen of a page.
    pub(crate) fn add(&mut self, page: Page<T>, seen: impl FnMut(&T) -> bool) {
        self.rows.extend(page.items.into_iter().filter(seen));
        self.next = page.next;
        let enough = usize::try_from(self.limit).unwrap_or(usize::MAX);
        self.wanted = page
            .next
            .filter(|_| self.rows.len() < enough)
            .map(|cursor| PageRequest {
                limit: self.limit,
                cursor: Some(cursor),
            });
    }

    /// The page.
    pub(crate) fn whole(self, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let mut page = Page::from_overfetch(self.rows, self.limit, id);
        page.next = page.next.or(self.next);
        page
    }
}

fn seen(is_seen: bool, what: &'static str) -> Result<(), Error> {
    if is_seen {
        Ok(())
    } else {
        Err(Error::NotFound { what })
    }
}
