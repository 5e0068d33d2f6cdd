//! The same path with models behind real wire formats.

use crate::app::{App, Options};
use reqwest::Method;
use serde_json::json;
use simulators::{
    model::{Block, Fault, ModelSimulator, Reply},
    telegram::{Chat, Person, TelegramSimulator},
};

async fn simulator() -> ModelSimulator {
    ModelSimulator::start(simulators::model::Options::default())
        .await
        .unwrap()
}

async fn tells_the_output(env: Vec<(&'static str, String)>) {
    let app = App::start_with(Options {
        env,
        ..Options::default()
    })
    .await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "run `echo wire-$((6*7))`");
    telegram
        .wait_for_message(&chat, |m| m.text.contains("wire-42"))
        .await;
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert!(job["usage"]["input"].as_i64().unwrap() > 0, "{job}");
    assert!(job["cost_micros"].as_i64().unwrap() > 0, "{job}");
    let calls = app
        .items(&format!(
            "/api/v1/jobs/{}/model-calls",
            job["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(calls.len(), 2);
    let sum: i64 = calls
        .iter()
        .map(|call| call["cost_micros"].as_i64().unwrap())
        .sum();
    assert_eq!(Some(sum), job["cost_micros"].as_i64());
}

#[tokio::test]
async fn an_anthropic_compatible_endpoint() {
    let model = simulator().await;
    tells_the_output(vec![
        ("ANTHROPIC_API_KEY", "anthropic-key-canary".to_owned()),
        ("ANTHROPIC_BASE_URL", model.base_url()),
    ])
    .await;
}

#[tokio::test]
async fn an_openai_compatible_endpoint() {
    let model = simulator().await;
    tells_the_output(vec![
        ("OPENAI_API_KEY", "openai-key-canary".to_owned()),
        ("OPENAI_BASE_URL", format!("{}/v1", model.base_url())),
        ("AGENT_MODEL", "openai/test-model".to_owned()),
    ])
    .await;
}

/// A server whose only model is the simulator, spoken to in the Anthropic format.
async fn with_model(model: &ModelSimulator) -> App {
    let env = vec![
        ("ANTHROPIC_API_KEY", "anthropic-key-canary".to_owned()),
        ("ANTHROPIC_BASE_URL", model.base_url()),
    ];
    App::start_with(Options {
        env,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_busy_or_broken_model_is_asked_again_and_every_call_is_a_receipt() {
    let model = simulator().await;
    model.push(Reply::busy("0"));
    model.push(Reply::text("this will be cut").failing(Fault::CutAfter(2)));
    let app = with_model(&model).await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo third-time`").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(job["status"], "completed", "{job}");
    let path = format!("/api/v1/jobs/{}/model-calls", job["id"].as_str().unwrap());
    let calls = app.items(&path).await;
    let statuses: Vec<_> = calls
        .iter()
        .map(|call| call["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["failed", "failed", "settled", "settled"]);
}

#[tokio::test]
async fn a_model_that_refuses_leaves_a_notice_in_the_chat_once() {
    let model = simulator().await;
    model.push(Reply::error(
        401,
        "authentication_error",
        "invalid x-api-key",
    ));
    let app = with_model(&model).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;
    telegram.say(&chat, &kim, "hello");
    let notice = telegram.wait_for_message(&chat, |_| true).await;
    assert!(
        notice.text.contains("could not finish") && notice.text.contains("401"),
        "{}",
        notice.text
    );
    let job = app.items("/api/v1/jobs?status=failed").await.remove(0);
    assert_eq!(job["failure"]["code"], "model_rejected");
    events
        .until(|e| e.name == "effect" && e.data["slot"] == "reply" && e.data["status"] == "sent")
        .await;
    let item = app
        .items("/api/v1/work-items?status=failed")
        .await
        .remove(0);
    assert!(item["reason"].as_str().unwrap().contains("401"), "{item}");
    assert_eq!(telegram.messages(&chat).len(), 1);
}

#[tokio::test]
async fn arguments_that_are_no_json_go_back_to_the_model() {
    let model = simulator().await;
    model.push(Reply::of(vec![Block::Call {
        name: "bash".to_owned(),
        arguments: "{\"command\": \"ec".to_owned(),
    }]));
    model.push(Reply::text("I see, the arguments were broken."));
    let app = with_model(&model).await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("do it").await;
    let job = app.finished_job(&mut events).await;
    let calls = app
        .items(&format!(
            "/api/v1/jobs/{}/tool-calls",
            job["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (
            calls[0]["status"].as_str(),
            calls[0]["arguments"]["state"].as_str()
        ),
        (Some("failed"), Some("invalid"))
    );
    assert!(
        calls[0]["result"]
            .as_str()
            .unwrap()
            .contains("not valid JSON"),
        "{}",
        calls[0]
    );
}

#[tokio::test]
async fn a_budget_that_is_used_up_stops_before_the_call_and_says_so() {
    let model = simulator().await;
    let app = with_model(&model).await;
    app.post(
        "/api/v1/agents",
        json!({ "name": "Ada", "budget_micros_per_day": 10 }),
    )
    .await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("anything").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(
        (job["status"].as_str(), job["failure"]["code"].as_str()),
        (Some("failed"), Some("budget_exhausted"))
    );
    assert_eq!((job["cost_micros"].as_i64(), model.count()), (Some(0), 0));
}

#[tokio::test]
async fn a_decision_tells_what_asking_a_model_cost() {
    let model = simulator().await;
    for _ in 0..2 {
        model.push(Reply::text(r#"{"act": false, "reason": "not for me"}"#));
    }
    let app = with_model(&model).await;
    app.agent("Ada").await;
    app.agent("Bob").await;
    let mut events = app.events("/api/v1/events", None).await;
    let item = app.hand_in("it is raining").await;
    let path = format!("/api/v1/work-items/{item}");
    let detail = loop {
        let detail = app.get(&path).await;
        if detail["status"] == "passed" {
            break detail;
        }
        events.until(|event| event.name == "work.changed").await;
    };
    let decisions = detail["decisions"].as_array().unwrap();
    let costs = decisions
        .iter()
        .map(|decision| decision["cost_micros"].as_i64());
    let costs: Vec<i64> = costs.map(Option::unwrap).collect();
    assert!(
        costs.len() == 2 && costs.iter().all(|cost| *cost > 0),
        "{detail}"
    );
    let spent = app.get("/api/v1/costs").await["total_micros"].as_i64();
    assert_eq!(spent, Some(costs.iter().sum()));
}

/// A server whose only model is the built-in one, and a provider that people add: the simulator.
#[tokio::test]
async fn a_provider_of_the_settings_serves_agents_until_it_is_gone() {
    let model = simulator().await;
    let app = App::start().await;
    let body = json!({"name": "added", "kind": "openai", "api_key": "added-key-canary",
        "base_url": model.openai_base_url()});
    let provider = app.post("/api/v1/providers", body).await;
    let path = format!("/api/v1/providers/{}", provider["id"].as_str().unwrap());
    let tested = app
        .post(&format!("{path}/test"), json!({"model": "m"}))
        .await;
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(app.get(&path).await["health"], "ok");

    let body = json!({"name": "Ada", "model": "added/m", "tools": ["bash"]});
    app.post("/api/v1/agents", body).await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo added-$((6*7))`").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(job["status"], "completed", "{job}");
    let request = model.requests().pop().unwrap();
    assert_eq!(
        request.header("authorization"),
        Some("Bearer added-key-canary")
    );
    let tools = request.body["tools"].as_array().unwrap().clone();
    assert_eq!(tools.len(), 1, "{tools:?}");

    let (status, _) = app.call(Method::DELETE, &path, None).await;
    assert_eq!(status, 204);
    app.hand_in("and now?").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(job["status"], "failed", "{job}");
    let why = job["failure"]["message"].as_str().unwrap();
    assert!(why.contains("no model provider `added`"), "{why}");
    assert!(!app.log().contains("added-key-canary"));
}
