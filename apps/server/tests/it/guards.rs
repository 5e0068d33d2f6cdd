//! Loops end, visibly: bots that answer bots, jobs that repeat themselves, jobs that take their process
//! down; and a failure leaves one notice with a link that leads somewhere.

use crate::app::{App, Options, client};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::{
    model::{Fault, ModelSimulator, Reply},
    telegram::{Chat, Person, TelegramSimulator},
};

const BASE: &str = "https://nitejar.example";

/// The newest work item once it is closed.
async fn closed(app: &App, count: usize) -> Value {
    loop {
        let items = app.items("/api/v1/work-items").await;
        if items.len() == count && items[0]["status"] != "open" {
            return items[0].clone();
        }
        tokio::task::yield_now().await;
    }
}

async fn limit(app: &App, agent: &str, limits: Value) -> Value {
    let path = format!("/api/v1/agents/{agent}");
    let change = json!({ "loop_limits": limits });
    let (status, changed) = app.call(Method::PATCH, &path, Some(change)).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    changed["loop_limits"].clone()
}

fn model_env(model: &ModelSimulator) -> Vec<(&'static str, String)> {
    vec![
        ("ANTHROPIC_API_KEY", "anthropic-key-canary".to_owned()),
        ("ANTHROPIC_BASE_URL", model.base_url()),
        ("APP_BASE_URL", BASE.to_owned()),
    ]
}

#[tokio::test]
async fn limits_are_shown_changed_one_by_one_and_checked() {
    let app = App::start().await;
    let made = app
        .post(
            "/api/v1/agents",
            json!({ "name": "Ada", "loop_limits": { "resumes": 7 } }),
        )
        .await;
    let mut limits = json!({
        "relay_depth": 3, "bot_window_items": 20, "bot_window_seconds": 60, "bot_cooldown_seconds": 60,
        "identical_calls": 5, "identical_answers": 3, "resumes": 7,
    });
    assert_eq!(made["loop_limits"], limits);
    assert_eq!(made["steering"], "steer");
    let id = made["id"].as_str().unwrap();
    limits["relay_depth"] = json!(0);
    assert_eq!(limit(&app, id, json!({ "relay_depth": 0 })).await, limits);
    let path = format!("/api/v1/agents/{id}");
    for (change, part) in [
        (
            json!({ "identical_calls": 1 }),
            "loop_limits.identical_calls",
        ),
        (json!({ "bot_window_items": 501 }), "from 1 to 500"),
        (json!({ "depth": 1 }), "depth"),
    ] {
        let change = json!({ "loop_limits": change });
        let (status, problem) = app.call(Method::PATCH, &path, Some(change)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem.to_string().contains(part), "{problem}");
    }
    assert_eq!(app.get(&path).await["loop_limits"], limits);
}

#[tokio::test]
async fn bots_are_followed_so_deep_until_a_person_speaks() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let agent = app.agent("Ada").await;
    limit(&app, &agent, json!({ "relay_depth": 2 })).await;
    app.telegram(&telegram, json!({ "allow_bots": true })).await;
    let (ci, kim) = (Person::bot(9, "CI"), Person::new(7, "Kim"));
    let group = Chat::group(-5, "Team");
    let mut count = 0;
    let mut say = async |who: &Person, text: &str| {
        count += 1;
        telegram.say(&group, who, text);
        closed(&app, count).await
    };
    assert_eq!(say(&ci, "run `echo one`").await["status"], "replied");
    assert_eq!(say(&ci, "run `echo two`").await["status"], "replied");
    let third = say(&ci, "run `echo three`").await;
    assert_eq!(third["status"], "passed", "{third}");
    assert!(third["reason"].as_str().unwrap().contains("relay_depth"));
    assert_eq!(third["message"]["sender"]["is_bot"], true);
    let path = format!("/api/v1/work-items/{}", third["id"].as_str().unwrap());
    let decision = app.get(&path).await["decisions"][0].clone();
    assert_eq!(decision["decided_by"], "guard");
    assert_eq!(say(&kim, "run `echo four`").await["status"], "replied");
    assert_eq!(say(&ci, "run `echo five`").await["status"], "replied");
    assert_eq!(telegram.messages(&group).len(), 4);
}

#[tokio::test]
async fn the_same_answer_to_a_bot_ends_and_people_are_answered_all_the_same() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let agent = app.agent("Ada").await;
    let limits = json!({ "relay_depth": 50, "identical_answers": 2 });
    limit(&app, &agent, limits).await;
    app.telegram(&telegram, json!({ "allow_bots": true })).await;
    let (ci, kim) = (Person::bot(9, "CI"), Person::new(7, "Kim"));
    let group = Chat::group(-5, "Team");
    let mut count = 0;
    let mut say = async |who: &Person| {
        count += 1;
        telegram.say(&group, who, "run `echo same`");
        closed(&app, count).await
    };
    assert_eq!(say(&ci).await["status"], "replied");
    assert_eq!(say(&ci).await["status"], "replied");
    let third = say(&ci).await;
    assert_eq!(third["status"], "passed", "{third}");
    let reason = third["reason"].as_str().unwrap();
    assert!(
        reason.contains("loop suspected") && reason.contains("identical_answers"),
        "{reason}"
    );
    for _ in 0..3 {
        assert_eq!(say(&kim).await["status"], "replied");
    }
    assert_eq!(say(&ci).await["status"], "replied", "a person spoke");
}

#[tokio::test]
async fn a_bot_that_writes_too_fast_is_passed_over() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let agent = app.agent("Ada").await;
    let limits = json!({
        "relay_depth": 50, "identical_answers": 12, "bot_window_items": 2, "bot_window_seconds": 3_600,
    });
    limit(&app, &agent, limits).await;
    app.telegram(&telegram, json!({ "allow_bots": true })).await;
    let group = Chat::group(-5, "Team");
    for (count, status) in [(1, "replied"), (2, "replied"), (3, "passed"), (4, "passed")] {
        let text = format!("run `echo {count}`");
        telegram.say(&group, &Person::bot(9, "CI"), &text);
        let item = closed(&app, count).await;
        assert_eq!(item["status"], status, "{item}");
    }
    telegram.say(&group, &Person::bot(10, "Other"), "run `echo 5`");
    let other = closed(&app, 5).await;
    assert_eq!(
        other["status"], "replied",
        "another bot is another matter: {other}"
    );
}

#[tokio::test]
async fn a_job_that_repeats_itself_fails_with_one_notice_and_a_link_that_works() {
    let model = ModelSimulator::start(simulators::model::Options::default())
        .await
        .unwrap();
    model.on_request(|_| Some(Reply::call("bash", &json!({ "command": "echo same" }))));
    let env = model_env(&model);
    let app = App::start_with(Options {
        env,
        ..Options::default()
    })
    .await;
    let telegram = TelegramSimulator::start().await.unwrap();
    // A notice is no draft: it is sent even where replies wait for approval.
    let agent = json!({ "name": "Ada", "reply_policy": "approve" });
    app.post("/api/v1/agents", agent).await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "do it");
    let notice = telegram.wait_for_message(&chat, |_| true).await;
    let item = closed(&app, 1).await;
    assert_eq!(item["status"], "failed", "{item}");
    let job = app.items("/api/v1/jobs").await.remove(0);
    let id = job["id"].as_str().unwrap();
    assert_eq!(job["failure"]["code"], "loop_suspected", "{job}");
    let calls = app.items(&format!("/api/v1/jobs/{id}/tool-calls")).await;
    assert_eq!(calls.len(), 5);
    let link = format!("{BASE}/jobs/{id}");
    assert!(notice.text.contains(&link), "{}", notice.text);
    assert_eq!(telegram.messages(&chat).len(), 1);
    let open = async |path: &str| {
        let response = client().get(format!("{}{path}", app.url)).send().await;
        let response = response.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    let (status, page) = open(&format!("/jobs/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<title>Nitejar"), "{page}");
    let retry = format!("/api/v1/jobs/{id}/retry");
    let again = json!({ "from": "last_turn", "reply_again": true });
    let (status, problem) = app.call(Method::POST, &retry, Some(again)).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::CONFLICT, Some("loop_suspected"))
    );
}

#[tokio::test]
async fn a_job_that_outlives_no_process_is_given_up_with_one_notice() {
    let model = ModelSimulator::start(simulators::model::Options::default())
        .await
        .unwrap();
    model.fail_next(Fault::StallAfter(0), 9);
    let env = model_env(&model);
    let options = || Options {
        env: env.clone(),
        ..Options::default()
    };
    let mut app = App::start_with(options()).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let agent = app.agent("Ada").await;
    limit(&app, &agent, json!({ "resumes": 2 })).await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "hello");
    for asked in 1..=3 {
        model.wait_for(asked).await;
        app = App::start_in(app.kill().await, options()).await;
    }
    let notice = telegram.wait_for_message(&chat, |_| true).await;
    assert!(notice.text.contains("given up"), "{}", notice.text);
    let item = closed(&app, 1).await;
    assert_eq!(item["status"], "failed", "{item}");
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert_eq!(job["failure"]["code"], "abandoned", "{job}");
    assert_eq!(telegram.messages(&chat).len(), 1);
    assert_eq!(model.count(), 3, "it was not asked a fourth time");
}
