//! Questions to people, and who people are on their channels.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    access::{Hidden, Role},
    approval::{
        Approval, ApprovalKind, ApprovalStatus, Approvers, Decider, OPEN_FOR, Requester, Ruling,
    },
    effect::{Effect, EffectStatus},
    id::{ApprovalId, IdentityId, UserId},
    identity::{CODE_LIVES, Identity, LinkCode},
    login::User,
    page::PageRequest,
};
use ports::{
    ids::Ids,
    store::{ApprovalFilter, StoreError},
};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn approval(h: &Harness, c: &Claimed, effect: Option<&Effect>) -> Approval {
    Approval {
        id: ApprovalId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        kind: ApprovalKind::Reply,
        status: ApprovalStatus::Pending,
        agent_id: c.job.agent_id,
        job_id: c.job.id,
        work_item_id: c.item.id,
        conversation_id: c.job.conversation_id,
        integration_id: h.integration.id,
        effect_id: effect.map(|effect| effect.id),
        tool_call_id: None,
        question: "May it go out?".to_owned(),
        action: json!({"kind": "reply", "markdown": "hello"}),
        digest: "d1".to_owned(),
        approvers: Approvers {
            min_role: Role::Admin,
            user_ids: vec![UserId::from_uuid(Uuid::max())],
        },
        requesters: vec![Requester {
            provider: "telegram".to_owned(),
            external_id: "ada".to_owned(),
            name: "Ada".to_owned(),
            user_id: None,
        }],
        requested_at: h.now(),
        expires_at: h.now() + OPEN_FOR,
        decided_at: None,
        decided_by: None,
        note: None,
    }
}

async fn insert(h: &Harness, approval: &Approval) -> Result<(), StoreError> {
    let tx = h.write().await;
    tx.approvals().insert(approval).await?;
    tx.commit().await
}

/// Every field; one open question per effect; an answer is written once.
pub async fn approvals_round_trip_and_are_answered_once(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let mut held = builders::reply(&*h.ids, &c.job, &c.item, h.now());
    held.status = EffectStatus::Held;
    let tx = h.write().await;
    tx.effects().insert(&held).await.unwrap();
    tx.commit().await.unwrap();
    let mut asked = approval(h, &c, Some(&held));
    insert(h, &asked).await.unwrap();
    let twin = insert(h, &approval(h, &c, Some(&held))).await;
    assert!(matches!(twin, Err(StoreError::Conflict { .. })), "{twin:?}");

    let tx = h.read().await;
    let approvals = tx.approvals();
    let found = approvals.find(tenant, asked.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&asked));
    assert_eq!(approvals.find(h.stranger(), asked.id).await.unwrap(), None);
    let of_effect = approvals.pending_of_effect(tenant, held.id).await.unwrap();
    assert_eq!(of_effect.as_ref(), Some(&asked));
    let of_job = approvals.pending_of_job(tenant, c.job.id).await.unwrap();
    assert_eq!(of_job, vec![asked.clone()]);
    drop(approvals);
    drop(tx);

    let by = Decider {
        id: Some(h.ids.next()),
        name: "Grace".to_owned(),
    };
    let note = Some("fine".to_owned());
    assert_eq!(asked.rule(Ruling::Approve, by, note, h.now()), Ok(true));
    let tx = h.write().await;
    assert!(tx.approvals().settle(&asked).await.unwrap());
    assert!(!tx.approvals().settle(&asked).await.unwrap());
    tx.commit().await.unwrap();
    let tx = h.read().await;
    let found = tx.approvals().find(tenant, asked.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&asked));
    let open = tx.approvals().pending_of_effect(tenant, held.id).await;
    assert_eq!(open.unwrap(), None);
    drop(tx);
    // Once it is answered, the same effect may be asked about again.
    insert(h, &approval(h, &c, Some(&held))).await.unwrap();
}

/// Every filter narrows, what is kept for others is left out, and pages go on.
pub async fn approvals_are_filtered_and_paged(h: &Harness) {
    let c = h.claimed("chat").await;
    let (first, second) = (approval(h, &c, None), approval(h, &c, None));
    insert(h, &first).await.unwrap();
    insert(h, &second).await.unwrap();
    let tx = h.read().await;
    let list = async |tenant, filter: &ApprovalFilter, limit| {
        let page = tx
            .approvals()
            .list(tenant, filter, PageRequest::first(limit))
            .await;
        let page = page.unwrap();
        (page.items, page.next.is_some())
    };
    let all = ApprovalFilter::default();
    assert_eq!(
        list(h.tenant.id, &all, 1).await,
        (vec![second.clone()], true)
    );
    assert_eq!(list(h.stranger(), &all, 9).await, (vec![], false));
    let matching = ApprovalFilter {
        status: Some(ApprovalStatus::Pending),
        agent_id: Some(c.job.agent_id),
        job_id: Some(c.job.id),
        hidden: Hidden::default(),
    };
    assert_eq!(
        list(h.tenant.id, &matching, 9).await,
        (vec![second, first], false)
    );
    let decided = ApprovalFilter {
        status: Some(ApprovalStatus::Denied),
        ..ApprovalFilter::default()
    };
    assert_eq!(list(h.tenant.id, &decided, 9).await, (vec![], false));
    for hidden in [
        Hidden {
            agents: vec![c.job.agent_id],
            integrations: Vec::new(),
        },
        Hidden {
            agents: Vec::new(),
            integrations: vec![h.integration.id],
        },
    ] {
        let kept = ApprovalFilter {
            hidden,
            ..ApprovalFilter::default()
        };
        assert_eq!(list(h.tenant.id, &kept, 9).await, (vec![], false));
    }
}

/// Open questions are found at the instant their time is over.
pub async fn overdue_approvals_are_found(h: &Harness) {
    let c = h.claimed("chat").await;
    let asked = approval(h, &c, None);
    insert(h, &asked).await.unwrap();
    let just_before = asked.expires_at - Duration::from_micros(1);
    let overdue = h.store.overdue_approvals(just_before, 9).await.unwrap();
    assert_eq!(overdue, vec![]);
    let overdue = h
        .store
        .overdue_approvals(asked.expires_at, 9)
        .await
        .unwrap();
    assert_eq!(overdue, vec![(h.tenant.id, asked.id)]);
    let tx = h.write().await;
    let mut over = asked.clone();
    assert!(over.expire(asked.expires_at));
    assert!(tx.approvals().settle(&over).await.unwrap());
    tx.commit().await.unwrap();
    let overdue = h
        .store
        .overdue_approvals(asked.expires_at, 9)
        .await
        .unwrap();
    assert_eq!(overdue, vec![]);
}

async fn user(h: &Harness, name: &str) -> UserId {
    let id = UserId::from_uuid(h.ids.next());
    let user = User {
        id,
        tenant_id: h.tenant.id,
        name: name.to_owned(),
        email: format!("{name}@example.com"),
        role: Role::Member,
        password_hash: None,
        totp: None,
        oidc_subject: None,
        disabled_at: None,
        created_at: h.now(),
        last_seen_at: None,
    };
    let tx = h.write().await;
    tx.users().insert(&user).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A sender is nobody until linked, then one user, and nobody again.
pub async fn identities_are_linked_to_one_user(h: &Harness) {
    // Ingest knows the sender already, as a guest.
    h.receive("1", "chat").await;
    let tenant = h.tenant.id;
    let (grace, linus) = (user(h, "grace").await, user(h, "linus").await);
    let identity = |user_id| Identity {
        id: IdentityId::from_uuid(h.ids.next()),
        tenant_id: tenant,
        provider: "telegram".to_owned(),
        external_id: "ada".to_owned(),
        name: "Ada".to_owned(),
        user_id,
        linked_at: h.now(),
    };
    let tx = h.write().await;
    let people = tx.identities();
    assert_eq!(people.find(tenant, "telegram", "ada").await.unwrap(), None);
    people.link(&identity(grace)).await.unwrap();
    people.link(&identity(linus)).await.unwrap();
    let found = people
        .find(tenant, "telegram", "ada")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.user_id, found.linked_at), (linus, h.now()));
    assert_eq!(
        people.find(h.stranger(), "telegram", "ada").await.unwrap(),
        None
    );
    assert_eq!(people.of_user(tenant, grace).await.unwrap(), vec![]);
    assert_eq!(
        people.of_user(tenant, linus).await.unwrap(),
        vec![found.clone()]
    );
    assert!(!people.unlink(tenant, grace, found.id).await.unwrap());
    assert!(people.unlink(tenant, linus, found.id).await.unwrap());
    assert_eq!(people.find(tenant, "telegram", "ada").await.unwrap(), None);
    drop(people);
    tx.commit().await.unwrap();
}

/// A code works once, for a while, and only the newest of a user does.
pub async fn a_link_code_works_once_and_for_a_while(h: &Harness) {
    let tenant = h.tenant.id;
    let grace = user(h, "grace").await;
    let code = |hash: &str| LinkCode {
        tenant_id: tenant,
        user_id: grace,
        hash: hash.to_owned(),
        expires_at: h.now() + CODE_LIVES,
    };
    let tx = h.write().await;
    let people = tx.identities();
    people.put_code(&code("old")).await.unwrap();
    people.put_code(&code("new")).await.unwrap();
    let late = h.now() + CODE_LIVES;
    assert_eq!(
        people.take_code(tenant, "old", h.now()).await.unwrap(),
        None
    );
    assert_eq!(
        people
            .take_code(h.stranger(), "new", h.now())
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        people.take_code(tenant, "new", h.now()).await.unwrap(),
        Some(grace)
    );
    assert_eq!(
        people.take_code(tenant, "new", h.now()).await.unwrap(),
        None
    );
    people.put_code(&code("late")).await.unwrap();
    assert_eq!(people.take_code(tenant, "late", late).await.unwrap(), None);
}
