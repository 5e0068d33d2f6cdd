//! What is counted over many rows: the overview, costs and outcomes, and that none of it tells of what is hidden.

use crate::{
    harness::App,
    people::{invite, owner},
};
use domain::{
    access::Role,
    budget::{BudgetScope, Limit, Micros, Period},
    effect::EffectStatus,
    job::JobFailure,
    model::{ModelCallStatus, Usage},
};
use ports::clock::Clock as _;
use serde_json::{Value, json};
use std::time::Duration;
use test_kit::builders;

/// A server whose tenant may spend.
async fn start() -> App {
    let app = App::start().await;
    let (tenant, now) = (app.platform.settings.home_tenant, app.clock.now());
    app.write(async |tx| {
        let (scope, limit) = (BudgetScope::Tenant, Limit::Unlimited);
        tx.ledger()
            .set_budget(tenant, scope, Period::Day, limit, now)
            .await
            .unwrap();
    })
    .await;
    app
}

fn agent<'v>(overview: &'v Value, id: &str) -> &'v Value {
    let agents = overview["agents"].as_array().unwrap();
    agents.iter().find(|agent| agent["agent_id"] == id).unwrap()
}

/// Pays for a call of a job as a worker would.
async fn pay(app: &App, job: &domain::job::Job, cost: i64) {
    let now = app.clock.now();
    let mut call = builders::model_call(app.platform.ids.as_ref(), job, Micros(1_000), now);
    app.write(async |tx| {
        let granted = tx.ledger().reserve(&call, job.agent_id).await.unwrap();
        assert_eq!(granted, domain::budget::Reservation::Granted);
        call.status = ModelCallStatus::Settled;
        call.cost = Micros(cost);
        call.usage = Usage {
            input: 10,
            output: 5,
            cache_read: 3,
            cache_write: 0,
        };
        call.finished_at = Some(now);
        tx.ledger().settle(&call, job.agent_id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_overview_counts_what_needs_a_person_and_what_runs() {
    let app = start().await;
    let (mut job, mut reply) = app.job().await;
    reply.status = EffectStatus::Unknown;
    job.start(app.clock.now()).unwrap();
    app.write(async |tx| {
        tx.jobs().update(&job).await.unwrap();
        tx.effects().insert(&reply).await.unwrap();
    })
    .await;
    pay(&app, &job, 700).await;
    let id = job.agent_id.to_string();
    app.post(
        "/api/v1/work-items",
        json!({"text": "more", "agent_ids": [id]}),
    )
    .await;
    app.clock.advance(Duration::from_secs(30));

    let overview = app.get("/api/v1/overview").await.body;
    assert_eq!(
        overview["needs"],
        json!({"approvals": 0, "failed_jobs": 0, "dead_letters": 0, "unknown_effects": 1})
    );
    assert_eq!(overview["running"][0]["id"], job.id.to_string());
    assert_eq!(
        overview["queue"],
        json!({"queued_items": 1, "oldest_wait_seconds": 30, "pending_effects": 0})
    );
    assert_eq!(overview["spend_today_micros"], 700);
    let standing = agent(&overview, &id);
    assert_eq!(standing["state"], "running");
    assert_eq!(standing["running_jobs"], 1);
    assert_eq!(standing["queued_items"], 1);
    assert_eq!(standing["spend_today_micros"], 700);
    assert_eq!(standing["budget_micros_per_day"], 5_000_000);
    assert!(standing["last_active_at"].is_string());
    assert_eq!(overview["integrations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_overview_counts_what_failed_lately_and_was_not_tried_again() {
    let app = start().await;
    let (mut job, _) = app.job().await;
    job.start(app.clock.now()).unwrap();
    pay(&app, &job, 700).await;
    let id = job.agent_id.to_string();
    let failure = JobFailure {
        code: "x".to_owned(),
        message: "y".to_owned(),
    };
    job.fail(failure, app.clock.now()).unwrap();
    app.write(async |tx| tx.jobs().update(&job).await.unwrap())
        .await;
    let overview = app.get("/api/v1/overview").await.body;
    assert_eq!(overview["needs"]["failed_jobs"], 1);
    assert_eq!(agent(&overview, &id)["state"], "idle");

    let mut retry = job.clone();
    retry.id = domain::id::JobId::from_uuid(app.platform.ids.next());
    retry.attempt = 2;
    retry.retry_of = Some(job.id);
    app.write(async |tx| {
        tx.jobs().insert(&retry, Limit::Unlimited).await.unwrap();
    })
    .await;
    app.clock.advance(Duration::from_mins(1));
    let overview = app.get("/api/v1/overview").await.body;
    assert_eq!(
        overview["needs"]["failed_jobs"], 1,
        "only the newest attempt counts"
    );
    app.clock.advance(Duration::from_hours(25));
    let overview = app.get("/api/v1/overview").await.body;
    assert_eq!(overview["needs"]["failed_jobs"], 0);
    assert_eq!(overview["spend_today_micros"], 0);
    assert_eq!(agent(&overview, &id)["spend_today_micros"], 0);
}

#[tokio::test]
async fn sums_tell_nothing_of_what_is_hidden() {
    let app = start().await;
    let (mut job, reply) = app.job().await;
    job.start(app.clock.now()).unwrap();
    app.write(async |tx| {
        tx.jobs().update(&job).await.unwrap();
        tx.effects().insert(&reply).await.unwrap();
    })
    .await;
    pay(&app, &job, 700).await;
    let owner = owner(&app).await;
    let member = invite(&app, &owner, Role::Member).await;
    let path = format!("/api/v1/agents/{}/people", job.agent_id);
    let body = json!({"restricted": true, "user_ids": []});
    assert_eq!(app.put(&path, body).await.status, 200);

    let seen = member.get(&app, "/api/v1/overview").await.body;
    assert_eq!(seen["agents"], json!([]));
    assert_eq!(seen["running"], json!([]));
    assert_eq!(seen["spend_today_micros"], 0);
    assert_eq!(seen["queue"]["pending_effects"], 0);
    let costs = member.get(&app, "/api/v1/costs").await.body;
    assert_eq!(
        (&costs["total_micros"], &costs["items"]),
        (&json!(0), &json!([]))
    );
    let all = owner.get(&app, "/api/v1/costs").await.body;
    assert_eq!(all["total_micros"], 700);
    assert_eq!(
        owner.get(&app, "/api/v1/overview").await.body["spend_today_micros"],
        700
    );
}

#[tokio::test]
async fn costs_are_added_up_by_what_is_asked_for() {
    let app = start().await;
    let (first, _) = app.job().await;
    let (second, _) = app.job().await;
    pay(&app, &first, 100).await;
    app.clock.advance(Duration::from_hours(24));
    pay(&app, &first, 20).await;
    pay(&app, &second, 300).await;
    let rows = async |query: &str| {
        let answer = app.get(&format!("/api/v1/costs?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["total_micros"], 420);
        answer.body["items"].as_array().unwrap().clone()
    };
    let whole = rows("").await;
    assert_eq!(
        whole,
        [
            json!({"day": null, "key": null, "label": "All", "jobs": 2, "model_calls": 3, "input_tokens": 30,
            "output_tokens": 15, "cached_tokens": 9, "cost_micros": 420})
        ]
    );
    let costs = |rows: &[Value]| -> Vec<i64> {
        rows.iter()
            .map(|row| row["cost_micros"].as_i64().unwrap())
            .collect()
    };
    let by_agent = rows("group=agent").await;
    assert_eq!(costs(&by_agent), [300, 120]);
    assert_eq!(by_agent[0]["key"], second.agent_id.to_string());
    assert!(by_agent[0]["label"].as_str().unwrap().starts_with("agent "));
    let by_model = rows("group=model&daily=true").await;
    assert_eq!(costs(&by_model), [100, 320]);
    assert_eq!(by_model[0]["key"], by_model[0]["label"]);
    assert!(by_model[0]["day"].as_str() < by_model[1]["day"].as_str());
    let by_conversation = rows("group=conversation").await;
    assert_eq!(costs(&by_conversation), [300, 120]);
    assert_eq!(by_conversation[1]["key"], first.conversation_id.to_string());
    app.get("/api/v1/costs?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")
        .await
        .is_problem(422, "validation_failed");
    app.get("/api/v1/costs?group=colour")
        .await
        .is_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_dearest_conversations_are_told_apart_and_the_rest_is_one() {
    let app = start().await;
    for cost in 1..=102 {
        let (job, _) = app.job().await;
        pay(&app, &job, cost).await;
    }
    for query in ["", "&daily=true"] {
        let path = format!("/api/v1/costs?group=conversation{query}");
        let answer = app.get(&path).await;
        assert_eq!(answer.body["total_micros"], 102 * 103 / 2);
        let rows = answer.body["items"].as_array().unwrap();
        let (named, rest): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["key"].is_string());
        let costs: Vec<_> = named
            .iter()
            .map(|row| row["cost_micros"].as_i64())
            .collect();
        assert_eq!(costs, (3..=102).rev().map(Some).collect::<Vec<_>>());
        let [rest] = rest.as_slice() else {
            panic!("one row for the rest: {rest:?}");
        };
        let said = (&rest["label"], &rest["cost_micros"], &rest["jobs"]);
        assert_eq!(said, (&json!("All others"), &json!(3), &json!(2)));
    }
}

#[tokio::test]
async fn outcomes_say_how_jobs_ended_and_how_long_people_waited() {
    let app = start().await;
    let (mut job, _) = app.job().await;
    app.clock.advance(Duration::from_secs(40));
    app.finish(&mut job).await;
    let (mut stopped, _) = app.job().await;
    stopped.cancel(app.clock.now()).unwrap();
    app.write(async |tx| tx.jobs().update(&stopped).await.unwrap())
        .await;
    let day = app.clock_text(0)[..10].to_owned();
    let answer = app.get("/api/v1/costs/outcomes").await;
    assert_eq!(
        answer.body["items"],
        json!([{"day": day, "completed": 1, "failed": 0, "cancelled": 1, "reply_p50_seconds": 40,
            "reply_p95_seconds": 40}])
    );
}
