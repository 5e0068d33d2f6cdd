//! What is true of every route: who may pass, and how refusals look.

use crate::{
    harness::App,
    matrix::{NOBODY, operations},
    people::owner,
};
use api::Phase;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use domain::{
    approval::{Approval, ApprovalKind, ApprovalStatus, Approvers, OPEN_FOR},
    effect::Effect,
    id::ApprovalId,
    job::Job,
};
use serde_json::{Value, json};

fn without_token(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().remove("authorization");
    request
}

#[tokio::test]
async fn every_operation_but_a_short_list_needs_a_token() {
    let app = App::start().await;
    for operation in operations() {
        let path = operation.nobodys();
        let request = app.request(&operation.method, &path, &operation.body);
        let answer = app.send(without_token(request)).await;
        if operation.is_open() {
            assert_ne!(answer.body["code"], "unauthenticated", "{}", operation.id);
            continue;
        }
        answer.is_problem(401, "unauthenticated");
        assert!(answer.headers.contains_key("www-authenticate"));
        let mut wrong = app.request(&operation.method, &path, &operation.body);
        wrong
            .headers_mut()
            .insert("authorization", "Bearer wrong".parse().unwrap());
        app.send(wrong).await.is_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn the_document_is_public_and_names_no_secret() {
    let app = App::start().await;
    let request = app.request(&Method::GET, "/api/openapi.json", &Value::Null);
    let answer = app.send(without_token(request)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, serde_json::to_value(api::document()).unwrap());
    let post = &answer.body["paths"]["/api/v1/work-items"]["post"];
    assert_eq!(post["parameters"][0]["name"], "Idempotency-Key");
}

pub(crate) fn approval(job: &Job, reply: &Effect) -> Approval {
    Approval {
        id: ApprovalId::from_uuid(job.id.as_uuid()),
        tenant_id: job.tenant_id,
        kind: ApprovalKind::Reply,
        status: ApprovalStatus::Pending,
        agent_id: job.agent_id,
        job_id: job.id,
        work_item_id: job.work_item_id,
        conversation_id: job.conversation_id,
        integration_id: reply.integration_id,
        effect_id: Some(reply.id),
        tool_call_id: None,
        question: "May it go out?".to_owned(),
        action: json!({"kind": "reply"}),
        digest: "d".to_owned(),
        approvers: Approvers::default(),
        requesters: Vec::new(),
        requested_at: job.created_at,
        expires_at: job.created_at + OPEN_FOR,
        decided_at: None,
        decided_by: None,
        note: None,
    }
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let app = App::start().await;
    let (job, reply) = app.job().await;
    let approval = approval(&job, &reply);
    app.write(async |tx| {
        tx.effects().insert(&reply).await.unwrap();
        tx.approvals().insert(&approval).await.unwrap();
    })
    .await;
    let integration = app.telegram("bot").await;
    let ada = owner(&app).await;
    let session = ada.get(&app, "/api/v1/sessions").await.body["items"][0].clone();
    let session = session["id"].as_str().unwrap().to_owned();
    let body = json!({"email": "x@example.com", "role": "viewer"});
    let invitation = app.post("/api/v1/invitations", body).await.id();
    let body = json!({"name": "x", "kind": "anthropic"});
    let provider = app.post("/api/v1/providers", body).await.id();
    let stranger = app.stranger();
    for operation in operations() {
        if !operation.path.contains("{id}") {
            continue;
        }
        // What is one's own has no id that somebody else could give.
        if operation.path.contains("/me/") {
            continue;
        }
        let id = match operation.path.split('/').nth(3).unwrap() {
            "agents" => job.agent_id.to_string(),
            "integrations" => integration.clone(),
            "work-items" => job.work_item_id.to_string(),
            "conversations" => job.conversation_id.to_string(),
            "jobs" => job.id.to_string(),
            "effects" => reply.id.to_string(),
            "approvals" => approval.id.to_string(),
            "users" => ada.id.clone(),
            "sessions" => session.clone(),
            "invitations" => invitation.clone(),
            "providers" => provider.clone(),
            "tokens" => NOBODY.to_owned(),
            other => panic!("say which id {other} takes"),
        };
        for id in [id.as_str(), "nonsense"] {
            let path = operation.path.replace("{id}", id);
            let request = stranger.request(&operation.method, &path, &operation.body);
            let answer = stranger.send(request).await;
            assert_eq!(answer.body["code"], "not_found", "{} {path}", operation.id);
            answer.is_problem(404, "not_found");
        }
    }
    lists_nothing(&stranger).await;
}

async fn lists_nothing(stranger: &App) {
    for list in [
        "agents",
        "integrations",
        "conversations",
        "work-items",
        "jobs",
        "effects",
        "approvals",
        "sprite-sessions",
        "tokens",
        "users",
        "sessions",
        "invitations",
    ] {
        let answer = stranger.get(&format!("/api/v1/{list}")).await;
        assert_eq!(
            answer.body,
            json!({"items": [], "next_cursor": null}),
            "{list}"
        );
    }
}

#[tokio::test]
async fn a_role_may_do_what_it_carries_and_no_more() {
    let app = App::start().await;
    let body = json!({"name": "watcher", "role": "viewer"});
    let token = app.post("/api/v1/tokens", body).await;
    assert_eq!(token.status, StatusCode::CREATED);
    let viewer = format!("Bearer {}", token.body["token"].as_str().unwrap());
    let as_viewer = |method: &Method, path: &str, body: &Value| {
        let mut request = app.request(method, path, body);
        request
            .headers_mut()
            .insert("authorization", viewer.parse().unwrap());
        app.send(request)
    };
    let list = as_viewer(&Method::GET, "/api/v1/agents", &Value::Null).await;
    assert_eq!(list.status, StatusCode::OK);
    let agent = as_viewer(&Method::POST, "/api/v1/agents", &json!({"name": "x"})).await;
    agent.is_problem(403, "forbidden");
    let work = as_viewer(&Method::POST, "/api/v1/work-items", &json!({"text": "x"})).await;
    work.is_problem(403, "forbidden");

    let path = format!("/api/v1/tokens/{}", token.id());
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    let list = as_viewer(&Method::GET, "/api/v1/agents", &Value::Null).await;
    list.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn administrators_do_not_make_or_stop_owners_and_expiry_ends_a_token() {
    let app = App::start().await;
    let owner = app
        .post("/api/v1/tokens", json!({"name": "o", "role": "owner"}))
        .await;
    let expires = app.clock_text(60);
    let body = json!({"name": "a", "role": "admin", "expires_at": expires});
    let admin = app.post("/api/v1/tokens", body).await;
    let admin = format!("Bearer {}", admin.body["token"].as_str().unwrap());
    let as_admin = |method: Method, path: String, body: Value| {
        let mut request = app.request(&method, &path, &body);
        request
            .headers_mut()
            .insert("authorization", admin.parse().unwrap());
        app.send(request)
    };
    let tokens = "/api/v1/tokens".to_owned();
    let made = as_admin(
        Method::POST,
        tokens.clone(),
        json!({"name": "x", "role": "owner"}),
    )
    .await;
    made.is_problem(403, "forbidden");
    let path = format!("/api/v1/tokens/{}", owner.id());
    as_admin(Method::DELETE, path, Value::Null)
        .await
        .is_problem(403, "forbidden");
    let listed = as_admin(Method::GET, tokens.clone(), Value::Null).await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
    assert!(
        !listed
            .body
            .to_string()
            .contains(owner.body["token"].as_str().unwrap())
    );
    app.clock.advance(std::time::Duration::from_secs(61));
    as_admin(Method::GET, tokens, Value::Null)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let app = App::start().await;
    app.get("/api/nothing").await.is_problem(404, "not_found");
    app.get("/api/v1/nothing")
        .await
        .is_problem(404, "not_found");
    app.get("/api").await.is_problem(404, "not_found");
    app.get("/webhooks/x").await.is_problem(404, "not_found");
    let wrong = app.delete("/api/v1/agents").await;
    wrong.is_problem(405, "method_not_allowed");
    assert!(wrong.headers.contains_key("allow"));

    let raw = |body: &str, media: &str| {
        let mut request = app.request(&Method::POST, "/api/v1/agents", &Value::Null);
        request
            .headers_mut()
            .insert("content-type", media.parse().unwrap());
        *request.body_mut() = Body::from(body.to_owned());
        app.send(request)
    };
    raw("{", "application/json")
        .await
        .is_problem(400, "bad_json");
    raw("{} x", "application/json")
        .await
        .is_problem(422, "validation_failed");
    raw("{\"name\":\"a\"} x", "application/json")
        .await
        .is_problem(400, "bad_json");
    raw("name=a", "text/plain")
        .await
        .is_problem(415, "unsupported_media_type");
    raw(&" ".repeat(2 << 20), "application/json")
        .await
        .is_problem(413, "too_large");

    let unknown = app
        .post("/api/v1/agents", json!({"name": "a", "colour": "red"}))
        .await;
    unknown.is_problem(422, "validation_failed");
    let blank = app.post("/api/v1/agents", json!({"name": " "})).await;
    blank.is_problem(422, "validation_failed");
    assert_eq!(blank.body["errors"][0]["field"], "name");
    app.get("/api/v1/agents?limit=0")
        .await
        .is_problem(422, "validation_failed");
    app.get("/api/v1/agents?limit=x")
        .await
        .is_problem(422, "validation_failed");
    app.get("/api/v1/agents?cursor=x")
        .await
        .is_problem(422, "validation_failed");
    app.get("/api/v1/jobs?status=x")
        .await
        .is_problem(422, "validation_failed");
}

#[tokio::test]
async fn other_names_and_other_pages_are_refused() {
    let app = App::start().await;
    let with = |name: &'static str, value: &str| {
        let mut request = app.request(&Method::GET, "/api/v1/agents", &Value::Null);
        request.headers_mut().insert(name, value.parse().unwrap());
        app.send(request)
    };
    with("host", "evil.example")
        .await
        .is_problem(403, "foreign_host");
    with("origin", "https://evil.example")
        .await
        .is_problem(403, "foreign_origin");
    with("origin", "null")
        .await
        .is_problem(403, "foreign_origin");
    assert_eq!(with("host", "jar.example").await.status, StatusCode::OK);
    assert_eq!(
        with("origin", "https://jar.example").await.status,
        StatusCode::OK
    );
    assert_eq!(
        with("origin", "http://127.0.0.1:3000").await.status,
        StatusCode::OK
    );
    let answer = with("x-request-id", "my-id.1").await;
    assert_eq!(answer.headers["x-request-id"], "my-id.1");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let answer = with("x-request-id", "a b\"c").await;
    assert_ne!(answer.headers["x-request-id"], "a b\"c");
}

#[tokio::test]
async fn health_follows_the_life_of_the_process() {
    let app = App::start().await;
    let status = async |path: &str| {
        let request = app.request(&Method::GET, path, &Value::Null);
        app.send(without_token(request)).await.status.as_u16()
    };
    let all = async || {
        (
            status("/healthz").await,
            status("/startupz").await,
            status("/readyz").await,
        )
    };
    assert_eq!(all().await, (200, 200, 200));
    app.phase.send_replace(Phase::Starting);
    assert_eq!(all().await, (200, 503, 503));
    app.phase.send_replace(Phase::Stopping);
    assert_eq!(all().await, (200, 200, 503));
    assert_eq!(
        app.get("/metrics").await.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
}
