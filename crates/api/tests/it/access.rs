//! Signing in and out, links, second factors, tokens, and who sees what.

use crate::{
    harness::App,
    people::{PASSWORD, Person, invite, knock, owner, token_of},
};
use axum::http::{Method, StatusCode};
use crypto::totp_code;
use domain::{access::Role, secret::Secret};
use ports::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) async fn login(
    app: &App,
    email: &str,
    password: &str,
    code: Option<&str>,
) -> crate::harness::Answer {
    let body = json!({"email": email, "password": password, "code": code});
    knock(app, "/api/v1/session", body).await
}

#[tokio::test]
async fn the_set_up_link_makes_the_owner_once() {
    let app = App::start().await;
    let access = app.get("/api/v1/access").await;
    assert_eq!(access.body["setup_required"], true);
    let context = app.context();
    let link = services::links::set_up(&context).await.unwrap().unwrap();
    let url = link.url.expose();
    assert!(
        url.starts_with("https://jar.example/welcome#token=nj_"),
        "{url}"
    );
    let token = token_of(url);
    let seen = knock(&app, "/api/v1/links/inspect", json!({"token": token})).await;
    assert_eq!(seen.body["kind"], "setup");
    let body =
        json!({"token": token, "name": "Ada", "email": "ada@example.com", "password": "short"});
    let refused = knock(&app, "/api/v1/links/redeem", body.clone()).await;
    refused.is_problem(422, "validation_failed");
    let mut body = body;
    body["password"] = json!(PASSWORD);
    let made = knock(&app, "/api/v1/links/redeem", body.clone()).await;
    let cookie = made.headers["set-cookie"].to_str().unwrap();
    for part in [
        "__Host-nitejar_session=",
        "Path=/",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    ] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert_eq!(made.body["role"], "owner");
    assert_eq!(made.body["rights"]["settings"], "administer");
    let ada = Person::of(&made);
    let me = ada.get(&app, "/api/v1/session").await;
    assert_eq!(me.body["user"]["email"], "ada@example.com");
    assert_eq!(me.body["csrf_token"], made.body["csrf_token"]);
    knock(&app, "/api/v1/links/redeem", body)
        .await
        .is_problem(404, "link_unknown");
    assert!(services::links::set_up(&context).await.unwrap().is_none());
    assert_eq!(
        app.get("/api/v1/access").await.body["setup_required"],
        false
    );
}

#[tokio::test]
async fn a_login_needs_both_and_ends_when_it_is_told_to() {
    let app = App::start().await;
    let ada = owner(&app).await;
    for (email, password) in [
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("", ""),
    ] {
        let refused = login(&app, email, password, None).await;
        refused.is_problem(401, "invalid_credentials");
    }
    let second = Person::of(&login(&app, " ADA@example.com", PASSWORD, None).await);
    let sessions = second.get(&app, "/api/v1/sessions").await;
    let sessions = sessions.body["items"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["is_current"], true);
    assert_eq!(sessions[1]["is_current"], false);
    let other = sessions[1]["id"].as_str().unwrap();
    let ended = second
        .delete(&app, &format!("/api/v1/sessions/{other}"))
        .await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    ada.get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");
    let out = second.delete(&app, "/api/v1/session").await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    second
        .get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_login_that_nobody_uses_ends_by_itself() {
    let app = App::start().await;
    let ada = owner(&app).await;
    app.clock.advance(Duration::from_hours(6 * 24));
    assert_eq!(
        ada.get(&app, "/api/v1/session").await.status,
        StatusCode::OK
    );
    app.clock.advance(Duration::from_hours(6 * 24));
    assert_eq!(
        ada.get(&app, "/api/v1/session").await.status,
        StatusCode::OK
    );
    app.clock.advance(Duration::from_hours(8 * 24));
    ada.get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn whoever_guesses_is_soon_not_heard_and_it_passes() {
    let app = App::start().await;
    owner(&app).await;
    for _ in 0..10 {
        let refused = login(&app, "ada@example.com", "wrong", None).await;
        refused.is_problem(401, "invalid_credentials");
    }
    let refused = login(&app, "ada@example.com", PASSWORD, None).await;
    refused.is_problem(429, "limit_reached");
    assert_eq!(refused.headers["retry-after"], "60");
    login(&app, "bob@example.com", "wrong", None)
        .await
        .is_problem(401, "invalid_credentials");
    app.clock.advance(Duration::from_mins(1));
    Person::of(&login(&app, "ada@example.com", PASSWORD, None).await);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_every_code_is_good_once() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let proof = json!({"password": PASSWORD});
    let begun = ada.post(&app, "/api/v1/me/totp", proof.clone()).await;
    let secret = Secret::new(begun.body["secret"].as_str().unwrap());
    // Nothing is asked for yet.
    Person::of(&login(&app, &ada.email, PASSWORD, None).await);
    let wrong = ada
        .post(&app, "/api/v1/me/totp/confirm", json!({"code": "1"}))
        .await;
    wrong.is_problem(422, "validation_failed");
    let code = code_at(&app, &secret);
    let confirmed = ada
        .post(&app, "/api/v1/me/totp/confirm", json!({"code": code}))
        .await;
    let recovery = confirmed.body["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(recovery.len(), 10);

    let asked = login(&app, &ada.email, PASSWORD, None).await;
    asked.is_problem(401, "second_factor_required");
    let wrong = login(&app, &ada.email, "wrong", None).await;
    wrong.is_problem(401, "invalid_credentials");
    // The code that confirmed it was used.
    let again = login(&app, &ada.email, PASSWORD, Some(&code)).await;
    again.is_problem(401, "invalid_credentials");
    app.clock.advance(Duration::from_secs(30));
    let code = code_at(&app, &secret);
    Person::of(&login(&app, &ada.email, PASSWORD, Some(&code)).await);
    let again = login(&app, &ada.email, PASSWORD, Some(&code)).await;
    again.is_problem(401, "invalid_credentials");
    let spare = recovery[3].as_str();
    Person::of(&login(&app, &ada.email, PASSWORD, spare).await);
    let again = login(&app, &ada.email, PASSWORD, spare).await;
    again.is_problem(401, "invalid_credentials");

    let removed = ada
        .send(&app, (&Method::DELETE, "/api/v1/me/totp", &proof))
        .await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.body);
    Person::of(&login(&app, &ada.email, PASSWORD, None).await);
}

/// The code of this moment.
pub(crate) fn code_at(app: &App, secret: &Secret) -> String {
    totp_code(secret, app.clock.now().timestamp()).unwrap()
}

#[tokio::test]
async fn a_new_password_ends_the_other_logins_and_a_reset_link_all_of_them() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let bob = invite(&app, &ada, Role::Member).await;
    let other = Person::of(&login(&app, &bob.email, PASSWORD, None).await);
    let change = |now: &str| json!({"current_password": now, "new_password": "another password"});
    let path = "/api/v1/me/password";
    let refused = bob.post(&app, path, change("wrong")).await;
    refused.is_problem(422, "validation_failed");
    let changed = bob.post(&app, path, change(PASSWORD)).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    assert_eq!(
        bob.get(&app, "/api/v1/session").await.status,
        StatusCode::OK
    );
    other
        .get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");

    let path = format!("/api/v1/users/{}/reset-link", bob.id);
    let link = ada.post(&app, &path, Value::Null).await;
    let token = token_of(link.body["url"].as_str().unwrap());
    app.clock.advance(Duration::from_hours(25));
    let body = json!({"token": token, "password": "a third password"});
    let late = knock(&app, "/api/v1/links/redeem", body).await;
    late.is_problem(404, "link_unknown");
    let link = ada.post(&app, &path, Value::Null).await;
    let token = token_of(link.body["url"].as_str().unwrap());
    let body = json!({"token": token, "password": "a third password"});
    let again = Person::of(&knock(&app, "/api/v1/links/redeem", body).await);
    assert_eq!(again.id, bob.id);
    bob.get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_last_owner_stays_and_only_owners_decide_about_owners() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let admin = invite(&app, &ada, Role::Admin).await;
    let path = format!("/api/v1/users/{}", ada.id);
    for change in [json!({"role": "admin"}), json!({"enabled": false})] {
        let refused = ada.send(&app, (&Method::PATCH, &path, &change)).await;
        refused.is_problem(409, "last_owner");
        let refused = admin.send(&app, (&Method::PATCH, &path, &change)).await;
        refused.is_problem(403, "forbidden");
    }
    ada.delete(&app, &path).await.is_problem(409, "last_owner");
    let own = format!("/api/v1/users/{}", admin.id);
    let up = admin
        .send(&app, (&Method::PATCH, &own, &json!({"role": "owner"})))
        .await;
    up.is_problem(403, "forbidden");
    let body = json!({"email": "x@example.com", "role": "owner"});
    let invited = admin.post(&app, "/api/v1/invitations", body).await;
    invited.is_problem(403, "forbidden");
    let up = ada
        .send(&app, (&Method::PATCH, &own, &json!({"role": "owner"})))
        .await;
    assert_eq!(up.body["role"], "owner");
    assert_eq!(ada.delete(&app, &path).await.status, StatusCode::NO_CONTENT);
    ada.get(&app, "/api/v1/session")
        .await
        .is_problem(401, "unauthenticated");
    // The address is free again.
    let body = json!({"email": "ada@example.com", "role": "viewer"});
    let invited = admin.post(&app, "/api/v1/invitations", body).await;
    assert_eq!(invited.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_token_may_what_role_and_scopes_both_allow_and_gives_no_more() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let bob = invite(&app, &ada, Role::Member).await;
    let token = async |person: &Person, body: Value| {
        let made = person.post(&app, "/api/v1/tokens", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        made.body["token"].as_str().unwrap().to_owned()
    };
    let with = async |token: &str, method: Method, path: &str, body: Value| {
        let mut request = app.request(&method, path, &body);
        let header = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", header);
        app.send(request).await
    };
    let scopes = json!(["agents:administer", "work:read"]);
    let body = json!({"name": "x", "kind": "personal", "scopes": scopes});
    let narrow = token(&bob, body).await;
    let me = with(&narrow, Method::GET, "/api/v1/session", Value::Null).await;
    assert_eq!(me.body["rights"]["agents"], "read");
    assert_eq!(me.body["rights"]["work"], "read");
    assert_eq!(me.body["rights"]["costs"], Value::Null);
    assert_eq!(me.body["scopes"], scopes);
    let refused = with(
        &narrow,
        Method::POST,
        "/api/v1/work-items",
        json!({"text": "x"}),
    )
    .await;
    refused.is_problem(403, "forbidden");
    let refused = with(&narrow, Method::PATCH, "/api/v1/me", json!({})).await;
    refused.is_problem(403, "not_a_person");

    let people = json!({"name": "x", "role": "admin", "scopes": ["people:administer"]});
    let people = token(&ada, people).await;
    let more = json!({"name": "y", "role": "admin"});
    let refused = with(&people, Method::POST, "/api/v1/tokens", more).await;
    refused.is_problem(403, "forbidden");
    let same = json!({"name": "y", "role": "viewer", "scopes": ["people:administer"]});
    let made = with(&people, Method::POST, "/api/v1/tokens", same).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);

    // A personal token follows its user.
    let wide = token(&bob, json!({"name": "z", "kind": "personal"})).await;
    let path = format!("/api/v1/users/{}", bob.id);
    ada.send(&app, (&Method::PATCH, &path, &json!({"role": "viewer"})))
        .await;
    let refused = with(
        &wide,
        Method::POST,
        "/api/v1/work-items",
        json!({"text": "x"}),
    )
    .await;
    refused.is_problem(403, "forbidden");
    let own = bob.get(&app, "/api/v1/tokens").await;
    assert_eq!(own.body["items"].as_array().unwrap().len(), 2);
    let odd = json!({"name": "x", "kind": "personal", "scopes": ["everything"]});
    bob.post(&app, "/api/v1/tokens", odd)
        .await
        .is_problem(422, "validation_failed");
}

#[tokio::test]
async fn what_is_kept_for_some_people_does_not_exist_for_others() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let (bob, cem) = (
        invite(&app, &ada, Role::Member).await,
        invite(&app, &ada, Role::Member).await,
    );
    let (job, reply) = app.job().await;
    app.write(async |tx| tx.effects().insert(&reply).await.unwrap())
        .await;
    let integration = app.telegram("bot").await;
    let agent = job.agent_id.to_string();
    for (path, id) in [("agents", &agent), ("integrations", &integration)] {
        let people = json!({"restricted": true, "user_ids": [bob.id]});
        let path = format!("/api/v1/{path}/{id}/people");
        let set = ada.send(&app, (&Method::PUT, &path, &people)).await;
        assert_eq!(set.body, people);
        assert_eq!(bob.get(&app, &path).await.body, people);
        cem.get(&app, &path).await.is_problem(404, "not_found");
    }
    let (job, item) = (job.id.to_string(), job.work_item_id.to_string());
    let rows = [
        format!("agents/{agent}"),
        format!("agents/{agent}/integrations"),
        format!("integrations/{integration}"),
        format!("work-items/{item}"),
        format!("jobs/{job}"),
        format!("jobs/{job}/messages"),
        format!("jobs/{job}/tool-calls"),
        format!("jobs/{job}/model-calls"),
    ];
    for row in &rows {
        let path = format!("/api/v1/{row}");
        for who in [&ada, &bob] {
            assert_eq!(who.get(&app, &path).await.status, StatusCode::OK, "{row}");
        }
        cem.get(&app, &path).await.is_problem(404, "not_found");
    }
    for path in [
        format!("jobs/{job}/cancel"),
        format!("effects/{}/cancel", reply.id),
        format!("effects/{}/release", reply.id),
    ] {
        let path = format!("/api/v1/{path}");
        let answer = cem.post(&app, &path, Value::Null).await;
        answer.is_problem(404, "not_found");
    }
    for list in ["agents", "integrations", "work-items", "jobs", "effects"] {
        let count = async |who: &Person| {
            let answer = who.get(&app, &format!("/api/v1/{list}?limit=1")).await;
            (
                answer.body["items"].as_array().unwrap().len(),
                answer.body["next_cursor"].clone(),
            )
        };
        let built_in = usize::from(list == "integrations");
        assert_eq!(count(&bob).await.0, 1, "{list}");
        assert_eq!(count(&cem).await, (built_in, Value::Null), "{list}");
    }
    let stream = format!("/api/v1/jobs/{job}/events");
    cem.get(&app, &stream).await.is_problem(404, "not_found");
}
