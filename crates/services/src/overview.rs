//! The whole at a glance: what needs a person, what runs, how agents and connections stand. Read in one snapshot, so
//! that its parts agree; nothing here changes anything.

use crate::{
    Context, Error,
    status::{Status, describe},
};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    access::{Area, Hidden, Right},
    budget::Micros,
    integration::Integration,
    job::{Job, JobStatus},
    page::{MAX_LIMIT, PageRequest},
};
use ports::store::{AgentStanding, BoxTx, JobFilter, Needs};

/// How many running jobs are shown.
const RUNNING: u32 = 20;
/// For how long a failed job asks for somebody.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// The whole at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// What waits for a person, and effects that wait for their turn.
    pub needs: Needs,
    /// The newest jobs that run.
    pub running: Vec<Job>,
    /// Every agent the caller sees, in the order of names.
    pub agents: Vec<AgentStanding>,
    /// What was spent today.
    pub spent_today: Micros,
    /// Every integration the caller sees, newest first.
    pub integrations: Vec<Integration>,
    /// How many items wait in lanes.
    pub queued: i64,
    /// Since when the first of them waits.
    pub oldest_queued_at: Option<Timestamp>,
    /// What this server is.
    pub status: Status,
    /// The instant all this is about.
    pub at: Timestamp,
}

/// The whole, as the caller sees it.
pub async fn show(context: &Context) -> Result<Overview, Error> {
    for area in [
        Area::Agents,
        Area::Integrations,
        Area::Work,
        Area::Effects,
        Area::Approvals,
        Area::Costs,
    ] {
        context.authorise(area, Right::Read)?;
    }
    let now = context.now();
    let tx = context.read().await?;
    let hidden = context.hidden(&tx).await?;
    let reports = tx.reports();
    let agents = reports.agents(context.tenant, &hidden, now).await?;
    // Who does not see every agent does not see what all of them spent.
    let spent_today = if hidden.is_empty() {
        reports.spent_today(context.tenant, now).await?
    } else {
        let sum = |sum: Micros, agent: &AgentStanding| sum.plus(agent.spent_today);
        agents.iter().fold(Micros::ZERO, sum)
    };
    let needs = reports.needs(context.tenant, &hidden, now - LATELY).await?;
    drop(reports);
    let filter = JobFilter {
        status: Some(JobStatus::Running),
        hidden: hidden.clone(),
        ..JobFilter::default()
    };
    let running = tx
        .jobs()
        .list(context.tenant, &filter, PageRequest::first(RUNNING))
        .await?;
    Ok(Overview {
        needs,
        running: running.items,
        spent_today,
        integrations: integrations(context, &tx, &hidden).await?,
        queued: agents.iter().map(|agent| agent.queued).sum(),
        oldest_queued_at: agents.iter().filter_map(|a| a.oldest_queued_at).min(),
        agents,
        status: describe(&context.platform),
        at: now,
    })
}

async fn integrations(
    context: &Context,
    tx: &BoxTx,
    hidden: &Hidden,
) -> Result<Vec<Integration>, Error> {
    let mut all = Vec::new();
    let mut wanted = Some(PageRequest::first(MAX_LIMIT));
    while let Some(request) = wanted {
        let page = tx.integrations().list(context.tenant, request).await?;
        all.extend(page.items);
        wanted = page.next.map(|cursor| PageRequest {
            cursor: Some(cursor),
            ..request
        });
    }
    all.retain(|integration| !hidden.integrations.contains(&integration.id));
    Ok(all)
}
