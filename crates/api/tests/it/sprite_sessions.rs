//! Shells in sprites: seen by everybody, and ended by administrators when nobody uses them any more.

use crate::harness::App;
use axum::http::{Method, StatusCode};
use domain::{
    id::SpriteSessionId,
    job::Job,
    sprite::{SpriteSession, SpriteSessionStatus},
};
use ports::clock::Clock as _;
use serde_json::{Value, json};

/// An open shell of a job on the machine of one process.
pub(crate) async fn shell(app: &App, job: &Job, instance: &str) -> SpriteSessionId {
    let session = SpriteSession {
        id: SpriteSessionId::from_uuid(app.platform.ids.next()),
        tenant_id: job.tenant_id,
        agent_id: job.agent_id,
        job_id: job.id,
        instance: Some(instance.to_owned()),
        status: SpriteSessionStatus::Open,
        created_at: app.clock.now(),
        closed_at: None,
    };
    app.write(async |tx| tx.sprite_sessions().insert(&session).await.unwrap())
        .await;
    session.id
}

#[tokio::test]
async fn a_cleanup_ends_the_shells_that_nobody_uses_and_says_which() {
    let app = App::start().await;
    // The harness gives every lane back, so nobody holds these jobs.
    let (mut final_job, _) = app.job().await;
    let (left_job, _) = app.job().await;
    app.finish(&mut final_job).await;
    let here = &app.platform.settings.instance;
    let running = shell(&app, &final_job, here).await;
    let gone = shell(&app, &left_job, here).await;
    let foreign = SpriteSessionId::from_uuid(app.platform.ids.next());
    app.shells.0.lock().unwrap().extend([running, foreign]);
    let open = app.get("/api/v1/sprite-sessions?status=open").await.body;
    assert_eq!(open["items"].as_array().unwrap().len(), 2);
    let stranger = app.stranger();
    let none = stranger
        .post("/api/v1/sprite-sessions/cleanup", Value::Null)
        .await;
    assert_eq!(none.body, json!({"closed": 0, "sessions": []}));

    let done = app
        .post("/api/v1/sprite-sessions/cleanup", Value::Null)
        .await;
    assert_eq!(done.status, StatusCode::OK);
    let ended = |id: SpriteSessionId, job: &Job, status: &str| {
        json!({"id": id, "agent_id": job.agent_id, "job_id": job.id, "status": status,
            "created_at": "2026-01-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z"})
    };
    let sessions = json!([
        ended(running, &final_job, "closed"),
        ended(gone, &left_job, "lost")
    ]);
    assert_eq!(done.body, json!({"closed": 2, "sessions": sessions}));
    assert_eq!(*app.shells.0.lock().unwrap(), [foreign]);
    let open = app.get("/api/v1/sprite-sessions?status=open").await.body;
    assert_eq!(open, json!({"items": [], "next_cursor": null}));
    let all = app.get("/api/v1/sprite-sessions?limit=1").await.body;
    assert_eq!(all["items"], json!([sessions[1]]));
    assert!(all["next_cursor"].is_string());
    let again = app
        .post("/api/v1/sprite-sessions/cleanup", Value::Null)
        .await;
    assert_eq!(again.body, json!({"closed": 0, "sessions": []}));
}

/// Whether they run is not seen from here.
#[tokio::test]
async fn a_cleanup_leaves_the_shells_of_other_machines_alone() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    app.finish(&mut job).await;
    let there = shell(&app, &job, "another").await;
    let done = app
        .post("/api/v1/sprite-sessions/cleanup", Value::Null)
        .await;
    assert_eq!(done.body, json!({"closed": 0, "sessions": []}));
    let open = app.get("/api/v1/sprite-sessions?status=open").await.body;
    assert_eq!(open["items"][0]["id"], json!(there));
}

#[tokio::test]
async fn only_administrators_clean_up() {
    let app = App::start().await;
    for (role, status) in [
        ("viewer", 403),
        ("member", 403),
        ("admin", 200),
        ("owner", 200),
    ] {
        let body = json!({"name": role, "role": role});
        let token = app.post("/api/v1/tokens", body).await.body["token"].clone();
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let call = async |method: Method, path: &str| {
            let mut request = app.request(&method, path, &Value::Null);
            request
                .headers_mut()
                .insert("authorization", bearer.parse().unwrap());
            app.send(request).await.status.as_u16()
        };
        assert_eq!(
            call(Method::GET, "/api/v1/sprite-sessions").await,
            200,
            "{role}"
        );
        let cleanup = call(Method::POST, "/api/v1/sprite-sessions/cleanup").await;
        assert_eq!(cleanup, status, "{role}");
    }
}
