//! Jobs and the shells they use.

use super::Harness;
use crate::builders;
use domain::{
    access::Hidden,
    budget::{BudgetScope, Limit, Micros, Period},
    id::{BackgroundProcessId, SpriteSessionId},
    job::{Job, JobFailure, JobStatus},
    model::Usage,
    page::PageRequest,
    sprite::{BackgroundProcess, BackgroundStatus, SpriteSession, SpriteSessionStatus},
};
use ports::{
    ids::Ids,
    store::{JobFilter, StoreError},
};
use std::time::Duration;

/// Every field but the request to stop, which only asking sets.
pub async fn jobs_round_trip_within_their_tenant(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let tx = h.write().await;
    let jobs = tx.jobs();
    assert_eq!(
        jobs.find(tenant, c.job.id).await.unwrap(),
        Some(c.job.clone())
    );
    assert_eq!(jobs.find(h.stranger(), c.job.id).await.unwrap(), None);
    let mut job = c.job.clone();
    job.start(h.now()).unwrap();
    let failure = JobFailure {
        code: "turn_limit".to_owned(),
        message: "It took too many turns.".to_owned(),
    };
    job.fail(failure, h.now() + Duration::from_secs(1)).unwrap();
    job.usage = Usage {
        input: 1,
        output: 2,
        cache_read: 3,
        cache_write: 4,
    };
    job.cost = Micros(5);
    let mut asked = job.clone();
    asked.cancel_requested_at = Some(h.now());
    jobs.update(&asked).await.unwrap();
    assert_eq!(jobs.find(tenant, job.id).await.unwrap(), Some(job));
}

/// A retry is a new attempt with a budget of its own; lists find both.
pub async fn attempts_are_unique_and_listed(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let twin = builders::job(&*h.ids, &c.lane, c.item.id, h.now());
    let tx = h.write().await;
    let refused = tx.jobs().insert(&twin, Limit::Unlimited).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict { entity: "job", .. })
    ));
    drop(tx);
    let tx = h.write().await;
    let jobs = tx.jobs();
    let mut retry = twin;
    retry.attempt = 2;
    retry.retry_of = Some(c.job.id);
    jobs.insert(&retry, Limit::Of(Micros(7))).await.unwrap();
    let last = jobs.last_attempt(tenant, c.item.id, h.agent.id).await;
    assert_eq!(last.unwrap(), 2);
    let none = jobs.last_attempt(h.stranger(), c.item.id, h.agent.id).await;
    assert_eq!(none.unwrap(), 0);
    let scope = BudgetScope::Job(retry.id);
    let budget = tx
        .ledger()
        .find_budget(tenant, scope)
        .await
        .unwrap()
        .unwrap();
    let limit = (budget.period, budget.limit);
    assert_eq!(limit, (Period::Total, Limit::Of(Micros(7))));
    let filter = JobFilter {
        agent_id: Some(h.agent.id),
        work_item_id: Some(c.item.id),
        conversation_id: Some(c.lane.conversation_id),
        status: None,
        hidden: Hidden::default(),
    };
    let page = jobs.list(tenant, &filter, PageRequest::first(10)).await;
    assert_eq!(page.unwrap().items, vec![retry.clone(), c.job.clone()]);
    let queued = JobFilter {
        status: Some(JobStatus::Queued),
        ..JobFilter::default()
    };
    let page = jobs.list(tenant, &queued, PageRequest::first(1)).await;
    assert_eq!(page.unwrap().items, vec![retry]);
}

/// Once asked, asked for good; the process hears of it.
pub async fn cancelling_asks_unfinished_jobs_only(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, id, asked_at) = (h.tenant.id, c.job.id, h.now());
    let tx = h.write().await;
    assert!(
        !tx.jobs()
            .request_cancel(h.stranger(), id, asked_at)
            .await
            .unwrap()
    );
    assert!(
        tx.jobs()
            .request_cancel(tenant, id, asked_at)
            .await
            .unwrap()
    );
    h.clock.advance(Duration::from_secs(1));
    assert!(tx.jobs().request_cancel(tenant, id, h.now()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(h.commits.take()[0].cancelled, vec![id, id]);
    let tx = h.write().await;
    let mut job = tx.jobs().find(tenant, id).await.unwrap().unwrap();
    assert_eq!(job.cancel_requested_at, Some(asked_at));
    job.cancel(h.now()).unwrap();
    tx.jobs().update(&job).await.unwrap();
    assert!(!tx.jobs().request_cancel(tenant, id, h.now()).await.unwrap());
}

/// Only final ones, only earlier ones, at most as many as asked.
pub async fn finished_jobs_of_a_lane_come_newest_first(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let jobs = tx.jobs();
    let mut all = vec![c.job.clone()];
    for attempt in 2..6 {
        let mut job = builders::job(&*h.ids, &c.lane, c.item.id, h.now());
        job.attempt = attempt;
        jobs.insert(&job, Limit::Unlimited).await.unwrap();
        all.push(job);
    }
    for job in &mut all[..3] {
        job.cancel(h.now()).unwrap();
        jobs.update(job).await.unwrap();
    }
    let before = all[4].id;
    let memory = async |tenant, limit| {
        jobs.finished_in_lane(tenant, c.lane.id, before, limit)
            .await
            .unwrap()
    };
    let newest = vec![all[2].clone(), all[1].clone()];
    assert_eq!(memory(h.tenant.id, 2).await, newest);
    assert_eq!(memory(h.tenant.id, 9).await.len(), 3);
    assert_eq!(memory(h.stranger(), 9).await, vec![]);
}

/// A second one is refused until the first has ended.
pub async fn a_job_has_one_open_shell(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let shell = || SpriteSession {
        id: SpriteSessionId::from_uuid(h.ids.next()),
        tenant_id: tenant,
        agent_id: h.agent.id,
        job_id: c.job.id,
        instance: None,
        status: SpriteSessionStatus::Open,
        created_at: h.now(),
        closed_at: None,
    };
    let (mut first, second) = (shell(), shell());
    let tx = h.write().await;
    tx.sprite_sessions().insert(&first).await.unwrap();
    tx.commit().await.unwrap();
    let refused = h.write().await.sprite_sessions().insert(&second).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "sprite session",
            ..
        })
    ));
    let tx = h.write().await;
    let shells = tx.sprite_sessions();
    let open = shells.open_of_job(tenant, c.job.id).await.unwrap();
    assert_eq!(open, Some(first.clone()));
    let (lost, closed) = (SpriteSessionStatus::Lost, SpriteSessionStatus::Closed);
    shells.close(tenant, first.id, lost, h.now()).await.unwrap();
    shells
        .close(tenant, first.id, closed, h.now())
        .await
        .unwrap();
    first.status = lost;
    first.closed_at = Some(h.now());
    shells.insert(&second).await.unwrap();
    let all = shells.of_agent(tenant, h.agent.id, 10).await.unwrap();
    assert_eq!(all, vec![second.clone(), first]);
    let newest = shells.of_agent(tenant, h.agent.id, 1).await.unwrap();
    assert_eq!(newest, vec![second]);
    assert_eq!(
        shells.open_of_job(h.stranger(), c.job.id).await.unwrap(),
        None
    );
}

/// Those of final jobs and of lanes that nobody holds; a shell that somebody works with is not among them, nor
/// one of another machine.
pub async fn shells_without_a_worker_are_orphaned(h: &Harness) {
    let tenant = h.tenant.id;
    let (worked, ended, left) = (
        h.claimed("1").await,
        h.claimed("2").await,
        h.claimed("3").await,
    );
    let tx = h.write().await;
    let shells = tx.sprite_sessions();
    let mut all = Vec::new();
    for claimed in [&worked, &ended, &left] {
        let shell = SpriteSession {
            id: SpriteSessionId::from_uuid(h.ids.next()),
            tenant_id: tenant,
            agent_id: h.agent.id,
            job_id: claimed.job.id,
            instance: Some("here".to_owned()),
            status: SpriteSessionStatus::Open,
            created_at: h.now(),
            closed_at: None,
        };
        shells.insert(&shell).await.unwrap();
        all.push(shell);
    }
    let orphans = async |limit| shells.orphaned(tenant, "here", limit).await.unwrap();
    assert_eq!(orphans(10).await, vec![]);
    let mut job = ended.job.clone();
    job.cancel(h.now()).unwrap();
    tx.jobs().update(&job).await.unwrap();
    let (lanes, lane) = (tx.lanes(), left.lane);
    let released = lanes.release(tenant, lane.id, lane.fence, h.now()).await;
    released.unwrap();
    assert_eq!(orphans(10).await, all[1..]);
    assert_eq!(orphans(1).await, all[1..2]);
    for (tenant, instance) in [(h.stranger(), "here"), (tenant, "there")] {
        let none = shells.orphaned(tenant, instance, 10).await;
        assert_eq!(none.unwrap(), vec![]);
    }
    let lost = SpriteSessionStatus::Lost;
    shells
        .close(tenant, all[1].id, lost, h.now())
        .await
        .unwrap();
    assert_eq!(orphans(10).await, all[2..]);

    let first = PageRequest::first(2);
    let page = shells.list(tenant, None, first).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id), (2, all[2].id));
    assert!(page.next.is_some());
    let page = shells.list(tenant, Some(lost), first).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id), (1, all[1].id));
    let none = shells.list(h.stranger(), None, first).await.unwrap();
    assert_eq!(none.items, vec![]);
}

/// An agent's commands are found in the conversation they belong to, and by nobody of another tenant.
pub async fn background_processes_are_found_by_their_conversation(h: &Harness) {
    let (here, there) = (h.claimed("here").await, h.claimed("there").await);
    let tenant = h.tenant.id;
    let process = |job: &Job| BackgroundProcess {
        id: BackgroundProcessId::from_uuid(h.ids.next()),
        tenant_id: tenant,
        agent_id: h.agent.id,
        conversation_id: job.conversation_id,
        job_id: job.id,
        process: None,
        command: "npm run dev".to_owned(),
        status: BackgroundStatus::Running,
        exit_code: None,
        output: None,
        created_at: h.now(),
        ended_at: None,
    };
    let (mut first, second) = (process(&here.job), process(&there.job));
    let tx = h.write().await;
    let processes = tx.background_processes();
    processes.insert(&first).await.unwrap();
    processes.insert(&second).await.unwrap();
    let of = async |tenant, conversation| {
        let agent = h.agent.id;
        let found = processes.of_agent(tenant, agent, conversation, 10).await;
        found.unwrap()
    };
    let all = of(tenant, None).await;
    assert_eq!(all, vec![second.clone(), first.clone()]);
    let here_only = of(tenant, Some(here.job.conversation_id)).await;
    assert_eq!(here_only, vec![first.clone()]);
    assert_eq!(of(h.stranger(), None).await, vec![]);
    first.process = Some("7".to_owned());
    first.status = BackgroundStatus::Ended;
    first.exit_code = Some(3);
    first.output = Some("bye\n".to_owned());
    first.ended_at = Some(h.now());
    processes.update(&first).await.unwrap();
    let stranger = BackgroundProcess {
        tenant_id: h.stranger(),
        status: BackgroundStatus::Lost,
        ..second.clone()
    };
    processes.update(&stranger).await.unwrap();
    let found = async |tenant, id| processes.find(tenant, id).await.unwrap();
    assert_eq!(found(tenant, first.id).await, Some(first.clone()));
    assert_eq!(found(tenant, second.id).await, Some(second));
    assert_eq!(found(h.stranger(), first.id).await, None);
}

/// While it lives, how its shells stand nobody else knows.
pub async fn shells_of_a_process_that_is_gone_are_orphaned_everywhere(h: &Harness) {
    let tenant = h.tenant.id;
    let (worker, c) = (h.worker("gone").await, h.claimed("chat").await);
    let mut shell = SpriteSession {
        id: SpriteSessionId::from_uuid(h.ids.next()),
        tenant_id: tenant,
        agent_id: h.agent.id,
        job_id: c.job.id,
        instance: Some("gone".to_owned()),
        status: SpriteSessionStatus::Open,
        created_at: h.now(),
        closed_at: None,
    };
    let tx = h.write().await;
    tx.sprite_sessions().insert(&shell).await.unwrap();
    let (lanes, lane) = (tx.lanes(), c.lane);
    let released = lanes.release(tenant, lane.id, lane.fence, h.now()).await;
    released.unwrap();
    drop(lanes);
    tx.commit().await.unwrap();
    let orphans = async |instance| {
        let tx = h.read().await;
        let orphans = tx.sprite_sessions().orphaned(tenant, instance, 10).await;
        orphans.unwrap()
    };
    assert_eq!(orphans("here").await, vec![]);
    assert_eq!(orphans("gone").await, vec![shell.clone()]);
    h.store.retire(worker, h.now()).await.unwrap();
    shell.instance = None;
    assert_eq!(orphans("here").await, vec![shell]);
}
