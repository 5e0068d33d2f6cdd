//! Requests: what is repeated, what limits say, and what nobody may see.

use crate::{
    machine::{Canned, TOKEN},
    support::{bench, bench_with, run, settings},
};
use axum::http::Method;
use domain::secret::Secret;
use ports::sandbox::SandboxError;
use serde_json::{Value, json};
use sprites::{SpritesError, SpritesHost, wire::sprite::CreateSprite};
use std::time::Duration;

fn canned(method: Method, path: &'static str, status: u16, body: Value) -> Canned {
    Canned {
        method,
        path,
        status,
        retry_after: None,
        body,
    }
}

#[tokio::test]
async fn what_is_the_same_twice_is_repeated() {
    let bench = bench().await;
    std::fs::write(bench.machine.home().join("a"), "x").unwrap();
    let busy = |status| canned(Method::GET, "/fs/read", status, json!("busy"));
    bench
        .machine
        .behave(|it| it.canned.extend([502, 503, 504].map(busy)));
    assert_eq!(bench.sprite.read_file("a", 10).await.unwrap(), "x");
    bench.machine.behave(|it| it.canned.push(busy(500)));
    let failed = bench.sprite.read_file("a", 10).await;
    assert!(matches!(failed, Err(SandboxError::Unavailable(text)) if text.contains("busy")));
}

#[tokio::test]
async fn a_command_is_never_sent_again() {
    let bench = bench().await;
    run(&bench, &["true"]).await.unwrap();
    let failing = canned(Method::GET, "/exec", 503, json!({"error": "try later"}));
    bench.machine.behave(|it| it.canned.push(failing));
    let failed = run(&bench, &["true"]).await;
    assert!(
        matches!(failed, Err(SandboxError::Unavailable(_))),
        "{failed:?}"
    );
    assert_eq!(bench.machine.kept.lock().unwrap().started.len(), 1);
}

#[tokio::test]
async fn limits_are_told_with_the_time_to_wait() {
    let bench = bench().await;
    run(&bench, &["true"]).await.unwrap();
    let limited = |seconds| Canned {
        retry_after: Some(seconds),
        ..canned(Method::GET, "/exec", 429, json!({"error": "slow down"}))
    };
    // A short wait is waited, since nothing was done.
    bench.machine.behave(|it| it.canned.push(limited(0)));
    run(&bench, &["true"]).await.unwrap();
    bench.machine.behave(|it| it.canned.push(limited(60)));
    match run(&bench, &["true"]).await {
        Err(SandboxError::Exhausted {
            message,
            retry_after,
        }) => {
            assert!(message.contains("slow down"), "{message}");
            assert_eq!(retry_after, Some(Duration::from_mins(1)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn too_many_sprites_are_told_apart() {
    let bench = bench().await;
    let body = json!({
        "error": "concurrent_sprite_limit_exceeded", "message": "you have 10 of 10 sprites",
        "limit": 10, "current_count": 10, "retry_after_seconds": 77, "odd": [1],
    });
    let full = || canned(Method::POST, "/sprites", 429, body.clone());
    bench
        .machine
        .behave(|it| it.canned.extend([full(), full()]));
    let made = bench.host.catalog().create(&CreateSprite::default()).await;
    match made {
        Err(SpritesError::TooMany { body, retry_after }) => {
            assert_eq!(
                body.error.as_deref(),
                Some(sprites::wire::error::CONCURRENT_LIMIT)
            );
            assert_eq!(
                (body.limit, retry_after),
                (Some(10), Some(Duration::from_secs(77)))
            );
        }
        other => panic!("{other:?}"),
    }
    match run(&bench, &["true"]).await {
        Err(SandboxError::Exhausted { message, .. }) => assert!(message.contains("10 of 10")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_there_is_told_with_the_way_out() {
    let bench = bench_with(|mut settings| {
        settings.base_url = "http://127.0.0.1:1".into();
        settings
    })
    .await;
    let failed = format!("{:?}", run(&bench, &["true"]).await);
    assert!(failed.contains("cannot be reached"), "{failed}");
    let secret = run(&bench, &["echo", "argument-canary"]).await;
    let failed = format!("{:?}", secret.unwrap_err());
    assert!(!failed.contains("canary"), "{failed}");
}

#[tokio::test]
async fn a_wrong_token_is_told_without_it() {
    let bench = bench_with(|mut settings| {
        settings.token = Secret::new("wrong-canary");
        settings
    })
    .await;
    let failed = format!("{:?}", run(&bench, &["true"]).await);
    assert!(
        failed.contains("refused the token") && !failed.contains("canary"),
        "{failed}"
    );
    let bench = crate::support::bench().await;
    let echoed = canned(Method::GET, "/fs/read", 500, json!("broken"));
    bench.machine.behave(|it| it.canned.push(echoed));
    let failed = format!("{:?}", bench.sprite.read_file("a", 1).await);
    assert!(
        !failed.contains(TOKEN) && !failed.contains("http"),
        "{failed}"
    );
}

#[tokio::test]
async fn odd_answers_are_refused_as_such() {
    let bench = bench().await;
    bench.sprite.list_directory("").await.unwrap();
    for body in [json!("<html>"), json!({"entries": 5}), json!(7)] {
        let odd = canned(Method::GET, "/fs/list", 200, body);
        bench.machine.behave(|it| it.canned.push(odd));
        let failed = bench.sprite.list_directory("").await;
        assert!(matches!(failed, Err(SandboxError::Lost(_))), "{failed:?}");
    }
    let odd = canned(Method::GET, "/exec", 200, json!({"sessions": []}));
    bench.machine.behave(|it| it.canned.push(odd));
    let failed = run(&bench, &["true"]).await;
    assert!(matches!(failed, Err(SandboxError::Lost(text)) if text.contains("WebSocket")));
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    for bad in [
        "",
        "api.sprites.dev",
        "ftp://x",
        "https://u:canary@x",
        "https://x?a=b",
        "https://",
    ] {
        let Err(error) = SpritesHost::new(settings(bad)) else {
            panic!("{bad} was taken");
        };
        assert!(!error.to_string().contains("canary"));
    }
    SpritesHost::new(settings("https://x/behind/a/proxy")).unwrap();
}
