//! Sprites over HTTP: what they may reach, checkpoints, what was left running, and their end.

use crate::{
    harness::App,
    people::{invite, owner},
};
use axum::http::{Method, StatusCode};
use domain::{
    access::Role,
    id::{BackgroundProcessId, SpriteSessionId},
    job::Job,
    sprite::{BackgroundProcess, BackgroundStatus},
};
use ports::clock::Clock as _;
use serde_json::{Value, json};

/// An app with a sprite that is awake, a job of its agent, and the path of the sprite.
async fn with_sprite() -> (App, Job, String) {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let shell = SpriteSessionId::from_uuid(app.platform.ids.next());
    app.shells.0.lock().unwrap().push(shell);
    let path = format!("/api/v1/agents/{}/sprite", job.agent_id);
    (app, job, path)
}

pub(crate) async fn left_running(
    app: &App,
    job: &Job,
    process: Option<&str>,
) -> BackgroundProcessId {
    let process = BackgroundProcess {
        id: BackgroundProcessId::from_uuid(app.platform.ids.next()),
        tenant_id: job.tenant_id,
        agent_id: job.agent_id,
        conversation_id: job.conversation_id,
        job_id: job.id,
        process: process.map(str::to_owned),
        command: "sleep 1000".to_owned(),
        status: BackgroundStatus::Running,
        exit_code: None,
        output: None,
        created_at: app.clock.now(),
        ended_at: None,
    };
    app.write(async |tx| tx.background_processes().insert(&process).await.unwrap())
        .await;
    process.id
}

#[tokio::test]
async fn a_policy_is_denial_until_somebody_says_otherwise() {
    let (app, _, path) = with_sprite().await;
    let sprite = app.get(&path).await.body;
    assert_eq!(
        sprite["network_policy"],
        json!({"rules": [], "otherwise": "deny"})
    );
    assert_eq!(
        (&sprite["backend"], &sprite["tier"]),
        (&json!("local"), &json!("landlock"))
    );
    assert_eq!(sprite["status"], "running");
    let policy = format!("{path}/network-policy");
    let rules = json!({"rules": [{"domain": "*.Example.com", "action": "allow"}]});
    let set = app.send(app.request(&Method::PUT, &policy, &rules)).await;
    assert_eq!(set.status, StatusCode::OK);
    let expected =
        json!({"rules": [{"domain": "*.example.com", "action": "allow"}], "otherwise": "deny"});
    assert_eq!(set.body, expected);
    for (bad, field) in [
        (
            json!({"rules": [{"domain": "https://x", "action": "allow"}]}),
            "rules.0.domain",
        ),
        (
            json!({"rules": [{"domain": "x", "action": "maybe"}]}),
            "rules[0].action",
        ),
        (json!({"otherwise": "allow"}), "sprite"),
    ] {
        let refused = app.send(app.request(&Method::PUT, &policy, &bad)).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["field"], field, "{bad}");
    }
    assert_eq!(app.get(&path).await.body["network_policy"], expected);
}

#[tokio::test]
async fn checkpoints_are_made_restored_and_forgotten() {
    let (app, _, path) = with_sprite().await;
    let all = format!("{path}/checkpoints");
    let made = app.post(&all, json!({"comment": "before"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(
        (&made.body["id"], &made.body["comment"]),
        (&json!("v1"), &json!("before"))
    );
    assert_eq!(app.get(&path).await.body["checkpoints"], json!([made.body]));
    let long = json!({"comment": "x".repeat(501)});
    app.post(&all, long)
        .await
        .is_problem(422, "validation_failed");
    let restored = app.post(&format!("{all}/v1/restore"), Value::Null).await;
    assert_eq!(restored.status, StatusCode::NO_CONTENT);
    let unknown = app.post(&format!("{all}/v9/restore"), Value::Null).await;
    unknown.is_problem(404, "not_found");
    let one = format!("{all}/v1");
    let gone = app
        .send(app.request(&Method::DELETE, &one, &Value::Null))
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let again = app
        .send(app.request(&Method::DELETE, &one, &Value::Null))
        .await;
    again.is_problem(404, "not_found");
}

#[tokio::test]
async fn what_was_left_running_is_seen_as_it_stands() {
    let (app, job, path) = with_sprite().await;
    let running = left_running(&app, &job, Some("7")).await;
    let lost = left_running(&app, &job, Some("3")).await;
    let never_started = left_running(&app, &job, None).await;
    let shown = app.get(&path).await.body;
    let standing = |shown: &Value, id: BackgroundProcessId| {
        let all = shown["processes"].as_array().unwrap().clone();
        let one = all.into_iter().find(|one| one["id"] == json!(id)).unwrap();
        one["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing(&shown, running), "running");
    assert_eq!(standing(&shown, lost), "lost");
    assert_eq!(standing(&shown, never_started), "lost");
    let output = app
        .get(&format!("{path}/processes/{lost}/output"))
        .await
        .body;
    assert_eq!(output["output"], "listening\u{fffd}\n");
    let stop = format!("{path}/processes/{running}/stop");
    let stopped = app.post(&stop, Value::Null).await;
    assert_eq!(
        (&stopped.body["status"], &stopped.body["exit_code"]),
        (&json!("stopped"), &json!(143))
    );
    assert_eq!(app.post(&stop, Value::Null).await.body, stopped.body);
    let stranger = app.stranger();
    stranger
        .post(&stop, Value::Null)
        .await
        .is_problem(404, "not_found");
    let other = format!("/api/v1/agents/{running}/sprite/processes/{running}/stop");
    app.post(&other, Value::Null)
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn people_look_at_files_and_run_commands() {
    let (app, job, path) = with_sprite().await;
    let files = app.get(&format!("{path}/files")).await;
    assert_eq!(
        files.body,
        json!({"path": "/home/sprite", "truncated": false, "items": [
            {"name": "notes.md", "kind": "file", "size": 8, "modified_at": "1970-01-01T00:00:00Z"}]})
    );
    let file = format!("{path}/file?path=/home/sprite");
    assert_eq!(
        app.get(&format!("{file}/notes.md")).await.body,
        json!({"path": "/home/sprite/notes.md", "size": 8, "text": "# Notes\n", "truncated": false})
    );
    app.get(&format!("{file}/none"))
        .await
        .is_problem(404, "not_found");
    for bad in ["files?path=notes.md", "files?path=~", "file?path=", "file"] {
        app.get(&format!("{path}/{bad}"))
            .await
            .is_problem(422, "validation_failed");
    }
    let commands = format!("{path}/commands");
    let ran = app.post(&commands, json!({"command": "make"})).await;
    assert_eq!(
        ran.body,
        json!({"exit_code": 3, "signal": null, "timed_out": false, "output": "done\n", "truncated": false,
            "duration_ms": 0})
    );
    for (bad, field) in [
        (json!({"command": " "}), "command"),
        (json!({"command": "a\0b"}), "command"),
        (json!({"command": "a", "directory": "src"}), "directory"),
        (
            json!({"command": "a", "timeout_seconds": 0}),
            "timeout_seconds",
        ),
        (
            json!({"command": "a", "timeout_seconds": 601}),
            "timeout_seconds",
        ),
    ] {
        let refused = app.post(&commands, bad).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["field"], field);
    }
    let agent = format!("/api/v1/agents/{}?sprite=keep", job.agent_id);
    assert_eq!(app.delete(&agent).await.status, StatusCode::NO_CONTENT);
    app.post(&commands, json!({"command": "make"}))
        .await
        .is_problem(409, "agent_archived");
}

#[tokio::test]
async fn looking_at_the_files_of_an_agent_that_has_none_gives_it_no_sprite() {
    let app = App::start().await;
    let path = format!("/api/v1/agents/{}/sprite", app.agent("Ada").await);
    let files = app.get(&format!("{path}/files")).await;
    assert_eq!(
        files.body,
        json!({"path": "/home/sprite", "items": [], "truncated": false})
    );
    app.get(&format!("{path}/file?path=/home/sprite/notes.md"))
        .await
        .is_problem(404, "not_found");
    assert_eq!(app.get(&path).await.body["provisioned"], false);
}

#[tokio::test]
async fn a_sprite_of_an_agent_for_others_does_not_exist() {
    let (app, job, path) = with_sprite().await;
    let ada = owner(&app).await;
    let member = invite(&app, &ada, Role::Member).await;
    let people = format!("/api/v1/agents/{}/people", job.agent_id);
    let command = json!({"command": "make"});
    let places = [
        (Method::GET, format!("{path}/files"), Value::Null),
        (
            Method::GET,
            format!("{path}/file?path=/home/sprite/notes.md"),
            Value::Null,
        ),
        (Method::POST, format!("{path}/commands"), command),
    ];
    for (restricted, status) in [(false, 200), (true, 404)] {
        let body = json!({"restricted": restricted, "user_ids": []});
        assert_eq!(app.put(&people, body).await.status, StatusCode::OK);
        for (method, path, body) in &places {
            let answer = member.send(&app, (method, path, body)).await;
            assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn deleting_an_agent_asks_what_becomes_of_its_sprite() {
    let (app, job, path) = with_sprite().await;
    let agent = format!("/api/v1/agents/{}", job.agent_id);
    let delete = async |path: &str| {
        app.send(app.request(&Method::DELETE, path, &Value::Null))
            .await
    };
    delete(&agent).await.is_problem(409, "sprite_exists");
    delete(&format!("{agent}?sprite=perhaps"))
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(app.get(&path).await.body["provisioned"], true);
    assert_eq!(app.get(&agent).await.body["enabled"], true);
    let kept = delete(&format!("{agent}?sprite=keep")).await;
    assert_eq!(kept.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.body["provisioned"], true);
    let destroyed = delete(&format!("{agent}?sprite=destroy")).await;
    assert_eq!(destroyed.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.body["provisioned"], false);
}
