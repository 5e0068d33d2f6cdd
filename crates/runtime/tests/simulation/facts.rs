//! All rows of a simulated world, read when a question about them is asked.

use crate::world::World;
use domain::{
    budget::{Budget, BudgetScope},
    effect::Effect,
    event::JobEvent,
    id::JobId,
    job::Job,
    message::{Message, ToolCall},
    model::{ModelCall, ModelCallStatus},
    page::{MAX_LIMIT, Page, PageRequest},
    queue::Lane,
    sprite::SpriteSession,
    work::{Decision, WorkItem},
};
use ports::store::{BoxTx, EffectFilter, JobFilter, StoreError, WorkFilter};
use std::{collections::BTreeMap, sync::Arc};

/// What the database holds.
pub(crate) struct Facts {
    pub(crate) items: Vec<(WorkItem, Vec<Decision>)>,
    pub(crate) jobs: Vec<Story>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) events: Vec<JobEvent>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) lanes: Vec<Lane>,
    /// What decisions about an item without a job still hold.
    pub(crate) deciding: Vec<ModelCall>,
}

/// One job with all that belongs to it.
pub(crate) struct Story {
    pub(crate) job: Job,
    pub(crate) messages: Vec<Message>,
    pub(crate) tool_calls: Vec<ToolCall>,
    pub(crate) model_calls: Vec<ModelCall>,
    pub(crate) shell: Option<SpriteSession>,
}

impl Facts {
    pub(crate) async fn load(world: &Arc<World>) -> Self {
        let (tx, _busy) = world.look().await;
        Self::read(world, &tx).await.unwrap()
    }

    async fn read(world: &World, tx: &BoxTx) -> Result<Self, StoreError> {
        let tenant = world.tenant();
        let (every_item, every_job) = (WorkFilter::default(), JobFilter::default());
        let every_effect = EffectFilter::default();
        let items = all(async |page| tx.work().list(tenant, &every_item, page).await).await?;
        let jobs = all(async |page| tx.jobs().list(tenant, &every_job, page).await).await?;
        let effects =
            all(async |page| tx.effects().list(tenant, &every_effect, page).await).await?;
        let mut decided = Vec::new();
        let mut deciding = Vec::new();
        let agents = all(async |page| tx.agents().list(tenant, page).await).await?;
        for item in items {
            let calls = tx.ledger().triage_calls(tenant, item.id).await?.into_iter();
            let calls = calls.map(|(_, call)| call);
            deciding.extend(calls.filter(|call| call.status == ModelCallStatus::Reserved));
            let decisions = tx.work().decisions(tenant, item.id).await?;
            decided.push((item, decisions));
        }
        let mut scopes = vec![BudgetScope::Tenant];
        scopes.extend(agents.iter().map(|agent| BudgetScope::Agent(agent.id)));
        let mut stories = Vec::new();
        for job in jobs {
            scopes.push(BudgetScope::Job(job.id));
            stories.push(Story {
                messages: tx.transcript().of_jobs(tenant, &[job.id]).await?,
                tool_calls: tx.transcript().tool_calls(tenant, job.id).await?,
                model_calls: tx.ledger().calls(tenant, job.id).await?,
                shell: tx.sprite_sessions().open_of_job(tenant, job.id).await?,
                job,
            });
        }
        let mut budgets = Vec::new();
        for scope in scopes {
            budgets.extend(tx.ledger().find_budget(tenant, scope).await?);
        }
        let mut lanes = Vec::new();
        for lane in world.lanes() {
            lanes.extend(tx.lanes().lock(tenant, lane.id).await?);
        }
        Ok(Self {
            items: decided,
            jobs: stories,
            effects,
            events: tx.events().feed_after(tenant, 0, 1_000_000).await?,
            budgets,
            lanes,
            deciding,
        })
    }

    /// Whether an event has become an item.
    pub(crate) fn has_item(&self, event: &str) -> bool {
        self.items
            .iter()
            .any(|(item, _)| item.message.event_id == event)
    }

    /// The effects of a job.
    pub(crate) fn effects_of(&self, job: JobId) -> impl Iterator<Item = &Effect> {
        self.effects
            .iter()
            .filter(move |effect| effect.job_id == job)
    }

    /// Every job's events, in order.
    pub(crate) fn events_by_job(&self) -> BTreeMap<JobId, Vec<&JobEvent>> {
        let mut by_job: BTreeMap<JobId, Vec<&JobEvent>> = BTreeMap::new();
        for event in &self.events {
            by_job.entry(event.job_id).or_default().push(event);
        }
        by_job
    }
}

/// Every row of a list, oldest first.
async fn all<T>(
    list: impl AsyncFn(PageRequest) -> Result<Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    let mut request = PageRequest::first(MAX_LIMIT);
    loop {
        let page = list(request).await?;
        rows.extend(page.items);
        match page.next {
            None => break,
            next => request.cursor = next,
        }
    }
    rows.reverse();
    Ok(rows)
}
