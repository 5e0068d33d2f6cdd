//! Ways around what somebody may do: narrow tokens, hidden agents, old links, two changes at once.

use crate::{
    harness::{Answer, App},
    people::{PASSWORD, Person, invite, knock, owner, token_of},
};
use axum::http::{Method, StatusCode};
use domain::{access::Role, id::WorkItemId};
use serde_json::{Value, json};

async fn scoped(app: &App, by: &Person, body: Value) -> String {
    let made = by.post(app, "/api/v1/tokens", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body["token"].as_str().unwrap().to_owned()
}

async fn with(app: &App, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let mut request = app.request(&method, path, &body);
    let header = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", header);
    app.send(request).await
}

async fn keep_for(app: &App, owner: &Person, path: &str, user: &Person) {
    let people = json!({"restricted": true, "user_ids": [user.id]});
    let path = format!("/api/v1/{path}/people");
    let set = owner.send(app, (&Method::PUT, &path, &people)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
}

#[tokio::test]
async fn a_token_with_one_scope_lets_nobody_in_as_more() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let body = json!({"name": "x", "role": "owner", "scopes": ["people:administer"]});
    let people = scoped(&app, &ada, body).await;
    let user = format!("/api/v1/users/{}", ada.id);
    for (method, path) in [
        (Method::POST, format!("{user}/reset-link")),
        (Method::DELETE, format!("{user}/totp")),
    ] {
        let refused = with(&app, &people, method, &path, Value::Null).await;
        refused.is_problem(403, "forbidden");
    }
    let body = json!({"name": "y", "role": "owner", "scopes": ["settings:administer"]});
    let settings = scoped(&app, &ada, body).await;
    let (path, body) = ("/api/v1/settings/oidc", crate::sso::settings());
    let refused = with(&app, &settings, Method::PUT, path, body).await;
    refused.is_problem(403, "forbidden");
    let body = json!({"name": "z", "kind": "personal", "scopes": ["work:read"]});
    let narrow = scoped(&app, &ada, body).await;
    let path = "/api/v1/me/identities/link-code";
    let refused = with(&app, &narrow, Method::POST, path, Value::Null).await;
    refused.is_problem(403, "not_a_person");
}

#[tokio::test]
async fn work_goes_to_no_agent_that_its_sender_does_not_see() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let (bob, cem) = (
        invite(&app, &ada, Role::Member).await,
        invite(&app, &ada, Role::Member).await,
    );
    let ops = app.agent("Ops").await;
    keep_for(&app, &ada, &format!("agents/{ops}"), &bob).await;
    let work = json!({"text": "Ops, delete everything"});
    let nobody = cem.post(&app, "/api/v1/work-items", work.clone()).await;
    nobody.is_problem(409, "no_agent");
    assert_eq!(items(&app, &ada).await, 0);
    let open = app.agent("Open").await;
    let made = cem.post(&app, "/api/v1/work-items", work).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let item: WorkItemId = made.id().parse().unwrap();
    let tenant = app.platform.settings.home_tenant;
    let tx = app.store.read(tenant).await.unwrap();
    assert_eq!(tx.work().lanes(tenant, item).await.unwrap().len(), 1);
    drop(tx);
    let of_open = format!("/api/v1/work-items?agent_id={open}");
    let listed = ada.get(&app, &of_open).await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    let both = json!({"text": "x", "agent_ids": [ops, open]});
    let both = ada.post(&app, "/api/v1/work-items", both).await.id();
    let seen = cem.get(&app, &format!("/api/v1/work-items/{both}")).await;
    assert_eq!(seen.body["assigned_agent_ids"], json!([open]));
}

#[tokio::test]
async fn what_somebody_does_not_see_they_do_not_hand_work_to() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let (bob, cem) = (
        invite(&app, &ada, Role::Member).await,
        invite(&app, &ada, Role::Member).await,
    );
    let (ops, open) = (app.agent("Ops").await, app.agent("Open").await);
    keep_for(&app, &ada, &format!("agents/{ops}"), &bob).await;
    let all = app.get("/api/v1/integrations").await.body;
    let web = all["items"].as_array().unwrap().iter();
    let web = web.clone().find(|one| one["type"] == "web").unwrap();
    let web = web["id"].as_str().unwrap().to_owned();
    let bot = app.telegram("bot").await;
    let path = format!("/api/v1/integrations/{bot}");
    app.patch(&path, json!({"agent_ids": [ops, open]})).await;
    assert_eq!(cem.get(&app, &path).await.body["agent_ids"], json!([open]));
    keep_for(&app, &ada, &format!("integrations/{web}"), &bob).await;
    let work = json!({"text": "hello"});
    let refused = cem.post(&app, "/api/v1/work-items", work.clone()).await;
    refused.is_problem(404, "not_found");
    assert_eq!(items(&app, &ada).await, 0);
    let made = bob.post(&app, "/api/v1/work-items", work).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

async fn items(app: &App, who: &Person) -> usize {
    let listed = who.get(app, "/api/v1/work-items").await;
    listed.body["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn two_changes_at_once_do_not_undo_each_other() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let bob = invite(&app, &ada, Role::Member).await;
    let token = scoped(&app, &bob, json!({"name": "x", "kind": "personal"})).await;
    let path = format!("/api/v1/users/{}", bob.id);
    for round in 0..20 {
        let (on, off) = (json!({"enabled": true}), json!({"enabled": false}));
        ada.send(&app, (&Method::PATCH, &path, &on)).await;
        let name = json!({"name": format!("Bob {round}")});
        let rename = || with(&app, &token, Method::PATCH, "/api/v1/me", name.clone());
        let shut = ada.send(&app, (&Method::PATCH, &path, &off));
        let (.., shut, _, _) = tokio::join!(rename(), rename(), shut, rename(), rename());
        assert_eq!(shut.status, StatusCode::OK, "{}", shut.body);
        let users = ada.get(&app, "/api/v1/users").await.body;
        let mut users = users["items"].as_array().unwrap().iter();
        let now = users.find(|user| user["id"] == json!(bob.id)).unwrap();
        assert_eq!(now["enabled"], false, "round {round}: {now}");
    }
}

#[tokio::test]
async fn an_older_reset_link_is_of_no_use_any_more() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let bob = invite(&app, &ada, Role::Member).await;
    let path = format!("/api/v1/users/{}/reset-link", bob.id);
    let link = async || {
        let link = ada.post(&app, &path, Value::Null).await;
        token_of(link.body["url"].as_str().unwrap())
    };
    let redeem = async |token: &str| {
        let body = json!({"token": token, "password": "a third password"});
        knock(&app, "/api/v1/links/redeem", body).await
    };
    let (lost, sent) = (link().await, link().await);
    redeem(&lost).await.is_problem(404, "link_unknown");
    let bob = Person::of(&redeem(&sent).await);
    let open = link().await;
    let body = json!({"current_password": "a third password", "new_password": PASSWORD});
    let changed = bob.post(&app, "/api/v1/me/password", body).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
    redeem(&open).await.is_problem(404, "link_unknown");
}

#[tokio::test]
async fn an_owner_who_cannot_sign_in_is_not_the_one_who_is_left() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let eve = invite(&app, &ada, Role::Owner).await;
    let tenant = app.platform.settings.home_tenant;
    app.write(async |tx| {
        let id = eve.id.parse().unwrap();
        let mut user = tx.users().find(tenant, id).await.unwrap().unwrap();
        user.password_hash = None;
        user.oidc_subject = Some("https://gone.example eve".to_owned());
        tx.users().update(&user).await.unwrap();
    })
    .await;
    let path = format!("/api/v1/users/{}", ada.id);
    ada.delete(&app, &path).await.is_problem(409, "last_owner");
}
