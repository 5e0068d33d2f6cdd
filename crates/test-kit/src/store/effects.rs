//! Effects.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    access::Hidden,
    effect::{DeadReason, Effect, EffectStatus},
    id::AgentId,
    page::PageRequest,
};
use futures_util::future::join_all;
use ports::{
    ids::Ids,
    store::{EffectFilter, StoreError},
};
use std::{collections::HashSet, time::Duration};

fn effect(h: &Harness, c: &Claimed, slot: &str) -> Effect {
    Effect {
        slot: slot.to_owned(),
        ..builders::reply(&*h.ids, &c.job, &c.item, h.now())
    }
}

async fn insert(h: &Harness, effects: &[Effect]) {
    let tx = h.write().await;
    for effect in effects {
        tx.effects().insert(effect).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// A process that slept while a person decided to send again must not settle what another sends now.
pub async fn only_who_sends_an_effect_settles_it(h: &Harness) {
    let c = h.claimed("chat").await;
    let effect = builders::reply(&*h.ids, &c.job, &c.item, h.now());
    let tx = h.write().await;
    tx.effects().insert(&effect).await.unwrap();
    tx.commit().await.unwrap();
    let other = h.worker("other").await;
    let mut sent = h
        .store
        .claim_effects(c.worker, h.now(), 1)
        .await
        .unwrap()
        .remove(0);
    sent.status = EffectStatus::Sent;
    let tx = h.write().await;
    assert!(!tx.effects().settle(&sent, other).await.unwrap());
    assert!(tx.effects().settle(&sent, c.worker).await.unwrap());
    assert!(!tx.effects().settle(&sent, c.worker).await.unwrap());
    tx.commit().await.unwrap();
}

/// Every field; one effect per slot of a job.
pub async fn effects_round_trip_and_slots_are_unique(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let (first, mut held) = (effect(h, &c, "reply"), effect(h, &c, "progress"));
    held.status = EffectStatus::Held;
    insert(h, std::slice::from_ref(&held)).await;
    assert_eq!(h.commits.take(), vec![]);
    insert(h, std::slice::from_ref(&first)).await;
    assert!(h.commits.take()[0].effects_ready);
    let tx = h.write().await;
    let effects = tx.effects();
    assert_eq!(
        effects.find(tenant, first.id).await.unwrap(),
        Some(first.clone())
    );
    assert_eq!(effects.find(h.stranger(), first.id).await.unwrap(), None);
    drop(effects);
    drop(tx);
    let twin = effect(h, &c, "reply");
    let refused = h.write().await.effects().insert(&twin).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "effect",
            ..
        })
    ));
    let tx = h.read().await;
    let effects = tx.effects();
    let of_job = effects.of_job(tenant, c.job.id).await.unwrap();
    assert_eq!(of_job, vec![first.clone(), held.clone()]);
    let filter = EffectFilter {
        job_id: Some(c.job.id),
        work_item_id: Some(c.item.id),
        agent_id: Some(h.agent.id),
        integration_id: Some(h.integration.id),
        status: Some(EffectStatus::Held),
        hidden: Hidden::default(),
    };
    let page = effects.list(tenant, &filter, PageRequest::first(1)).await;
    assert_eq!(page.unwrap().items, vec![held]);
    let nobodys = EffectFilter {
        agent_id: Some(AgentId::from_uuid(h.ids.next())),
        ..EffectFilter::default()
    };
    let page = effects.list(tenant, &nobodys, PageRequest::first(1)).await;
    assert_eq!(page.unwrap().items, vec![]);
    let all = EffectFilter::default();
    let page = effects
        .list(tenant, &all, PageRequest::first(1))
        .await
        .unwrap();
    assert!(page.next.is_some());
    let foreign = effects
        .list(h.stranger(), &all, PageRequest::first(1))
        .await;
    assert_eq!(foreign.unwrap().items, vec![]);
}

/// Two who decide about one effect: the second learns that it came too late.
pub async fn an_update_expects_a_status(h: &Harness) {
    let c = h.claimed("chat").await;
    let mut e = effect(h, &c, "reply");
    insert(h, std::slice::from_ref(&e)).await;
    h.commits.take();
    let tx = h.write().await;
    e.status = EffectStatus::Failed;
    e.dead_reason = Some(DeadReason::Blocked);
    e.detail = Some("blocked".to_owned());
    e.attempts = 3;
    e.provider_reference = Some("17,18".to_owned());
    e.settled_at = Some(h.now());
    e.next_attempt_at = h.now() + Duration::from_secs(9);
    let effects = tx.effects();
    assert!(!effects.update(&e, EffectStatus::Held).await.unwrap());
    assert!(effects.update(&e, EffectStatus::Pending).await.unwrap());
    assert!(!effects.update(&e, EffectStatus::Pending).await.unwrap());
    assert_eq!(effects.find(h.tenant.id, e.id).await.unwrap(), Some(e));
    drop(effects);
    tx.commit().await.unwrap();
    assert!(h.commits.take()[0].effects_ready);
}

/// One at a time per conversation, oldest first, across its jobs; conversations do not wait for each other.
pub async fn claims_keep_the_order_of_a_conversation(h: &Harness) {
    let (c, other) = (h.claimed("chat").await, h.claimed("other").await);
    let mut first = effect(h, &c, "1");
    let (second, apart) = (effect(h, &c, "2"), effect(h, &other, "1"));
    first.next_attempt_at = h.now() + Duration::from_secs(5);
    insert(h, &[first.clone(), second.clone(), apart.clone()]).await;
    let claim = async || {
        let claimed = h.store.claim_effects(c.worker, h.now(), 10).await.unwrap();
        assert!(
            claimed
                .iter()
                .all(|e| e.status == EffectStatus::Sending && e.attempts == 1)
        );
        claimed.iter().map(|e| e.id).collect::<Vec<_>>()
    };
    assert_eq!(claim().await, vec![apart.id]);
    assert_eq!(claim().await, vec![]);
    h.clock.advance(Duration::from_secs(5));
    assert_eq!(claim().await, vec![first.id]);
    assert_eq!(claim().await, vec![]);
    let tx = h.write().await;
    first.status = EffectStatus::Sent;
    assert!(
        tx.effects()
            .update(&first, EffectStatus::Sending)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert_eq!(claim().await, vec![second.id]);
}

/// Eight at once, three at a time: every effect once.
pub async fn effects_are_claimed_exactly_once(h: &Harness) {
    let mut all = HashSet::new();
    let mut workers = Vec::new();
    for n in 0..16 {
        let c = h.claimed(&format!("chat {n}")).await;
        let effect = effect(h, &c, "reply");
        insert(h, std::slice::from_ref(&effect)).await;
        all.insert(effect.id);
        workers.push(c.worker);
    }
    let claims = workers.iter().take(8).map(|worker| async {
        let mut mine = Vec::new();
        loop {
            let claimed = h.store.claim_effects(*worker, h.now(), 3).await.unwrap();
            if claimed.is_empty() {
                return mine;
            }
            mine.extend(claimed.into_iter().map(|effect| effect.id));
        }
    });
    let claimed: Vec<_> = join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), all.len());
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), all);
}
