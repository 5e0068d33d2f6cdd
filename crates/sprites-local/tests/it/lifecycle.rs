//! How sprites come, go and come back.

use crate::support::{
    Bench, Kept, SHELL, bench, bench_with, nap, output, request, run, settings, shell, sprite,
};
use domain::sprite::SandboxTier;
use ports::sandbox::{ExecRequest, SandboxError, SandboxHost as _, SpriteStatus};
use sprites_local::{LocalHost, LocalSettings, StartError};
use std::{os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

fn home(bench: &Bench, agent: u128) -> PathBuf {
    let key = sprite(agent);
    let root = bench.directory.path().join("sprites");
    root.join(key.tenant_id.to_string())
        .join(key.agent_id.to_string())
        .join("home")
}

async fn is_awake(bench: &Bench, agent: u128) -> bool {
    let report = bench.host.inspect(sprite(agent)).await.unwrap();
    report.status != SpriteStatus::Cold
}

#[tokio::test]
async fn files_survive_a_restart_and_processes_do_not() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        output(
            &*bench.sandbox,
            "echo kept > file; x=1; sleep 1000 & echo $$ > pid",
        )
        .await;
        bench.host.shutdown().await;
        let lost = bench.sandbox.list_directory("").await;
        assert!(matches!(lost, Err(SandboxError::Lost(_))), "{lost:?}");
        let refused = bench.host.open(sprite(1)).await.map(drop);
        assert!(matches!(refused, Err(SandboxError::Unavailable(_))));
        let host = LocalHost::start(settings(bench.directory.path(), *tier))
            .await
            .unwrap();
        let sandbox = host.open(sprite(1)).await.unwrap();
        let seen = output(
            &*sandbox,
            "cat file; echo ${x-gone}; pgrep -fc '^sleep 1000'; true",
        )
        .await;
        assert_eq!(seen, "kept\ngone\n0\n");
    }
}

#[tokio::test]
async fn a_killed_supervisor_is_lost_and_replaced() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        // The process the server started, and the one inside that serves.
        for depth in [1, 2] {
            let kept = Kept::default();
            let sandbox = bench.host.open(sprite(1)).await.unwrap();
            let script = "setsid sleep 1000 & echo started; sleep 1000";
            let killed = async {
                kept.until("started").await;
                send("-9", supervisor(std::process::id(), depth));
                std::future::pending::<()>().await;
            };
            let lost = tokio::select! {
                outcome = sandbox.exec(request(SHELL, script), &kept) => outcome,
                () = killed => unreachable!(),
            };
            let told = matches!(lost, Err(SandboxError::Lost(_)));
            assert!(told, "{tier}, {depth}: {lost:?}");
            let sandbox = bench.host.open(sprite(1)).await.unwrap();
            assert_eq!(output(&*sandbox, "echo again").await, "again\n");
            // By the time the sprite is open again, nothing of the old one runs.
            let left =
                processes().filter(|process| command(*process).replace('\0', " ").contains(&nap()));
            assert_eq!(left.count(), 0, "{tier}, {depth}");
        }
    }
}

#[tokio::test]
async fn a_stuck_supervisor_is_given_up_and_replaced() {
    let short = |settings| LocalSettings {
        answer: Duration::from_millis(300),
        ..settings
    };
    for tier in SandboxTier::ALL {
        let Some(bench) = bench_with(*tier, short).await else {
            continue;
        };
        // The one inside that serves alone, and with the one the server started.
        for depths in [[2].as_slice(), &[2, 1]] {
            let sandbox = bench.host.open(sprite(1)).await.unwrap();
            output(&*sandbox, "sleep 1000 & echo kept > file").await;
            for depth in depths {
                send("-STOP", supervisor(std::process::id(), *depth));
            }
            let lost = sandbox.read_file("file", 100).await;
            assert!(
                matches!(lost, Err(SandboxError::Lost(_))),
                "{tier}: {lost:?}"
            );
            let lost = sandbox.close_shell(shell(SHELL)).await;
            assert!(
                matches!(lost, Err(SandboxError::Lost(_))),
                "{tier}: {lost:?}"
            );
            let sandbox = bench.host.open(sprite(1)).await.unwrap();
            assert_eq!(output(&*sandbox, "cat file").await, "kept\n");
        }
        let sandbox = bench.host.open(sprite(1)).await.unwrap();
        send("-STOP", supervisor(std::process::id(), 2));
        let brief = ExecRequest {
            timeout: Duration::from_millis(100),
            ..request(SHELL, "echo never")
        };
        let lost = sandbox.exec(brief, &Kept::default()).await;
        assert!(
            matches!(lost, Err(SandboxError::Lost(_))),
            "{tier}: {lost:?}"
        );
    }
}

#[tokio::test]
async fn inspecting_does_not_wake_or_provision() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    let absent = bench.host.inspect(sprite(2)).await.unwrap();
    assert_eq!(
        (absent.provisioned, absent.status),
        (false, SpriteStatus::Cold)
    );
    assert_eq!((absent.disk_bytes, absent.shells), (None, vec![]));
    assert!(!home(&bench, 2).exists());
    output(&*bench.sandbox, "head -c 100000 /dev/zero > file").await;
    let report = bench.host.inspect(sprite(1)).await.unwrap();
    assert!(
        report.provisioned && report.disk_bytes >= Some(100_000),
        "{report:?}"
    );
    assert_eq!(report.shells, [shell(SHELL)]);
    let mode = home(&bench, 1).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    bench.host.shutdown().await;
    let report = bench.host.inspect(sprite(1)).await.unwrap();
    assert!(report.provisioned && report.shells.is_empty());
    assert_eq!(report.status, SpriteStatus::Cold);
}

#[tokio::test]
async fn only_so_many_are_awake() {
    let few = |settings| LocalSettings {
        max_awake: 2,
        ..settings
    };
    let Some(bench) = bench_with(SandboxTier::Plain, few).await else {
        return;
    };
    for agent in [2, 3] {
        bench.host.open(sprite(agent)).await.unwrap();
    }
    let mut awake = Vec::new();
    for agent in [1, 2, 3] {
        awake.push(is_awake(&bench, agent).await);
    }
    assert_eq!(awake, [false, true, true]);
    let (two, three) = (
        bench.host.open(sprite(2)).await.unwrap(),
        bench.host.open(sprite(3)).await.unwrap(),
    );
    let (kept, also) = (Kept::default(), Kept::default());
    let coming = async {
        kept.until("busy").await;
        also.until("busy").await;
        // Nobody can make room, so the next one waits until somebody is done.
        let (opened, closed) = tokio::join!(bench.host.open(sprite(1)), two.close_shell(shell(1)));
        assert!(opened.is_ok() && closed.is_ok());
    };
    let (second, third) = (
        request(1, "echo busy; sleep 1000"),
        request(1, "echo busy; sleep 1000"),
    );
    tokio::select! {
        _ = three.exec(third, &also) => unreachable!(),
        (ended, ()) = async { tokio::join!(two.exec(second, &kept), coming) } => {
            assert!(matches!(ended, Err(SandboxError::Lost(_))), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn idle_sprites_go_to_sleep_unless_a_shell_is_open() {
    let soon = |settings| LocalSettings {
        idle: Duration::from_millis(1),
        ..settings
    };
    let Some(bench) = bench_with(SandboxTier::Plain, soon).await else {
        return;
    };
    let with_shell = bench.host.open(sprite(2)).await.unwrap();
    run(&*with_shell, "true").await;
    while is_awake(&bench, 1).await {
        tokio::task::yield_now().await;
    }
    assert!(is_awake(&bench, 2).await);
    with_shell.close_shell(shell(SHELL)).await.unwrap();
    while is_awake(&bench, 2).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tier_below_the_least_is_never_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken");
    std::fs::copy("/bin/false", &broken).unwrap();
    let start = |min_tier| {
        LocalHost::start(LocalSettings {
            min_tier,
            ..LocalSettings::new(
                directory.path().join("sprites"),
                vec![broken.clone().into()],
            )
        })
    };
    match start(SandboxTier::Landlock).await.map(drop) {
        Err(StartError::TierMissing { wanted, reasons }) => {
            assert_eq!(wanted, SandboxTier::Landlock);
            assert_eq!(reasons.len(), 2, "{reasons:?}");
        }
        other => panic!("{other:?}"),
    }
    let nowhere = LocalSettings::new(directory.path(), vec!["/no/such/supervisor".into()]);
    let missing = LocalHost::start(nowhere).await.map(drop);
    assert!(matches!(missing, Err(StartError::Supervisor { .. })));
}

#[tokio::test]
async fn the_best_tier_is_chosen_and_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        LocalHost::start(LocalSettings {
            force_tier: None,
            ..settings(directory.path(), SandboxTier::Plain)
        })
    };
    let first = start().await.unwrap().report();
    let probed = directory.path().join("sprites/.probe/verdict.json");
    let made = probed.metadata().unwrap().modified().unwrap();
    assert_eq!(start().await.unwrap().report(), first);
    assert_eq!(probed.metadata().unwrap().modified().unwrap(), made);
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn command(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default()
}

/// The process so many steps below another that runs the supervisor.
fn supervisor(root: u32, depth: usize) -> u32 {
    let parent = |process: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    (0..depth).fold(root, |above, _| {
        let child = |process: &u32| {
            let command = command(*process);
            let supervisor = command.contains("supervisor");
            supervisor && parent(*process) == Some(above)
        };
        processes().find(child).unwrap()
    })
}

fn send(signal: &str, process: u32) {
    let status = std::process::Command::new("kill")
        .args([signal, &process.to_string()])
        .status();
    assert!(status.unwrap().success() || command(process).is_empty());
}
