//! The same path with models behind real wire formats.

use crate::app::{App, Options};
use serde_json::json;
use simulators::{
    model::ModelSimulator,
    telegram::{Chat, Person, TelegramSimulator},
};

async fn tells_the_output(env: Vec<(&'static str, String)>) {
    let app = App::start_with(Options { env }).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "run `echo wire-$((6*7))`");
    telegram.wait_for_message(&chat, |m| m.text.contains("wire-42")).await;
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert!(job["usage"]["input"].as_i64().unwrap() > 0, "{job}");
    assert!(job["cost_micros"].as_i64().unwrap() > 0, "{job}");
    let calls = app.items(&format!("/api/v1/jobs/{}/model-calls", job["id"].as_str().unwrap())).await;
    assert_eq!(calls.len(), 2);
    let sum: i64 = calls.iter().map(|call| call["cost_micros"].as_i64().unwrap()).sum();
    assert_eq!(Some(sum), job["cost_micros"].as_i64());
}

#[tokio::test]
async fn an_anthropic_compatible_endpoint() {
    let model = ModelSimulator::start(Default::default()).await.unwrap();
    tells_the_output(vec![
        ("ANTHROPIC_API_KEY", "anthropic-key-canary".to_owned()),
        ("ANTHROPIC_BASE_URL", model.base_url()),
    ])
    .await;
}

#[tokio::test]
async fn an_openai_compatible_endpoint() {
    let model = ModelSimulator::start(Default::default()).await.unwrap();
    tells_the_output(vec![
        ("OPENAI_API_KEY", "openai-key-canary".to_owned()),
        ("OPENAI_BASE_URL", format!("{}/v1", model.base_url())),
        ("AGENT_MODEL", "openai/test-model".to_owned()),
    ])
    .await;
}
