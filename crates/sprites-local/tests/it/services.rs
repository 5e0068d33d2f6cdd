//! Services: kept running, started in order, stopped for good, and there again after a restart.

use crate::support::{Bench, bench_with, nap, output, refused, settings, sprite};
use domain::sprite::SandboxTier;
use futures_util::StreamExt as _;
use ports::sandbox::{
    ProcessEvent, SandboxError, SandboxHost as _, ServiceDefinition, ServiceReport, ServiceStatus,
    Sprite, SpriteStatus,
};
use sprites_local::{LocalHost, LocalSettings};
use std::{sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);
/// The number of the signal.
const KILL: i32 = 9;

fn quick(settings: LocalSettings) -> LocalSettings {
    LocalSettings {
        restart_delay: Duration::from_millis(1),
        ..settings
    }
}

async fn service_bench(tier: SandboxTier) -> Option<(Bench, Arc<dyn Sprite>)> {
    let bench = bench_with(tier, quick).await?;
    let sprite = bench.host.sprite(sprite(1));
    Some((bench, sprite))
}

/// A service that runs a script.
fn service(name: &str, script: &str) -> ServiceDefinition {
    let script = script.replace("sleep 1000", &nap());
    ServiceDefinition {
        name: name.to_owned(),
        command: ["bash", "-c", &script].map(Into::into).into(),
        environment: vec![],
        directory: None,
        needs: vec![],
        http_port: None,
    }
}

fn needing(name: &str, script: &str, needs: &[&str]) -> ServiceDefinition {
    ServiceDefinition {
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        ..service(name, script)
    }
}

async fn report(sprite: &dyn Sprite, name: &str) -> ServiceReport {
    let all = sprite.services().await.unwrap();
    all.into_iter()
        .find(|report| report.definition.name == name)
        .unwrap()
}

/// Waits until a service stands as it should.
async fn until(
    sprite: &dyn Sprite,
    name: &str,
    holds: impl Fn(&ServiceReport) -> bool,
) -> ServiceReport {
    loop {
        let report = report(sprite, name).await;
        if holds(&report) {
            return report;
        }
        tokio::task::yield_now().await;
    }
}

fn runs(report: &ServiceReport) -> bool {
    report.status == ServiceStatus::Running
}

/// The text of a log's next line.
async fn next_line(log: &mut ports::sandbox::ServiceLog) -> String {
    match log.next().await.unwrap().event {
        ProcessEvent::Output(stream, bytes) => {
            format!("{stream:?} {}", String::from_utf8_lossy(&bytes))
        }
        ProcessEvent::Ended(exit) => format!("{exit:?}"),
    }
}

#[tokio::test]
async fn a_service_runs_with_its_environment_and_its_log() {
    for tier in SandboxTier::ALL {
        let Some((_bench, sprite)) = service_bench(*tier).await else {
            continue;
        };
        sprite.create_directory("work").await.unwrap();
        let definition = ServiceDefinition {
            environment: vec![("GREETING".into(), "hello you".into())],
            directory: Some("work".into()),
            ..service(
                "web",
                "echo $GREETING; basename $PWD; echo bad >&2; printf end; sleep 1000",
            )
        };
        sprite.put_service(definition.clone()).await.unwrap();
        let report = until(&*sprite, "web", runs).await;
        assert_eq!(report.definition, definition);
        assert_eq!(
            (report.restarts, report.error, report.next_start_at),
            (0, None, None)
        );
        assert!(report.started_at.is_some());
        let mut log = sprite.service_log("web", 100, true).await.unwrap();
        let mut lines = Vec::new();
        while lines.len() < 3 {
            lines.push(next_line(&mut log).await);
        }
        lines.sort();
        assert_eq!(
            lines,
            ["Stderr bad\n", "Stdout hello you\n", "Stdout work\n"],
            "{tier}"
        );
        sprite.stop_service("web", PATIENCE).await.unwrap();
        assert_eq!(next_line(&mut log).await, "Stdout end", "{tier}");
        assert_eq!(next_line(&mut log).await, "Signal(15)", "{tier}");
        let mut last = sprite.service_log("web", 2, false).await.unwrap();
        assert_eq!(next_line(&mut last).await, "Stdout end");
        assert_eq!(next_line(&mut last).await, "Signal(15)");
        assert!(last.next().await.is_none());
    }
}

#[tokio::test]
async fn a_service_that_ends_is_started_again_until_it_is_given_up() {
    let Some((bench, sprite)) = service_bench(SandboxTier::Plain).await else {
        return;
    };
    let script = "echo run >> runs; [ -e stay ] && sleep 1000; exit 3";
    sprite.put_service(service("web", script)).await.unwrap();
    let report = until(&*sprite, "web", |report| {
        report.status == ServiceStatus::Failed
    })
    .await;
    assert_eq!(report.error.as_deref(), Some("it ended with exit code 3"));
    let count = "wc -l < runs | xargs";
    assert_eq!(output(&*bench.sandbox, count).await, "11\n");
    // Somebody who starts it starts the count anew.
    output(&*bench.sandbox, "touch stay").await;
    sprite.start_service("web").await.unwrap();
    let report = until(&*sprite, "web", runs).await;
    assert_eq!(report.restarts, 0);
    sprite.start_service("web").await.unwrap();
    assert_eq!(
        until(&*sprite, "web", runs).await.started_at,
        report.started_at
    );
    let written = "until [ $(wc -l < runs) = 12 ]; do :; done";
    output(&*bench.sandbox, written).await;
    sprite.signal_service("web", KILL).await.unwrap();
    let again = until(&*sprite, "web", |report| {
        runs(report) && report.restarts == 1
    })
    .await;
    assert_ne!(again.started_at, report.started_at);
}

#[tokio::test]
async fn what_is_needed_runs_first() {
    let Some((_bench, sprite)) = service_bench(SandboxTier::Plain).await else {
        return;
    };
    sprite
        .put_service(service("db", "sleep 1000"))
        .await
        .unwrap();
    until(&*sprite, "db", runs).await;
    sprite.stop_service("db", PATIENCE).await.unwrap();
    let web = needing("web", "sleep 1000", &["db"]);
    sprite.put_service(web).await.unwrap();
    until(&*sprite, "web", runs).await;
    let (db, web) = (report(&*sprite, "db").await, report(&*sprite, "web").await);
    assert!(
        runs(&db) && db.started_at <= web.started_at,
        "{db:?} {web:?}"
    );
    // While what it needs is stopped it waits, and says for what.
    sprite.stop_service("db", PATIENCE).await.unwrap();
    sprite.signal_service("web", KILL).await.unwrap();
    let waits = until(&*sprite, "web", |report| {
        report
            .error
            .as_deref()
            .is_some_and(|error| error.contains("`db`"))
    })
    .await;
    assert_eq!(waits.status, ServiceStatus::Starting);
    sprite.start_service("db").await.unwrap();
    until(&*sprite, "web", runs).await;
    let kept = sprite.delete_service("db").await;
    assert!(matches!(kept, Err(SandboxError::Conflict(text)) if text.contains("`web` needs `db`")));
    let text = refused(sprite.put_service(needing("db", "true", &["web"])).await);
    assert!(text.contains("would need itself"), "{text}");
}

#[tokio::test]
async fn a_stop_is_polite_first_and_holds() {
    let Some((bench, sprite)) = service_bench(SandboxTier::Plain).await else {
        return;
    };
    let polite = "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait";
    sprite.put_service(service("polite", polite)).await.unwrap();
    sprite
        .put_service(service(
            "deaf",
            "trap '' TERM; echo up; while :; do sleep 1000; done",
        ))
        .await
        .unwrap();
    for (name, patience, last) in [
        ("polite", PATIENCE, ["Stdout bye\n", "Code(0)"].as_slice()),
        ("deaf", Duration::from_millis(50), &["Signal(9)"]),
    ] {
        let mut log = sprite.service_log(name, 100, true).await.unwrap();
        assert_eq!(next_line(&mut log).await, "Stdout up\n");
        sprite.stop_service(name, patience).await.unwrap();
        assert_eq!(report(&*sprite, name).await.status, ServiceStatus::Stopped);
        for line in last {
            assert_eq!(next_line(&mut log).await, *line);
        }
        let none = sprite.signal_service(name, KILL).await;
        assert!(matches!(none, Err(SandboxError::Conflict(_))), "{none:?}");
    }
    assert_eq!(
        output(&*bench.sandbox, &format!("pgrep -f '^{}$' | wc -l", nap())).await,
        "0\n"
    );
}

#[tokio::test]
async fn services_start_again_after_a_restart_and_stopped_ones_stay_stopped() {
    let Some((bench, sprite_)) = service_bench(SandboxTier::Namespaces).await else {
        return;
    };
    sprite_
        .put_service(service("on", "echo up; sleep 1000"))
        .await
        .unwrap();
    sprite_
        .put_service(needing("after", "echo up; sleep 1000", &["on"]))
        .await
        .unwrap();
    sprite_
        .put_service(service("off", "sleep 1000"))
        .await
        .unwrap();
    for name in ["on", "after", "off"] {
        until(&*sprite_, name, runs).await;
    }
    sprite_.stop_service("off", PATIENCE).await.unwrap();
    bench.host.shutdown().await;
    let host = LocalHost::start(quick(settings(
        bench.directory.path(),
        SandboxTier::Namespaces,
    )));
    let host = host.await.unwrap();
    let again = host.sprite(sprite(1));
    until(&*again, "after", runs).await;
    assert!(runs(&report(&*again, "on").await));
    assert_eq!(report(&*again, "off").await.status, ServiceStatus::Stopped);
    assert_eq!(
        host.inspect(sprite(1)).await.unwrap().status,
        SpriteStatus::Running
    );
    let mut log = again.service_log("on", 100, true).await.unwrap();
    for _ in 0..2 {
        assert_eq!(next_line(&mut log).await, "Stdout up\n");
    }
    host.shutdown().await;
    assert!(log.next().await.is_none());
}

#[tokio::test]
async fn a_sprite_with_services_stays_awake_until_they_are_stopped() {
    let soon = |settings| LocalSettings {
        idle: Duration::from_millis(1),
        ..quick(settings)
    };
    let Some(bench) = bench_with(SandboxTier::Plain, soon).await else {
        return;
    };
    let (with, without) = (
        bench.host.sprite(sprite(1)),
        bench.host.open(sprite(2)).await.unwrap(),
    );
    with.put_service(service("web", "sleep 1000"))
        .await
        .unwrap();
    let started = until(&*with, "web", runs).await;
    without.read_file("none", 1).await.unwrap_err();
    while bench.host.inspect(sprite(2)).await.unwrap().status != SpriteStatus::Cold {
        tokio::task::yield_now().await;
    }
    assert_eq!(report(&*with, "web").await, started);
    with.stop_service("web", PATIENCE).await.unwrap();
    while bench.host.inspect(sprite(1)).await.unwrap().status != SpriteStatus::Cold {
        tokio::task::yield_now().await;
    }
    assert_eq!(report(&*with, "web").await.status, ServiceStatus::Stopped);
    assert_eq!(
        bench.host.inspect(sprite(1)).await.unwrap().status,
        SpriteStatus::Cold
    );
}

#[tokio::test]
async fn a_service_is_forgotten_with_its_log() {
    let Some((_bench, sprite)) = service_bench(SandboxTier::Plain).await else {
        return;
    };
    sprite
        .put_service(service("web", "echo one; sleep 1000"))
        .await
        .unwrap();
    let mut log = sprite.service_log("web", 100, true).await.unwrap();
    assert_eq!(next_line(&mut log).await, "Stdout one\n");
    sprite
        .put_service(service("web", "echo two >&2; sleep 1000"))
        .await
        .unwrap();
    assert_eq!(next_line(&mut log).await, "Signal(15)");
    assert_eq!(next_line(&mut log).await, "Stderr two\n");
    sprite.delete_service("web").await.unwrap();
    assert_eq!(next_line(&mut log).await, "Signal(15)");
    assert!(log.next().await.is_none());
    assert_eq!(sprite.services().await.unwrap(), []);
    for unknown in [
        sprite.start_service("web").await,
        sprite.stop_service("web", PATIENCE).await,
        sprite.delete_service("web").await,
        sprite.signal_service("web", 1).await,
        sprite.service_log("web", 1, false).await.map(drop),
    ] {
        assert!(
            matches!(unknown, Err(SandboxError::NotFound { .. })),
            "{unknown:?}"
        );
    }
    sprite
        .put_service(service("web", "sleep 1000"))
        .await
        .unwrap();
    assert!(
        sprite
            .service_log("web", 9, false)
            .await
            .unwrap()
            .next()
            .await
            .is_none()
    );
}

#[tokio::test]
async fn a_sprite_that_is_destroyed_takes_its_services_with_it() {
    let Some((bench, sprite_)) = service_bench(SandboxTier::Plain).await else {
        return;
    };
    sprite_
        .put_service(service("web", "sleep 1000"))
        .await
        .unwrap();
    until(&*sprite_, "web", runs).await;
    bench.host.destroy(sprite(1)).await.unwrap();
    assert_eq!(sprite_.services().await.unwrap(), []);
    let report = bench.host.inspect(sprite(1)).await.unwrap();
    assert!(!report.provisioned && report.status == SpriteStatus::Cold);
}

#[tokio::test]
async fn a_supervisor_that_dies_takes_no_service_with_it_for_good() {
    let Some((_bench, sprite)) = service_bench(SandboxTier::Namespaces).await else {
        return;
    };
    sprite
        .put_service(service("web", "echo up; sleep 1000"))
        .await
        .unwrap();
    let mut log = sprite.service_log("web", 100, true).await.unwrap();
    assert_eq!(next_line(&mut log).await, "Stdout up\n");
    until(&*sprite, "web", runs).await;
    // The first process of a sandbox ends all of it.
    sprite
        .put_service(service(
            "killer",
            "[ -e done ] || { touch done; kill -TERM 1; }; sleep 1000",
        ))
        .await
        .unwrap();
    assert_eq!(next_line(&mut log).await, "Stdout up\n");
    let report = until(&*sprite, "web", runs).await;
    assert_eq!(report.restarts, 1);
}
