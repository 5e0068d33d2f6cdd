//! Messages that arrive while a job of their lane runs, or that waited for it to begin: as far as the
//! agent's steering has it, the job takes them over, and its answer is their answer.

use crate::{engine::Engine, guards, job::Run};
use ::agent::{prompt, triage::Ruling};
use domain::{
    id::DecisionId,
    message::Role,
    queue::{EntryStatus, Lane},
    work::{Decision, Verdict},
};
use ports::store::{QueuedItem, StoreError, StoreTx};

/// How far a job that begins looks through what waits for somebody who wants it stopped. Later such a message
/// asks the job itself when it comes in.
const STOPS: u32 = 100;

/// Takes over what waits, as far as rules alone settle it. What needs a model to decide stays queued
/// until the job is over.
pub(crate) async fn absorb(run: &mut Run, tx: &dyn StoreTx) -> Result<(), StoreError> {
    let engine = run.engine.clone();
    let lane = run.lane;
    let begins = run.transcript.iter().all(|m| m.role == Role::User);
    let most = run.scene.agent.steering.takes_over(begins);
    let looks = if begins { most.max(STOPS) } else { most };
    if looks == 0 {
        return Ok(());
    }
    let waiting = tx.lanes().queued(lane.tenant_id, lane.id, looks).await?;
    for (place, queued) in (0..).zip(waiting) {
        // It came in before there was a job to ask. A retry somebody wanted after that, whatever it says.
        let stops = begins && run.job.retry_of.is_none() && queued.item.message.is_stop();
        if place >= most && !stops {
            continue;
        }
        let Some(ruling) = guards::rule_in(tx, &run.scene, &queued.item).await? else {
            continue;
        };
        match ruling.verdict {
            Verdict::Pass => {
                if stops {
                    let now = engine.now();
                    run.job.cancel_requested_at.get_or_insert(now);
                    tx.jobs()
                        .request_cancel(lane.tenant_id, run.job.id, now)
                        .await?;
                }
                pass(&engine, tx, lane, &queued, ruling).await?;
            }
            Verdict::Act => {
                tx.work()
                    .insert_decision(&decision(&engine, lane, &queued, ruling))
                    .await?;
                tx.lanes()
                    .set_entry(
                        lane.tenant_id,
                        queued.entry.id,
                        EntryStatus::Absorbed,
                        Some(run.job.id),
                    )
                    .await?;
                run.append(
                    tx,
                    Role::User,
                    prompt::spoken(&queued.item, run.trust(), !begins),
                )
                .await?;
                crate::crash::point("steer.absorbed");
            }
        }
    }
    Ok(())
}

/// Writes down that the agent leaves an item alone, and closes the item when nobody else has it.
pub(crate) async fn pass(
    engine: &Engine,
    tx: &dyn StoreTx,
    lane: Lane,
    queued: &QueuedItem,
    ruling: Ruling,
) -> Result<(), StoreError> {
    let decision = decision(engine, lane, queued, ruling);
    tx.work().insert_decision(&decision).await?;
    tx.lanes()
        .set_entry(lane.tenant_id, queued.entry.id, EntryStatus::Done, None)
        .await?;
    tx.work()
        .settle(
            lane.tenant_id,
            queued.item.id,
            Some(&decision.reason),
            engine.now(),
        )
        .await?;
    Ok(())
}

/// A ruling as the row it becomes.
pub(crate) fn decision(
    engine: &Engine,
    lane: Lane,
    queued: &QueuedItem,
    ruling: Ruling,
) -> Decision {
    Decision {
        id: DecisionId::from_uuid(engine.platform.ids.next()),
        tenant_id: lane.tenant_id,
        work_item_id: queued.item.id,
        agent_id: lane.agent_id,
        verdict: ruling.verdict,
        decided_by: ruling.by,
        reason: ruling.reason,
        created_at: engine.now(),
    }
}
