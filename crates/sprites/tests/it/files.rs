//! Files, small and large.

use crate::machine::Habit;
use crate::support::{bench, output, refused};
use bytes::Bytes;
use ports::sandbox::{EntryKind, SandboxError};
use std::os::unix::fs::PermissionsExt;

fn bytes(length: usize) -> Bytes {
    (0..=255).cycle().take(length).collect()
}

#[tokio::test]
async fn files_are_written_and_read_unchanged() {
    let bench = bench().await;
    // The last two do not fit into one request.
    for length in [0, 1, 100_000, 16 << 20, (16 << 20) + 1, 50 << 20] {
        let content = bytes(length);
        bench
            .sprite
            .write_file("a/b/file", content.clone())
            .await
            .unwrap();
        let read = bench
            .sprite
            .read_file("~/a/b/file", 50 << 20)
            .await
            .unwrap();
        assert!(read == content, "{length}");
    }
    assert_eq!(bench.machine.kept.lock().unwrap().started.len(), 2);
    let left = std::fs::read_dir(bench.machine.home().join("a/b")).unwrap();
    assert_eq!(left.count(), 1);
}

#[tokio::test]
async fn files_that_are_too_large_are_refused_with_their_size() {
    for no_length in [false, true] {
        let bench = bench().await;
        bench
            .machine
            .behave(|it| it.habits.extend(no_length.then_some(Habit::NoLength)));
        bench.sprite.write_file("big", bytes(5000)).await.unwrap();
        let text = refused(bench.sprite.read_file("big", 1000).await);
        assert_eq!(
            text,
            "big: the file has 5000 bytes, more than the 1000 allowed here"
        );
        bench.sprite.read_file("big", 5000).await.unwrap();
    }
}

#[tokio::test]
async fn large_files_keep_modes_and_links() {
    let bench = bench().await;
    let home = bench.machine.home();
    let odd = "it's \"odd\" -n\n$x";
    std::fs::write(home.join(odd), "old").unwrap();
    std::fs::set_permissions(home.join(odd), PermissionsExt::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink(odd, home.join("link")).unwrap();
    let content = bytes((16 << 20) + 5);
    bench
        .sprite
        .write_file("link", content.clone())
        .await
        .unwrap();
    assert!(home.join("link").is_symlink());
    assert!(std::fs::read(home.join(odd)).unwrap() == content);
    let mode = std::fs::metadata(home.join(odd))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o750);
    std::fs::create_dir(home.join("folder")).unwrap();
    let text = refused(bench.sprite.write_file("folder", content).await);
    assert_eq!(text, "folder: it is a directory");
}

#[tokio::test]
async fn what_is_there_and_what_is_not_is_told_apart() {
    let bench = bench().await;
    let sprite = &bench.sprite;
    let missing = sprite.read_file("none/at all", 10).await;
    assert!(matches!(missing, Err(SandboxError::NotFound { path }) if path == "none/at all"));
    let missing = sprite.list_directory("none").await;
    assert!(matches!(missing, Err(SandboxError::NotFound { .. })));
    sprite.write_file("a/b/file", "xyz".into()).await.unwrap();
    sprite.create_directory("a/c/-d").await.unwrap();
    sprite.create_directory("a/c/-d").await.unwrap();
    assert_eq!(
        refused(sprite.read_file("a", 10).await),
        "a: it is a directory"
    );
    let text = refused(sprite.create_directory("a/b/file").await);
    assert_eq!(text, "a/b/file: it exists already and is not a directory");
    let text = refused(sprite.create_directory("a/b/file/x").await);
    assert_eq!(text, "a/b/file/x: a part of the path is not a directory");
    assert_eq!(
        refused(sprite.list_directory("a/b/file").await),
        "a/b/file: not a directory"
    );
    // A directory that holds one file of its own name is still one.
    sprite.write_file("same/same", Bytes::new()).await.unwrap();
    assert_eq!(sprite.list_directory("same").await.unwrap().len(), 1);
    output(&**sprite, "ln -s nowhere a/link; chmod 640 a/b/file").await;
    let entries = sprite.list_directory("~/a").await.unwrap();
    let listed: Vec<_> = entries
        .iter()
        .map(|it| (it.name.as_str(), it.kind))
        .collect();
    let expected = [
        ("b", EntryKind::Directory),
        ("c", EntryKind::Directory),
        ("link", EntryKind::Symlink),
    ];
    assert_eq!(listed, expected);
    let file = sprite.stat("a/c/../b/file").await.unwrap();
    assert_eq!(
        (file.kind, file.bytes, file.mode),
        (EntryKind::File, 3, 0o640)
    );
    assert_eq!(sprite.stat("a/").await.unwrap().kind, EntryKind::Directory);
    assert_eq!(
        sprite.stat("a/link").await.unwrap().kind,
        EntryKind::Symlink
    );
    assert_eq!(sprite.stat("/").await.unwrap().kind, EntryKind::Directory);
    for path in ["a/none", "none/none"] {
        let missing = sprite.stat(path).await;
        assert!(matches!(missing, Err(SandboxError::NotFound { path: it }) if it == path));
    }
    assert_eq!(
        refused(sprite.remove("a", false).await),
        "a: the directory is not empty"
    );
    sprite.remove("a", true).await.unwrap();
    assert!(matches!(
        sprite.remove("a", true).await,
        Err(SandboxError::NotFound { .. })
    ));
}
