//! What several processes may do at the same moment, where transactions run side by side. A store that
//! lets one transaction write at a time keeps all of this by itself.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    budget::{BudgetScope, Limit, Micros, Period, Reservation},
    effect::{Effect, EffectStatus},
    event::{EventKind, NewEvent},
    id::WorkerId,
    model::ModelCallStatus,
    queue::EntryStatus,
    work::WorkItemStatus,
};
use futures_util::future::{join, join_all};
use ports::store::Swept;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

fn effect(h: &Harness, c: &Claimed, slot: &str) -> Effect {
    Effect {
        slot: slot.to_owned(),
        ..builders::reply(&*h.ids, &c.job, &c.item, h.now())
    }
}

async fn insert(h: &Harness, effect: &Effect) {
    let tx = h.write().await;
    tx.effects().insert(effect).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(h: &Harness, worker: WorkerId) -> Vec<Effect> {
    h.store.claim_effects(worker, h.now(), 3).await.unwrap()
}

/// Its order in the conversation is decided when it is written, not when that is committed.
pub async fn an_effect_waits_for_an_earlier_one_that_is_being_written(h: &Harness) {
    let c = h.claimed("chat").await;
    let (first, second) = (effect(h, &c, "1"), effect(h, &c, "2"));
    let being_written = h.write().await;
    being_written.effects().insert(&first).await.unwrap();
    // Where only one may write at a time, this one waits until the first is committed.
    let is_there = AtomicBool::new(false);
    let later = async {
        insert(h, &second).await;
        is_there.store(true, Ordering::Relaxed);
    };
    let early = async {
        for _look in 0..50 {
            let seen = is_there.load(Ordering::Relaxed);
            assert_eq!(claim(h, c.worker).await, vec![]);
            if seen {
                break;
            }
        }
        being_written.commit().await.unwrap();
    };
    join(later, early).await;
    let claimed = claim(h, c.worker).await;
    assert_eq!(claimed.iter().map(|e| e.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(claim(h, c.worker).await, vec![]);
}

/// Who decides what becomes of a job that nobody runs must know that nobody begins to.
pub async fn a_locked_lane_is_not_claimed_until_the_commit(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, lane) = (h.tenant.id, c.lane);
    let tx = h.write().await;
    let lanes = tx.lanes();
    let released = lanes.release(tenant, lane.id, lane.fence, h.now()).await;
    released.unwrap();
    drop(lanes);
    tx.commit().await.unwrap();
    let deciding = h.write().await;
    let locked = deciding.lanes().lock(tenant, lane.id).await.unwrap();
    assert_eq!(locked.unwrap().lease, None);
    let is_claimed = AtomicBool::new(false);
    let claim = async {
        while h
            .store
            .claim_lanes(c.worker, h.now(), 1)
            .await
            .unwrap()
            .is_empty()
        {}
        is_claimed.store(true, Ordering::SeqCst);
    };
    let decide = async {
        for _look in 0..50 {
            h.read().await.lanes().head(tenant, lane.id).await.unwrap();
            assert!(!is_claimed.load(Ordering::SeqCst));
        }
        deciding.commit().await.unwrap();
    };
    join(claim, decide).await;
    let tx = h.write().await;
    let locked = tx.lanes().lock(tenant, lane.id).await.unwrap();
    assert_eq!(locked.unwrap().lease, Some(c.worker));
    let foreign = tx.lanes().lock(h.stranger(), lane.id).await;
    assert_eq!(foreign.unwrap(), None);
}

/// Eight who claim while one writes: never two at once, and in the order in which they were written.
pub async fn a_conversation_gets_one_effect_at_a_time(h: &Harness) {
    const ALL: usize = 25;
    let c = h.claimed("chat").await;
    let mut workers = Vec::new();
    for n in 0..8 {
        workers.push(h.worker(&n.to_string()).await);
    }
    let effects: Vec<_> = (0..ALL).map(|n| effect(h, &c, &n.to_string())).collect();
    let write = async {
        for effect in &effects {
            insert(h, effect).await;
        }
    };
    let (under_way, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let send = workers.iter().map(|worker| async {
        while told.lock().unwrap().len() < ALL {
            for mut effect in claim(h, *worker).await {
                assert_eq!(under_way.fetch_add(1, Ordering::SeqCst), 0);
                told.lock().unwrap().push(effect.id);
                effect.status = EffectStatus::Sent;
                under_way.fetch_sub(1, Ordering::SeqCst);
                let tx = h.write().await;
                let was = tx.effects().update(&effect, EffectStatus::Sending).await;
                assert!(was.unwrap());
                tx.commit().await.unwrap();
            }
        }
    });
    join(write, join_all(send)).await;
    let written: Vec<_> = effects.iter().map(|effect| effect.id).collect();
    assert_eq!(told.into_inner().unwrap(), written);
}

/// What a silent process held is freed once, and what it was sending is told once.
pub async fn one_of_several_sweeps_frees(h: &Harness) {
    let c = h.claimed("chat").await;
    insert(h, &effect(h, &c, "reply")).await;
    let silent = h.worker("silent").await;
    assert_eq!(claim(h, silent).await.len(), 1);
    h.clock.advance(Duration::from_secs(1));
    assert!(h.store.heartbeat(c.worker, h.now()).await.unwrap());
    h.commits.take();
    let sweeps = |expired| (0..8).map(move |_| h.store.sweep(expired, h.now()));
    // Nobody is silent yet, but everybody is connected now, so that they meet.
    let long_ago = h.now() - Duration::from_hours(1);
    join_all(sweeps(long_ago)).await;
    let swept: Vec<Swept> = join_all(sweeps(h.now()))
        .await
        .into_iter()
        .map(Result::unwrap)
        .filter(|swept| *swept != Swept::default())
        .collect();
    let (lanes, effects) = (0, 1);
    assert_eq!(swept, [Swept { lanes, effects }]);
    let told: usize = h.commits.take().iter().map(|c| c.events.len()).sum();
    assert_eq!(told, 1);
}

/// Whichever comes first: a lane that a swept process claimed can be claimed again.
pub async fn a_process_that_is_swept_keeps_nothing_it_claims(h: &Harness) {
    for round in 1..=10 {
        h.receive(&round.to_string(), &format!("chat {round}"))
            .await;
        let worker = h.worker(&format!("old {round}")).await;
        let expired = h.now() + Duration::from_secs(1);
        let (claimed, swept) = join(
            h.store.claim_lanes(worker, h.now(), 100),
            h.store.sweep(expired, h.now()),
        )
        .await;
        claimed.unwrap();
        swept.unwrap();
        let next = h.worker(&format!("new {round}")).await;
        let lanes = h.store.claim_lanes(next, h.now(), 100).await.unwrap();
        assert_eq!(lanes.len(), round);
    }
}

/// The second sees how the first one ended, so that one of them closes the item.
pub async fn lanes_that_end_together_end_their_item(h: &Harness) {
    let eve = builders::agent(&*h.ids, h.tenant.id, "Eve", h.now());
    let tx = h.write().await;
    tx.agents().insert(&eve).await.unwrap();
    tx.commit().await.unwrap();
    let worker = h.worker("worker").await;
    for round in 0..10 {
        let place = round.to_string();
        let item = h.receive(&place, &place).await;
        let lanes = h.store.claim_lanes(worker, h.now(), 9).await.unwrap();
        assert_eq!(lanes.len(), 2);
        let ends = lanes.iter().map(|lane| async {
            let tx = h.write().await;
            let entry = tx.lanes().entry(h.tenant.id, lane.id, item.id).await;
            let (entry, done) = (entry.unwrap().unwrap().id, EntryStatus::Done);
            let set = tx.lanes().set_entry(h.tenant.id, entry, done, None).await;
            set.unwrap();
            let settled = tx.work().settle(h.tenant.id, item.id, None, h.now()).await;
            settled.unwrap();
            tx.commit().await.unwrap();
        });
        join_all(ends).await;
        let tx = h.read().await;
        let item = tx.work().find(h.tenant.id, item.id).await.unwrap();
        assert_eq!(item.unwrap().status, WorkItemStatus::Passed);
    }
}

/// Budgets and the feed are shared by all jobs of a tenant, and jobs touch them in different orders.
pub async fn jobs_that_share_money_and_events_never_wait_in_a_circle(h: &Harness) {
    let mut jobs = Vec::new();
    for n in 0..6 {
        jobs.push(h.claimed(&n.to_string()).await);
    }
    let tenant = h.tenant.id;
    let rounds = jobs.iter().enumerate().map(|(n, c)| async move {
        for _round in 0..8 {
            let event = NewEvent {
                kind: EventKind::Message,
                payload: serde_json::json!({}),
            };
            let mut call = builders::model_call(&*h.ids, &c.job, Micros(10), h.now());
            let tx = h.write().await;
            let (events, ledger) = (tx.events(), tx.ledger());
            let tell = || events.append(tenant, c.job.id, vec![event.clone()], h.now());
            if n % 2 == 0 {
                tell().await.unwrap();
            }
            let granted = ledger.reserve(&call, h.agent.id).await.unwrap();
            assert_eq!(granted, Reservation::Granted);
            if n % 2 == 1 {
                tell().await.unwrap();
            }
            drop((events, ledger));
            tx.commit().await.unwrap();
            call.status = ModelCallStatus::Settled;
            call.cost = Micros(7);
            call.finished_at = Some(h.now());
            let tx = h.write().await;
            tx.ledger().settle(&call, h.agent.id).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    join_all(rounds).await;
    let tx = h.read().await;
    let budget = tx.ledger().find_budget(tenant, BudgetScope::Tenant).await;
    let budget = budget.unwrap().unwrap();
    assert_eq!(
        (budget.period, budget.limit),
        (Period::Day, Limit::Unlimited)
    );
    assert_eq!(
        (budget.reserved, budget.spent),
        (Micros(0), Micros(6 * 8 * 7))
    );
    assert_eq!(tx.events().last_feed_seq(tenant).await.unwrap(), 6 * 8);
}
