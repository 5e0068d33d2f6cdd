//! Conversations: begun with an agent, listed by what came in last, and what was said in them.

use crate::{
    harness::App,
    people::{invite, owner},
};
use axum::http::StatusCode;
use domain::{
    access::Role,
    effect::EffectStatus,
    job::{Job, JobFailure},
    message,
};
use ports::clock::Clock as _;
use serde_json::{Value, json};
use std::time::Duration;
use test_kit::builders;

const PATH: &str = "/api/v1/conversations";

async fn begin(app: &App, agent: &str, title: &str) -> String {
    let body = json!({"agent_id": agent, "title": title});
    let made = app.post(PATH, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.id()
}

async fn say(app: &App, conversation: &str, text: &str) -> Value {
    let body = json!({"text": text, "conversation_id": conversation});
    let made = app.post("/api/v1/work-items", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_conversation_is_begun_with_one_agent_and_belongs_to_it_alone() {
    let app = App::start().await;
    let (ada, bob) = (app.agent("Ada").await, app.agent("Bob").await);
    let made = app
        .post(PATH, json!({"agent_id": ada, "title": " Plans "}))
        .await;
    let id = made.id();
    let at = app.clock.now();
    let integrations = app.get("/api/v1/integrations").await.body;
    assert_eq!(
        made.body,
        json!({"id": id, "integration_id": integrations["items"][0]["id"], "integration_name": "Web", "type": "web",
            "title": "Plans", "agent_id": ada, "last_activity_at": at, "created_at": at})
    );
    assert_eq!(app.get(&format!("{PATH}/{id}")).await.body, made.body);
    let item = say(&app, &id, "hello").await;
    assert_eq!(item["assigned_agent_ids"], json!([ada]));
    assert_eq!(item["conversation_id"], id);
    let body = json!({"text": "hello", "conversation_id": id, "agent_ids": [bob]});
    let other = app.post("/api/v1/work-items", body).await;
    other.is_problem(422, "validation_failed");
    assert_eq!(other.body["errors"][0]["field"], "agent_ids");

    let blank = app.post(PATH, json!({"agent_id": ada, "title": " "})).await;
    assert_eq!(blank.body["title"], Value::Null);
    for bad in [
        json!({"agent_id": ada, "title": "x".repeat(201)}),
        json!({"agent_id": ada, "title": "two\nlines"}),
        json!({"agent_id": crate::matrix::NOBODY}),
        json!({"agent_id": "nonsense"}),
        json!({"title": "with nobody"}),
        json!({"agent_id": ada, "colour": "red"}),
    ] {
        let refused = app.post(PATH, bad).await;
        refused.is_problem(422, "validation_failed");
    }
    let off = json!({"enabled": false});
    app.patch(&format!("/api/v1/agents/{bob}"), off).await;
    let refused = app.post(PATH, json!({"agent_id": bob})).await;
    assert_eq!(refused.body["errors"][0]["field"], "agent_id");
    app.get(&format!("{PATH}/nonsense"))
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn a_repeated_request_begins_one_conversation() {
    let app = App::start().await;
    let ada = app.agent("Ada").await;
    let body = json!({"agent_id": ada});
    let send = async || {
        let mut request = app.request(&axum::http::Method::POST, PATH, &body);
        let headers = request.headers_mut();
        headers.insert("idempotency-key", "once".parse().unwrap());
        app.send(request).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((second.status, &second.body), (first.status, &first.body));
    assert_eq!(ids(&app.get(PATH).await.body), [first.id()]);
}

#[tokio::test]
async fn conversations_are_listed_by_what_came_in_last() {
    let app = App::start().await;
    let (ada, bob) = (app.agent("Ada").await, app.agent("Bob").await);
    let first = begin(&app, &ada, "first").await;
    let second = begin(&app, &bob, "second").await;
    assert_eq!(ids(&app.get(PATH).await.body), [&*second, &*first]);
    app.clock.advance(Duration::from_secs(5));
    say(&app, &first, "hello").await;
    let list = app.get(PATH).await.body;
    assert_eq!(ids(&list), [&*first, &*second]);
    assert_eq!(list["items"][0]["last_activity_at"], "2026-01-01T00:00:05Z");
    let of = async |query: &str| ids(&app.get(&format!("{PATH}?{query}")).await.body);
    assert_eq!(of(&format!("agent_id={ada}")).await, [&*first]);
    assert_eq!(of(&format!("agent_id={bob}")).await, [&*second]);
    let web = list["items"][0]["integration_id"].as_str().unwrap();
    assert_eq!(of(&format!("integration_id={web}")).await.len(), 2);
    let telegram = app.telegram("bot").await;
    assert!(of(&format!("integration_id={telegram}")).await.is_empty());

    let page = app.get(&format!("{PATH}?limit=1")).await.body;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("{PATH}?limit=1&cursor={cursor}")).await;
    assert_eq!(ids(&rest.body), [&*second]);
    assert_eq!(rest.body["next_cursor"], Value::Null);
    for bad in ["limit=0", "cursor=x", "agent_id=x"] {
        let refused = app.get(&format!("{PATH}?{bad}")).await;
        refused.is_problem(422, "validation_failed");
    }
}

/// Says what the job said last.
async fn write(app: &App, job: &Job, text: &str) {
    let mut words = builders::message(app.platform.ids.as_ref(), job, 1, text);
    words.role = message::Role::Assistant;
    let words = [words];
    app.write(async |tx| tx.transcript().append(&words).await.unwrap())
        .await;
}

fn brief(entries: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = entries["items"].as_array().unwrap().iter();
    entries
        .map(|e| (text(&e["kind"]), text(&e["text"])))
        .collect()
}

#[tokio::test]
async fn entries_show_what_was_said_and_what_became_of_it() {
    let app = App::start().await;
    let (mut job, mut reply) = app.job().await;
    let path = format!("{PATH}/{}/entries", job.conversation_id);
    let first = app.get(&path).await.body;
    let item = &first["items"][0];
    assert_eq!(
        first,
        json!({"next_cursor": null, "items": [{"kind": "message", "id": job.work_item_id, "at": app.clock.now(),
            "work_item_id": job.work_item_id, "job_id": null, "job_status": null, "agent_id": null,
            "author": "API", "text": "do it", "effect_id": null, "effect_status": null}]})
    );
    assert_eq!(item["kind"], "message");
    app.clock.advance(Duration::from_secs(1));
    write(&app, &job, "It is **done**.").await;
    app.finish(&mut job).await;
    let done = app.get(&path).await.body;
    let agent = app.get(&format!("/api/v1/agents/{}", job.agent_id)).await;
    assert_eq!(
        done["items"][0],
        json!({"kind": "reply", "id": job.id, "at": app.clock.now(), "work_item_id": job.work_item_id,
            "job_id": job.id, "job_status": "completed", "agent_id": job.agent_id, "author": agent.body["name"],
            "text": "It is **done**.", "effect_id": null, "effect_status": null})
    );

    reply.status = EffectStatus::Held;
    app.write(async |tx| tx.effects().insert(&reply).await.unwrap())
        .await;
    let draft = app.get(&path).await.body["items"][0].clone();
    assert_eq!(draft["text"], "Done.", "what goes to the channel");
    assert_eq!(draft["effect_id"], reply.id.to_string());
    assert_eq!(draft["effect_status"], "held");
}

#[tokio::test]
async fn a_job_without_an_answer_is_a_notice_and_an_item_for_nobody_a_pass() {
    let app = App::start().await;
    let (mut failed, _) = app.job().await;
    let failure = JobFailure {
        code: "budget_exhausted".to_owned(),
        message: "The budget of the day is used up.".to_owned(),
    };
    failed.start(app.clock.now()).unwrap();
    failed.fail(failure, app.clock.now()).unwrap();
    let (mut stopped, _) = app.job().await;
    stopped.cancel(app.clock.now()).unwrap();
    app.write(async |tx| {
        tx.jobs().update(&failed).await.unwrap();
        tx.jobs().update(&stopped).await.unwrap();
    })
    .await;
    let told = async |job: &Job| {
        let path = format!("{PATH}/{}/entries?limit=1", job.conversation_id);
        brief(&app.get(&path).await.body).remove(0)
    };
    let notice = |text: &str| ("notice".to_owned(), text.to_owned());
    assert_eq!(
        told(&failed).await,
        notice("The budget of the day is used up.")
    );
    assert_eq!(
        told(&stopped).await,
        notice("This job was stopped before it was finished.")
    );

    for job in [&failed, &stopped] {
        let path = format!("/api/v1/agents/{}", job.agent_id);
        app.patch(&path, json!({"enabled": false})).await;
    }
    let body = json!({"text": "anybody?"});
    let item = app.post("/api/v1/work-items", body).await.body;
    let path = format!(
        "{PATH}/{}/entries",
        item["conversation_id"].as_str().unwrap()
    );
    let entry = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    let wanted = [entry("pass", "no agent"), entry("message", "anybody?")];
    assert_eq!(brief(&app.get(&path).await.body), wanted);
    // Both have the same instant and the same id; a page ends between them.
    let page = app.get(&format!("{path}?limit=1")).await.body;
    assert_eq!(brief(&page), wanted[..1]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("{path}?limit=1&cursor={cursor}")).await;
    assert_eq!(brief(&rest.body), wanted[1..]);
    assert_eq!(rest.body["next_cursor"], Value::Null);
}

#[tokio::test]
async fn entries_are_paged_and_none_is_lost_or_twice() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    let conversation = job.conversation_id.to_string();
    for text in ["two", "three"] {
        say(&app, &conversation, text).await;
        app.clock.advance(Duration::from_secs(1));
    }
    write(&app, &job, "one is done").await;
    app.finish(&mut job).await;
    say(&app, &conversation, "four").await;
    let path = format!("{PATH}/{conversation}/entries");
    let whole = brief(&app.get(&path).await.body);
    assert_eq!(whole.len(), 5);
    let texts: Vec<_> = whole.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts[2..], ["three", "two", "do it"]);
    for limit in 1..=5 {
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("{path}?limit={limit}{next}")).await.body;
            seen.extend(brief(&page));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(seen, whole, "{limit} at a time");
    }
    for bad in ["cursor=1", "cursor=1.2.message", "limit=101"] {
        let refused = app.get(&format!("{path}?{bad}")).await;
        refused.is_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_restricted_agents_conversations_do_not_exist_for_others() {
    let app = App::start().await;
    let owner = owner(&app).await;
    let (named, other) = (
        invite(&app, &owner, Role::Member).await,
        invite(&app, &owner, Role::Member).await,
    );
    let (ada, open) = (app.agent("Ada").await, app.agent("Open").await);
    let begun = begin(&app, &ada, "secret").await;
    let spoken = begin(&app, &ada, "spoken").await;
    say(&app, &spoken, "hello").await;
    let public = begin(&app, &open, "public").await;
    let people = json!({"restricted": true, "user_ids": [named.id]});
    app.put(&format!("/api/v1/agents/{ada}/people"), people)
        .await;
    let list = named.get(&app, PATH).await.body;
    assert_eq!(ids(&list).len(), 3);
    assert_eq!(ids(&other.get(&app, PATH).await.body), [&*public]);
    for id in [&begun, &spoken] {
        for path in [format!("{PATH}/{id}"), format!("{PATH}/{id}/entries")] {
            assert_eq!(named.get(&app, &path).await.status, StatusCode::OK);
            other.get(&app, &path).await.is_problem(404, "not_found");
        }
        let body = json!({"text": "let me in", "conversation_id": id});
        let refused = other.post(&app, "/api/v1/work-items", body).await;
        refused.is_problem(422, "validation_failed");
    }
    let refused = other.post(&app, PATH, json!({"agent_id": ada})).await;
    refused.is_problem(422, "validation_failed");
    let made = named.post(&app, PATH, json!({"agent_id": ada})).await;
    assert_eq!(made.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_a_restricted_agent_said_in_a_shared_conversation_is_left_out() {
    let app = App::start().await;
    let owner = owner(&app).await;
    let member = invite(&app, &owner, Role::Member).await;
    let (mut job, _) = app.job().await;
    let open = app.agent("Open").await;
    let conversation = job.conversation_id.to_string();
    let body = json!({"text": "for both", "conversation_id": conversation, "agent_ids": [open]});
    app.post("/api/v1/work-items", body).await;
    app.finish(&mut job).await;
    let people = json!({"restricted": true, "user_ids": []});
    app.put(&format!("/api/v1/agents/{}/people", job.agent_id), people)
        .await;
    let path = format!("{PATH}/{conversation}/entries");
    let seen = member.get(&app, &path).await.body;
    assert_eq!(brief(&seen).len(), 1, "{seen}");
    assert_eq!(seen["items"][0]["text"], "for both");
    assert_eq!(brief(&owner.get(&app, &path).await.body).len(), 3);
    let theirs = format!("{PATH}?agent_id={}", job.agent_id);
    assert!(ids(&member.get(&app, &theirs).await.body).is_empty());
    assert_eq!(ids(&owner.get(&app, &theirs).await.body), [conversation]);
}
