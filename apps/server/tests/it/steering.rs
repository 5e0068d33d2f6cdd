//! What becomes of messages that arrive while an agent works, under each policy, and of `/stop`.

use crate::{
    app::{App, Events},
    story::open_gate,
};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::telegram::{Chat, Person, TelegramSimulator};

/// A server with one agent, in a private chat with Kim.
struct Scene {
    app: App,
    telegram: TelegramSimulator,
    agent: String,
    kim: Person,
    chat: Chat,
    events: Events,
}

impl Scene {
    async fn start(steering: &str) -> Self {
        Self::start_after(steering, &[]).await
    }

    /// Starts where these things were said before the server ever asked.
    async fn start_after(steering: &str, said: &[&str]) -> Self {
        let app = App::start().await;
        let telegram = TelegramSimulator::start().await.unwrap();
        let kim = Person::new(7, "Kim");
        let chat = Chat::private(&kim);
        for text in said {
            telegram.say(&chat, &kim, text);
        }
        let agent = app.agent("Ada").await;
        let path = format!("/api/v1/agents/{agent}");
        let (status, changed) = app
            .call(Method::PATCH, &path, Some(json!({ "steering": steering })))
            .await;
        assert!(status.is_success(), "{changed}");
        assert_eq!(changed["steering"], steering);
        app.telegram(&telegram, json!({})).await;
        let events = app.events("/api/v1/events", Some("0")).await;
        Self {
            app,
            telegram,
            agent,
            kim,
            chat,
            events,
        }
    }

    fn say(&self, text: &str) {
        self.telegram.say(&self.chat, &self.kim, text);
    }

    /// Begins a job that waits in the middle of a command, says two things meanwhile, and lets it go on
    /// once both are in.
    async fn interrupt(&mut self) {
        self.say("run `mkfifo gate; echo waiting; cat gate` then run `echo the-first`");
        self.events.until(|e| e.name == "tool.output").await;
        self.say("run `echo the-second`");
        self.say("run `echo the-third`");
        self.has("/api/v1/work-items", 3).await;
        open_gate(&self.app, &self.agent).await;
    }

    /// Waits until a list has so many rows, and gives them.
    async fn has(&self, path: &str, count: usize) -> Vec<Value> {
        loop {
            let items = self.app.items(path).await;
            if items.len() == count {
                return items;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Every work item was answered, each by the job that worked on it.
    async fn all_replied(&self) {
        for item in self.has("/api/v1/work-items?status=replied", 3).await {
            assert_eq!(item["reason"], Value::Null);
        }
    }
}

#[tokio::test]
async fn steering_takes_both_into_the_running_job() {
    let mut scene = Scene::start("steer").await;
    scene.interrupt().await;
    let reply = scene
        .telegram
        .wait_for_message(&scene.chat, |m| m.text.contains("the-third"))
        .await;
    assert!(reply.text.contains("the-first"), "{}", reply.text);
    scene.all_replied().await;
    assert_eq!(scene.app.items("/api/v1/jobs").await.len(), 1);
    assert_eq!(scene.telegram.messages(&scene.chat).len(), 1);
}

#[tokio::test]
async fn a_queue_gives_each_a_job_and_a_reply_of_its_own_in_order() {
    let mut scene = Scene::start("queue").await;
    scene.interrupt().await;
    scene
        .telegram
        .wait_for_message(&scene.chat, |m| m.text.contains("the-third"))
        .await;
    scene.all_replied().await;
    assert_eq!(scene.app.items("/api/v1/jobs").await.len(), 3);
    let replies = scene.telegram.messages(&scene.chat);
    let said: Vec<Vec<&str>> = replies
        .iter()
        .map(|reply| {
            let words = ["the-first", "the-second", "the-third"];
            words
                .into_iter()
                .filter(|word| reply.text.contains(word))
                .collect()
        })
        .collect();
    assert_eq!(
        said,
        [["the-first"], ["the-second"], ["the-third"]],
        "{replies:?}"
    );
}

#[tokio::test]
async fn merging_makes_one_job_of_what_waited() {
    let mut scene = Scene::start("merge").await;
    scene.interrupt().await;
    let merged = scene
        .telegram
        .wait_for_message(&scene.chat, |m| m.text.contains("the-third"))
        .await;
    assert!(!merged.text.contains("the-first"), "{}", merged.text);
    scene.all_replied().await;
    let jobs = scene.app.items("/api/v1/jobs").await;
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    assert_eq!(scene.telegram.messages(&scene.chat).len(), 2);
    let path = format!("/api/v1/jobs/{}/messages", jobs[0]["id"].as_str().unwrap());
    let messages = scene.app.items(&path).await;
    let roles: Vec<_> = messages.iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles[..2], ["user", "user"], "{messages:?}");
    assert!(messages[0].to_string().contains("the-second"));
    assert!(messages[1].to_string().contains("the-third"));
}

#[tokio::test]
async fn stop_ends_the_running_job_at_once_with_one_notice() {
    let mut scene = Scene::start("steer").await;
    scene.say("run `echo begun; sleep 600`");
    scene.events.until(|e| e.name == "tool.output").await;
    scene.say("/stop");
    let job = scene.app.finished_job(&mut scene.events).await;
    assert_eq!(job["status"], "cancelled", "{job}");
    let notice = scene.telegram.wait_for_message(&scene.chat, |_| true).await;
    assert!(notice.text.contains("was stopped"), "{}", notice.text);
    let passed = scene.has("/api/v1/work-items?status=passed", 1).await;
    assert!(passed[0]["reason"].as_str().unwrap().contains("stop"));
    scene.say("/stop");
    scene.has("/api/v1/work-items?status=passed", 2).await;
    assert_eq!(scene.telegram.messages(&scene.chat).len(), 1);
    assert_eq!(scene.app.items("/api/v1/jobs").await.len(), 1);
}

/// The job that begins is stopped; under a policy that gives each message a job of its own, no other is.
async fn stop_is_heeded_before_there_is_a_job(steering: &str, jobs: usize) {
    let said = ["run `echo the-first`", "run `echo the-second`", "/stop"];
    let mut scene = Scene::start_after(steering, &said).await;
    let job = scene.app.finished_job(&mut scene.events).await;
    assert_eq!(job["status"], "cancelled", "{job}");
    scene.has("/api/v1/work-items?status=open", 0).await;
    let all = scene.app.items("/api/v1/jobs").await;
    assert_eq!(all.len(), jobs, "{all:?}");
    let stopped = all.iter().filter(|job| job["status"] == "cancelled");
    assert_eq!(stopped.count(), 1, "{all:?}");
    let messages = scene.telegram.messages(&scene.chat);
    assert_eq!(messages.len(), jobs, "{messages:?}");
    assert!(messages[0].text.contains("was stopped"), "{messages:?}");
    let shown = messages.iter().any(|m| m.text.contains("the-first"));
    assert!(!shown, "{messages:?}");
}

#[tokio::test]
async fn stop_before_a_job_begins_stops_what_it_would_steer() {
    stop_is_heeded_before_there_is_a_job("steer", 1).await;
}

#[tokio::test]
async fn stop_before_a_job_begins_stops_what_it_would_merge() {
    stop_is_heeded_before_there_is_a_job("merge", 1).await;
}

#[tokio::test]
async fn stop_before_a_job_begins_stops_the_first_of_a_queue() {
    stop_is_heeded_before_there_is_a_job("queue", 2).await;
}
