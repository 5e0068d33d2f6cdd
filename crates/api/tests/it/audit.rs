//! The audit trail as people read it.

use crate::{
    harness::App,
    people::{PASSWORD, invite, knock, owner},
};
use axum::http::{Method, StatusCode};
use domain::{access::Role, audit::AuditEntry};
use ports::store::{AuditFilter, BoxTx};
use serde_json::{Value, json};
use services::audit::{Proof, prove};

/// All of it, newest first.
pub(crate) async fn trail(app: &App) -> Vec<AuditEntry> {
    let tenant = app.platform.settings.home_tenant;
    let tx = app.store.read(tenant).await.unwrap();
    let filter = AuditFilter::default();
    let all = tx.audit().list(tenant, &filter, i64::MAX, 10_000).await;
    all.unwrap()
}

/// Proves it and gives how many entries it has.
pub(crate) async fn holds(app: &App) -> i64 {
    let tenant = app.platform.settings.home_tenant;
    let secrets = app.platform.secrets.as_ref();
    let proof = prove(app.platform.store.as_ref(), secrets, tenant).await;
    let Proof { end, broken } = proof.unwrap();
    assert_eq!(broken, None);
    end.seq
}

async fn list(app: &App, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/v1/audit?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_change_is_listed_with_who_made_it_what_it_was_and_what_it_is() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let body = json!({"name": "Bob", "budget_micros_per_day": 7});
    let agent = ada.post(&app, "/api/v1/agents", body).await.id();
    let path = format!("/api/v1/agents/{agent}");
    let body = json!({"budget_micros_per_day": null, "tools": ["grep"]});
    let changed = ada.send(&app, (&Method::PATCH, &path, &body)).await;
    let request = changed.headers["x-request-id"].to_str().unwrap();
    let entries = list(&app, &format!("subject_id={agent}")).await;
    assert_eq!(entries.len(), 2);
    let hash = entries[0]["hash"].clone();
    assert_eq!(hash.as_str().unwrap().len(), 64);
    assert_eq!(
        entries[0],
        json!({"seq": entries[0]["seq"], "at": "2026-01-01T00:00:00Z",
            "actor": {"kind": "user", "id": ada.id, "name": "Ada"},
            "action": "agent.updated", "subject": {"kind": "agent", "id": agent, "name": "Bob"},
            "before": {"budget_micros_per_day": 7, "tools": null},
            "after": {"budget_micros_per_day": null, "tools": ["grep"]},
            "address": entries[0]["address"], "request_id": request, "hash": hash})
    );
    assert!(entries[0]["address"].is_string());
    assert_eq!(
        (&entries[1]["action"], &entries[1]["before"]),
        (&json!("agent.created"), &Value::Null)
    );
}

#[tokio::test]
async fn the_list_is_narrowed_and_paged_newest_first() {
    let app = App::start().await;
    let ada = owner(&app).await;
    for name in ["a", "b", "c"] {
        app.agent(name).await;
    }
    app.clock.advance(std::time::Duration::from_mins(1));
    ada.post(&app, "/api/v1/agents", json!({"name": "d"})).await;
    let count = async |query: &str| list(&app, query).await.len();
    assert_eq!(count("action=agent.created").await, 4);
    assert_eq!(
        count(&format!("action=agent.created&actor_id={}", ada.id)).await,
        1
    );
    let instant = "2026-01-01T00:00:30Z";
    assert_eq!(count(&format!("from={instant}")).await, 1);
    let before = count(&format!("to={instant}")).await;
    let all = holds(&app).await;
    assert_eq!(i64::try_from(before).unwrap() + 1, all);

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("/api/v1/audit?limit=2{cursor}")).await;
        let items = page.body["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["seq"].as_i64().unwrap()));
        let Some(next) = page.body["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (1..=all).rev().collect::<Vec<_>>());
    app.get("/api/v1/audit?cursor=x")
        .await
        .is_problem(422, "validation_failed");
    let stranger = app.stranger().get("/api/v1/audit").await;
    assert_eq!(stranger.body, json!({"items": [], "next_cursor": null}));
}

#[tokio::test]
async fn an_entry_is_found_by_its_place_and_by_nobody_else() {
    let app = App::start().await;
    app.post("/api/v1/agents", json!({"name": "a"})).await;
    let all = list(&app, "limit=100").await;
    for entry in &all {
        let found = app.get(&format!("/api/v1/audit/{}", entry["seq"])).await;
        assert_eq!(&found.body, entry);
    }
    let beyond = holds(&app).await + 1;
    for place in [0, -1, beyond, i64::MAX] {
        let answer = app.get(&format!("/api/v1/audit/{place}")).await;
        answer.is_problem(404, "not_found");
    }
    let stranger = app.stranger().get("/api/v1/audit/1").await;
    stranger.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_failed_login_is_noted_where_there_is_such_an_account() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let before = holds(&app).await;
    for email in ["nobody@example.com", ada.email.as_str()] {
        let body = json!({"email": email, "password": "wrong"});
        knock(&app, "/api/v1/session", body)
            .await
            .is_problem(401, "invalid_credentials");
    }
    assert_eq!(holds(&app).await, before + 1);
    let refused = list(&app, "action=session.refused").await;
    assert_eq!(
        (&refused[0]["subject"]["id"], &refused[0]["actor"]["kind"]),
        (&json!(ada.id), &json!("system"))
    );
    let body = json!({"email": ada.email, "password": PASSWORD});
    let login = knock(&app, "/api/v1/session", body).await;
    assert_eq!(login.status, StatusCode::OK);
    let opened = list(&app, "action=session.created").await;
    assert_eq!(opened[0]["actor"]["id"], json!(ada.id));
}

#[tokio::test]
async fn what_failed_in_a_sprite_is_noted_as_failed() {
    let app = App::start().await;
    let agent = app.agent("Ada").await;
    let path = format!("/api/v1/agents/{agent}/sprite/checkpoints/v9/restore");
    app.post(&path, Value::Null)
        .await
        .is_problem(404, "not_found");
    let entries = list(&app, &format!("subject_id={agent}&limit=2")).await;
    assert_eq!(
        (&entries[0]["action"], &entries[0]["after"]),
        (
            &json!("sprite.change_failed"),
            &json!({"action": "sprite.checkpoint_restored"})
        )
    );
    assert_eq!(entries[1]["action"], "sprite.checkpoint_restored");
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_noted_once() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let bob = invite(&app, &ada, Role::Member).await;
    let before = holds(&app).await;
    for _ in 0..2 {
        let what = (&Method::POST, "/api/v1/work-items", &json!({"text": "x"}));
        let mut request = bob.request(&app, what, Some(&bob.csrf));
        let key = "once".parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        assert_eq!(app.send(request).await.status, StatusCode::CREATED);
    }
    assert_eq!(holds(&app).await, before + 1);
}

#[tokio::test]
async fn work_that_cannot_be_noted_is_not_taken_in() {
    let app = App::start().await;
    app.agent("Ada").await;
    let last = trail(&app).await.remove(0);
    // The next place in the chain is taken, which its end does not know of.
    app.write(async |tx: &BoxTx| {
        for seq in [last.seq + 2, last.seq + 1] {
            let entry = AuditEntry {
                seq,
                ..last.clone()
            };
            tx.audit().append(&entry).await.unwrap();
        }
    })
    .await;
    let refused = app.post("/api/v1/work-items", json!({"text": "x"})).await;
    assert!(!refused.status.is_success(), "{}", refused.status);
    let items = app.get("/api/v1/work-items").await;
    assert_eq!(items.body["items"], json!([]));
}
