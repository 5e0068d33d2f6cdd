//! What is counted over many rows.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    Timestamp,
    access::Hidden,
    approval::{Approval, ApprovalKind, ApprovalStatus, Approvers, OPEN_FOR},
    budget::{Limit, Micros},
    effect::{Effect, EffectStatus},
    id::{ApprovalId, JobId},
    job::{Job, JobFailure, JobStatus},
    model::{ModelCallStatus, Usage},
    queue::EntryStatus,
    work::WorkItemStatus,
};
use ports::{
    ids::Ids,
    store::{CostFilter, CostGroup, DayOutcome, DayWait, Needs},
};
use std::time::Duration;

fn approval(h: &Harness, job: &Job, reply: &Effect) -> Approval {
    Approval {
        id: ApprovalId::from_uuid(h.ids.next()),
        tenant_id: job.tenant_id,
        kind: ApprovalKind::Reply,
        status: ApprovalStatus::Pending,
        agent_id: job.agent_id,
        job_id: job.id,
        work_item_id: job.work_item_id,
        conversation_id: job.conversation_id,
        integration_id: reply.integration_id,
        effect_id: Some(reply.id),
        tool_call_id: None,
        question: "May it go out?".to_owned(),
        action: serde_json::json!({}),
        digest: "d".to_owned(),
        approvers: Approvers::default(),
        requesters: Vec::new(),
        requested_at: job.created_at,
        expires_at: job.created_at + OPEN_FOR,
        decided_at: None,
        decided_by: None,
        note: None,
    }
}

/// A running job with an effect of every kind that counts, and something behind it in its lane.
async fn busy(h: &Harness) -> Job {
    let c = h.claimed("chat").await;
    let effect = |slot: &str, status: EffectStatus| Effect {
        slot: slot.to_owned(),
        status,
        ..builders::reply(&*h.ids, &c.job, &c.item, h.now())
    };
    let held = effect("reply", EffectStatus::Held);
    let mut job = c.job.clone();
    job.start(h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    for (slot, status) in [
        ("a", EffectStatus::Unknown),
        ("b", EffectStatus::Failed),
        ("c", EffectStatus::Pending),
        ("d", EffectStatus::Sent),
    ] {
        tx.effects().insert(&effect(slot, status)).await.unwrap();
    }
    tx.effects().insert(&held).await.unwrap();
    let asked = approval(h, &job, &held);
    tx.approvals().insert(&asked).await.unwrap();
    tx.commit().await.unwrap();
    h.clock.advance(Duration::from_secs(5));
    h.receive("waits", "chat").await;
    job
}

async fn needs(h: &Harness, hidden: &Hidden, since: Timestamp) -> Needs {
    let tx = h.read().await;
    let needs = tx.reports().needs(h.tenant.id, hidden, since).await;
    needs.unwrap()
}

fn hidden(h: &Harness) -> [Hidden; 2] {
    let by_agent = Hidden {
        agents: vec![h.agent.id],
        integrations: Vec::new(),
    };
    let by_place = Hidden {
        agents: Vec::new(),
        integrations: vec![h.integration.id],
    };
    [by_agent, by_place]
}

/// What waits for people; agents stand as their jobs and lanes do.
pub async fn what_waits_is_counted_without_what_is_hidden(h: &Harness) {
    let (tenant, began, none) = (h.tenant.id, h.now(), Hidden::default());
    let job = busy(h).await;
    let wanted = Needs {
        approvals: 1,
        failed_jobs: 0,
        dead_letters: 1,
        unknown_effects: 1,
        pending_effects: 1,
    };
    assert_eq!(needs(h, &none, began).await, wanted);
    let tx = h.read().await;
    let agents = tx.reports().agents(tenant, &none, h.now()).await.unwrap();
    assert_eq!(agents.len(), 1);
    let ada = &agents[0];
    assert_eq!((ada.id, ada.running, ada.waiting), (h.agent.id, 1, 0));
    assert_eq!((ada.queued, ada.oldest_queued_at), (2, Some(began)));
    assert_eq!(ada.last_active_at, job.started_at);

    let [by_agent, by_place] = hidden(h);
    for hidden in [&by_agent, &by_place] {
        assert_eq!(needs(h, hidden, began).await, Needs::default());
    }
    let agents = tx.reports().agents(tenant, &by_agent, h.now()).await;
    assert_eq!(agents.unwrap(), vec![]);
    let agents = tx.reports().agents(tenant, &by_place, h.now()).await;
    let agents = agents.unwrap();
    assert_eq!((agents[0].running, agents[0].queued), (0, 0));
}

/// A job that failed lately, unless there is a later attempt.
pub async fn a_failed_job_counts_until_it_is_tried_again(h: &Harness) {
    let (began, none) = (h.now(), Hidden::default());
    let mut job = busy(h).await;
    let failure = JobFailure {
        code: "x".to_owned(),
        message: "y".to_owned(),
    };
    job.fail(failure, h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |since: Timestamp| needs(h, &none, since).await.failed_jobs;
    assert_eq!(count(began).await, 1);
    assert_eq!(count(h.now() + Duration::from_secs(1)).await, 0);
    for hidden in hidden(h) {
        assert_eq!(needs(h, &hidden, began).await.failed_jobs, 0);
    }
    let mut retry = job.clone();
    retry.id = JobId::from_uuid(h.ids.next());
    retry.attempt = 2;
    retry.retry_of = Some(job.id);
    retry.status = JobStatus::Queued;
    retry.failure = None;
    retry.finished_at = None;
    let tx = h.write().await;
    tx.jobs().insert(&retry, Limit::Unlimited).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(began).await, 0);
}

async fn pay(h: &Harness, c: &Claimed, cost: i64) {
    let mut call = builders::model_call(&*h.ids, &c.job, Micros(1_000), h.now());
    let tx = h.write().await;
    tx.ledger().reserve(&call, c.job.agent_id).await.unwrap();
    call.status = ModelCallStatus::Settled;
    call.cost = Micros(cost);
    call.usage = Usage {
        input: 10,
        output: 5,
        cache_read: 3,
        cache_write: 0,
    };
    call.finished_at = Some(h.now());
    tx.ledger().settle(&call, c.job.agent_id).await.unwrap();
    tx.commit().await.unwrap();
}

fn day(at: Timestamp) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// By what is asked for and by day; reserved calls and what is hidden are left out.
pub async fn money_is_added_up_by_what_is_asked_for(h: &Harness) {
    let c = h.claimed("chat").await;
    let began = h.now();
    pay(h, &c, 40).await;
    h.clock.advance(Duration::from_hours(24));
    pay(h, &c, 2).await;
    let reserved = builders::model_call(&*h.ids, &c.job, Micros(1_000), h.now());
    let tx = h.write().await;
    tx.ledger()
        .reserve(&reserved, c.job.agent_id)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let tx = h.read().await;
    let costs = async |group: CostGroup, daily: bool, hidden: Hidden| {
        let filter = CostFilter {
            from: began,
            to: h.now() + Duration::from_secs(1),
            group,
            daily,
            hidden,
        };
        let rows = tx.reports().costs(h.tenant.id, &filter).await.unwrap();
        let rows = rows.into_iter();
        rows.map(|row| (row.day, row.key, row.label, row.calls, row.cost.0))
            .collect::<Vec<_>>()
    };
    let none = Hidden::default;
    let whole = costs(CostGroup::Whole, false, none()).await;
    assert_eq!(whole, [(None, None, None, 2, 42)]);
    let agent = Some(h.agent.id.to_string());
    let name = Some(h.agent.name.as_str().to_owned());
    let by_agent = costs(CostGroup::Agent, true, none()).await;
    let wanted = [
        (Some(day(began)), agent.clone(), name.clone(), 1, 40),
        (Some(day(h.now())), agent, name, 1, 2),
    ];
    assert_eq!(by_agent, wanted);
    let model = Some(c.job.model.to_string());
    let by_model = costs(CostGroup::Model, false, none()).await;
    assert_eq!(by_model, [(None, model.clone(), model, 2, 42)]);
    let thread = Some(c.item.conversation_id.to_string());
    let bot = Some(h.integration.name.clone());
    let by_thread = costs(CostGroup::Conversation, false, none()).await;
    assert_eq!(by_thread, [(None, thread, bot, 2, 42)]);
    for hidden in hidden(h) {
        assert_eq!(costs(CostGroup::Whole, false, hidden).await, []);
    }
    let spent = tx.reports().spent_today(h.tenant.id, h.now()).await;
    assert_eq!(spent.unwrap(), Micros(2), "reserved is not spent");
}

/// Hands work in, waits so long, and finishes it with a reply.
async fn answered(h: &Harness, chat: &str, wait: Duration) {
    let c = h.claimed(chat).await;
    let tenant = h.tenant.id;
    h.clock.advance(wait);
    let mut job = c.job.clone();
    job.start(h.now()).unwrap();
    job.complete(h.now()).unwrap();
    let mut reply = builders::reply(&*h.ids, &job, &c.item, h.now());
    reply.status = EffectStatus::Sent;
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    tx.effects().insert(&reply).await.unwrap();
    let entry = tx.lanes().entry(tenant, c.lane.id, c.item.id).await;
    let entry = entry.unwrap().unwrap().id;
    tx.lanes()
        .set_entry(tenant, entry, EntryStatus::Done, Some(job.id))
        .await
        .unwrap();
    let settled = tx.work().settle(tenant, c.item.id, None, h.now()).await;
    assert_eq!(settled.unwrap(), WorkItemStatus::Replied);
    tx.commit().await.unwrap();
}

/// How jobs ended, and how long people waited for their answers: in whole seconds, and by rank.
pub async fn outcomes_are_counted_by_day(h: &Harness) {
    let (tenant, began) = (h.tenant.id, h.now());
    answered(h, "slow", Duration::from_hours(24)).await;
    answered(h, "usual", Duration::from_millis(40_900)).await;
    answered(h, "quick", Duration::from_secs(7)).await;

    let tx = h.read().await;
    let reports = tx.reports();
    let span = (began, h.now() + Duration::from_secs(1));
    let outcome = DayOutcome {
        day: day(h.now()),
        completed: 3,
        failed: 0,
        cancelled: 0,
    };
    let wait = DayWait {
        day: day(h.now()),
        p50: 40,
        p95: 86_400,
    };
    let none = Hidden::default();
    let outcomes = reports.outcomes(tenant, &none, span).await.unwrap();
    assert_eq!(outcomes, vec![outcome]);
    let waits = reports.waits(tenant, &none, span).await.unwrap();
    assert_eq!(waits, vec![wait]);
    for hidden in hidden(h) {
        let outcomes = reports.outcomes(tenant, &hidden, span).await.unwrap();
        let waits = reports.waits(tenant, &hidden, span).await.unwrap();
        assert_eq!((outcomes, waits), (vec![], vec![]));
    }
}
