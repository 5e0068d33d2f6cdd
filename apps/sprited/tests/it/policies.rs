//! Policies: what is enforced is accepted and said, the rest refused.

use crate::support::{Bench, settings};
use domain::sprite::SandboxTier;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sprited::{Place, Server, StartError};

const PATH: &str = "/v1/sprites/a/policy/network";

/// A server of this tier, or `None` where it cannot be had.
async fn bench(tier: SandboxTier) -> Option<Bench> {
    let directory = tempfile::tempdir().unwrap();
    let mut probe = settings(directory.path());
    probe.local.force_tier = Some(tier);
    match Server::start(probe, Place::open(directory.path()).unwrap()).await {
        Ok(server) => server.stop().await,
        Err(StartError::Sandbox(_)) => return None,
        Err(error) => panic!("{error:?}"),
    }
    let bench = Bench::again(directory, |settings| settings.local.force_tier = Some(tier)).await;
    bench.sprite("a").await;
    Some(bench)
}

#[tokio::test]
async fn with_namespaces_a_policy_is_open_at_first_and_kept_in_its_own_words() {
    let Some(bench) = bench(SandboxTier::Namespaces).await else {
        return;
    };
    assert_eq!(
        bench.get(PATH).await,
        (StatusCode::OK, json!({"rules": []}))
    );
    for rules in [
        json!([{"domain": "Example.com", "action": "allow"}, {"include": "defaults"}]),
        json!([{"domain": "a.com", "action": "allow"}, {"domain": "*", "action": "deny"}]),
        json!([{"domain": "*", "action": "deny"}]),
        json!([]),
    ] {
        let policy = json!({"rules": rules});
        let (status, body) = bench.post(PATH, policy.clone()).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
        assert_eq!(bench.get(PATH).await.1, policy);
    }
    let (status, body) = bench
        .post(
            PATH,
            json!({"rules": [{"domain": "a b", "action": "allow"}]}),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["message"].as_str().unwrap().contains("a b"), "{body}");
    bench.stop().await;
}

#[tokio::test]
async fn with_landlock_nothing_is_reached_and_nothing_else_is_promised() {
    let Some(bench) = bench(SandboxTier::Landlock).await else {
        return;
    };
    let nothing = json!({"rules": [{"domain": "*", "action": "deny"}]});
    assert_eq!(bench.get(PATH).await.1, nothing);
    let (status, body) = bench
        .post(
            PATH,
            json!({"rules": [{"domain": "a.com", "action": "allow"}]}),
        )
        .await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED, "{body}");
    assert_eq!(body["error"], "policy_not_enforceable");
    assert!(
        body["message"].as_str().unwrap().contains("landlock"),
        "{body}"
    );
    assert_eq!(
        bench.post(PATH, json!({"rules": []})).await.0,
        StatusCode::NOT_IMPLEMENTED
    );
    assert_eq!(
        bench.post(PATH, nothing.clone()).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(bench.get(PATH).await.1, nothing);
    bench.stop().await;
}

#[tokio::test]
async fn a_plain_sprite_reaches_everything_and_that_is_said() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    assert_eq!(bench.get(PATH).await.1, json!({"rules": []}));
    let denied = json!({"rules": [{"domain": "*", "action": "deny"}]});
    assert_eq!(
        bench.post(PATH, denied).await.0,
        StatusCode::NOT_IMPLEMENTED
    );
    let privileges = bench.get("/v1/sprites/a/policy/privileges").await.1;
    assert_eq!(privileges["noNewPrivileges"], false);
    bench.stop().await;
}

#[tokio::test]
async fn privileges_and_resources_are_what_they_are_for_all_sprites() {
    let bench = Bench::with(|settings| settings.local.quotas.memory_bytes = 512 << 20).await;
    bench.sprite("a").await;
    let (_, resources) = bench.get("/v1/sprites/a/policy/resources").await;
    assert_eq!(
        resources,
        json!({"memory": {"limit_mb": 512, "autoscale": false}})
    );
    let (_, privileges) = bench.get("/v1/sprites/a/policy/privileges").await;
    for (kind, same, other) in [
        (
            "resources",
            resources,
            json!({"memory": {"limit_mb": 1024}}),
        ),
        (
            "privileges",
            privileges.clone(),
            json!({"profile": "privileged"}),
        ),
        ("privileges", privileges, json!({"devices": ["/dev/kvm"]})),
    ] {
        let path = format!("/v1/sprites/a/policy/{kind}");
        let (status, body) = bench.post(&path, same).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
        let (status, body) = bench.post(&path, other).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let delete = bench.ask(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(delete.status(), StatusCode::NO_CONTENT);
    }
    bench.stop().await;
}
