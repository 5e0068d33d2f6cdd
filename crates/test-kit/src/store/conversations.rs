//! Conversations as people see them.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    access::Hidden,
    channel::{ChatKind, Place},
    conversation::Conversation,
    id::{AgentId, ConversationId, DecisionId, IntegrationId},
    page::{Cursor, PageRequest},
    queue::EntryStatus,
    work::{DecidedBy, Decision, Verdict, WorkItem},
};
use ports::{
    ids::Ids,
    store::{Answered, Before, ConversationFilter, StoreError},
};
use std::time::Duration;
use uuid::Uuid;

async fn ids(h: &Harness, filter: &ConversationFilter) -> Vec<ConversationId> {
    let tx = h.read().await;
    let page = tx
        .conversations()
        .list(h.tenant.id, filter, PageRequest::first(10))
        .await
        .unwrap();
    let listed = page.items.iter();
    listed.map(|listed| listed.conversation.id).collect()
}

fn begun(h: &Harness, agent: AgentId) -> Conversation {
    let id = ConversationId::from_uuid(h.ids.next());
    Conversation {
        id,
        tenant_id: h.tenant.id,
        integration_id: h.integration.id,
        place: Place {
            channel: id.to_string(),
            thread: None,
        },
        chat: ChatKind::Direct,
        title: Some("Plans".to_owned()),
        agent_id: Some(agent),
        created_at: h.now(),
    }
}

/// One in which nothing was said has the place of its beginning.
pub async fn the_newest_item_gives_a_conversation_its_place(h: &Harness) {
    let first = h.receive("1", "first").await;
    let second = h.receive("2", "second").await;
    let silent = begun(h, h.agent.id);
    let tx = h.write().await;
    let conversations = tx.conversations();
    conversations.insert(&silent).await.unwrap();
    drop(conversations);
    tx.commit().await.unwrap();
    let taken = h.write().await.conversations().insert(&silent).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })));
    let again = h.receive("3", "first").await;
    let (one, two) = (first.conversation_id, second.conversation_id);

    let tx = h.read().await;
    let list = async |request: PageRequest| {
        let all = ConversationFilter::default();
        let page = tx.conversations().list(h.tenant.id, &all, request).await;
        page.unwrap()
    };
    let page = list(PageRequest::first(2)).await;
    let top = &page.items[0];
    assert_eq!((top.conversation.id, top.newest), (one, again.id.as_uuid()));
    assert_eq!(top.integration_name, h.integration.name);
    assert_eq!(top.channel, h.integration.channel);
    assert_eq!(page.items[1].conversation, silent);
    let next = PageRequest {
        limit: 2,
        cursor: page.next,
    };
    assert_eq!(page.next, Some(Cursor(silent.id.as_uuid())));
    let rest = list(next).await;
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert_eq!(rest.items[0].conversation.id, two);
    let all = ConversationFilter::default();
    let strangers = tx.conversations();
    let strangers = strangers.list(h.stranger(), &all, next).await;
    assert_eq!(strangers.unwrap().items, vec![]);
}

/// Every filter narrows, silent ones too, and what is hidden is left out.
pub async fn conversations_are_filtered(h: &Harness) {
    let one = h.receive("1", "first").await.conversation_id;
    let silent = begun(h, h.agent.id);
    let tx = h.write().await;
    tx.conversations().insert(&silent).await.unwrap();
    tx.commit().await.unwrap();
    let filter = |change: fn(&Harness, &mut ConversationFilter)| {
        let mut filter = ConversationFilter::default();
        change(h, &mut filter);
        filter
    };
    let ours = filter(|h, f| f.agent_id = Some(h.agent.id));
    assert_eq!(ids(h, &ours).await, [silent.id, one]);
    let nobodys = filter(|h, f| f.agent_id = Some(AgentId::from_uuid(h.ids.next())));
    assert_eq!(ids(h, &nobodys).await, []);
    let there = filter(|h, f| f.integration_id = Some(h.integration.id));
    assert_eq!(ids(h, &there).await.len(), 2);
    let elsewhere = filter(|h, f| f.integration_id = Some(IntegrationId::from_uuid(h.ids.next())));
    assert_eq!(ids(h, &elsewhere).await, []);
    for id in [one, silent.id] {
        let only = ConversationFilter {
            id: Some(id),
            ..ConversationFilter::default()
        };
        assert_eq!(ids(h, &only).await, [id]);
    }
    let agent_hidden = filter(|h, f| f.hidden.agents.push(h.agent.id));
    assert_eq!(ids(h, &agent_hidden).await, []);
    let place_hidden = filter(|h, f| f.hidden.integrations.push(h.integration.id));
    assert_eq!(ids(h, &place_hidden).await, []);
}

async fn pass(h: &Harness, item: &WorkItem) {
    let decision = Decision {
        id: DecisionId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        work_item_id: item.id,
        agent_id: h.agent.id,
        verdict: Verdict::Pass,
        decided_by: DecidedBy::Model,
        reason: "small talk".to_owned(),
        created_at: h.now(),
    };
    let worker = h.worker("passing").await;
    let lane = h.store.claim_lanes(worker, h.now(), 1).await.unwrap()[0];
    let tx = h.write().await;
    let entry = tx.lanes().entry(h.tenant.id, lane.id, item.id).await;
    let entry = entry.unwrap().unwrap();
    tx.work().insert_decision(&decision).await.unwrap();
    tx.lanes()
        .set_entry(h.tenant.id, entry.id, EntryStatus::Done, None)
        .await
        .unwrap();
    let reason = Some("small talk");
    tx.work()
        .settle(h.tenant.id, item.id, reason, h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A job that answered, done with its lane.
async fn answered(h: &Harness, c: &Claimed) -> Answered {
    let reply = builders::reply(&*h.ids, &c.job, &c.item, h.now());
    let mut said = builders::message(&*h.ids, &c.job, 1, "Hello");
    said.role = domain::message::Role::Assistant;
    let mut job = c.job.clone();
    job.start(h.now()).unwrap();
    job.complete(h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    tx.effects().insert(&reply).await.unwrap();
    let words = std::slice::from_ref(&said);
    tx.transcript().append(words).await.unwrap();
    tx.lanes()
        .finish_entries(h.tenant.id, job.id)
        .await
        .unwrap();
    tx.lanes()
        .release(h.tenant.id, c.lane.id, c.lane.fence, h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    Answered {
        job,
        message: Some(said),
        reply: Some(reply),
    }
}

/// Each kind by its own instant, newest first; a page begins where the one before ended, or behind it.
pub async fn what_was_said_is_read_in_order_and_goes_on(h: &Harness) {
    let c = h.claimed("chat").await;
    let answer = answered(h, &c).await;
    h.clock.advance(Duration::from_secs(1));
    let left = h.receive("left alone", "chat").await;
    pass(h, &left).await;

    let (tenant, conversation) = (h.tenant.id, c.item.conversation_id);
    let tx = h.read().await;
    let repo = tx.conversations();
    let none = Hidden::default();
    let items = async |before: Option<Before>| -> Vec<Uuid> {
        let items = repo.items(tenant, conversation, &none, before, 10).await;
        items.unwrap().iter().map(|i| i.id.as_uuid()).collect()
    };
    let (first, second) = (c.item.id.as_uuid(), left.id.as_uuid());
    assert_eq!(items(None).await, [second, first]);
    let mut before = Before {
        at: left.created_at,
        id: second,
        inclusive: true,
    };
    assert_eq!(items(Some(before)).await, [second, first]);
    before.inclusive = false;
    assert_eq!(items(Some(before)).await, [first]);
    before.at = c.item.created_at;
    before.id = first;
    assert_eq!(items(Some(before)).await, Vec::<Uuid>::new());

    let answers = repo.answers(tenant, conversation, &none, None, 10).await;
    assert_eq!(answers.unwrap(), vec![answer]);
    let passes = repo.passes(tenant, conversation, &none, None, 10).await;
    let passes = passes.unwrap();
    assert_eq!(passes.len(), 1);
    let agent = passes[0].agent_id;
    assert_eq!((passes[0].item.id, agent), (left.id, Some(h.agent.id)));
    assert_eq!(passes[0].item.reason.as_deref(), Some("small talk"));

    let hidden = Hidden {
        agents: vec![h.agent.id],
        integrations: Vec::new(),
    };
    let hides = async |hidden: &Hidden| {
        let items = repo.items(tenant, conversation, hidden, None, 10).await;
        let answers = repo.answers(tenant, conversation, hidden, None, 10).await;
        let passes = repo.passes(tenant, conversation, hidden, None, 10).await;
        items.unwrap().is_empty() && answers.unwrap().is_empty() && passes.unwrap().is_empty()
    };
    assert!(hides(&hidden).await);
    assert!(!hides(&none).await);
}
