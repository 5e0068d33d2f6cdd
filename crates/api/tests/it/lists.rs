//! Lists as people narrow them, and what tells that they changed.

use crate::{
    harness::App,
    people::{invite, owner},
};
use domain::{access::Role, effect::EffectStatus};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_filter_of_every_list_narrows() {
    let app = App::start().await;
    let (mut done, mut reply) = app.job().await;
    app.finish(&mut done).await;
    let (queued, mut other) = app.job().await;
    other.status = EffectStatus::Unknown;
    reply.status = EffectStatus::Sent;
    app.write(async |tx| {
        tx.effects().insert(&reply).await.unwrap();
        tx.effects().insert(&other).await.unwrap();
    })
    .await;
    let body = json!({"text": "50% MORE", "conversation_id": queued.conversation_id});
    let more = app.post("/api/v1/work-items", body).await;
    let (more, web) = (more.id(), more.body["integration_id"].clone());
    let web = web.as_str().unwrap();
    let nobody = crate::matrix::NOBODY;

    let list = async |query: String| ids(&app.get(&format!("/api/v1/{query}")).await.body);
    let (agent, item, thread) = (queued.agent_id, queued.work_item_id, queued.conversation_id);
    let items = [more.clone(), item.to_string()];
    for (query, wanted) in [
        (format!("work-items?conversation_id={thread}"), &items[..]),
        (format!("work-items?conversation_id={nobody}"), &[]),
        (format!("work-items?agent_id={agent}&text=do"), &items[1..]),
        (
            format!("work-items?integration_id={web}&text=50%25%20more"),
            &items[..1],
        ),
        (format!("work-items?integration_id={nobody}"), &[]),
        (
            format!("work-items?conversation_id={thread}&status=failed"),
            &[],
        ),
        (
            format!("work-items?conversation_id={thread}&status=open"),
            &items,
        ),
    ] {
        assert_eq!(list(query.clone()).await, wanted, "{query}");
    }
    let jobs = [queued.id.to_string()];
    for query in [
        format!("agent_id={agent}"),
        format!("work_item_id={item}"),
        format!("conversation_id={thread}"),
        "status=queued".to_owned(),
        format!("agent_id={agent}&work_item_id={item}&conversation_id={thread}&status=queued"),
    ] {
        assert_eq!(list(format!("jobs?{query}")).await, jobs, "{query}");
    }
    let effects = [other.id.to_string()];
    for query in [
        format!("job_id={}", queued.id),
        format!("work_item_id={item}"),
        format!("agent_id={agent}"),
        "status=unknown".to_owned(),
        format!("agent_id={agent}&work_item_id={item}&status=unknown"),
    ] {
        assert_eq!(list(format!("effects?{query}")).await, effects, "{query}");
    }
    let none = format!(
        "effects?agent_id={agent}&work_item_id={}",
        done.work_item_id
    );
    assert_eq!(list(none).await, [""; 0]);
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let app = App::start().await;
    for list in ["work-items", "jobs", "effects"] {
        for bad in ["agent_id=x", "status=purple", "cursor=x", "limit=101"] {
            let refused = app.get(&format!("/api/v1/{list}?{bad}")).await;
            refused.is_problem(422, "validation_failed");
        }
    }
}

#[tokio::test]
async fn filters_find_nothing_of_a_restricted_agent() {
    let app = App::start().await;
    let (job, reply) = app.job().await;
    app.write(async |tx| tx.effects().insert(&reply).await.unwrap())
        .await;
    let owner = owner(&app).await;
    let member = invite(&app, &owner, Role::Member).await;
    let people = json!({"restricted": true, "user_ids": []});
    app.put(&format!("/api/v1/agents/{}/people", job.agent_id), people)
        .await;
    for query in [
        format!("work-items?agent_id={}", job.agent_id),
        format!("work-items?conversation_id={}", job.conversation_id),
        "work-items?text=do%20it".to_owned(),
        format!("jobs?conversation_id={}", job.conversation_id),
        format!("effects?agent_id={}", job.agent_id),
        format!("effects?work_item_id={}", job.work_item_id),
    ] {
        let path = format!("/api/v1/{query}");
        assert_eq!(ids(&owner.get(&app, &path).await.body).len(), 1, "{query}");
        assert_eq!(ids(&member.get(&app, &path).await.body), [""; 0], "{query}");
    }
}
