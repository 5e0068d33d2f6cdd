//! Every operation that changes something leaves an entry in the audit trail, and no secret in it.

use crate::{
    access::code_at,
    audit::{holds, trail},
    harness::{Answer, App},
    matrix::{Operation, operations},
    people::{PASSWORD, Person, invite, knock, owner, token_of},
    sprite_sessions::shell,
    sprites::left_running,
    sso::settings,
    surface::approval,
};
use axum::http::Method;
use domain::{
    access::Role,
    approval::ApprovalKind,
    effect::{Effect, EffectStatus},
    id::{IdentityId, SpriteSessionId, UserId},
    identity::Identity,
    job::Job,
    secret::Secret,
};
use ports::clock::Clock as _;
use serde_json::{Value, json};

/// What leaves no entry, and why.
const CHANGES_NOTHING: &[(&str, &str)] = &[
    ("inspect_link", "it looks at a link and does not use it"),
    (
        "receive_webhook",
        "a vendor speaks: the inbound event and its work item are the record",
    ),
];

/// A request that succeeds: ids for the path, a body where the matrix has none that would do, and who sends it.
struct Scene {
    ids: Vec<(&'static str, String)>,
    body: Option<Value>,
    sender: Sender,
}

enum Sender {
    Bob,
    Nobody,
}

fn scene(ids: impl IntoIterator<Item = (&'static str, String)>) -> Scene {
    Scene {
        ids: ids.into_iter().collect(),
        body: None,
        sender: Sender::Bob,
    }
}

impl Scene {
    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn by_nobody(mut self) -> Self {
        self.sender = Sender::Nobody;
        self
    }
}

fn id(id: &impl ToString) -> [(&'static str, String); 1] {
    [("{id}", id.to_string())]
}

/// What is secret in an answer.
fn secrets(answer: &Answer, all: &mut Vec<String>) {
    for field in [
        "token",
        "url",
        "secret",
        "code",
        "csrf_token",
        "otpauth_url",
    ] {
        all.extend(answer.body[field].as_str().map(str::to_owned));
    }
    for code in answer.body["recovery_codes"]
        .as_array()
        .into_iter()
        .flatten()
    {
        all.push(code.as_str().unwrap().to_owned());
    }
    if let Some(cookie) = answer.headers.get("set-cookie") {
        let (_, value) = cookie.to_str().unwrap().split_once('=').unwrap();
        all.extend(value.split(';').next().map(str::to_owned));
    }
    all.retain(|secret| !secret.is_empty());
}

async fn held(app: &App) -> (Job, Effect) {
    let (job, reply) = app.job().await;
    let effect = Effect {
        status: EffectStatus::Held,
        ..reply
    };
    app.write(async |tx| tx.effects().insert(&effect).await.unwrap())
        .await;
    (job, effect)
}

/// An approval of a draft that is what it was when people were asked.
async fn asked(app: &App) -> String {
    let (job, effect) = held(app).await;
    let mut asked = approval(&job, &effect);
    asked.digest = services::approvals::digest(
        &app.platform,
        ApprovalKind::Reply,
        job.agent_id,
        &serde_json::to_value(&effect.action).unwrap(),
        (effect.integration_id, effect.conversation_id),
    );
    app.write(async |tx| tx.approvals().insert(&asked).await.unwrap())
        .await;
    asked.id.to_string()
}

async fn identity(app: &App, of: &Person) -> IdentityId {
    let identity = Identity {
        id: IdentityId::from_uuid(app.platform.ids.next()),
        tenant_id: app.platform.settings.home_tenant,
        provider: "telegram".to_owned(),
        external_id: app.platform.ids.next().to_string(),
        name: "Bob".to_owned(),
        user_id: of.id.parse::<UserId>().unwrap(),
        linked_at: app.clock.now(),
    };
    app.write(async |tx| tx.identities().link(&identity).await.unwrap())
        .await;
    let own = of.get(app, "/api/v1/me/identities").await;
    own.body["items"][0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Who may do everything but what is for owners alone.
fn least(operation: &str) -> Role {
    match operation {
        "set_oidc" | "delete_oidc" => Role::Owner,
        _ => Role::Admin,
    }
}

async fn of_people(app: &App, operation: &str, ada: &Person, bob: &Person) -> Option<Scene> {
    let proof = json!({"password": PASSWORD});
    let carol = async || invite(app, ada, Role::Viewer).await;
    Some(match operation {
        "log_in" => scene([])
            .with(json!({"email": bob.email, "password": PASSWORD}))
            .by_nobody(),
        "redeem_link" => {
            let body = json!({"email": format!("{}@x.example", app.platform.ids.next()), "role": "viewer"});
            let link = app.post("/api/v1/invitations", body).await;
            let token = token_of(link.body["url"].as_str().unwrap());
            scene([])
                .with(json!({"token": token, "name": "Eve", "password": PASSWORD}))
                .by_nobody()
        }
        "log_out" | "create_link_code" | "create_token" | "create_invitation" => scene([]),
        "end_session" => {
            let query = format!("/api/v1/sessions?user_id={}", carol().await.id);
            let sessions = app.get(&query).await;
            scene(id(&sessions.body["items"][0]["id"].as_str().unwrap()))
        }
        "update_me" => scene([]).with(json!({"name": "Robert"})),
        "change_password" => scene([])
            .with(json!({"current_password": PASSWORD, "new_password": "canary new password"})),
        "begin_totp" | "remove_totp" => scene([]).with(proof),
        "confirm_totp" => {
            let begun = bob.post(app, "/api/v1/me/totp", proof).await;
            let secret = Secret::new(begun.body["secret"].as_str().unwrap());
            scene([]).with(json!({"code": code_at(app, &secret)}))
        }
        "delete_identity" => scene(id(&identity(app, bob).await)),
        "revoke_token" => {
            let made = app.post("/api/v1/tokens", json!({"name": "x"})).await;
            scene(id(&made.id()))
        }
        "update_user" => scene(id(&carol().await.id)).with(json!({"name": "Caroline"})),
        "delete_user" | "reset_totp" | "create_reset_link" => scene(id(&carol().await.id)),
        "delete_invitation" => {
            let body = json!({"email": format!("{}@x.example", app.platform.ids.next()), "role": "viewer"});
            scene(id(&app.post("/api/v1/invitations", body).await.id()))
        }
        _ => return None,
    })
}

async fn of_settings(app: &App, operation: &str) -> Option<Scene> {
    let name = format!("x{}", app.platform.ids.next().as_u128() % 1_000_000);
    Some(match operation {
        "create_agent" | "create_integration" | "set_retention" | "create_provider" => scene([]),
        "test_model" => scene([]).with(json!({"model": "demo/scripted"})),
        "set_oidc" => scene([]).with(settings()),
        "delete_oidc" => {
            app.put("/api/v1/settings/oidc", settings()).await;
            scene([])
        }
        "update_agent" => scene(id(&app.agent(&name).await)).with(json!({"enabled": false})),
        "delete_agent"
        | "set_agent_integrations"
        | "set_agent_people"
        | "set_network_policy"
        | "create_checkpoint"
        | "run_sprite_command" => scene(id(&app.agent(&name).await)),
        "update_integration" => {
            let body = json!({"config": {"bot_token": "2:canary-other-token"}});
            scene(id(&app.telegram(&name).await)).with(body)
        }
        "delete_integration" | "test_integration" | "set_integration_people" => {
            scene(id(&app.telegram(&name).await))
        }
        "update_provider" | "delete_provider" | "test_provider" => {
            let body = json!({"name": name, "kind": "anthropic", "api_key": "canary-provider-key"});
            let made = app.post("/api/v1/providers", body).await.id();
            match operation {
                "update_provider" => scene(id(&made)).with(json!({"api_key": "canary-other-key"})),
                "test_provider" => scene(id(&made)).with(json!({"model": "x"})),
                _ => scene(id(&made)),
            }
        }
        _ => return None,
    })
}

async fn of_work(app: &App, operation: &str) -> Option<Scene> {
    Some(match operation {
        "create_work_item" => scene([]),
        "create_conversation" => {
            let agent = app.agent("talker").await;
            scene([]).with(json!({"agent_id": agent, "title": "x"}))
        }
        "cancel_job" => scene(id(&app.job().await.0.id)),
        "retry_job" => {
            let (mut job, _) = app.job().await;
            app.finish(&mut job).await;
            scene(id(&job.id))
        }
        "cancel_effect" | "release_effect" => scene(id(&held(app).await.1.id)),
        "approve_approval" | "deny_approval" => scene(id(&asked(app).await)),
        "delete_checkpoint" | "restore_checkpoint" => {
            let agent = app.job().await.0.agent_id;
            let path = format!("/api/v1/agents/{agent}/sprite/checkpoints");
            let made = app.post(&path, json!({})).await.id();
            scene([("{id}", agent.to_string()), ("{checkpoint}", made)])
        }
        "stop_process" => {
            let (job, _) = app.job().await;
            let process = left_running(app, &job, Some("7")).await;
            let ids = [
                ("{id}", job.agent_id.to_string()),
                ("{process}", process.to_string()),
            ];
            scene(ids)
        }
        "clean_up_sprite_sessions" => {
            let (mut job, _) = app.job().await;
            app.finish(&mut job).await;
            shell(app, &job, &app.platform.settings.instance).await;
            scene([])
        }
        _ => return None,
    })
}

async fn send(app: &App, operation: &Operation, scene: Scene, bob: &Person) -> Answer {
    let mut path = operation.path.clone();
    for (name, id) in &scene.ids {
        path = path.replace(name, id);
    }
    assert!(!path.contains('{'), "{path}");
    let body = scene.body.as_ref().unwrap_or(&operation.body);
    match scene.sender {
        Sender::Bob => bob.send(app, (&operation.method, &path, body)).await,
        Sender::Nobody => knock(app, &path, body.clone()).await,
    }
}

#[tokio::test]
async fn every_change_leaves_an_entry_and_no_secret() {
    let app = App::start().await;
    let ada = owner(&app).await;
    let mut known = vec![PASSWORD.to_owned(), "canary".to_owned()];
    for operation in operations() {
        let silent = CHANGES_NOTHING
            .iter()
            .any(|(name, _)| *name == operation.id);
        if operation.method == Method::GET || silent {
            continue;
        }
        let name = operation.id.as_str();
        // Some of them leave Bob without a login.
        let bob = invite(&app, &ada, least(name)).await;
        app.shells.0.lock().unwrap().clear();
        let scene = match of_people(&app, name, &ada, &bob).await {
            Some(scene) => Some(scene),
            None => match of_settings(&app, name).await {
                Some(scene) => Some(scene),
                None => of_work(&app, name).await,
            },
        };
        let Some(scene) = scene else {
            panic!("say in audit_walk.rs how {name} succeeds, or why it changes nothing");
        };
        let is_bobs = matches!(scene.sender, Sender::Bob);
        let before = holds(&app).await;
        let answer = send(&app, &operation, scene, &bob).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.body);
        secrets(&answer, &mut known);
        known.push(bob.cookie.split_once('=').unwrap().1.to_owned());
        let added = usize::try_from(holds(&app).await - before).unwrap();
        assert!(added > 0, "{name} left no entry");
        for entry in &trail(&app).await[..added] {
            assert!(
                entry.address.is_some() && entry.request_id.is_some(),
                "{name}"
            );
            let by = entry.actor.id.map(|id| id.to_string());
            assert!(
                !is_bobs || by.as_deref() == Some(&bob.id),
                "{name}: {entry:?}"
            );
        }
    }
    let unused = SpriteSessionId::from_uuid(app.platform.ids.next());
    app.shells.0.lock().unwrap().push(unused);
    let agent = app.agent("last").await;
    let gone = app
        .delete(&format!("/api/v1/agents/{agent}?sprite=destroy"))
        .await;
    assert!(gone.status.is_success());
    let trail = trail(&app).await;
    assert_eq!(trail[0].action, "sprite.destroyed");
    let all = format!("{trail:?}");
    for secret in known {
        assert!(!all.contains(&secret), "{secret} is in the audit trail");
    }
}

#[tokio::test]
async fn a_secret_that_somebody_puts_into_another_field_is_kept_out() {
    let app = App::start().await;
    app.telegram("bot").await;
    let body = json!({"name": "Ada", "instructions": "use 1:canary-bot-token"});
    app.post("/api/v1/agents", body).await;
    let newest = trail(&app).await.remove(0);
    assert_eq!(newest.action, "agent.created");
    let after = newest.after.unwrap();
    assert!(
        after.contains("use ") && !after.contains("canary"),
        "{after}"
    );
}
