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
async fn every_filter_of_work_items_narrows() {
    let app = App::start().await;
    let (mut done, _) = app.job().await;
    app.finish(&mut done).await;
    let (queued, _) = app.job().await;
    let body = json!({"text": "50% MORE", "conversation_id": queued.conversation_id});
    let more = app.post("/api/v1/work-items", body).await;
    let (more, web) = (more.id(), more.body["integration_id"].clone());
    let web = web.as_str().unwrap();
    let nobody = crate::matrix::NOBODY;
    let (agent, item, thread) = (queued.agent_id, queued.work_item_id, queued.conversation_id);
    let items = [more, item.to_string()];
    for (query, wanted) in [
        (format!("conversation_id={thread}"), &items[..]),
        (format!("conversation_id={nobody}"), &[]),
        (format!("agent_id={agent}&text=do"), &items[1..]),
        (
            format!("integration_id={web}&text=50%25%20more"),
            &items[..1],
        ),
        (format!("integration_id={nobody}"), &[]),
        (format!("conversation_id={thread}&status=failed"), &[]),
        (format!("conversation_id={thread}&status=open"), &items),
    ] {
        let list = app.get(&format!("/api/v1/work-items?{query}")).await;
        assert_eq!(ids(&list.body), wanted, "{query}");
    }
}

#[tokio::test]
async fn every_filter_of_jobs_and_effects_narrows() {
    let app = App::start().await;
    let (mut done, mut arrived) = app.job().await;
    app.finish(&mut done).await;
    let (job, mut lost) = app.job().await;
    arrived.status = EffectStatus::Sent;
    lost.status = EffectStatus::Unknown;
    app.write(async |tx| {
        tx.effects().insert(&arrived).await.unwrap();
        tx.effects().insert(&lost).await.unwrap();
    })
    .await;
    let found = async |query: String| ids(&app.get(&format!("/api/v1/{query}")).await.body);
    let (agent, item, thread) = (job.agent_id, job.work_item_id, job.conversation_id);
    for query in [
        format!("agent_id={agent}"),
        format!("work_item_id={item}"),
        format!("conversation_id={thread}"),
        "status=queued".to_owned(),
        format!("agent_id={agent}&work_item_id={item}&conversation_id={thread}&status=queued"),
    ] {
        let jobs = found(format!("jobs?{query}")).await;
        assert_eq!(jobs, [job.id.to_string()], "{query}");
    }
    for query in [
        format!("job_id={}", job.id),
        format!("work_item_id={item}"),
        format!("agent_id={agent}"),
        "status=unknown".to_owned(),
        format!("agent_id={agent}&work_item_id={item}&status=unknown"),
    ] {
        let effects = found(format!("effects?{query}")).await;
        assert_eq!(effects, [lost.id.to_string()], "{query}");
    }
    let none = format!(
        "effects?agent_id={agent}&work_item_id={}",
        done.work_item_id
    );
    assert_eq!(found(none).await, [""; 0]);
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
