//! Gathers what the loop guards judge by, from the rows and never more than their limits need. The
//! judgement is `domain::guard`'s.

use crate::{
    decide::Scene,
    engine::Engine,
    job::{Halt, Run},
};
use ::agent::triage::{self, Ruling};
use domain::{
    effect::{EffectAction, REPLY_SLOT},
    guard::{self, LOOK_BACK, Trail},
    id::{JobId, TenantId},
    job::JobFailure,
    queue::Lane,
    work::{DecidedBy, Verdict, WorkItem},
};
use ports::store::{StoreError, StoreTx};

/// What rules and guards say of an item that would get a job of its own; `None` when only a model can tell.
pub(crate) async fn rule(
    engine: &Engine,
    lane: Lane,
    scene: &Scene,
    item: &WorkItem,
) -> Result<Option<Ruling>, StoreError> {
    let ruling = triage::by_rule(item, &scene.agent, &scene.peers);
    if !is_guarded(item, ruling.as_ref()) {
        return Ok(ruling);
    }
    let tx = engine.read(lane.tenant_id).await?;
    let now = JobId::from_uuid(engine.platform.ids.next());
    let limit = scene.agent.loop_limits.identical_answers;
    let answers = answers(tx.as_ref(), lane, now, limit).await?;
    Ok(refusal(tx.as_ref(), scene, item, &answers)
        .await?
        .or(ruling))
}

/// The same for an item that a running job would take over: what it would answer nobody knows yet.
pub(crate) async fn rule_in(
    tx: &dyn StoreTx,
    scene: &Scene,
    item: &WorkItem,
) -> Result<Option<Ruling>, StoreError> {
    let ruling = triage::by_rule(item, &scene.agent, &scene.peers);
    if !is_guarded(item, ruling.as_ref()) {
        return Ok(ruling);
    }
    Ok(refusal(tx, scene, item, &[]).await?.or(ruling))
}

/// Fails a job that gets nowhere: it takes its workers down, or does the same over and over.
pub(crate) fn check(run: &Run) -> Result<(), Halt> {
    let limits = &run.scene.agent.loop_limits;
    if guard::is_abandoned(run.resumes, limits) {
        return Err(Halt::Failed(JobFailure {
            code: "abandoned".to_owned(),
            message: format!(
                "The server process that worked on it ended {} times without getting any further, so it was given \
                 up. The server's log may say why; retry the job once that is mended.",
                run.resumes
            ),
        }));
    }
    match guard::repeated_call(&run.transcript, limits.identical_calls) {
        Some(tool) => Err(Halt::Failed(JobFailure {
            code: "loop_suspected".to_owned(),
            message: format!(
                "It used `{tool}` {} times in a row with the same arguments and the same result. Say what should be \
                 done differently, or raise the agent's loop_limits.identical_calls.",
                limits.identical_calls
            ),
        })),
        None => Ok(()),
    }
}

/// Guards are about bots; people are always heard. What is passed anyway needs none.
fn is_guarded(item: &WorkItem, ruling: Option<&Ruling>) -> bool {
    item.message.sender.is_bot && ruling.is_none_or(|ruling| ruling.verdict == Verdict::Act)
}

async fn refusal(
    tx: &dyn StoreTx,
    scene: &Scene,
    item: &WorkItem,
    answers: &[String],
) -> Result<Option<Ruling>, StoreError> {
    let limits = &scene.agent.loop_limits;
    let (tenant, work) = (item.tenant_id, tx.work());
    let bots = work.bots(tenant, item, limits.relay_depth + 1).await?;
    let since = item.created_at - limits.bot_memory();
    let arrivals = work.bot_arrivals(tenant, item, since, LOOK_BACK).await?;
    let trail = Trail {
        bots: &bots,
        arrivals: &arrivals,
        answers,
    };
    let suspicion = guard::suspicion(limits, &trail);
    if let Some(suspicion) = suspicion {
        tracing::warn!(work_item.id = %item.id, agent.id = %scene.agent.id, "a bot's message is passed: {suspicion}");
    }
    Ok(suspicion.map(|suspicion| Ruling {
        verdict: Verdict::Pass,
        by: DecidedBy::Guard,
        reason: suspicion.to_string(),
    }))
}

/// What the agent last answered to bots, newest first, back to what it answered to a person.
async fn answers(
    tx: &dyn StoreTx,
    lane: Lane,
    before: JobId,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let tenant = lane.tenant_id;
    let jobs = tx
        .jobs()
        .finished_in_lane(tenant, lane.id, before, limit)
        .await?;
    let mut answers = Vec::new();
    for job in jobs {
        let item = tx.work().find(tenant, job.work_item_id).await?;
        if !item.is_some_and(|item| item.message.sender.is_bot) {
            break;
        }
        answers.push(match job.failure {
            // The notice itself names the job, so no two are the same.
            Some(failure) => failure.message,
            None => match reply(tx, tenant, job.id).await? {
                Some(reply) => reply,
                None => break,
            },
        });
    }
    Ok(answers)
}

/// What a job replied, when it owed a reply.
async fn reply(
    tx: &dyn StoreTx,
    tenant: TenantId,
    job: JobId,
) -> Result<Option<String>, StoreError> {
    let effects = tx.effects().of_job(tenant, job).await?;
    let reply = effects.into_iter().find(|effect| effect.slot == REPLY_SLOT);
    Ok(reply.and_then(|effect| match effect.action {
        EffectAction::Reply { markdown, .. } => Some(markdown),
        EffectAction::Receipt { .. }
        | EffectAction::Progress { .. }
        | EffectAction::Question { .. } => None,
    }))
}
