//! Who guesses is cut off: at every door, however the guesses are spread and spelled.

use crate::{
    access::code_at,
    harness::{Answer, App},
    people::{PASSWORD, Person, knock, owner, token_of},
};
use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode},
};
use domain::secret::Secret;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

const SESSION: &str = "/api/v1/session";
const REDEEM: &str = "/api/v1/links/redeem";
const PASSWORD_PATH: &str = "/api/v1/me/password";
const TOTP: &str = "/api/v1/me/totp";

/// What an anonymous caller at this address gets.
async fn knock_from(app: &App, peer: usize, path: &str, body: &Value) -> Answer {
    let mut request = app.request(&Method::POST, path, body);
    request.headers_mut().remove("authorization");
    let address = SocketAddr::from(([203, 0, 113, u8::try_from(peer).unwrap()], 9));
    request.extensions_mut().insert(ConnectInfo(address));
    app.send(request).await
}

async fn call(app: &App, path: &str, secret: &str) -> Answer {
    let request = Request::post(path)
        .header("x-secret", secret)
        .body(Body::from("{}"));
    app.send(request.unwrap()).await
}

fn guess(email: &str) -> Value {
    json!({"email": email, "password": "wrong"})
}

/// How many answers had which status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// Checks that it was refused for this many seconds.
#[track_caller]
fn is_limited(answer: &Answer, seconds: &str) {
    answer.is_problem(429, "limit_reached");
    assert_eq!(answer.headers["retry-after"], seconds);
}

/// Gives somebody a second factor.
async fn enrol(app: &App, person: &Person) -> Secret {
    let begun = person.post(app, TOTP, json!({"password": PASSWORD})).await;
    let secret = Secret::new(begun.body["secret"].as_str().unwrap());
    let code = json!({"code": code_at(app, &secret)});
    let path = format!("{TOTP}/confirm");
    let confirmed = person.post(app, &path, code).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
    secret
}

#[tokio::test]
async fn guesses_of_one_peer_at_once_are_no_more_than_in_turn() {
    let app = App::start().await;
    let guesses = (0..100).map(|n| {
        let app = &app;
        async move { knock(app, SESSION, guess(&format!("{n}@example.com"))).await }
    });
    let answers = join_all(guesses).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(401, 30), (429, 70)]));
    let inspections = (0..100).map(|n| {
        let app = &app;
        async move {
            knock(
                app,
                "/api/v1/links/inspect",
                json!({"token": format!("nj_{n}")}),
            )
            .await
        }
    });
    let answers = join_all(inspections).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(404, 30), (429, 70)]));
}

#[tokio::test]
async fn guesses_on_one_account_at_once_are_no_more_than_in_turn() {
    let app = App::start().await;
    owner(&app).await;
    let guesses = (0..50).map(|peer| {
        let app = &app;
        async move { knock_from(app, peer, SESSION, &guess("ada@example.com")).await }
    });
    let answers = join_all(guesses).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(401, 10), (429, 40)]));
}

#[tokio::test]
async fn who_is_right_is_never_slowed_down() {
    let app = App::start().await;
    owner(&app).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    for _ in 0..60 {
        Person::of(&knock(&app, SESSION, body.clone()).await);
    }
}

#[tokio::test]
async fn an_address_that_nobody_can_have_is_refused_like_any_other() {
    let app = App::start().await;
    let long = |n: usize| guess(&format!("{n}{}@example.com", "x".repeat(100_000)));
    for n in 0..10 {
        let refused = knock_from(&app, n, SESSION, &long(n)).await;
        refused.is_problem(401, "invalid_credentials");
    }
    // They are counted as one.
    is_limited(&knock_from(&app, 10, SESSION, &long(10)).await, "60");
    let other = knock_from(&app, 10, SESSION, &guess("kim@example.com")).await;
    other.is_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_webhook_is_one_however_its_id_is_spelled() {
    let app = App::start().await;
    let id = app.telegram("bot").await;
    let first = format!("%{:02x}{}", id.as_bytes()[0], &id[1..]);
    let spellings = [
        id.clone(),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("urn:uuid:{id}"),
        first,
    ];
    for n in 0..30 {
        let path = format!("/webhooks/telegram/{}", spellings[n % spellings.len()]);
        let refused = call(&app, &path, "guess").await;
        refused.is_problem(401, "unauthenticated");
    }
    for spelling in &spellings {
        let refused = call(&app, &format!("/webhooks/telegram/{spelling}"), "guess").await;
        is_limited(&refused, "2");
    }
}

#[tokio::test]
async fn what_cannot_be_a_webhook_is_counted_as_one() {
    let app = App::start().await;
    for n in 0..30 {
        let refused = call(&app, &format!("/webhooks/telegram/{n}"), "guess").await;
        refused.is_problem(404, "not_found");
    }
    is_limited(&call(&app, "/webhooks/web/%ff", "guess").await, "2");
}

#[tokio::test]
async fn a_flood_of_webhooks_has_no_failed_login_forgotten() {
    let app = App::start().await;
    for n in 0..30 {
        let refused = knock(&app, SESSION, guess(&format!("{n}@example.com"))).await;
        refused.is_problem(401, "invalid_credentials");
    }
    let hook = app.telegram("bot").await;
    let hook = format!("/webhooks/telegram/{hook}");
    for _ in 0..30 {
        call(&app, &hook, "guess").await;
    }
    for n in 0..10_100_u128 {
        let id = uuid::Uuid::from_u128(n);
        let refused = call(&app, &format!("/webhooks/nothing/{id}"), "guess").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
    is_limited(&knock(&app, SESSION, guess("x@example.com")).await, "2");
    // Nor a guess at a signature.
    is_limited(&call(&app, &hook, "guess").await, "2");
}

#[tokio::test]
async fn codes_cannot_be_guessed_over_a_link_from_wherever() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let secret = enrol(&app, &ada).await;
    app.clock.advance(Duration::from_secs(30));
    let path = format!("/api/v1/users/{}/reset-link", ada.id);
    let link = app.post(&path, Value::Null).await;
    let token = token_of(link.body["url"].as_str().unwrap());
    let redeem = |code: Option<String>, password: &str| json!({"token": token, "password": password, "code": code});
    // What is no guess does not count.
    for peer in 0..15 {
        let short = knock_from(&app, peer, REDEEM, &redeem(None, "short")).await;
        short.is_problem(422, "validation_failed");
        let asked = knock_from(&app, peer, REDEEM, &redeem(None, "another password")).await;
        asked.is_problem(401, "second_factor_required");
    }
    for peer in 20..30 {
        let body = redeem(Some("wrong".to_owned()), "another password");
        let refused = knock_from(&app, peer, REDEEM, &body).await;
        refused.is_problem(401, "invalid_credentials");
    }
    let right = |app: &App| redeem(Some(code_at(app, &secret)), "another password");
    is_limited(&knock_from(&app, 40, REDEEM, &right(&app)).await, "60");
    app.clock.advance(Duration::from_mins(1));
    Person::of(&knock_from(&app, 40, REDEEM, &right(&app)).await);
}

#[tokio::test]
async fn who_finds_a_login_open_does_not_learn_the_password_by_trying() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let change = |now: &str, new: &str| json!({"current_password": now, "new_password": new});
    // What is no guess does not count.
    for _ in 0..15 {
        let short = ada
            .post(&app, PASSWORD_PATH, change(PASSWORD, "short"))
            .await;
        short.is_problem(422, "validation_failed");
    }
    let wrong = json!({"password": "wrong"});
    for n in 0..10 {
        let refused = match n % 3 {
            0 => ada.post(&app, TOTP, wrong.clone()).await,
            1 => ada.send(&app, (&Method::DELETE, TOTP, &wrong)).await,
            _ => {
                let change = change("wrong", "another password");
                ada.post(&app, PASSWORD_PATH, change).await
            }
        };
        refused.is_problem(422, "validation_failed");
    }
    let right = json!({"password": PASSWORD});
    is_limited(&ada.post(&app, TOTP, right.clone()).await, "60");
    let removed = ada.send(&app, (&Method::DELETE, TOTP, &right)).await;
    is_limited(&removed, "60");
    let change = change(PASSWORD, "another password");
    is_limited(&ada.post(&app, PASSWORD_PATH, change.clone()).await, "60");
    app.clock.advance(Duration::from_mins(1));
    let changed = ada.post(&app, PASSWORD_PATH, change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
}

#[tokio::test]
async fn first_codes_of_a_second_factor_cannot_be_tried_without_end() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let confirm = format!("{TOTP}/confirm");
    let begun = ada.post(&app, TOTP, json!({"password": PASSWORD})).await;
    let secret = Secret::new(begun.body["secret"].as_str().unwrap());
    let guesses = (0..20).map(|_| ada.post(&app, &confirm, json!({"code": "wrong"})));
    let answers = join_all(guesses).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(422, 10), (429, 10)]));
    let code = |app: &App| json!({"code": code_at(app, &secret)});
    is_limited(&ada.post(&app, &confirm, code(&app)).await, "60");
    app.clock.advance(Duration::from_mins(1));
    let confirmed = ada.post(&app, &confirm, code(&app)).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
}
