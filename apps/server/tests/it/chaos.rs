//! Vendors at their worst: answers that come late, broken or never, deliveries twice and out of
//! order. Whatever they do, a person sees one reply, or somebody is told why not.

use crate::app::{App, Events, Options};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::{
    model::{self, ModelSimulator},
    telegram::{Chaos, Chat, Fault, LogKind, Person, TelegramSimulator},
};
use std::{collections::BTreeSet, time::Instant};

struct World {
    app: App,
    telegram: TelegramSimulator,
    kim: Person,
    chat: Chat,
    events: Events,
}

impl World {
    async fn new(env: Vec<(&'static str, String)>, config: Value) -> Self {
        let options = Options {
            env,
            ..Options::default()
        };
        let app = App::start_with(options).await;
        let telegram = TelegramSimulator::start().await.unwrap();
        app.agent("Ada").await;
        let events = app.events("/api/v1/events", None).await;
        app.telegram(&telegram, config).await;
        let kim = Person::new(7, "Kim");
        let chat = Chat::private(&kim);
        Self {
            app,
            telegram,
            kim,
            chat,
            events,
        }
    }

    async fn with_model(model: &ModelSimulator) -> Self {
        let env = vec![
            ("ANTHROPIC_API_KEY", "anthropic-key-canary".to_owned()),
            ("ANTHROPIC_BASE_URL", model.base_url()),
        ];
        Self::new(env, json!({})).await
    }

    fn say(&self, text: &str) {
        self.telegram.say(&self.chat, &self.kim, text);
    }

    /// Waits until a reply has this status and returns its effect.
    async fn reply(&mut self, status: &str) -> Value {
        let is_it = |data: &Value| data["slot"] == "reply" && data["status"] == status;
        self.events
            .until(|e| e.name == "effect" && is_it(&e.data))
            .await;
        let path = format!("/api/v1/effects?status={status}");
        let mut effects = self.app.items(&path).await.into_iter();
        effects.find(|effect| is_it(effect)).unwrap()
    }

    /// The texts of the bot in the chat, each with how often it is there.
    fn copies(&self) -> Vec<usize> {
        self.telegram.copies(self.chat.id()).into_values().collect()
    }

    fn sends(&self) -> usize {
        let calls = self.telegram.calls();
        calls.iter().filter(|c| c.method == "sendMessage").count()
    }

    async fn release(&self, effect: &Value, body: Value) -> (StatusCode, Value) {
        let id = effect["id"].as_str().unwrap();
        let path = format!("/api/v1/effects/{id}/release");
        self.app.call(Method::POST, &path, Some(body)).await
    }
}

#[tokio::test]
async fn a_send_that_is_limited_waits_as_long_as_it_is_told_and_is_made_once() {
    let mut world = World::new(Vec::new(), json!({})).await;
    // Longer than the server would pause of its own accord.
    let limited = Fault::RateLimited { retry_after: 2 };
    world.telegram.fail_next("sendMessage", limited, 1);
    world.say("run `echo once`");
    world.telegram.wait_for_call("sendMessage", |_| true).await;
    let refused = Instant::now();
    let effect = world.reply("sent").await;
    assert!(refused.elapsed().as_secs_f64() > 1.9, "{effect}");
    assert_eq!(effect["attempts"], 2);
    assert_eq!((world.copies(), world.sends()), (vec![1], 2));
}

#[tokio::test]
async fn a_send_that_meets_a_broken_server_is_tried_again_and_seen_once() {
    let mut world = World::new(Vec::new(), json!({})).await;
    world
        .telegram
        .fail_next("sendMessage", Fault::ServerError, 1);
    world.say("run `echo once`");
    let effect = world.reply("sent").await;
    assert_eq!(effect["attempts"], 2);
    assert_eq!((world.copies(), world.sends()), (vec![1], 2));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_not_repeated_until_a_person_says_so() {
    let mut world = World::new(Vec::new(), json!({})).await;
    world
        .telegram
        .fail_next("sendMessage", Fault::LostAnswer, 1);
    world.say("run `echo arrived`");
    let arrived = world.reply("unknown").await;
    assert!(
        arrived["detail"].as_str().unwrap().contains("broke"),
        "{arrived}"
    );
    let (status, problem) = world.release(&arrived, json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let marked = world.release(&arrived, json!({ "resolve": "mark_sent" }));
    assert_eq!(marked.await.1["status"], "sent");

    world.telegram.fail_next("sendMessage", Fault::CutBefore, 1);
    world.say("run `echo never-left`");
    let lost = world.reply("unknown").await;
    assert_ne!(lost["id"], arrived["id"]);
    assert_eq!((world.copies(), world.sends()), (vec![1], 2));
    let resent = world.release(&lost, json!({ "resolve": "resend" })).await;
    assert_eq!(resent.0, StatusCode::OK, "{}", resent.1);
    let wanted = |m: &simulators::telegram::BotMessage| m.text.contains("never-left");
    world.telegram.wait_for_message(&world.chat, wanted).await;
    world.reply("sent").await;
    assert_eq!((world.copies(), world.sends()), (vec![1, 1], 3));
    let unknown = world.app.items("/api/v1/effects?status=unknown").await;
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn a_model_that_breaks_off_is_asked_again_and_the_transcript_stays_whole() {
    let model = ModelSimulator::start(model::Options::default())
        .await
        .unwrap();
    model.fail_next(model::Fault::CutAfter(4), 1);
    model.fail_next(model::Fault::MalformedEnd, 1);
    let mut world = World::with_model(&model).await;
    world.say("run `echo whole`");
    world.reply("sent").await;
    let job = world.app.items("/api/v1/jobs").await.remove(0);
    let path = format!("/api/v1/jobs/{}/messages", job["id"].as_str().unwrap());
    let messages = world.app.items(&path).await;
    let roles: Vec<_> = messages.iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "assistant"]);
    let parts = messages[1]["parts"].as_array().unwrap();
    let calls = parts.iter().filter(|part| part["type"] == "tool_call");
    assert_eq!(calls.count(), 1, "{parts:?}");
    assert_eq!((model.count(), world.copies()), (4, vec![1]));
}

#[tokio::test]
async fn deliveries_that_come_twice_broken_off_and_out_of_order_give_one_item_each() {
    // Outside the range from which other tests get theirs, and of this process alone.
    let port = 20_000 + std::process::id() % 12_000;
    let env = vec![
        ("PORT", port.to_string()),
        ("APP_BASE_URL", format!("http://127.0.0.1:{port}")),
    ];
    let config = json!({ "mode": "webhook", "webhook_secret": "hook-secret-canary" });
    let world = World::new(env, config).await;
    let telegram = &world.telegram;
    telegram.set_chaos(Chaos {
        duplicate: 500,
        reorder: 500,
        hang_up: 500,
        ..Chaos::default()
    });
    for number in 0..12 {
        let person = Person::new(100 + number % 3, "Kim");
        telegram.say(
            &Chat::private(&person),
            &person,
            &format!("run `echo n{number}`"),
        );
    }
    let items = loop {
        // Asked first: an update that is confirmed while the items are read is not among them.
        let all_heard = telegram.unconfirmed() == 0;
        let items = world.app.items("/api/v1/work-items").await;
        if all_heard && items.iter().all(|item| item["status"] == "replied") {
            break items;
        }
        tokio::task::yield_now().await;
    };
    let log = telegram.log();
    let count = |kind| log.iter().filter(|entry| entry.kind == kind).count();
    assert!(count(LogKind::Offered) > 12, "there was no chaos");
    assert_eq!((count(LogKind::Accepted), items.len()), (12, 12));
    let texts: BTreeSet<_> = items
        .iter()
        .map(|item| item["message"]["text"].to_string())
        .collect();
    assert_eq!(texts.len(), 12, "{texts:?}");
    for chat in 100..103 {
        let copies = telegram.copies(chat);
        assert!(!copies.is_empty(), "nobody answered chat {chat}");
        assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    }
}

#[tokio::test]
async fn a_model_that_always_says_no_leaves_one_notice_per_message() {
    let model = ModelSimulator::start(model::Options::default())
        .await
        .unwrap();
    model.on_request(|_| {
        Some(model::Reply::error(
            400,
            "invalid_request_error",
            "no such thing",
        ))
    });
    let mut world = World::with_model(&model).await;
    for asked in 1..=2 {
        world.say("hello");
        world.reply("sent").await;
        let texts = world.telegram.messages(&world.chat);
        assert_eq!(texts.len(), asked, "{texts:?}");
        assert!(texts.iter().all(|m| m.text.contains("no such thing")));
    }
    assert_eq!(world.app.items("/api/v1/jobs?status=failed").await.len(), 2);
}
