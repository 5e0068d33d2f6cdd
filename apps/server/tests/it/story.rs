//! The main job: a message comes in, an agent works in its sandbox, the reply goes out.

use crate::app::{App, Options};
use reqwest::{Method, StatusCode};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};

#[tokio::test]
async fn a_chat_message_leads_to_a_command_and_a_reply_with_its_output() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let agent = app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);

    let asked = telegram.say(&chat, &kim, "run `echo from-the-$((40+2))-sandbox`");
    let reply = telegram
        .wait_for_message(&chat, |m| m.text.contains("from-the-42-sandbox"))
        .await;
    assert!(
        reply.text.contains("demo"),
        "the demo model says what it is: {}",
        reply.text
    );
    telegram.wait_for_call("setMessageReaction", |_| true).await;
    telegram.wait_for_call("sendChatAction", |_| true).await;
    assert_eq!(telegram.reactions(&chat, asked).len(), 1);

    let item = app.items("/api/v1/work-items").await.remove(0);
    let detail = app
        .get(&format!(
            "/api/v1/work-items/{}",
            item["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(detail["decisions"][0]["verdict"], "act");
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert_eq!(
        (job["status"].as_str(), job["agent_id"].as_str()),
        (Some("completed"), Some(agent.as_str()))
    );
    assert!(job["usage"]["output"].as_i64().unwrap() > 0);
    assert_eq!(job["cost_micros"], 0);
    let id = job["id"].as_str().unwrap();
    let messages = app.items(&format!("/api/v1/jobs/{id}/messages")).await;
    let roles: Vec<_> = messages
        .iter()
        .map(|m| m["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool", "assistant"]);
    let calls = app.items(&format!("/api/v1/jobs/{id}/tool-calls")).await;
    assert_eq!(
        (calls[0]["name"].as_str(), calls[0]["status"].as_str()),
        (Some("bash"), Some("succeeded"))
    );
}

#[tokio::test]
async fn a_second_message_steers_the_running_job_and_a_third_asks_what_it_did() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;

    telegram.say(
        &chat,
        &kim,
        "run `mkfifo gate; echo waiting; cat gate` then run `echo first-done`",
    );
    events.until(|event| event.name == "tool.output").await;
    telegram.say(&chat, &kim, "also run `echo second-done`");
    let agent = app.items("/api/v1/agents").await.remove(0);
    // The second message is in once it is a work item; only then the first command may end.
    loop {
        if app.items("/api/v1/work-items").await.len() == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    open_gate(&app, agent["id"].as_str().unwrap()).await;
    let reply = telegram
        .wait_for_message(&chat, |m| m.text.contains("second-done"))
        .await;
    assert!(reply.text.contains("first-done"), "{}", reply.text);
    assert_eq!(
        app.items("/api/v1/jobs").await.len(),
        1,
        "the second message was absorbed"
    );

    telegram.say(&chat, &kim, "what did you do?");
    let told = telegram
        .wait_for_message(&chat, |m| m.message_id > reply.message_id)
        .await;
    assert!(told.text.contains("echo first-done"), "{}", told.text);
    let replied = app.items("/api/v1/work-items?status=replied").await;
    assert!(
        replied.len() >= 2,
        "an absorbed item shares the outcome of its job: {replied:?}"
    );
}

#[tokio::test]
async fn work_handed_in_over_the_api_really_runs() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    let item = app.hand_in("run `echo by-hand`").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(job["work_item_id"], item.as_str());
    let messages = app
        .items(&format!(
            "/api/v1/jobs/{}/messages",
            job["id"].as_str().unwrap()
        ))
        .await;
    assert!(
        messages.last().unwrap()["parts"][0]["text"]
            .as_str()
            .unwrap()
            .contains("by-hand")
    );
    assert_eq!(
        app.get(&format!("/api/v1/work-items/{item}")).await["status"],
        "replied"
    );
}

#[tokio::test]
async fn two_agents_see_an_item_and_the_addressed_one_answers() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let ada = app.agent("Ada").await;
    app.agent("Bob").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "Ada: run `echo only-ada`");
    telegram
        .wait_for_message(&chat, |m| m.text.contains("only-ada"))
        .await;
    let item = app.items("/api/v1/work-items").await.remove(0);
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    let detail = loop {
        let detail = app.get(&path).await;
        if detail["decisions"].as_array().unwrap().len() == 2 && detail["status"] != "open" {
            break detail;
        }
        tokio::task::yield_now().await;
    };
    let act: Vec<_> = detail["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| d["verdict"] == "act")
        .collect();
    assert_eq!(
        (act.len(), act[0]["agent_id"].as_str()),
        (1, Some(ada.as_str()))
    );
    assert_eq!(detail["status"], "replied");
    assert_eq!(app.items("/api/v1/jobs").await.len(), 1);
}

#[tokio::test]
async fn an_item_without_an_agent_passes_with_its_reason() {
    let app = App::start().await;
    let item = app.hand_in("is anybody there?").await;
    let detail = app.get(&format!("/api/v1/work-items/{item}")).await;
    assert_eq!(
        (detail["status"].as_str(), detail["reason"].as_str()),
        (Some("passed"), Some("no agent"))
    );
}

#[tokio::test]
async fn a_blocked_bot_is_a_visible_failure() {
    let app = App::start_with(Options::default()).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.block(&chat);
    let mut events = app.events("/api/v1/events", None).await;
    telegram.say(&chat, &kim, "run `true`");
    events
        .until(|e| e.name == "effect" && e.data["slot"] == "reply" && e.data["status"] == "failed")
        .await;
    let effect = app
        .items("/api/v1/effects?status=failed")
        .await
        .into_iter()
        .find(|e| e["slot"] == "reply")
        .unwrap();
    assert_eq!(effect["dead_reason"], "blocked");
    assert!(effect["detail"].as_str().unwrap().contains("blocked"));
    assert_eq!(app.items("/api/v1/work-items?status=failed").await.len(), 1);
    let (status, problem) = app
        .call(
            Method::POST,
            "/api/v1/effects/nonsense/cancel",
            Some(json!({})),
        )
        .await;
    assert!(
        status == StatusCode::NOT_FOUND || status == StatusCode::BAD_REQUEST,
        "{problem}"
    );
}

/// Lets the command that reads the pipe `gate` in the agent's home end.
pub(crate) async fn open_gate(app: &App, agent: &str) {
    let root = app.dir.path().join("data/sprites");
    let tenant = std::fs::read_dir(root)
        .unwrap()
        .flatten()
        .find(|e| e.path().join(agent).is_dir())
        .unwrap();
    let gate = tenant.path().join(agent).join("home/gate");
    tokio::task::spawn_blocking(move || std::fs::write(gate, "open\n").unwrap())
        .await
        .unwrap();
}
