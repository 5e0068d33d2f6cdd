//! Agents, integrations, and who sees what.

use super::Harness;
use crate::builders;
use domain::{
    agent::{AgentName, ReplyPolicy},
    budget::{BudgetScope, Limit, Micros},
    channel::ChannelType,
    integration::{Health, Visibility},
    model::ModelRef,
    page::PageRequest,
};
use ports::store::StoreError;
use std::time::Duration;

/// Every field, and only for its tenant.
pub async fn agents_round_trip_within_their_tenant(h: &Harness) {
    let mut agent = builders::agent(&*h.ids, h.tenant.id, "Grace", h.now());
    agent.daily_budget = Limit::Of(Micros(5));
    let tx = h.write().await;
    let agents = tx.agents();
    agents.insert(&agent).await.unwrap();
    let found = agents.find(h.tenant.id, agent.id).await.unwrap();
    assert_eq!(found, Some(agent.clone()));
    h.clock.advance(Duration::from_micros(1));
    agent.name = AgentName::parse("Grace H").unwrap();
    agent.model = Some(ModelRef::parse("a/b/c").unwrap());
    agent.instructions = "Be brief.".into();
    agent.enabled = false;
    agent.reply_policy = ReplyPolicy::Approve;
    agent.daily_budget = Limit::Unlimited;
    agent.updated_at = h.now();
    agents.update(&agent).await.unwrap();
    let found = agents.find(h.tenant.id, agent.id).await.unwrap();
    assert_eq!(found, Some(agent.clone()));
    let scope = BudgetScope::Agent(agent.id);
    let budget = tx.ledger().find_budget(h.tenant.id, scope).await.unwrap();
    assert_eq!(budget.unwrap().limit, Limit::Unlimited);
    assert_eq!(agents.find(h.stranger(), agent.id).await.unwrap(), None);
    let none = agents.list(h.stranger(), PageRequest::first(10)).await;
    assert_eq!(none.unwrap().items, vec![]);
}

/// Two agents cannot be told apart by the case of their names; an archived one is in nobody's way.
pub async fn agent_names_are_unique_without_regard_to_case_until_archived(h: &Harness) {
    let twin = builders::agent(&*h.ids, h.tenant.id, "aDA", h.now());
    let refused = h.write().await.agents().insert(&twin).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "agent",
            ..
        })
    ));
    let other = builders::agent(&*h.ids, h.tenant.id, "Eve", h.now());
    let tx = h.write().await;
    tx.agents().insert(&other).await.unwrap();
    tx.commit().await.unwrap();
    let renamed = domain::agent::Agent {
        name: twin.name.clone(),
        ..other.clone()
    };
    let refused = h.write().await.agents().update(&renamed).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    let tx = h.write().await;
    let agents = tx.agents();
    let mut ada = h.agent.clone();
    ada.archived_at = Some(h.now());
    agents.update(&ada).await.unwrap();
    agents.insert(&twin).await.unwrap();
    let found = agents.find(h.tenant.id, ada.id).await.unwrap();
    assert_eq!(found, Some(ada));
    let listed = agents.list(h.tenant.id, PageRequest::first(10)).await;
    assert_eq!(listed.unwrap().items, vec![other, twin]);
}

/// A cursor goes on where the page ended.
pub async fn lists_are_paged_newest_first(h: &Harness) {
    let tx = h.write().await;
    let agents = tx.agents();
    let mut expected = vec![h.agent.clone()];
    for n in 0..4 {
        let agent = builders::agent(&*h.ids, h.tenant.id, &format!("agent {n}"), h.now());
        agents.insert(&agent).await.unwrap();
        expected.insert(0, agent);
    }
    let mut request = PageRequest::first(2);
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let page = agents.list(h.tenant.id, request).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        pages += 1;
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!((pages, seen), (3, expected));
}

/// Every field, health and cursor by their own ways, and only for its tenant.
pub async fn integrations_round_trip_within_their_tenant(h: &Harness) {
    let mut integration = builders::integration(&*h.ids, h.tenant.id, "Second", h.now());
    integration.config = serde_json::json!({"bot_token": "enc:v1:x"});
    integration.visibility = Visibility::Agents(vec![h.agent.id]);
    let tx = h.write().await;
    let all = tx.integrations();
    all.insert(&integration).await.unwrap();
    let found = all.find(h.tenant.id, integration.id).await.unwrap();
    assert_eq!(found, Some(integration.clone()));
    all.set_health(h.tenant.id, integration.id, Health::Failed, Some("no"))
        .await
        .unwrap();
    all.set_poll_cursor(h.tenant.id, integration.id, "17")
        .await
        .unwrap();
    h.clock.advance(Duration::from_secs(1));
    integration.name = "Third".into();
    integration.visibility = Visibility::AllAgents;
    integration.enabled = false;
    integration.updated_at = h.now();
    all.update(&integration).await.unwrap();
    integration.health = Health::Failed;
    integration.health_detail = Some("no".to_owned());
    integration.poll_cursor = Some("17".to_owned());
    let page = all.list(h.tenant.id, PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items, vec![integration.clone(), h.integration.clone()]);
    assert_eq!(all.find(h.stranger(), integration.id).await.unwrap(), None);
    assert_eq!(all.built_in(h.tenant.id).await.unwrap(), None);
    let mut web = builders::integration(&*h.ids, h.tenant.id, "Web", h.now());
    web.channel = ChannelType::Web;
    all.insert(&web).await.unwrap();
    let found = all.built_in(h.tenant.id).await.unwrap();
    assert_eq!(found, Some(web.clone()));
    drop(all);
    tx.commit().await.unwrap();
    assert!(h.commits.take().iter().all(|c| c.integrations_changed));
    let active = h.store.active_integrations().await.unwrap();
    assert_eq!(active, vec![h.integration.clone(), web]);
    let found = h.store.find_integration(integration.id).await.unwrap();
    assert_eq!(found, Some(integration));
}

/// A removed one is gone for everybody who configures, and does not block its successor.
pub async fn removed_integrations_are_not_found_but_their_name_is_free(h: &Harness) {
    let item = h.receive("1", "chat").await;
    let twin = builders::integration(&*h.ids, h.tenant.id, "Bot", h.now());
    let refused = h.write().await.integrations().insert(&twin).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "integration",
            ..
        })
    ));
    let tx = h.write().await;
    let all = tx.integrations();
    let id = h.integration.id;
    assert!(!all.delete(h.stranger(), id, h.now()).await.unwrap());
    assert!(all.delete(h.tenant.id, id, h.now()).await.unwrap());
    assert!(!all.delete(h.tenant.id, id, h.now()).await.unwrap());
    assert_eq!(all.find(h.tenant.id, id).await.unwrap(), None);
    assert!(
        tx.agents()
            .seeing(h.tenant.id, id)
            .await
            .unwrap()
            .is_empty()
    );
    all.insert(&twin).await.unwrap();
    assert_eq!(
        tx.work().find(h.tenant.id, item.id).await.unwrap(),
        Some(item)
    );
    drop(all);
    tx.commit().await.unwrap();
    assert_eq!(h.store.find_integration(id).await.unwrap(), None);
    assert_eq!(h.store.active_integrations().await.unwrap(), vec![twin]);
}

/// Disabled and archived agents see nothing; the list counts only where not everybody sees.
pub async fn agents_see_what_is_open_to_all_or_lists_them(h: &Harness) {
    let tx = h.write().await;
    let (agents, all) = (tx.agents(), tx.integrations());
    let eve = builders::agent(&*h.ids, h.tenant.id, "Eve", h.now());
    let mut off = builders::agent(&*h.ids, h.tenant.id, "Off", h.now());
    off.enabled = false;
    agents.insert(&eve).await.unwrap();
    agents.insert(&off).await.unwrap();
    let mut private = builders::integration(&*h.ids, h.tenant.id, "Private", h.now());
    private.visibility = Visibility::Agents(vec![off.id]);
    all.insert(&private).await.unwrap();
    let (tenant, id) = (h.tenant.id, private.id);
    let open = agents.seeing(tenant, h.integration.id).await.unwrap();
    assert_eq!(open, vec![h.agent.clone(), eve.clone()]);
    assert_eq!(agents.seeing(tenant, id).await.unwrap(), vec![]);
    agents
        .set_integrations(tenant, eve.id, &[id])
        .await
        .unwrap();
    assert_eq!(agents.seeing(tenant, id).await.unwrap(), vec![eve.clone()]);
    assert_eq!(agents.integrations(tenant, eve.id).await.unwrap(), vec![id]);
    let listed = all.find(tenant, id).await.unwrap().unwrap().visibility;
    assert_eq!(listed, Visibility::Agents(vec![eve.id, off.id]));
    let stranger = h.stranger();
    agents
        .set_integrations(stranger, eve.id, &[id])
        .await
        .unwrap();
    assert_eq!(agents.seeing(stranger, id).await.unwrap(), vec![]);
    assert_eq!(agents.integrations(tenant, eve.id).await.unwrap(), vec![id]);
    agents.set_integrations(tenant, eve.id, &[]).await.unwrap();
    assert_eq!(agents.integrations(tenant, eve.id).await.unwrap(), vec![]);
}
