//! Checkpoints: what they keep, what they put back, and what a crash on the way leaves.

use crate::support::{Bench, bench, output, settings, sprite};
use domain::sprite::SandboxTier;
use ports::sandbox::{Checkpoint, Progress, SandboxError, SandboxHost as _, Sprite, SpriteStatus};
use sprites_local::LocalHost;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// What was said on the way.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

fn folder(directory: &Path, agent: u128) -> PathBuf {
    let key = sprite(agent);
    let tenant = directory.join("sprites").join(key.tenant_id.to_string());
    tenant.join(key.agent_id.to_string())
}

fn opened(bench: &Bench) -> Arc<dyn Sprite> {
    bench.host.sprite(sprite(1))
}

fn ids(checkpoints: &[Checkpoint]) -> Vec<&str> {
    checkpoints.iter().map(|kept| kept.id.as_str()).collect()
}

const SEEN: &str = "find . -mindepth 1 ! -type d -printf '%P %m %l %T@ %n\\n' | sort; \
                    find . -mindepth 1 -type d -printf '%P %m\\n' | sort; find . -type f -exec md5sum {} + | sort; ls -i 'a b' hard | cut -d' ' -f1 | uniq | wc -l";

#[tokio::test]
async fn what_was_kept_comes_back_as_it_was() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        let sprite = opened(&bench);
        let long = "n".repeat(200);
        let script = format!(
            "echo one > 'a b'; ln 'a b' hard; ln -s /etc/passwd abs; ln -s ./a//b rel; mkdir -p d/{long}/{long}; \
             echo deep > d/{long}/{long}/f; ln -s {long}/{long}/f d/longlink; printf 'a\\0b' > d/$'\\xff'; \
             head -c 3000000 /dev/urandom > big; chmod 4755 big; chmod 500 d; mkfifo pipe; : > empty; \
             touch -d @1000000000 'a b'"
        );
        output(&*bench.sandbox, &script).await;
        let before = output(&*bench.sandbox, SEEN).await;
        let lines = Lines::default();
        let made = sprite
            .checkpoint(Some("first".into()), &lines)
            .await
            .unwrap();
        assert_eq!((made.id.as_str(), made.automatic), ("v1", false));
        assert_eq!(made.comment.as_deref(), Some("first"));
        assert!(made.bytes.unwrap() > 3_000_000, "{made:?}");
        let said = lines.0.lock().unwrap().last().cloned();
        assert_eq!(said.as_deref(), Some("Checkpoint v1 created"));
        let changed = "chmod 700 d; rm -rf 'a b' d big; echo more > more; ln -s x pipe2; sleep 1000 & echo $!";
        output(&*bench.sandbox, changed).await;
        let lines = Lines::default();
        sprite.restore("v1", &lines).await.unwrap();
        let said = lines.0.lock().unwrap().clone();
        assert_eq!(said.last().unwrap(), "Restored to v1");
        assert!(
            said.iter().any(|line| line.contains("v2 created")),
            "{said:?}"
        );
        let sandbox = bench.host.open(crate::support::sprite(1)).await.unwrap();
        let after = output(&*sandbox, SEEN).await;
        // Times are kept to the second; who owns a file's rights is nobody's business; pipes are not kept.
        let plain = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("pipe "));
            let words = lines.map(|line| {
                let words = line.split(' ').map(|word| match word.split_once('.') {
                    Some((seconds, _)) if seconds.parse::<u64>().is_ok() => seconds.to_owned(),
                    _ => word.replace("4755", "755"),
                });
                words.collect::<Vec<_>>().join(" ")
            });
            words.collect::<Vec<_>>()
        };
        // The link's own time is when it was made.
        assert_eq!(plain(&after), plain(&before), "{tier}");
        let all = sprite.checkpoints().await.unwrap();
        assert_eq!(ids(&all), ["v2", "v1"]);
        assert!(all[0].automatic && !all[1].automatic);
        assert_eq!(all[0].comment.as_deref(), Some("before the restore of v1"));
        // And back again: nothing was lost.
        sprite.restore("v2", &()).await.unwrap();
        let sandbox = bench.host.open(crate::support::sprite(1)).await.unwrap();
        assert_eq!(
            output(&*sandbox, "cat more; ls").await,
            "more\nabs\nempty\nhard\nmore\npipe2\nrel\n"
        );
    }
}

#[tokio::test]
async fn numbers_are_never_given_twice_and_survive_a_restart() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    let first = opened(&bench);
    for id in ["v1", "v2"] {
        assert_eq!(first.checkpoint(None, &()).await.unwrap().id, id);
    }
    first.delete_checkpoint("v2").await.unwrap();
    bench.host.shutdown().await;
    let host = LocalHost::start(settings(bench.directory.path(), SandboxTier::Plain))
        .await
        .unwrap();
    let sprite = host.sprite(sprite(1));
    assert_eq!(ids(&sprite.checkpoints().await.unwrap()), ["v1"]);
    // Keeping files wakes nobody.
    assert_eq!(sprite.checkpoint(None, &()).await.unwrap().id, "v3");
    let report = host.inspect(crate::support::sprite(1)).await.unwrap();
    assert_eq!(report.status, SpriteStatus::Cold);
    for id in ["v2", "v9", "v03", "", "../v1", "v1/../v1", "Current"] {
        for result in [
            sprite.restore(id, &()).await,
            sprite.delete_checkpoint(id).await,
        ] {
            assert!(
                matches!(result, Err(SandboxError::NotFound { .. })),
                "{id}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn files_that_change_under_a_checkpoint_do_not_spoil_it() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    let sprite = opened(&bench);
    let script = "mkdir busy; (i=0; while [ ! -e stop ]; do i=$((i+1)); head -c $((RANDOM * 9)) /dev/zero > busy/f$((i%9)); \
                  rm -f busy/f$((i%7)); mkdir -p busy/d$((i%5))/x; rmdir busy/d$((i%3))/x busy/d$((i%3)); \
                  ln -sf f1 busy/l; done) > /dev/null 2>&1 &";
    output(&*bench.sandbox, script).await;
    for round in 1..=8 {
        let made = sprite.checkpoint(None, &()).await.unwrap();
        assert_eq!(made.id, format!("v{round}"));
    }
    output(&*bench.sandbox, "touch stop; wait").await;
    output(&*bench.sandbox, "rm -rf busy; echo mine > f").await;
    for id in ["v1", "v8"] {
        sprite.restore(id, &()).await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_checkpoint_changes_nothing() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        let sprite = opened(&bench);
        output(
            &*bench.sandbox,
            "head -c 200000 /dev/urandom > f; echo kept > g",
        )
        .await;
        sprite.checkpoint(None, &()).await.unwrap();
        let archive = folder(bench.directory.path(), 1).join("checkpoints/v1/home.tar.zst");
        let Ok(mut bytes) = fs::read(&archive) else {
            // Clones have nothing to damage.
            continue;
        };
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&archive, bytes).unwrap();
        output(&*bench.sandbox, "echo new > g").await;
        let failed = sprite.restore("v1", &()).await;
        assert!(
            matches!(failed, Err(SandboxError::Refused(_))),
            "{failed:?}"
        );
        // The shell that was there is still there.
        assert_eq!(output(&*bench.sandbox, "cat g; ls").await, "new\nf\ng\n");
        assert_eq!(ids(&sprite.checkpoints().await.unwrap()), ["v1"]);
        assert!(
            !folder(bench.directory.path(), 1)
                .join("home.restore")
                .exists()
        );
    }
}

#[tokio::test]
async fn a_restore_that_a_crash_cut_short_is_finished_when_the_sprite_wakes() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        output(&*bench.sandbox, "echo old > f").await;
        bench.host.shutdown().await;
        let folder = folder(bench.directory.path(), 1);
        // Between the two renames.
        fs::rename(folder.join("home"), folder.join("home.before")).unwrap();
        fs::create_dir(folder.join("home.restore")).unwrap();
        fs::write(folder.join("home.restore/f"), "new\n").unwrap();
        fs::write(folder.join("restore.journal"), "").unwrap();
        let host = LocalHost::start(settings(bench.directory.path(), *tier))
            .await
            .unwrap();
        let sandbox = host.open(sprite(1)).await.unwrap();
        assert_eq!(
            output(&*sandbox, "cat f; echo more >> f; ls").await,
            "new\nf\n"
        );
        for gone in ["home.restore", "home.before", "restore.journal"] {
            assert!(!folder.join(gone).exists(), "{gone}");
        }
    }
}

#[tokio::test]
async fn checkpoints_are_bounded() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    let sprite = opened(&bench);
    sprite.checkpoint(None, &()).await.unwrap();
    for _ in 0..12 {
        sprite.restore("v1", &()).await.unwrap();
    }
    let all = sprite.checkpoints().await.unwrap();
    let automatic = all.iter().filter(|kept| kept.automatic);
    assert_eq!(
        automatic.map(|kept| kept.id.clone()).next_back().unwrap(),
        "v4"
    );
    assert_eq!((all.len(), all[10].id.as_str()), (11, "v1"));
    for _ in 1..50 {
        sprite.checkpoint(None, &()).await.unwrap();
    }
    let full = sprite.checkpoint(None, &()).await;
    let Err(SandboxError::Exhausted { message, .. }) = full else {
        panic!("{full:?}");
    };
    assert!(
        message.contains("50") && message.contains("delete one"),
        "{message}"
    );
    sprite.delete_checkpoint("v1").await.unwrap();
    sprite.checkpoint(None, &()).await.unwrap();
}

#[tokio::test]
async fn destroying_removes_all_of_a_sprite() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        let (key, sprite) = (sprite(1), opened(&bench));
        output(
            &*bench.sandbox,
            "mkdir -p a/b; chmod 0 a/b; sleep 1000 & echo x > f",
        )
        .await;
        sprite.checkpoint(None, &()).await.unwrap();
        bench.host.destroy(key).await.unwrap();
        let lost = bench.sandbox.list_directory("").await;
        assert!(matches!(lost, Err(SandboxError::Lost(_))), "{lost:?}");
        assert!(!folder(bench.directory.path(), 1).exists());
        let trash = bench.directory.path().join("sprites/.trash");
        assert_eq!(fs::read_dir(&trash).unwrap().count(), 0);
        let report = bench.host.inspect(key).await.unwrap();
        assert!(!report.provisioned);
        bench.host.destroy(key).await.unwrap();
        // The next use makes another, from nothing.
        assert!(sprite.checkpoints().await.unwrap().is_empty());
        let sandbox = bench.host.open(key).await.unwrap();
        assert_eq!(output(&*sandbox, "ls -A | grep -v cache; true").await, "");
        assert_eq!(sprite.checkpoint(None, &()).await.unwrap().id, "v1");
    }
}

#[tokio::test]
async fn trash_that_a_crash_left_is_removed_at_the_next_start() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    bench.host.shutdown().await;
    let left = bench.directory.path().join("sprites/.trash/somebody.1");
    fs::create_dir_all(left.join("home/deep")).unwrap();
    let host = LocalHost::start(settings(bench.directory.path(), SandboxTier::Plain))
        .await
        .unwrap();
    // Shutting down waits for what was begun.
    host.shutdown().await;
    assert!(!left.exists());
}
