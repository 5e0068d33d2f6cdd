//! Questions to people: asked in Telegram, answered there or over the API, whatever happens to the process.

use crate::app::{App, Options, client};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::telegram::{BotMessage, Chat, Person, TelegramSimulator};

const ASK: &str = "ask before running `echo deployed`";

/// A bot whose person asked for something that needs approval, and the question as it stands in the chat.
async fn asked(app: &App, telegram: &TelegramSimulator, kim: &Person) -> (BotMessage, Value) {
    app.agent("Ada").await;
    asked_by_agents(app, telegram, kim).await
}

async fn asked_by_agents(
    app: &App,
    telegram: &TelegramSimulator,
    kim: &Person,
) -> (BotMessage, Value) {
    app.telegram(telegram, json!({})).await;
    let chat = Chat::private(kim);
    telegram.say(&chat, kim, ASK);
    let question = telegram
        .wait_for_message(&chat, |message| !message.buttons.is_empty())
        .await;
    // The chat has it before the server notes that. One that is killed in between never knows which message it was.
    while app
        .items("/api/v1/effects")
        .await
        .iter()
        .any(|effect| effect["status"] == "pending" || effect["status"] == "sending")
    {
        tokio::task::yield_now().await;
    }
    let approval = app
        .items("/api/v1/approvals?status=pending")
        .await
        .remove(0);
    (question, approval)
}

async fn decide(app: &App, approval: &Value, answer: &str) -> (StatusCode, Value) {
    let path = format!(
        "/api/v1/approvals/{}/{answer}",
        approval["id"].as_str().unwrap()
    );
    app.call(Method::POST, &path, Some(json!({ "note": "go ahead" })))
        .await
}

#[tokio::test]
async fn a_question_survives_a_kill_and_the_answer_lets_the_job_go_on() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let (question, approval) = asked(&app, &telegram, &kim).await;
    assert!(question.text.contains("May I run"), "{}", question.text);
    assert_eq!(approval["action"]["command"], "echo deployed");
    assert_eq!(approval["requested_by"]["kind"], "guest");
    assert_eq!(approval["may_decide"], true);
    assert_eq!(app.items("/api/v1/jobs").await[0]["status"], "waiting");
    let dir = app.kill().await;

    let app = App::start_in(dir, Options::default()).await;
    assert_eq!(app.items("/api/v1/jobs").await[0]["status"], "waiting");
    let (status, decided) = decide(&app, &approval, "approve").await;
    assert_eq!(
        (status, &decided["status"]),
        (StatusCode::OK, &json!("approved"))
    );
    let answer = telegram
        .wait_for_message(&chat, |message| message.text.contains("ran echo deployed"))
        .await;
    assert!(answer.text.contains("go ahead"), "{}", answer.text);
    let closed = telegram
        .wait_for_message(&chat, |message| {
            message.message_id == question.message_id && message.buttons.is_empty()
        })
        .await;
    assert!(closed.text.contains("Approved by"), "{}", closed.text);
    let (again, same) = decide(&app, &approval, "approve").await;
    assert_eq!((again, same), (StatusCode::OK, decided));
    let (other, body) = decide(&app, &approval, "deny").await;
    assert_eq!(
        (other, &body["code"]),
        (StatusCode::CONFLICT, &json!("approval_decided"))
    );
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert_eq!(job["status"], "completed");
    let path = format!("/api/v1/jobs/{}/events", job["id"].as_str().unwrap());
    let events = app.events(&path, None).await.rest().await;
    let told: Vec<&Value> = events
        .iter()
        .filter(|event| event.name == "approval")
        .map(|event| &event.data["status"])
        .collect();
    assert_eq!(told, ["pending", "approved"]);
}

#[tokio::test]
async fn an_agents_settings_say_who_may_answer_for_it() {
    let app = App::start().await;
    let agent = format!("/api/v1/agents/{}", app.agent("Ada").await);
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (approvers, field) in [
        (
            json!({ "min_role": "viewer", "user_ids": [] }),
            "approvers.min_role",
        ),
        (
            json!({ "min_role": "admin", "user_ids": [nobody] }),
            "approvers.user_ids",
        ),
    ] {
        let change = json!({ "approvers": approvers });
        let (status, problem) = app.call(Method::PATCH, &agent, Some(change)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let approvers = json!({ "min_role": "admin", "user_ids": [] });
    let change = json!({ "approvers": approvers });
    app.call(Method::PATCH, &agent, Some(change)).await;
    assert_eq!(app.get(&agent).await["approvers"], approvers);
    let telegram = TelegramSimulator::start().await.unwrap();
    let (_, approval) = asked_by_agents(&app, &telegram, &Person::new(7, "Kim")).await;
    assert_eq!(approval["approvers"], approvers);
}

#[tokio::test]
async fn nobody_the_server_does_not_know_decides_by_a_button() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let kim = Person::new(7, "Kim");
    let (question, approval) = asked(&app, &telegram, &kim).await;
    let chat = Chat::private(&kim);
    let press = telegram
        .press(&chat, &kim, question.message_id, "Approve")
        .unwrap();
    let told = telegram.wait_for_answer(&press).await;
    assert!(told.starts_with("Link your account first"), "{told}");
    telegram.say(&chat, &kim, "/link NOSUCHCODE");
    telegram
        .wait_for_message(&chat, |message| {
            message.text.contains("I do not know this code")
        })
        .await;
    // A code is no work for an agent.
    assert_eq!(app.items("/api/v1/work-items").await.len(), 1);
    let path = format!("/api/v1/approvals/{}", approval["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await["status"], "pending");
}

/// A code that links an account to a new member, as the profile shows it.
async fn link_code(app: &App) -> String {
    let body = json!({ "email": "grace@example.com", "role": "member" });
    let invitation = app.post("/api/v1/invitations", body).await;
    let (_, token) = invitation["url"]
        .as_str()
        .unwrap()
        .split_once("#token=")
        .unwrap();
    let redeem = json!({ "token": token, "name": "Grace", "password": "a long enough passphrase" });
    let redeemed = client()
        .post(format!("{}/api/v1/links/redeem", app.url))
        .json(&redeem)
        .send()
        .await
        .unwrap();
    let cookie = redeemed.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let session: Value = redeemed.json().await.unwrap();
    let made = client()
        .post(format!("{}/api/v1/me/identities/link-code", app.url))
        .header("Cookie", cookie)
        .header("X-CSRF-Token", session["csrf_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    made.json::<Value>().await.unwrap()["code"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_linked_colleague_decides_by_a_button_and_nobody_for_themselves() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let (kim, grace) = (Person::new(7, "Kim"), Person::new(8, "Grace"));
    let (question, approval) = asked(&app, &telegram, &kim).await;
    let (chat, alone) = (Chat::private(&kim), Chat::private(&grace));
    let code = link_code(&app).await;
    telegram.say(&alone, &grace, &format!("/link {code}"));
    telegram
        .wait_for_message(&alone, |message| message.text == "You are linked as Grace.")
        .await;
    let press = telegram
        .press(&chat, &grace, question.message_id, "Approve")
        .unwrap();
    assert_eq!(telegram.wait_for_answer(&press).await, "Approved by Grace.");
    let again = telegram.press(&chat, &grace, question.message_id, "Approve");
    if let Some(again) = again {
        assert_eq!(telegram.wait_for_answer(&again).await, "Approved by Grace.");
    }
    telegram
        .wait_for_message(&chat, |message| message.text.contains("ran echo deployed"))
        .await;
    let path = format!("/api/v1/approvals/{}", approval["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await["decided_by"]["name"], "Grace");
    for action in ["identity.linked", "approval.approved"] {
        let noted = app.items(&format!("/api/v1/audit?action={action}")).await;
        assert_eq!(noted.len(), 1, "{action}");
        let by = &noted[0]["actor"];
        assert_eq!(
            (&by["kind"], &by["name"]),
            (&json!("user"), &json!("Grace"))
        );
    }

    // What Grace asks for herself is for somebody else to decide.
    telegram.say(&alone, &grace, ASK);
    let own = telegram
        .wait_for_message(&alone, |message| !message.buttons.is_empty())
        .await;
    let press = telegram
        .press(&alone, &grace, own.message_id, "Approve")
        .unwrap();
    let told = telegram.wait_for_answer(&press).await;
    assert!(told.contains("your own message"), "{told}");
}
