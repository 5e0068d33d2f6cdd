//! Replies that are held until somebody has read the draft.

use crate::{parts::Answer, world::World};
use chrono::TimeDelta;
use domain::{
    access::Role,
    agent::ReplyPolicy,
    approval::{Approval, ApprovalKind, ApprovalStatus, Ruling},
    effect::{Effect, EffectStatus, REPLY_SLOT},
    page::PageRequest,
    work::WorkItemStatus,
};
use ports::{
    clock::Clock,
    store::{Durability, Store, WorkFilter},
};
use services::{Error, approvals, effects};
use uuid::Uuid;

/// A world whose agent's replies are held.
async fn drafting() -> World {
    let world = World::start(&[Answer::Says(vec!["a draft"])]).await;
    let tx = world
        .store
        .inner()
        .write(world.tenant, Durability::Relaxed)
        .await
        .unwrap();
    let agents = tx.agents().list(world.tenant, PageRequest::first(1)).await;
    let mut agent = agents.unwrap().items.remove(0);
    agent.reply_policy = ReplyPolicy::Approve;
    tx.agents().update(&agent).await.unwrap();
    tx.commit().await.unwrap();
    world.say("write something").await;
    world
}

async fn draft(world: &World) -> Effect {
    let job = world.jobs().await.remove(0).id;
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let effects = tx.effects().of_job(world.tenant, job).await.unwrap();
    effects.into_iter().rfind(|e| e.slot == REPLY_SLOT).unwrap()
}

#[tokio::test]
async fn a_held_reply_goes_out_when_it_is_released() {
    let world = drafting().await;
    let asked = world.asked().await;
    assert_eq!(asked.kind, ApprovalKind::Reply);
    let held = draft(&world).await;
    assert_eq!(
        (held.status, Some(held.id)),
        (EffectStatus::Held, asked.effect_id)
    );
    // Whoever reads the channel would have the draft.
    assert_eq!(world.questions(), []);
    let released = effects::release(&world.person(Role::Member), held.id, None).await;
    // It may be on its way before it is looked at.
    let status = released.unwrap().status;
    assert!(
        matches!(
            status,
            EffectStatus::Pending | EffectStatus::Sending | EffectStatus::Sent
        ),
        "{status:?}"
    );
    assert_eq!(world.approvals().await[0].status, ApprovalStatus::Approved);
    assert_eq!(world.reply().await, "a draft");
}

#[tokio::test]
async fn a_denied_reply_is_called_off_and_everybody_can_see_why() {
    let world = drafting().await;
    let asked = world.asked().await;
    let note = Some("too rude".to_owned());
    approvals::decide(&world.person(Role::Admin), asked.id, Ruling::Deny, note)
        .await
        .unwrap();
    let called_off = draft(&world).await;
    assert_eq!(called_off.status, EffectStatus::Cancelled);
    assert_eq!(
        called_off.detail.as_deref(),
        Some("Denied by Grace. too rude")
    );
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let items = tx
        .work()
        .list(world.tenant, &WorkFilter::default(), PageRequest::first(1))
        .await
        .unwrap()
        .items;
    assert_eq!(items[0].status, WorkItemStatus::Failed);
    assert_eq!(
        items[0].reason.as_deref(),
        Some("Denied by Grace. too rude")
    );
}

#[tokio::test]
async fn a_draft_that_is_not_what_people_were_asked_about_needs_a_new_answer() {
    let world = drafting().await;
    let mut asked = world.asked().await;
    let grace = world.person(Role::Member);
    {
        let store = world.store.inner();
        let tx = store
            .write(world.tenant, Durability::Relaxed)
            .await
            .unwrap();
        asked.withdraw("put another in its place", world.clock.now());
        assert!(tx.approvals().settle(&asked).await.unwrap());
        let stale = Approval {
            id: domain::id::ApprovalId::from_uuid(Uuid::max()),
            status: ApprovalStatus::Pending,
            digest: "of another draft".to_owned(),
            expires_at: world.clock.now() + TimeDelta::hours(1),
            decided_at: None,
            note: None,
            ..asked.clone()
        };
        tx.approvals().insert(&stale).await.unwrap();
        tx.commit().await.unwrap();
    }
    let stale = domain::id::ApprovalId::from_uuid(Uuid::max());
    let changed = approvals::decide(&grace, stale, Ruling::Approve, None).await;
    assert!(
        matches!(
            changed,
            Err(Error::Conflict {
                code: "approval_changed",
                ..
            })
        ),
        "{changed:?}"
    );
    assert_eq!(draft(&world).await.status, EffectStatus::Held);
    let approvals = world.approvals().await;
    let fresh = approvals
        .iter()
        .find(|a| a.status == ApprovalStatus::Pending)
        .unwrap();
    assert_eq!(fresh.digest, asked.digest);
    approvals::decide(&grace, fresh.id, Ruling::Approve, None)
        .await
        .unwrap();
    assert_eq!(world.reply().await, "a draft");
}
