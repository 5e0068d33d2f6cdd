//! Files and directories.

use super::{
    Ability, Harness,
    support::{is_missing, noise, output, refused, run},
};
use bytes::Bytes;
use ports::sandbox::{EntryKind, ExecOutcome, Exit, GrepRequest, SandboxError};

const KEPT: fn(i32) -> ExecOutcome = |code| ExecOutcome {
    exit: Exit::Code(code),
    shell_reset: false,
};

/// As a file, as output and back; a limit is kept.
pub async fn fifty_megabytes_pass_unchanged(h: &mut Harness) {
    const SIZE: usize = 50 << 20;
    let all = noise(SIZE);
    h.sprite.write_file("big", all.clone()).await.unwrap();
    let (outcome, kept) = run(h.sprite.as_ref(), "cat big").await;
    assert_eq!(outcome, KEPT(0));
    assert!(*kept.stdout.lock().unwrap() == all);
    assert!(h.sprite.read_file("big", SIZE as u64).await.unwrap() == all);
    let text = refused(h.sprite.read_file("big", 1000).await);
    assert_eq!(
        text,
        "big: the file has 52428800 bytes, more than the 1000 allowed here"
    );
}

/// From those that are something else.
pub async fn files_that_are_not_there_are_told_apart(h: &mut Harness) {
    let missing = h.sprite.read_file("none/at all", 10).await;
    assert!(matches!(missing, Err(SandboxError::NotFound { path }) if path == "none/at all"));
    let missing = h.sprite.list_directory("none").await;
    assert!(matches!(missing, Err(SandboxError::NotFound { .. })));
    h.sprite
        .write_file("a/b/file", Bytes::from_static(b"x"))
        .await
        .unwrap();
    h.sprite.create_directory("a/c/d").await.unwrap();
    h.sprite.create_directory("a/c/d").await.unwrap();
    assert!(refused(h.sprite.read_file("a", 10).await).contains("directory"));
    assert!(refused(h.sprite.write_file("a", Bytes::new()).await).contains("directory"));
    assert!(refused(h.sprite.create_directory("a/b/file").await).contains("file"));
    assert!(refused(h.sprite.list_directory("a/b/file").await).contains("not a directory"));
    output(h.sprite.as_ref(), "ln -s nowhere a/link").await;
    let entries = h.sprite.list_directory("~/a").await.unwrap();
    let listed: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind))
        .collect();
    let expected = [
        ("b", EntryKind::Directory),
        ("c", EntryKind::Directory),
        ("link", EntryKind::Symlink),
    ];
    assert_eq!(listed, expected);
}

/// A link stays one, and its target is written.
pub async fn modes_and_links_survive_a_write(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "echo old > tool; chmod 750 tool; ln -s tool link",
    )
    .await;
    h.sprite
        .write_file("link", Bytes::from_static(b"new\r\n"))
        .await
        .unwrap();
    let seen = output(
        h.sprite.as_ref(),
        "stat -c '%a %F' tool; stat -c %F link; cat tool; ls -A | xargs",
    )
    .await;
    assert_eq!(seen, "750 regular file\nsymbolic link\nnew\r\nlink tool\n");
}

/// `.gitignore` is honoured, hidden files are seen.
pub async fn files_are_found_by_name_and_content(h: &mut Harness) {
    let script = "mkdir -p src/deep .hidden target .git && echo 'fn main() {}' > src/main.rs && echo 'fn Deep() {}' > src/deep/a.rs && echo fn > target/out.rs && echo target > .gitignore && echo fn > .git/x.rs && echo 'fn h' > .hidden/h.rs && echo text > src/b.txt";
    output(h.sprite.as_ref(), script).await;
    let all = h.sprite.glob("", "**/*.rs", 10).await.unwrap();
    assert_eq!(all.items, [".hidden/h.rs", "src/deep/a.rs", "src/main.rs"]);
    let some = h.sprite.glob("src", "*", 2).await.unwrap();
    assert_eq!(
        (some.items, some.truncated),
        (vec!["src/b.txt".into(), "src/deep/".into()], true)
    );
    assert!(refused(h.sprite.glob("", "[", 10).await).contains("bad glob"));
    let mut search = GrepRequest {
        pattern: "fn [a-z]+\\(".into(),
        path: ".".into(),
        glob: Some("src/**".into()),
        ignore_case: true,
        limit: 10,
    };
    let found = h.sprite.grep(search.clone()).await.unwrap();
    let lines: Vec<_> = found
        .items
        .iter()
        .map(|found| (found.path.as_str(), found.line, found.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            ("src/deep/a.rs", 1, "fn Deep() {}"),
            ("src/main.rs", 1, "fn main() {}")
        ]
    );
    search.limit = 1;
    assert!(h.sprite.grep(search.clone()).await.unwrap().truncated);
    search.path = "src/main.rs".into();
    assert_eq!(h.sprite.grep(search.clone()).await.unwrap().items.len(), 1);
    search.pattern = "(".into();
    assert!(refused(h.sprite.grep(search).await).contains("bad pattern"));
}

/// And long lines are cut.
pub async fn binary_files_are_not_searched(h: &mut Harness) {
    h.sprite
        .write_file("bin", Bytes::from_static(b"needle\0\n"))
        .await
        .unwrap();
    let long = [
        "needle".as_bytes(),
        "y".repeat(3 << 20).as_bytes(),
        b"\r\n\xff",
    ]
    .concat();
    h.sprite.write_file("long", long.into()).await.unwrap();
    let search = GrepRequest {
        pattern: "needle".into(),
        path: String::new(),
        glob: None,
        ignore_case: false,
        limit: 10,
    };
    let found = h.sprite.grep(search).await.unwrap();
    let [found] = found.items.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (found.path.as_str(), found.text.chars().count()),
        ("long", 501)
    );
}

/// Spaces, quotes, line ends, characters of four bytes.
pub async fn names_may_hold_anything(h: &mut Harness) {
    for name in [
        "a b",
        "it's",
        "\"q\"",
        "-rf",
        "\u{1f600}",
        "two\nlines",
        "$(touch x)",
        "*",
    ] {
        let path = format!("odd/{name}");
        let content = Bytes::from(name.to_owned());
        h.sprite.write_file(&path, content.clone()).await.unwrap();
        assert_eq!(
            h.sprite.read_file(&path, 100).await.unwrap(),
            content,
            "{name}"
        );
        assert_eq!(
            h.sprite.stat(&path).await.unwrap().bytes,
            content.len() as u64
        );
        h.sprite.remove(&path, false).await.unwrap();
        assert!(is_missing(&h.sprite.stat(&path).await), "{name}");
    }
    assert!(h.sprite.list_directory("odd").await.unwrap().is_empty());
}

/// And is still there.
pub async fn an_empty_directory_holds_nothing(h: &mut Harness) {
    h.sprite.create_directory("empty").await.unwrap();
    assert_eq!(h.sprite.list_directory("empty").await.unwrap(), vec![]);
    assert_eq!(
        h.sprite.stat("empty").await.unwrap().kind,
        EntryKind::Directory
    );
    h.sprite
        .write_file("empty/file", Bytes::new())
        .await
        .unwrap();
    assert_eq!(
        h.sprite.read_file("empty/file", 0).await.unwrap(),
        Bytes::new()
    );
}

/// Of files, directories and links themselves.
pub async fn a_look_tells_kind_size_and_mode(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "mkdir d && chmod 750 d && printf 12345 > d/f && chmod 640 d/f && ln -s f d/l",
    )
    .await;
    let file = h.sprite.stat("d/f").await.unwrap();
    assert_eq!(
        (file.name.as_str(), file.kind, file.bytes, file.mode),
        ("f", EntryKind::File, 5, 0o640)
    );
    let age = chrono::Utc::now() - file.modified_at;
    assert!(age.num_hours().abs() < 24, "{age}");
    let directory = h.sprite.stat("d").await.unwrap();
    assert_eq!(
        (directory.name.as_str(), directory.kind, directory.mode),
        ("d", EntryKind::Directory, 0o750)
    );
    assert_eq!(h.sprite.stat("d/l").await.unwrap().kind, EntryKind::Symlink);
    let listed = h.sprite.list_directory("d").await.unwrap();
    assert_eq!(listed[0].mode, 0o640);
    assert!(is_missing(&h.sprite.stat("d/none").await));
}

/// Links are left alone.
pub async fn modes_are_changed_alone_or_with_all_below(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "mkdir -p d/e && touch d/f d/e/g && chmod 600 d/f d/e/g && ln -s /etc/passwd d/l",
    )
    .await;
    h.sprite.chmod("d/f", 0o755, false).await.unwrap();
    let modes = async |h: &Harness| output(h.sprite.as_ref(), "stat -c %a d/f d/e/g | xargs").await;
    assert_eq!(modes(h).await, "755 600\n");
    h.sprite.chmod("d", 0o711, true).await.unwrap();
    assert_eq!(modes(h).await, "711 711\n");
    assert!(is_missing(&h.sprite.chmod("none", 0o700, false).await));
}

/// And makes the way.
pub async fn a_rename_replaces_what_is_there(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo a > a; echo b > b").await;
    h.sprite.rename("a", "b").await.unwrap();
    assert_eq!(output(h.sprite.as_ref(), "cat b; ls").await, "a\nb\n");
    h.sprite.rename("b", "new/way/c").await.unwrap();
    assert_eq!(output(h.sprite.as_ref(), "cat new/way/c").await, "a\n");
    assert!(is_missing(&h.sprite.rename("none", "x").await));
}

/// A directory needs to be asked for.
pub async fn copies_keep_links_and_modes(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "mkdir -p d/e && echo x > d/e/f && chmod 750 d/e/f && ln -s e/f d/l",
    )
    .await;
    h.sprite.copy("d/e/f", "one/f", false).await.unwrap();
    refused(h.sprite.copy("d", "two", false).await);
    h.sprite.copy("d", "two", true).await.unwrap();
    let seen = "cat one/f two/e/f two/l; stat -c %a one/f two/e/f; readlink two/l";
    assert_eq!(
        output(h.sprite.as_ref(), seen).await,
        "x\nx\nx\n750\n750\ne/f\n"
    );
    assert!(is_missing(&h.sprite.copy("none", "x", true).await));
}

/// A link to a directory is removed, not what it points to.
pub async fn only_a_recursive_removal_takes_what_is_inside(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "mkdir -p d/e keep && touch d/e/f keep/f && ln -s ../keep d/l",
    )
    .await;
    refused(h.sprite.remove("d", false).await);
    h.sprite.remove("d", true).await.unwrap();
    assert_eq!(output(h.sprite.as_ref(), "ls; ls keep").await, "keep\nf\n");
    h.sprite.remove("keep/f", false).await.unwrap();
    h.sprite.remove("keep", false).await.unwrap();
    assert!(is_missing(&h.sprite.remove("keep", true).await));
}

/// However many there are.
pub async fn dots_do_not_lead_out(h: &mut Harness) {
    let up = "../".repeat(40);
    let seen = h
        .sprite
        .read_file(&format!("{up}etc/passwd"), 1 << 20)
        .await;
    let inside = output(h.sprite.as_ref(), "cat /etc/passwd").await;
    assert_eq!(seen.unwrap(), inside);
    if h.place.can(Ability::Walls) {
        let write = h
            .sprite
            .write_file(&format!("{up}etc/nitejar-was-here"), Bytes::new())
            .await;
        assert!(write.is_err());
        let shadow = h
            .sprite
            .read_file(&format!("{up}etc/shadow"), 1 << 20)
            .await;
        assert!(shadow.is_err());
        assert!(
            h.sprite
                .remove(&format!("{up}usr/bin/env"), false)
                .await
                .is_err()
        );
    }
}

/// The link is what is inside; what it points to is looked up inside too.
pub async fn links_do_not_lead_out(h: &mut Harness) {
    if !h.place.can(Ability::Walls) {
        return;
    }
    output(
        h.sprite.as_ref(),
        "ln -s /root root; ln -s / top; ln -s /proc/1/root proc; ln -s /etc/shadow shadow",
    )
    .await;
    for path in [
        "root/.bashrc",
        "top/root/.profile",
        "proc/root/.bashrc",
        "shadow",
    ] {
        let read = h.sprite.read_file(path, 1 << 20).await;
        assert!(read.is_err(), "{path} was read");
    }
    for path in ["root/x", "top/x", "top/usr/x", "proc/usr/x"] {
        let written = h.sprite.write_file(path, Bytes::new()).await;
        assert!(written.is_err(), "{path} was written");
        let copied = h.sprite.copy("shadow", path, false).await;
        assert!(copied.is_err(), "{path} was copied to");
    }
    h.sprite.remove("shadow", false).await.unwrap();
    h.sprite.remove("top", true).await.unwrap();
    assert!(h.sprite.stat("/usr/bin/env").await.is_ok());
}
