//! What a sprite may take, and what happens when it takes more.

use crate::support::{Bench, Kept, bench_with, output, request, run, shell, sprite};
use bytes::Bytes;
use domain::sprite::SandboxTier;
use ports::sandbox::{ExecRequest, Exit, Sandbox, SandboxError, SandboxHost as _};
use sprites_local::{LocalSettings, Quotas};
use std::{sync::Arc, time::Duration};

const MIB: u64 = 1 << 20;

async fn limited(tier: SandboxTier, quotas: Quotas) -> Option<Bench> {
    bench_with(tier, |settings| LocalSettings { quotas, ..settings }).await
}

fn small() -> Quotas {
    Quotas {
        pause: Duration::from_millis(20),
        ..Quotas::default()
    }
}

fn exhausted<T: std::fmt::Debug>(result: Result<T, SandboxError>) -> String {
    match result {
        Err(SandboxError::Exhausted { message, .. }) => message,
        other => panic!("not exhausted: {other:?}"),
    }
}

/// Waits until a small file can be written, or no more.
async fn until_writing(sandbox: &Arc<dyn Sandbox>, works: bool) {
    while sandbox
        .write_file("probe", Bytes::from_static(b"x"))
        .await
        .is_ok()
        != works
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_disk_ends_what_writes_and_can_be_cleared() {
    let quotas = Quotas {
        disk_bytes: 20 * MIB,
        ..small()
    };
    for tier in SandboxTier::ALL {
        let Some(bench) = limited(*tier, quotas.clone()).await else {
            continue;
        };
        // More than the quota and less than the disk, should nobody stop it.
        let fill = "x=1; i=0; while [ $i -lt 4000 ]; do head -c 1000000 /dev/zero > fill$i || exit 9; i=$((i+1)); done";
        let (outcome, _) = run(&*bench.sandbox, fill).await;
        assert_eq!(outcome.exit, Exit::Signal(9), "{tier}");
        assert!(outcome.shell_reset);
        let text = exhausted(
            bench
                .sandbox
                .write_file("more", Bytes::from_static(b"x"))
                .await,
        );
        assert!(
            text.contains("of 20.0 MiB") && text.contains("remove"),
            "{text}"
        );
        let key = bench.host.sprite(sprite(1));
        exhausted(key.copy("fill0", "more", false).await);
        // What starts now cannot write, but can look and remove.
        let (outcome, kept) = run(
            &*bench.sandbox,
            "ls fill0; (echo x > more) 2>/dev/null || echo not written",
        )
        .await;
        assert_eq!(
            (outcome.exit, kept.stdout()),
            (Exit::Code(0), "fill0\nnot written\n".into())
        );
        let raise = "bash -c 'ulimit -f unlimited; echo x > more' 2>/dev/null || echo refused";
        assert_eq!(output(&*bench.sandbox, raise).await, "refused\n");
        output(&*bench.sandbox, "rm -f fill*; cd /; x=2").await;
        until_writing(&bench.sandbox, true).await;
        // The shell that could not write is another now, and that is told.
        let (outcome, kept) = run(&*bench.sandbox, "echo ${x-gone}; echo y > more; cat more").await;
        assert_eq!(
            (outcome.exit, kept.stdout()),
            (Exit::Code(0), "gone\ny\n".into()),
            "{tier}"
        );
        assert!(outcome.shell_reset);
        assert!(!run(&*bench.sandbox, "true").await.0.shell_reset);
    }
}

#[tokio::test]
async fn a_write_that_does_not_fit_is_refused_with_the_figures() {
    let quotas = Quotas {
        disk_bytes: MIB,
        ..small()
    };
    let Some(bench) = limited(SandboxTier::Plain, quotas).await else {
        return;
    };
    let large = Bytes::from(vec![7; 1 << 21]);
    // Before the first look nothing is known.
    let refused = loop {
        match bench.sandbox.write_file("large", large.clone()).await {
            Ok(()) => bench
                .host
                .sprite(sprite(1))
                .remove("large", false)
                .await
                .unwrap(),
            refused => break refused,
        }
        tokio::task::yield_now().await;
    };
    let text = exhausted(refused);
    assert!(text.contains("MiB") && text.contains("remove"), "{text}");
    until_writing(&bench.sandbox, true).await;
    let report = bench.host.inspect(sprite(1)).await.unwrap();
    assert_eq!(report.disk_limit, Some(MIB));
}

#[tokio::test]
async fn hidden_and_shared_files_are_counted_once_each() {
    let Some(bench) = limited(SandboxTier::Plain, small()).await else {
        return;
    };
    let before = bench
        .host
        .inspect(sprite(1))
        .await
        .unwrap()
        .disk_bytes
        .unwrap();
    let script = "mkdir -p h/a; head -c 1000000 /dev/urandom > h/a/f; for i in 1 2 3; do ln h/a/f h/a/g$i; done; \
                  ln -s /usr out; truncate -s 1G holes; chmod 0 h/a h";
    output(&*bench.sandbox, script).await;
    let after = bench
        .host
        .inspect(sprite(1))
        .await
        .unwrap()
        .disk_bytes
        .unwrap();
    let grown = after - before;
    assert!((1_000_000..1_100_000).contains(&grown), "{grown}");
}

#[tokio::test]
async fn tenants_have_so_many_sprites_and_so_much_disk() {
    let quotas = Quotas {
        tenant_sprites: 2,
        tenant_disk_bytes: 3 * MIB,
        ..small()
    };
    let Some(bench) = limited(SandboxTier::Plain, quotas).await else {
        return;
    };
    let second = bench.host.open(sprite(2)).await.unwrap();
    let text = exhausted(bench.host.open(sprite(3)).await.map(drop));
    assert!(
        text.contains("2 sprites of the 2") && text.contains("destroy"),
        "{text}"
    );
    bench.host.open(sprite(1)).await.unwrap();
    // Random bytes do not compress: the checkpoint takes as much again.
    output(&*bench.sandbox, "head -c 1200000 /dev/urandom > f").await;
    let first = bench.host.sprite(sprite(1));
    first.checkpoint(None, &()).await.unwrap();
    let text = exhausted(first.checkpoint(None, &()).await);
    assert!(text.contains("no room for the checkpoint"), "{text}");
    output(&*second, "head -c 1000000 /dev/urandom > f").await;
    until_writing(&second, false).await;
    let text = exhausted(second.write_file("more", Bytes::from_static(b"x")).await);
    assert!(text.contains("all sprites together"), "{text}");
    let files = first.checkpoints().await.unwrap();
    assert_eq!(files.len(), 1);
    first.delete_checkpoint("v1").await.unwrap();
    until_writing(&second, true).await;
    bench.host.destroy(sprite(1)).await.unwrap();
    bench.host.open(sprite(3)).await.unwrap();
}

#[tokio::test]
async fn the_host_keeps_some_disk_free() {
    let quotas = Quotas {
        free_bytes: u64::MAX,
        ..small()
    };
    let Some(bench) = limited(SandboxTier::Plain, quotas).await else {
        return;
    };
    until_writing(&bench.sandbox, false).await;
    // Who is not to blame, and does not grow, goes on.
    let (outcome, _) = run(&*bench.sandbox, "true").await;
    assert_eq!(outcome.exit, Exit::Code(0));
    let text = exhausted(
        bench
            .sandbox
            .write_file("f", Bytes::from_static(b"x"))
            .await,
    );
    assert!(text.contains("server's disk is almost full"), "{text}");
    let text = exhausted(bench.host.sprite(sprite(1)).checkpoint(None, &()).await);
    assert!(text.contains("server's disk is almost full"), "{text}");
}

#[tokio::test]
async fn too_much_memory_is_taken_back_and_the_sprite_lives() {
    let quotas = Quotas {
        memory_bytes: 150 * MIB,
        ..small()
    };
    for tier in SandboxTier::ALL {
        let Some(bench) = limited(*tier, quotas.clone()).await else {
            continue;
        };
        // The shell and what it knows stay: the one process that took the memory is what ends.
        let script = "x=kept; perl -e '$x = \"a\" x 300_000_000; sleep 1000'; echo $? $x";
        let (outcome, kept) = run(&*bench.sandbox, script).await;
        assert_eq!(
            (outcome.exit, kept.stdout()),
            (Exit::Code(0), "137 kept\n".into()),
            "{tier}"
        );
    }
}

#[tokio::test]
async fn a_fork_bomb_is_contained_and_the_server_is_well() {
    let quotas = Quotas {
        processes: 100,
        ..small()
    };
    for tier in [SandboxTier::Namespaces, SandboxTier::Landlock] {
        let Some(bench) = limited(tier, quotas.clone()).await else {
            continue;
        };
        let bomb = ExecRequest {
            timeout: Duration::from_secs(3),
            ..request(1, "bomb() { bomb | bomb & }; bomb; sleep 1000")
        };
        // However it ends: by its time, or with everything in the sprite.
        drop(bench.sandbox.exec(bomb, &Kept::default()).await);
        let sandbox = bench.host.open(sprite(1)).await.unwrap();
        drop(sandbox.close_shell(shell(1)).await);
        let sandbox = bench.host.open(sprite(1)).await.unwrap();
        assert_eq!(output(&*sandbox, "echo well").await, "well\n", "{tier}");
        let count = output(&*sandbox, "ls -d /proc/[0-9]* | wc -l").await;
        if tier == SandboxTier::Namespaces {
            let count: u64 = count.trim().parse().unwrap();
            assert!(count < 20, "{count}");
        }
    }
}

#[tokio::test]
async fn what_is_not_limited_is_told() {
    let Some(bench) = limited(SandboxTier::Plain, small()).await else {
        return;
    };
    let missing = bench.host.report().missing.join("\n");
    assert!(missing.contains("disk use is measured"), "{missing}");
    let groups = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    if !groups.contains("memory") {
        assert!(
            missing.contains("memory is watched, not limited: "),
            "{missing}"
        );
    }
}
