//! Single sign-on behind the issuer: what is set, who decides on it, and what an answer does to people here. What
//! counts as proof is shown with a real issuer elsewhere.

use crate::{
    access::{code_at, login},
    audit::trail,
    harness::{Answer, App},
    people::{PASSWORD, Person, owner},
};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use domain::{access::Role, secret::Secret};
use ports::sso::Vouched;
use serde_json::{Value, json};
use std::time::Duration;
use test_kit::fakes::FakeIssuer;

const SETTINGS: &str = "/api/v1/settings/oidc";
const ISSUER: &str = "https://login.example.com";

pub(crate) fn settings() -> Value {
    json!({
        "name": "Company", "issuer": ISSUER, "client_id": "nitejar", "client_secret": "canary-client-secret",
        "scopes": ["openid", "email"], "role_claim": "groups", "roles": {"boss": "owner", "staff": "member"},
        "default_role": null, "link_by_email": true,
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut settings = settings();
    settings[field] = value;
    settings
}

fn vouched(subject: &str, email: &str, groups: &Value) -> Vouched {
    let claims = json!({"groups": groups});
    Vouched {
        subject: subject.to_owned(),
        name: None,
        email: Some(email.to_owned()),
        email_verified: true,
        claims: claims.as_object().unwrap().clone(),
    }
}

async fn get(app: &App, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path)
        .header("host", "jar.example")
        .header("cookie", cookie)
        .body(Body::empty());
    app.send(request.unwrap()).await
}

fn text<'a>(answer: &'a Answer, header: &str) -> &'a str {
    answer.headers[header].to_str().unwrap()
}

/// Begins a login and gives the cookie of it.
async fn begin(app: &App) -> String {
    let begun = get(app, "/api/v1/oidc/login?return_to=/jobs", "").await;
    assert_eq!(begun.status, StatusCode::FOUND);
    assert!(text(&begun, "location").starts_with(ISSUER));
    let cookie = text(&begun, "set-cookie");
    for part in [
        "__Host-nitejar_oidc=enc:",
        "Path=/",
        "HttpOnly",
        "SameSite=Lax",
        "Max-Age=600",
        "Secure",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

async fn come_back(app: &App, cookie: &str) -> Answer {
    let path = format!("/api/v1/oidc/callback?code=c&state={}", FakeIssuer::STATE);
    get(app, &path, cookie).await
}

/// A whole login, and where it leads.
async fn sign_in(app: &App, vouched: Vouched) -> Answer {
    app.issuer.vouch(vouched);
    let cookie = begin(app).await;
    come_back(app, &cookie).await
}

#[tokio::test]
async fn what_is_set_makes_sense_and_the_secret_is_never_shown() {
    let app = App::start().await;
    app.get(SETTINGS).await.is_problem(404, "not_found");
    app.delete(SETTINGS).await.is_problem(404, "not_found");
    for (field, value) in [
        ("name", json!(" ")),
        ("issuer", json!("https://login.example.com x")),
        ("client_id", json!("")),
        ("scopes", json!(["email"])),
        ("scopes", json!(["openid", "a b"])),
        ("role_claim", json!(null)),
        ("roles", json!({"": "member"})),
        ("default_role", json!("owner")),
    ] {
        let refused = app.put(SETTINGS, with(field, value)).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["field"], field);
    }
    let mut shown = settings();
    shown.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(app.put(SETTINGS, settings()).await.body, shown);
    assert_eq!(app.put(SETTINGS, shown.clone()).await.body, shown);
    assert_eq!(app.get(SETTINGS).await.body, shown);
    assert_eq!(app.delete(SETTINGS).await.status, StatusCode::NO_CONTENT);
    app.get(SETTINGS).await.is_problem(404, "not_found");
    let trail = format!("{:?}", trail(&app).await);
    for part in ["sso.updated", "sso.deleted", "client_secret_changed"] {
        assert!(trail.contains(part), "{trail}");
    }
    assert!(!trail.contains("canary"), "{trail}");
}

#[tokio::test]
async fn a_login_that_takes_too_long_or_is_overtaken_by_new_settings_is_over() {
    let app = App::start().await;
    app.put(SETTINGS, settings()).await;
    app.issuer
        .vouch(vouched("1", "kim@example.com", &json!("staff")));
    let cookie = begin(&app).await;
    app.clock.advance(Duration::from_mins(10));
    let late = come_back(&app, &cookie).await;
    assert_eq!(text(&late, "location"), "/login?error=expired");
    let cookie = begin(&app).await;
    app.put(SETTINGS, with("client_id", json!("another"))).await;
    let overtaken = come_back(&app, &cookie).await;
    assert_eq!(text(&overtaken, "location"), "/login?error=expired");
    let cookie = begin(&app).await;
    let forged = format!("{}x", cookie.trim_end_matches('='));
    let forged = come_back(&app, &forged).await;
    assert_eq!(text(&forged, "location"), "/login?error=state_unknown");
    let fine = come_back(&app, &cookie).await;
    assert_eq!(text(&fine, "location"), "/jobs");
}

#[tokio::test]
async fn the_last_owner_stays_one_and_a_second_factor_guards_the_password_as_before() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let proof = json!({"password": PASSWORD});
    let begun = ada.post(&app, "/api/v1/me/totp", proof).await;
    let secret = Secret::new(begun.body["secret"].as_str().unwrap());
    let code = json!({"code": code_at(&app, &secret)});
    let confirmed = ada.post(&app, "/api/v1/me/totp/confirm", code).await;
    let spare = confirmed.body["recovery_codes"][0].as_str().unwrap();
    app.put(SETTINGS, settings()).await;

    let ada_as = |group: &str| vouched("ada", "ADA@example.com", &json!([group]));
    let entered = sign_in(&app, ada_as("staff")).await;
    assert_eq!(text(&entered, "location"), "/jobs");
    let role = async || {
        let users = app.get("/api/v1/users").await.body;
        let users = users["items"].as_array().unwrap().clone();
        let ada = users.iter().find(|user| user["email"] == "ada@example.com");
        ada.unwrap()["role"].clone()
    };
    assert_eq!(role().await, "owner");
    let asked = login(&app, "ada@example.com", PASSWORD, None).await;
    asked.is_problem(401, "second_factor_required");
    Person::of(&login(&app, "ada@example.com", PASSWORD, Some(spare)).await);

    let bob = vouched("bob", "bob@example.com", &json!(["staff", "boss"]));
    assert_eq!(text(&sign_in(&app, bob).await, "location"), "/jobs");
    sign_in(&app, ada_as("staff")).await;
    assert_eq!(role().await, "member", "there is another owner now");
    sign_in(&app, ada_as("x")).await;
    assert_eq!(
        role().await,
        "member",
        "who has a password needs no word of the issuer"
    );
    let trail = format!("{:?}", trail(&app).await);
    for part in ["user.created", "user.updated", "session.created"] {
        assert!(trail.contains(part), "{trail}");
    }
}

#[tokio::test]
async fn an_issuer_that_was_exchanged_for_another_finds_people_by_their_address_again() {
    let app = App::start().await;
    app.put(SETTINGS, settings()).await;
    let kim = |subject: &str| vouched(subject, "kim@example.com", &json!("staff"));
    assert_eq!(text(&sign_in(&app, kim("1")).await, "location"), "/jobs");
    let other = sign_in(&app, kim("2")).await;
    assert_eq!(text(&other, "location"), "/login?error=email_taken");
    let mut moved = with("issuer", json!("https://login.example.com.new"));
    assert_eq!(
        app.put(SETTINGS, moved.clone()).await.status,
        StatusCode::OK
    );
    assert_eq!(text(&sign_in(&app, kim("2")).await, "location"), "/jobs");
    let users = app.get("/api/v1/users").await.body;
    let subject = &users["items"][0]["oidc_subject"];
    assert_eq!(subject, "https://login.example.com.new 2");
    moved["issuer"] = json!(ISSUER);
    moved["link_by_email"] = json!(false);
    app.put(SETTINGS, moved).await;
    let back = sign_in(&app, kim("1")).await;
    assert_eq!(text(&back, "location"), "/login?error=email_taken");
}

#[tokio::test]
async fn who_fails_too_often_is_not_heard_for_a_while() {
    let app = App::start().await;
    app.put(SETTINGS, settings()).await;
    for path in ["/api/v1/oidc/callback", "/api/v1/oidc/login"] {
        if path.ends_with("login") {
            app.delete(SETTINGS).await;
        }
        for _ in 0..30 {
            assert_eq!(get(&app, path, "").await.status, StatusCode::FOUND);
        }
        let refused = get(&app, path, "").await;
        refused.is_problem(429, "limit_reached");
        assert!(refused.headers.contains_key("retry-after"));
        app.clock.advance(Duration::from_secs(2));
        assert_eq!(get(&app, path, "").await.status, StatusCode::FOUND);
    }
}

#[tokio::test]
async fn only_owners_say_whom_to_believe() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let admin = crate::people::invite(&app, &ada, Role::Admin).await;
    let refused = admin
        .send(&app, (&Method::PUT, SETTINGS, &settings()))
        .await;
    refused.is_problem(403, "forbidden");
    assert_eq!(
        ada.send(&app, (&Method::PUT, SETTINGS, &settings()))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(admin.get(&app, SETTINGS).await.body["name"], "Company");
    let refused = admin.delete(&app, SETTINGS).await;
    refused.is_problem(403, "forbidden");
}
