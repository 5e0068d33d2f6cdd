//! Sprites that are made, walled off, looked at and removed; their networks and URLs.

use crate::machine::Habit;
use crate::support::{bench, bench_with, key, output, refused, run, settings};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule};
use futures_util::StreamExt as _;
use ports::sandbox::{SandboxBackend, SandboxError, SandboxHost as _, SpriteStatus};
use sprites::{
    SpritesError, SpritesHost,
    wire::{
        network::Rule,
        sprite::{CreateSprite, UpdateSprite},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const NAME: &str = "nitejar-000000000000000000000000";

fn denied() -> Vec<Rule> {
    vec![Rule {
        domain: Some("*".into()),
        action: Some("deny".into()),
        include: None,
    }]
}

#[tokio::test]
async fn a_sprite_is_made_at_its_first_use_and_reaches_nothing() {
    let bench = bench().await;
    assert_eq!(bench.machine.kept.lock().unwrap().requests.len(), 0);
    let (one, two) = tokio::join!(run(&bench, &["true"]), run(&bench, &["true"]));
    one.unwrap();
    two.unwrap();
    let kept = bench.machine.kept.lock().unwrap();
    assert_eq!(kept.policies[NAME], denied());
    assert_eq!(
        kept.sprites[NAME].labels[0],
        format!("tenant-{}", key(1).tenant_id)
    );
    let begun = kept.requests.iter().take(3).map(String::as_str);
    let expected = [
        "POST /v1/sprites".to_owned(),
        format!("POST /v1/sprites/{NAME}/policy/network"),
    ];
    assert!(
        begun
            .collect::<Vec<_>>()
            .starts_with(&expected.each_ref().map(String::as_str))
    );
    assert_eq!(
        kept.requests
            .iter()
            .filter(|it| *it == "POST /v1/sprites")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_decided_policy_outlives_the_client() {
    let bench = bench().await;
    let rule = NetworkRule::new("*.example.com", NetworkAction::Allow).unwrap();
    let policies = [
        NetworkPolicy::open(),
        NetworkPolicy {
            rules: vec![rule],
            otherwise: NetworkAction::Deny,
        },
    ];
    for policy in policies {
        bench
            .sprite
            .set_network_policy(policy.clone())
            .await
            .unwrap();
        let other = SpritesHost::new(settings(&bench.machine.address)).unwrap();
        let sprite = other.sprite(key(1));
        assert_eq!(sprite.network_policy().await.unwrap(), policy);
    }
    // One that was made but never walled off is, before it is used.
    bench.machine.kept.lock().unwrap().policies.clear();
    let other = SpritesHost::new(settings(&bench.machine.address)).unwrap();
    other.open(key(1)).await.unwrap();
    assert_eq!(bench.machine.kept.lock().unwrap().policies[NAME], denied());
}

#[tokio::test]
async fn a_service_without_walls_is_refused_unless_accepted() {
    let bench = bench().await;
    bench.machine.adopt(Habit::NoWalls);
    let failed = run(&bench, &["true"]).await;
    assert!(
        matches!(failed, Err(SandboxError::Unavailable(text)) if text.contains("no walls here"))
    );
    assert_eq!(bench.machine.kept.lock().unwrap().started.len(), 0);
    let bench = bench_with(|mut settings| {
        settings.accept_open_network = true;
        settings
    })
    .await;
    bench.machine.adopt(Habit::NoWalls);
    run(&bench, &["true"]).await.unwrap();
    assert!(
        refused(
            bench
                .sprite
                .set_network_policy(NetworkPolicy::default())
                .await
        )
        .contains("walls")
    );
}

#[tokio::test]
async fn looking_makes_and_wakes_nothing() {
    let bench = bench().await;
    let report = bench.host.inspect(key(1)).await.unwrap();
    assert!(!report.provisioned);
    assert_eq!(bench.machine.asked("POST"), 0);
    output(&*bench.sprite, "true").await;
    let report = bench.host.inspect(key(1)).await.unwrap();
    assert_eq!(
        (report.provisioned, report.status),
        (true, SpriteStatus::Running)
    );
    assert_eq!(
        report.shells,
        [crate::support::shell(crate::support::SHELL)]
    );
    let backend = bench.host.report().backend;
    assert_eq!(
        backend,
        SandboxBackend::Sprites(bench.machine.address.clone())
    );
}

#[tokio::test]
async fn a_sprite_that_was_removed_is_lost_once_and_then_made_anew() {
    let bench = bench().await;
    run(&bench, &["true"]).await.unwrap();
    bench.machine.kept.lock().unwrap().sprites.clear();
    let failed = run(&bench, &["true"]).await;
    assert!(matches!(failed, Err(SandboxError::Lost(text)) if text.contains("removed")));
    run(&bench, &["true"]).await.unwrap();
    bench.host.destroy(key(1)).await.unwrap();
    bench.host.destroy(key(1)).await.unwrap();
    assert!(bench.machine.kept.lock().unwrap().sprites.is_empty());
}

#[tokio::test]
async fn shutting_down_lets_go_of_everything() {
    let bench = bench().await;
    let mut attached = bench
        .sprite
        .start(crate::support::command(&["cat"]))
        .await
        .unwrap();
    output(&*bench.sprite, "true").await;
    bench.host.shutdown().await;
    assert!(attached.output.next().await.is_none());
    assert!(matches!(
        run(&bench, &["true"]).await,
        Err(SandboxError::Unavailable(_))
    ));
}

#[tokio::test]
async fn sprites_are_listed_to_the_last_page() {
    let bench = bench().await;
    let catalog = bench.host.catalog();
    for name in ["a", "b", "c", "d", "e"] {
        let wanted = CreateSprite {
            name: name.into(),
            ..CreateSprite::default()
        };
        catalog.create(&wanted).await.unwrap();
    }
    let wanted = CreateSprite {
        name: "a".into(),
        ..CreateSprite::default()
    };
    assert!(matches!(
        catalog.create(&wanted).await,
        Err(SpritesError::Conflict { .. })
    ));
    let names: Vec<_> = catalog
        .list(None)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    catalog.update("a", &UpdateSprite::default()).await.unwrap();
    assert!(matches!(
        catalog.get("none").await,
        Err(SpritesError::NotFound { .. })
    ));
}

#[tokio::test]
async fn ports_are_reached_through_a_tunnel() {
    let bench = bench().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).await.unwrap();
        stream.write_all(&buffer.repeat(100_000)).await.unwrap();
    };
    let asking = async {
        let mut tunnel = bench.sprite.connect("localhost", port).await.unwrap();
        tunnel.input.write("hello".into()).await.unwrap();
        let mut came = 0;
        while let Some(bytes) = tunnel.output.next().await {
            came += bytes.unwrap().len();
        }
        assert_eq!(came, 500_000);
    };
    tokio::join!(serving, asking);
    drop(listener);
    let failed = bench.sprite.connect("localhost", port).await.map(drop);
    assert!(refused(failed).contains("connection refused"));
}
