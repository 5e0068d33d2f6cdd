//! Tools, models, providers and what is set for the whole server.

use crate::harness::App;
use axum::http::StatusCode;
use ports::store::AuditFilter;
use serde_json::{Value, json};

const PROVIDERS: &str = "/api/v1/providers";

async fn provider(app: &App, name: &str) -> Value {
    let body = json!({"name": name, "kind": "openai", "api_key": "canary-provider-key",
        "base_url": "http://127.0.0.1:9/v1"});
    let made = app.post(PROVIDERS, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body
}

#[tokio::test]
async fn an_agent_is_given_tools_that_exist() {
    let app = App::start().await;
    let tools = app.get("/api/v1/tools").await.body;
    assert_eq!(tools["items"][0]["name"], "bash");
    assert_eq!(tools["items"].as_array().unwrap().len(), 2);
    let body = json!({"name": "Ada", "tools": ["grep", "bash", "grep"]});
    let agent = app.post("/api/v1/agents", body).await;
    assert_eq!(agent.body["tools"], json!(["bash", "grep"]));
    let path = format!("/api/v1/agents/{}", agent.id());
    let unknown = app.patch(&path, json!({"tools": ["bahs"]})).await;
    unknown.is_problem(422, "validation_failed");
    assert_eq!(unknown.body["errors"][0]["field"], "tools");
    let none = app.patch(&path, json!({"tools": []})).await;
    assert_eq!(none.body["tools"], json!([]));
    let kept = app.patch(&path, json!({"name": "Eva"})).await;
    assert_eq!(kept.body["tools"], json!([]));
    let all = app.patch(&path, json!({"tools": null})).await;
    assert_eq!(all.body["tools"], Value::Null);
}

#[tokio::test]
async fn a_provider_is_added_changed_and_removed_and_its_key_never_shown() {
    let app = App::start().await;
    let made = provider(&app, "open").await;
    assert_eq!(
        (&made["source"], &made["has_key"]),
        (&json!("settings"), &json!(true))
    );
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    let listed = app.get(PROVIDERS).await.body;
    let names: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["demo", "open"]);
    assert_eq!(listed["items"][0]["source"], "environment");

    let agent = app
        .post(
            "/api/v1/agents",
            json!({"name": "Ada", "model": "open/some/model"}),
        )
        .await;
    assert_eq!(agent.status, StatusCode::CREATED, "{}", agent.body);
    let moved = app
        .patch(&path, json!({"base_url": "http://127.0.0.1:10"}))
        .await;
    assert_eq!(
        moved.body["errors"][0]["field"], "api_key",
        "{}",
        moved.body
    );
    let moved = app
        .patch(
            &path,
            json!({"base_url": "http://127.0.0.1:10", "api_key": null}),
        )
        .await;
    assert_eq!(
        (&moved.body["has_key"], &moved.body["base_url"]),
        (&json!(false), &json!("http://127.0.0.1:10"))
    );
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    app.get(&path).await.is_problem(404, "not_found");
    let gone = app
        .post("/api/v1/agents", json!({"name": "Eva", "model": "open/x"}))
        .await;
    let message = gone.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("no model provider `open`"), "{message}");

    let everything = audited(&app).await;
    for action in ["provider.created", "provider.updated", "provider.deleted"] {
        assert!(everything.contains(action), "{everything}");
    }
    assert!(!format!("{everything}{made}{listed}").contains("canary-provider-key"));
}

async fn audited(app: &App) -> String {
    let tenant = app.platform.settings.home_tenant;
    app.write(async |tx| {
        let filter = AuditFilter::default();
        let entries = tx.audit().list(tenant, &filter, i64::MAX, 100).await;
        format!("{:?}", entries.unwrap())
    })
    .await
}

#[tokio::test]
async fn a_provider_has_a_name_of_its_own() {
    let app = App::start().await;
    provider(&app, "open").await;
    let named = |name: &str| app.post(PROVIDERS, json!({"name": name, "kind": "anthropic"}));
    named("open").await.is_problem(409, "name_taken");
    named("demo").await.is_problem(409, "name_taken");
    named("Open").await.is_problem(422, "validation_failed");
    assert_eq!(named("other").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_people_set_for_retention_counts_instead_of_the_default() {
    let app = App::start().await;
    let path = "/api/v1/settings/retention";
    let forever = json!({"tool_output_days": null, "event_days": null, "transcript_days": null});
    assert_eq!(app.get(path).await.body, forever);
    let set = json!({"tool_output_days": 7, "event_days": 3, "transcript_days": null});
    assert_eq!(app.put(path, set.clone()).await.body, set);
    assert_eq!(app.get(path).await.body, set);
    let current = services::retention::current(&app.platform).await.unwrap();
    assert_eq!(serde_json::to_value(current).unwrap(), set);
    for bad in [
        json!({"tool_output_days": 0, "event_days": 3, "transcript_days": null}),
        json!({"tool_output_days": 7, "event_days": 3}),
        json!({"tool_output_days": 7, "event_days": 36_501, "transcript_days": null}),
        json!([7, 3, null]),
    ] {
        app.put(path, bad)
            .await
            .is_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn the_server_says_what_it_is_and_which_models_it_knows() {
    let app = App::start().await;
    let about = app.get("/api/v1/about").await.body;
    assert_eq!(
        (&about["version"], &about["database"]),
        (&json!("0.0.0-test"), &json!("sqlite"))
    );
    assert_eq!(about["encryption_keys"], 1);
    let models = app.get("/api/v1/models").await.body;
    assert_eq!(models["default_model"], "demo/scripted");
    assert_eq!(models["items"][0]["model"], "demo/scripted");
}

#[tokio::test]
async fn a_model_of_any_provider_is_tested() {
    let app = App::start().await;
    let made = provider(&app, "open").await;
    let test = |model: &str| app.post("/api/v1/models/test", json!({"model": model}));
    for model in ["demo/scripted", "open/some"] {
        let tested = test(model).await;
        assert_eq!(tested.status, StatusCode::OK, "{}", tested.body);
        assert_eq!(tested.body["ok"], false);
        let detail = tested.body["detail"].as_str().unwrap();
        assert!(detail.starts_with(model), "{detail}");
    }
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.body["health"], "failed");
    let entries = app.get("/api/v1/audit?action=provider.tested").await.body;
    let of = |entry: usize| entries["items"][entry]["subject"].clone();
    assert_eq!(
        (&of(0)["id"], &of(0)["name"]),
        (&made["id"], &json!("open"))
    );
    assert_eq!(
        (&of(1)["id"], &of(1)["name"]),
        (&Value::Null, &json!("demo"))
    );
    for wrong in ["scripted", "nobody/x"] {
        let refused = test(wrong).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["field"], "model");
    }
}
