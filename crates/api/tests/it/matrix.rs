//! Who may do what, operation by operation, and proof that it is so. Every operation of the document needs a row here.

use crate::{
    harness::{Answer, App},
    people::{Person, invite, owner},
};
use axum::{
    body::to_bytes,
    http::{Method, StatusCode},
};
use domain::access::Role::{self, Admin, Member, Owner, Viewer};
use serde_json::{Value, json};

/// Nobody has this id.
pub(crate) const NOBODY: &str = "0190aaaa-0000-7000-8000-000000000000";

/// Health says yes or no, webhooks are signed, and people have to come in somewhere.
const OPEN: &[Role] = &[];
const OWNERS: &[Role] = &[Owner];
const ADMINS: &[Role] = &[Owner, Admin];
const MEMBERS: &[Role] = &[Owner, Admin, Member];
const ALL: &[Role] = &[Owner, Admin, Member, Viewer];

/// An operation, the roles that may do it (none: it is open to everybody), and a body that its schema allows (none:
/// the empty text).
const ROWS: &[(&str, &[Role], &str)] = &[
    ("check_liveness", OPEN, ""),
    ("check_readiness", OPEN, ""),
    ("check_startup", OPEN, ""),
    ("receive_webhook", OPEN, ""),
    ("show_access", OPEN, ""),
    (
        "log_in",
        OPEN,
        r#"{"email": "x@example.com", "password": "wrong"}"#,
    ),
    ("inspect_link", OPEN, r#"{"token": "x"}"#),
    (
        "redeem_link",
        OPEN,
        r#"{"token": "x", "password": "long enough"}"#,
    ),
    ("begin_oidc", OPEN, ""),
    ("finish_oidc", OPEN, ""),
    ("render_metrics", ALL, ""),
    ("show_session", ALL, ""),
    ("list_sessions", ALL, ""),
    ("end_session", ALL, ""),
    ("log_out", ALL, ""),
    ("update_me", ALL, "{}"),
    (
        "change_password",
        ALL,
        r#"{"current_password": "wrong", "new_password": "long enough"}"#,
    ),
    ("begin_totp", ALL, r#"{"password": "wrong"}"#),
    ("confirm_totp", ALL, r#"{"code": "1"}"#),
    ("remove_totp", ALL, r#"{"password": "wrong"}"#),
    ("list_identities", ALL, ""),
    ("create_link_code", ALL, ""),
    ("delete_identity", ALL, ""),
    ("list_tokens", ALL, ""),
    ("create_token", ALL, r#"{"name": "x", "kind": "personal"}"#),
    ("revoke_token", ALL, ""),
    ("list_users", MEMBERS, ""),
    ("update_user", ADMINS, "{}"),
    ("delete_user", ADMINS, ""),
    ("reset_totp", ADMINS, ""),
    ("create_reset_link", ADMINS, ""),
    ("list_invitations", ADMINS, ""),
    (
        "create_invitation",
        ADMINS,
        r#"{"email": "x@example.com", "role": "viewer"}"#,
    ),
    ("delete_invitation", ADMINS, ""),
    ("show_overview", ALL, ""),
    ("list_costs", ALL, ""),
    ("list_outcomes", ALL, ""),
    ("list_agents", ALL, ""),
    ("create_agent", ADMINS, r#"{"name": "x"}"#),
    ("find_agent", ALL, ""),
    ("update_agent", ADMINS, "{}"),
    ("delete_agent", ADMINS, ""),
    ("list_agent_integrations", ALL, ""),
    (
        "set_agent_integrations",
        ADMINS,
        r#"{"integration_ids": []}"#,
    ),
    ("show_agent_people", MEMBERS, ""),
    (
        "set_agent_people",
        ADMINS,
        r#"{"restricted": false, "user_ids": []}"#,
    ),
    ("find_agent_sprite", ALL, ""),
    ("create_checkpoint", ADMINS, "{}"),
    ("delete_checkpoint", ADMINS, ""),
    ("restore_checkpoint", ADMINS, ""),
    ("set_network_policy", ADMINS, r#"{"rules": []}"#),
    ("find_process_output", ALL, ""),
    ("stop_process", ADMINS, ""),
    ("list_sprite_files", ALL, ""),
    ("read_sprite_file", ALL, ""),
    ("run_sprite_command", MEMBERS, r#"{"command": "true"}"#),
    ("list_sprite_sessions", ALL, ""),
    ("clean_up_sprite_sessions", ADMINS, ""),
    ("list_integrations", ALL, ""),
    (
        "create_integration",
        ADMINS,
        r#"{"type": "telegram", "name": "x", "config": {"bot_token": "1"}}"#,
    ),
    ("find_integration", ALL, ""),
    ("update_integration", ADMINS, "{}"),
    ("delete_integration", ADMINS, ""),
    ("test_integration", ADMINS, ""),
    ("show_integration_people", MEMBERS, ""),
    (
        "set_integration_people",
        ADMINS,
        r#"{"restricted": false, "user_ids": []}"#,
    ),
    ("list_conversations", ALL, ""),
    (
        "create_conversation",
        MEMBERS,
        r#"{"agent_id": "0190aaaa-0000-7000-8000-000000000000"}"#,
    ),
    ("find_conversation", ALL, ""),
    ("list_conversation_entries", ALL, ""),
    ("list_work_items", ALL, ""),
    ("create_work_item", MEMBERS, r#"{"text": "x"}"#),
    ("find_work_item", ALL, ""),
    ("list_jobs", ALL, ""),
    ("find_job", ALL, ""),
    ("cancel_job", MEMBERS, ""),
    ("retry_job", MEMBERS, r#"{"from": "start"}"#),
    ("watch_job", ALL, ""),
    ("watch_events", ALL, ""),
    ("list_job_messages", ALL, ""),
    ("list_job_model_calls", ALL, ""),
    ("list_job_tool_calls", ALL, ""),
    ("list_effects", ALL, ""),
    ("get_effect", ALL, ""),
    ("cancel_effect", MEMBERS, ""),
    ("release_effect", MEMBERS, ""),
    ("list_approvals", ALL, ""),
    ("find_approval", ALL, ""),
    ("approve_approval", MEMBERS, ""),
    ("deny_approval", MEMBERS, ""),
    ("list_audit_entries", ADMINS, ""),
    ("find_audit_entry", ADMINS, ""),
    ("list_providers", ADMINS, ""),
    (
        "create_provider",
        ADMINS,
        r#"{"name": "x", "kind": "anthropic"}"#,
    ),
    ("find_provider", ADMINS, ""),
    ("update_provider", ADMINS, "{}"),
    ("delete_provider", ADMINS, ""),
    ("test_provider", ADMINS, "{}"),
    ("list_models", ALL, ""),
    ("test_model", ADMINS, r#"{"model": "demo/scripted"}"#),
    ("list_tools", ALL, ""),
    ("show_about", ADMINS, ""),
    ("show_retention", ADMINS, ""),
    (
        "set_retention",
        ADMINS,
        r#"{"tool_output_days": 1, "event_days": 1, "transcript_days": null}"#,
    ),
    ("show_oidc", ADMINS, ""),
    (
        "set_oidc",
        OWNERS,
        r#"{"name": "x", "issuer": "https://login.example.com", "client_id": "x", "scopes": ["openid"],
            "role_claim": null, "roles": {}, "default_role": null, "link_by_email": false}"#,
    ),
    ("delete_oidc", OWNERS, ""),
];

pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    may: &'static [Role],
}

impl Operation {
    pub(crate) fn is_open(&self) -> bool {
        self.may.is_empty()
    }

    /// The path with ids that nobody has.
    pub(crate) fn nobodys(&self) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{type}" => "telegram",
            "{seq}" => "9000000000",
            part if part.starts_with('{') => NOBODY,
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Every operation of the document with its row.
pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut operations = Vec::new();
    let mut missing = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let Some((_, may, body)) = ROWS.iter().find(|(name, ..)| *name == id) else {
                missing.push(format!(
                    "    (\"{id}\", ALL | MEMBERS | ADMINS | OWNERS | OPEN, \"body or nothing\"),"
                ));
                continue;
            };
            operations.push(Operation {
                id,
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                body: serde_json::from_str(body).unwrap_or_default(),
                may,
            });
        }
    }
    assert!(
        missing.is_empty(),
        "say who may do these: add to ROWS in crates/api/tests/it/matrix.rs, each with one of the five lists of roles,\n{}",
        missing.join("\n")
    );
    for (id, ..) in ROWS {
        let is_known = operations.iter().any(|operation| operation.id == *id);
        assert!(
            is_known,
            "{id} is no operation any more: take its row out of ROWS"
        );
    }
    operations
}

/// What came of an operation; of an answer that has no end, its beginning.
async fn outcome(app: &App, person: &Person, operation: &Operation, csrf: Option<&str>) -> Answer {
    let path = operation.nobodys();
    let request = person.request(app, (&operation.method, &path, &operation.body), csrf);
    let (parts, body) = app.raw(request).await.into_parts();
    let body = if parts.status.is_success() {
        Value::Null
    } else {
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// Everything but signing out, which would leave nobody to go on.
fn in_turn() -> impl Iterator<Item = Operation> {
    let closed = operations().into_iter().filter(|one| !one.is_open());
    closed.filter(|one| one.id != "log_out")
}

#[tokio::test]
async fn every_role_may_do_what_the_matrix_says_and_no_more() {
    let app = App::start().await;
    let owner = owner(&app).await;
    for role in [Owner, Admin, Member, Viewer] {
        let person = invite(&app, &owner, role).await;
        for operation in in_turn() {
            let answer = outcome(&app, &person, &operation, Some(&person.csrf)).await;
            let what = format!("{} as {role}: {}", operation.id, answer.body);
            if operation.may.contains(&role) {
                let passed =
                    ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
                assert!(
                    passed && !answer.status.is_server_error()
                        || answer.body["code"] == "unavailable",
                    "{what}"
                );
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
                answer.is_problem(403, "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let app = App::start().await;
    let owner = owner(&app).await;
    for operation in in_turn() {
        if operation.method == Method::GET {
            continue;
        }
        for csrf in [None, Some(""), Some("wrong")] {
            let answer = outcome(&app, &owner, &operation, csrf).await;
            assert_eq!(answer.body["code"], "csrf_missing", "{}", operation.id);
            answer.is_problem(403, "csrf_missing");
        }
    }
    assert_eq!(
        owner.get(&app, "/api/v1/session").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn nothing_answers_to_what_was_revoked() {
    let app = App::start().await;
    let owner = owner(&app).await;
    let gone = invite(&app, &owner, Admin).await;
    let body = json!({"name": "x", "kind": "personal"});
    let personal = gone.post(&app, "/api/v1/tokens", body).await;
    let service = app.post("/api/v1/tokens", json!({"name": "y"})).await;
    let tokens = [&personal, &service].map(|made| made.body["token"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/tokens/{}", service.id());
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    let off = json!({"enabled": false});
    let path = format!("/api/v1/users/{}", gone.id);
    let disabled = owner.send(&app, (&Method::PATCH, &path, &off)).await;
    assert_eq!(disabled.body["enabled"], false);
    for operation in in_turn() {
        let answer = outcome(&app, &gone, &operation, Some(&gone.csrf)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", operation.id);
        answer.is_problem(401, "unauthenticated");
        for token in &tokens {
            let mut request = app.request(&operation.method, &operation.nobodys(), &operation.body);
            let header = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", header);
            app.send(request).await.is_problem(401, "unauthenticated");
        }
    }
}
