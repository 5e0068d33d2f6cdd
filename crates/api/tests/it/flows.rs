//! Agents, work, jobs and effects as people use them.

use crate::harness::App;
use axum::http::StatusCode;
use domain::{
    budget::Limit,
    effect::EffectStatus,
    id::JobId,
    job::{Job, JobFailure, JobStatus},
};
use serde_json::{Value, json};
use services::events;
use test_kit::builders;

#[tokio::test]
async fn an_agent_needs_nothing_but_a_name() {
    let app = App::start().await;
    let id = app.agent("Ada").await;
    let path = format!("/api/v1/agents/{id}");
    let shown = app.get(&path).await.body;
    assert_eq!(
        shown,
        json!({"id": id, "name": "Ada", "model": null, "instructions": "", "enabled": true, "reply_policy": "auto",
            "steering": "steer", "loop_limits": {"relay_depth": 3, "bot_window_items": 20, "bot_window_seconds": 60, "bot_cooldown_seconds": 60, "identical_calls": 5, "identical_answers": 3, "resumes": 3},
            "budget_micros_per_day": 5_000_000, "tools": null, "approvers": {"min_role": "member", "user_ids": []}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "archived_at": null})
    );
    app.post("/api/v1/agents", json!({"name": "ada"}))
        .await
        .is_problem(409, "name_taken");
    let strange = app
        .post(
            "/api/v1/agents",
            json!({"name": "Bob", "model": "nobody/x"}),
        )
        .await;
    strange.is_problem(422, "validation_failed");
    let free =
        json!({"budget_micros_per_day": null, "model": "demo/other", "reply_policy": "approve"});
    let changed = app.patch(&path, free).await.body;
    assert_eq!(changed["budget_micros_per_day"], Value::Null);
    assert_eq!(changed["model"], "demo/other");
    let back = app.patch(&path, json!({"model": null})).await.body;
    assert_eq!(
        (&back["model"], &back["reply_policy"]),
        (&Value::Null, &json!("approve"))
    );
    let negative = app.patch(&path, json!({"budget_micros_per_day": -1})).await;
    negative.is_problem(422, "validation_failed");

    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/api/v1/agents").await.body["items"], json!([]));
    assert_eq!(app.get(&path).await.body["enabled"], false);
    app.patch(&path, json!({"enabled": true}))
        .await
        .is_problem(409, "agent_archived");
    app.agent("Ada").await;
}

#[tokio::test]
async fn lists_are_paged() {
    let app = App::start().await;
    for name in ["a", "b", "c"] {
        app.agent(name).await;
    }
    let first = app.get("/api/v1/agents?limit=2").await.body;
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|agent| agent["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&first), ["c", "b"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app
        .get(&format!("/api/v1/agents?limit=2&cursor={cursor}"))
        .await
        .body;
    assert_eq!(names(&second), ["a"]);
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn naming_an_agent_never_narrows_what_all_agents_see() {
    let app = App::start().await;
    let agent = app.agent("Ada").await;
    let path = format!("/api/v1/agents/{agent}/integrations");
    let open = app.telegram("open").await;
    let narrow = app.put(&path, json!({"integration_ids": [open]})).await;
    narrow.is_problem(409, "would_narrow_integration");
    let body = json!({"type": "telegram", "name": "closed", "config": {"bot_token": "1"}, "agent_ids": []});
    let closed = app.post("/api/v1/integrations", body).await.id();
    let set = app.put(&path, json!({"integration_ids": [closed]})).await;
    assert_eq!(set.body, json!({"integration_ids": [closed]}));
    assert_eq!(app.get(&path).await.body, set.body);
    let shown = app
        .get(&format!("/api/v1/integrations/{closed}"))
        .await
        .body;
    assert_eq!(shown["agent_ids"], json!([agent]));
    assert_eq!(
        app.get(&format!("/api/v1/agents/{agent}/sprite"))
            .await
            .body["tier"],
        "landlock"
    );
}

#[tokio::test]
async fn work_can_be_handed_in_and_found_again() {
    let app = App::start().await;
    let (ada, bob) = (app.agent("Ada").await, app.agent("Bob").await);
    app.patch(&format!("/api/v1/agents/{bob}"), json!({"enabled": false}))
        .await;
    let create = |body: Value| app.post("/api/v1/work-items", body);
    let made = create(json!({"text": " count to ten ", "agent_ids": [ada]})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.body["message"]["text"], "count to ten");
    assert_eq!(made.body["assigned_agent_ids"], json!([ada]));
    assert_eq!(
        (&made.body["status"], &made.body["jobs"]),
        (&json!("open"), &json!([]))
    );
    create(json!({"text": " "}))
        .await
        .is_problem(422, "validation_failed");
    create(json!({"text": "x", "agent_ids": [bob]}))
        .await
        .is_problem(422, "validation_failed");
    let same = json!({"text": "and back", "conversation_id": made.body["conversation_id"]});
    let second = create(same).await;
    assert_eq!(second.body["conversation_id"], made.body["conversation_id"]);
    let nowhere = json!({"text": "x", "conversation_id": "0190aaaa-0000-7000-8000-000000000000"});
    create(nowhere).await.is_problem(422, "validation_failed");

    let found = app
        .get("/api/v1/work-items?text=TEN&status=open")
        .await
        .body;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["id"], made.body["id"]);
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}", job.id);
    let cancelled = app.post(&format!("{path}/cancel"), json!(null)).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    app.post(&format!("{path}/cancel"), json!(null))
        .await
        .is_problem(409, "job_final");
    let item = app
        .get(&format!("/api/v1/work-items/{}", job.work_item_id))
        .await
        .body;
    assert_eq!(
        (&item["status"], &item["reason"]),
        (&json!("failed"), &json!("the job was cancelled"))
    );
    assert_eq!(item["jobs"][0]["status"], "cancelled");
}

#[tokio::test]
async fn a_running_job_is_asked_to_stop() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    job.start(job.created_at).unwrap();
    app.write(async |tx| tx.jobs().update(&job).await.unwrap())
        .await;
    let path = format!("/api/v1/jobs/{}", job.id);
    let asked = app.post(&format!("{path}/cancel"), json!(null)).await.body;
    assert_eq!(asked["status"], "running");
    assert!(asked["cancel_requested_at"].is_string());
    app.post(&format!("{path}/retry"), json!({"from": "start"}))
        .await
        .is_problem(409, "job_not_final");
}

#[tokio::test]
async fn a_retry_is_a_new_job_and_answers_once_unless_told() {
    let app = App::start().await;
    let (mut job, mut reply) = app.job().await;
    reply.status = EffectStatus::Sent;
    let first = builders::message(app.platform.ids.as_ref(), &job, 1, "do it");
    app.write(async |tx| {
        tx.effects().insert(&reply).await.unwrap();
        tx.transcript().append(&[first]).await.unwrap();
    })
    .await;
    app.finish(&mut job).await;
    let path = format!("/api/v1/jobs/{}/retry", job.id);
    app.post(&path, json!({"from": "start"}))
        .await
        .is_problem(409, "already_answered");
    let again = app
        .post(&path, json!({"from": "last_turn", "reply_again": true}))
        .await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
    assert_eq!(
        (&again.body["attempt"], &again.body["status"]),
        (&json!(2), &json!("queued"))
    );
    assert_eq!(again.body["retry_of"], json!(job.id));
    let messages = app
        .get(&format!("/api/v1/jobs/{}/messages", again.id()))
        .await
        .body;
    assert_eq!(messages["items"][0]["parts"][0]["text"], "do it");
    let item = app
        .get(&format!("/api/v1/work-items/{}", job.work_item_id))
        .await
        .body;
    assert_eq!(item["status"], "open");
    let start = json!({"from": "start", "reply_again": true});
    let superseded = async || {
        let refused = app.post(&path, start.clone()).await;
        refused.is_problem(409, "superseded");
        assert!(
            refused.body["detail"]
                .as_str()
                .unwrap()
                .contains(&again.id())
        );
    };
    superseded().await;
    let retried = format!("/api/v1/jobs/{}", again.id());
    app.post(&format!("{retried}/cancel"), json!(null)).await;
    superseded().await;
    let third = app.post(&format!("{retried}/retry"), start.clone()).await;
    assert_eq!(third.body["attempt"], 3, "{}", third.body);
}

#[tokio::test]
async fn a_retry_waits_for_other_work_in_the_conversation() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    app.finish(&mut job).await;
    let body = json!({"text": "more", "conversation_id": job.conversation_id});
    let item = app.post("/api/v1/work-items", body).await.id();
    let id = JobId::from_uuid(app.platform.ids.next());
    let next = Job {
        id,
        root_id: id,
        work_item_id: item.parse().unwrap(),
        status: JobStatus::Queued,
        ..job.clone()
    };
    app.write(async |tx| tx.jobs().insert(&next, Limit::Unlimited).await.unwrap())
        .await;
    let path = format!("/api/v1/jobs/{}/retry", job.id);
    app.post(&path, json!({"from": "start"}))
        .await
        .is_problem(409, "lane_busy");
}

#[tokio::test]
async fn a_job_that_used_its_turns_is_retried_from_the_start_only() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    job.start(job.created_at).unwrap();
    let failure = JobFailure {
        code: "turn_limit".to_owned(),
        message: "It took too many turns.".to_owned(),
    };
    job.fail(failure, job.created_at).unwrap();
    app.write(async |tx| tx.jobs().update(&job).await.unwrap())
        .await;
    let path = format!("/api/v1/jobs/{}/retry", job.id);
    app.post(&path, json!({"from": "last_turn"}))
        .await
        .is_problem(409, "turn_limit");
    let again = app.post(&path, json!({"from": "start"})).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
}

#[tokio::test]
async fn a_job_shows_its_receipts_as_its_events_do() {
    let app = App::start().await;
    let (job, reply) = app.job().await;
    let ids = app.platform.ids.as_ref();
    let message = builders::message(ids, &job, 1, "hi");
    let mut call = builders::model_call(ids, &job, domain::budget::Micros(7), job.created_at);
    call.cost = domain::budget::Micros(5);
    let payloads = [
        events::message(&message),
        events::usage(&call),
        events::effect(&reply),
        events::job_status(&job),
    ]
    .map(|event| event.payload);
    app.write(async |tx| {
        tx.transcript().append(&[message]).await.unwrap();
        tx.effects().insert(&reply).await.unwrap();
    })
    .await;
    let path = format!("/api/v1/jobs/{}", job.id);
    let shown = app.get(&path).await.body;
    let messages = app.get(&format!("{path}/messages?limit=1")).await.body;
    assert_eq!(
        messages,
        json!({"items": [payloads[0]], "next_cursor": null})
    );
    let effect = &shown["effects"][0];
    for (field, value) in payloads[2].as_object().unwrap() {
        match field.as_str() {
            "effect_id" => assert_eq!(&effect["id"], value),
            "kind" => assert_eq!(&effect["action"]["kind"], value),
            field => assert_eq!(&effect[field], value, "{field}"),
        }
    }
    for (field, value) in payloads[3].as_object().unwrap() {
        let field = if field == "job_id" { "id" } else { field };
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!(payloads[1]["cost_micros"], 5);
    assert_eq!(shown["tool_call_count"], 0);
    assert_eq!(
        app.get(&format!("{path}/tool-calls")).await.body["items"],
        json!([])
    );
    assert_eq!(
        app.get(&format!("{path}/model-calls")).await.body["items"],
        json!([])
    );
}

#[tokio::test]
async fn effects_wait_for_people_who_decide() {
    let app = App::start().await;
    let (mut job, mut reply) = app.job().await;
    reply.status = EffectStatus::Held;
    app.write(async |tx| tx.effects().insert(&reply).await.unwrap())
        .await;
    app.finish(&mut job).await;
    let path = format!("/api/v1/effects/{}", reply.id);
    let release = |body: Value| {
        let path = format!("{path}/release");
        let app = &app;
        async move { app.post(&path, body).await }
    };
    let status = async |status: EffectStatus, from: EffectStatus| {
        let mut effect = reply.clone();
        effect.status = status;
        app.write(async |tx| assert!(tx.effects().update(&effect, from).await.unwrap()))
            .await;
    };
    assert_eq!(release(json!(null)).await.body["status"], "pending");
    release(json!(null)).await.is_problem(409, "effect_status");
    status(EffectStatus::Unknown, EffectStatus::Pending).await;
    release(json!(null))
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(
        release(json!({"resolve": "resend"})).await.body["status"],
        "pending"
    );
    status(EffectStatus::Unknown, EffectStatus::Pending).await;
    assert_eq!(
        release(json!({"resolve": "mark_sent"})).await.body["status"],
        "sent"
    );
    let item = format!("/api/v1/work-items/{}", job.work_item_id);
    assert_eq!(app.get(&item).await.body["status"], "replied");
    status(EffectStatus::Failed, EffectStatus::Sent).await;
    release(json!({"resolve": "mark_sent"}))
        .await
        .is_problem(409, "effect_not_sent");
    assert_eq!(release(json!(null)).await.body["status"], "pending");
    let cancelled = app.post(&format!("{path}/cancel"), json!(null)).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(app.get(&item).await.body["status"], "failed");
    app.post(&format!("{path}/cancel"), json!(null))
        .await
        .is_problem(409, "effect_status");
    let list = app.get("/api/v1/effects?status=cancelled").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}
