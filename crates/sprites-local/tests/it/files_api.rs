//! Files beyond reading and writing them, in every tier.

use crate::support::{Bench, bench, output, refused, sprite};
use bytes::Bytes;
use domain::sprite::SandboxTier;
use ports::sandbox::{EntryKind, SandboxError, SandboxHost as _, Sprite};
use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

/// Every tier this host offers.
async fn benches() -> Vec<(SandboxTier, Bench, Arc<dyn Sprite>)> {
    let mut all = Vec::new();
    for tier in SandboxTier::ALL {
        if let Some(bench) = bench(*tier).await {
            let sprite = bench.host.sprite(sprite(1));
            all.push((*tier, bench, sprite));
        }
    }
    all
}

#[expect(clippy::needless_pass_by_value, reason = "it ends what is checked")]
fn absent<T: std::fmt::Debug>(result: Result<T, SandboxError>) {
    assert!(
        matches!(result, Err(SandboxError::NotFound { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn entries_are_told_as_they_are() {
    for (tier, bench, sprite) in benches().await {
        let script = "mkdir -m 750 d; printf 12345 > 'd/ä b'; chmod 604 'd/ä b'; ln -s d/x link; mkfifo pipe; \
                      touch -d @1000000000 'd/ä b'";
        output(&*bench.sandbox, script).await;
        let file = sprite.stat("d/ä b").await.unwrap();
        assert_eq!(
            (file.name.as_str(), file.kind, file.bytes, file.mode),
            ("ä b", EntryKind::File, 5, 0o604),
            "{tier}"
        );
        assert_eq!(file.modified_at.timestamp(), 1_000_000_000);
        let directory = sprite.stat("d/").await.unwrap();
        assert_eq!(
            (directory.name.as_str(), directory.kind, directory.mode),
            ("d", EntryKind::Directory, 0o750)
        );
        assert_eq!(sprite.stat("link").await.unwrap().kind, EntryKind::Symlink);
        assert_eq!(sprite.stat("link/").await.unwrap().kind, EntryKind::Symlink);
        assert_eq!(sprite.stat("pipe").await.unwrap().kind, EntryKind::Other);
        assert_eq!(sprite.stat("~").await.unwrap().kind, EntryKind::Directory);
        assert_eq!(sprite.stat("/").await.unwrap().name, "/");
        absent(sprite.stat("d/none").await);
        let text = refused(sprite.stat("d/ä b/c").await);
        assert!(text.contains("not a directory"), "{text}");
    }
}

#[tokio::test]
async fn entries_are_removed_and_the_home_is_not() {
    for (tier, bench, sprite) in benches().await {
        let script = "mkdir -p full/deep/deeper empty; echo x > full/deep/f; chmod 500 full/deep; ln -s full link; \
                      mkdir outside; echo kept > outside/f; ln -s ../outside full/out; echo x > file";
        output(&*bench.sandbox, script).await;
        sprite.remove("file", false).await.unwrap();
        sprite.remove("empty/", false).await.unwrap();
        sprite.remove("link/", true).await.unwrap();
        let text = refused(sprite.remove("full", false).await);
        assert!(text.contains("not empty"), "{text}");
        sprite.remove("full", true).await.unwrap();
        assert_eq!(
            output(&*bench.sandbox, "ls; cat outside/f").await,
            "outside\nkept\n"
        );
        absent(sprite.remove("full", true).await);
        let home = output(&*bench.sandbox, "echo ~").await;
        let above = format!("{}/..", home.trim_end());
        for path in ["", ".", "~", "outside/..", home.trim_end(), &above, "/"] {
            let text = refused(sprite.remove(path, true).await);
            assert!(
                text.contains("home directory cannot be removed"),
                "{tier}: {text}"
            );
            let text = refused(sprite.rename(path, "x").await);
            assert!(
                text.contains("home directory cannot be renamed"),
                "{tier}: {text}"
            );
            let text = refused(sprite.rename("outside", path).await);
            assert!(
                text.contains("home directory cannot be replaced"),
                "{tier}: {text}"
            );
        }
        assert_eq!(output(&*bench.sandbox, "cat outside/f").await, "kept\n");
    }
}

#[tokio::test]
async fn renames_replace_and_make_parents() {
    for (_, bench, sprite) in benches().await {
        output(
            &*bench.sandbox,
            "echo a > a; echo b > b; mkdir -p d/e; ln -s nowhere l",
        )
        .await;
        sprite.rename("a", "b").await.unwrap();
        sprite.rename("b", "new/deep/b").await.unwrap();
        sprite.rename("d", "new/d").await.unwrap();
        sprite.rename("l", "new/l").await.unwrap();
        let seen = output(
            &*bench.sandbox,
            "cat new/deep/b; ls -d new/d/e; readlink new/l; ls",
        )
        .await;
        assert_eq!(seen, "a\nnew/d/e\nnowhere\nnew\n");
        absent(sprite.rename("none", "x").await);
        let text = refused(sprite.rename("new", "new/d/inside").await);
        assert!(text.contains("is inside it"), "{text}");
        output(
            &*bench.sandbox,
            "echo x > file; mkdir -p full; echo x > full/f",
        )
        .await;
        let text = refused(sprite.rename("new", "full").await);
        assert!(text.contains("not empty"), "{text}");
        let text = refused(sprite.rename("file", "full").await);
        assert!(text.contains("is a directory"), "{text}");
    }
}

#[tokio::test]
async fn copies_are_whole_and_links_stay_links() {
    for (_, bench, sprite) in benches().await {
        let script = "mkdir -p d/e; echo x > d/f; chmod 750 d/f d/e; ln -s f d/l; ln -s ../.. d/e/up; mkfifo d/p; \
                      printf old > there";
        output(&*bench.sandbox, script).await;
        sprite.copy("d/f", "there", false).await.unwrap();
        sprite.copy("d/l", "new/l", false).await.unwrap();
        sprite.copy("d", "copy", true).await.unwrap();
        sprite.copy("d", "copy", true).await.unwrap();
        let script = "cat there; stat -c %a there copy/f copy/e; readlink new/l copy/l copy/e/up; ls copy; ls -A | grep tmp; true";
        let seen = output(&*bench.sandbox, script).await;
        assert_eq!(seen, "x\n750\n750\n750\nf\nf\n../..\ne\nf\nl\n");
        let text = refused(sprite.copy("d", "other", false).await);
        assert!(text.contains("copy it recursively"), "{text}");
        for inside in ["d", "d/e/x", "d/l/../e/x"] {
            let refusal = sprite.copy("d", inside, true).await;
            assert!(refusal.is_err(), "{inside}: {refusal:?}");
        }
        let text = refused(sprite.copy("d/f", "./d/f", false).await);
        assert!(text.contains("the same"), "{text}");
        let text = refused(sprite.copy("d/f", "copy", false).await);
        assert!(text.contains("cannot replace each other"), "{text}");
        let text = refused(sprite.copy("d/p", "x", false).await);
        assert!(text.contains("not a regular file"), "{text}");
        absent(sprite.copy("none", "x", true).await);
        assert_eq!(
            output(&*bench.sandbox, "cat d/f; ls").await,
            "x\ncopy\nd\nnew\nthere\n"
        );
    }
}

#[tokio::test]
async fn modes_are_changed_and_links_are_not_followed_on_the_way() {
    for (_, bench, sprite) in benches().await {
        let script =
            "mkdir -p d/e; echo x > d/e/f; echo y > kept; chmod 640 kept; ln -s ../kept d/l";
        output(&*bench.sandbox, script).await;
        sprite.chmod("d", 0o700, true).await.unwrap();
        let seen = output(&*bench.sandbox, "stat -c %a d d/e d/e/f kept").await;
        assert_eq!(seen, "700\n700\n700\n640\n");
        sprite.chmod("d/e", 0, true).await.unwrap();
        sprite.chmod("d/e", 0o755, true).await.unwrap();
        sprite.chmod("d/l", 0o600, false).await.unwrap();
        let seen = output(&*bench.sandbox, "stat -c %a d d/e d/e/f kept").await;
        assert_eq!(seen, "700\n755\n755\n600\n");
        let text = refused(sprite.chmod("d", 0o10000, false).await);
        assert!(text.contains("10000 is no mode"), "{text}");
        absent(sprite.chmod("none", 0o644, false).await);
    }
}

#[tokio::test]
async fn nothing_leads_out_of_the_sandbox() {
    for (tier, bench, sprite) in benches().await {
        if tier == SandboxTier::Plain {
            continue;
        }
        let outside = bench.directory.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("canary"), "secret").unwrap();
        let mode = || fs::metadata(&outside).unwrap().permissions().mode();
        let before = mode();
        let script = format!("ln -s {} out; echo x > file", outside.display());
        output(&*bench.sandbox, &script).await;
        if tier == SandboxTier::Namespaces {
            let path = outside.to_str().unwrap();
            assert!(sprite.chmod(path, 0o777, true).await.is_err());
            assert!(sprite.stat(path).await.is_err());
        }
        let dots = format!("../../../../../../../..{}", outside.display());
        for path in ["out/canary", &format!("{dots}/canary")] {
            assert!(sprite.remove(path, true).await.is_err());
            assert!(sprite.rename(path, "stolen").await.is_err());
            assert!(sprite.copy(path, "stolen", true).await.is_err());
            assert!(sprite.rename("file", path).await.is_err());
            // Where the mounts are the sandbox's own, such a place may be made inside it.
            drop(sprite.copy("file", path, false).await);
        }
        assert!(sprite.remove("out/", true).await.is_ok());
        assert_eq!(mode(), before);
        assert_eq!(fs::read(outside.join("canary")).unwrap(), b"secret");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert!(sprite.write_file("stolen", Bytes::new()).await.is_ok());
    }
}
