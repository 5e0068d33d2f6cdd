//! Finding files by name and content.

use crate::support::{Bench, bench, output, refused};
use ports::sandbox::{Found, GrepMatch, GrepRequest};

fn search(pattern: &str) -> GrepRequest {
    GrepRequest {
        pattern: pattern.into(),
        path: String::new(),
        glob: None,
        ignore_case: false,
        limit: 100,
    }
}

async fn prepared() -> Bench {
    let bench = bench().await;
    let script = "mkdir -p src/deep .hidden target .git/info && echo 'fn main() {}' > src/main.rs && echo 'fn Deep() {}' > src/deep/a.rs && echo fn > target/out.rs && echo target > .gitignore && echo fn > .git/x.rs && echo 'fn h' > .hidden/h.rs && echo text > src/b.txt && echo '*.bak' > .git/info/exclude && echo 'fn old' > src/x.bak";
    output(&*bench.sprite, script).await;
    bench
}

fn lines(found: &Found<GrepMatch>) -> Vec<(&str, u64, &str)> {
    let lines = found.items.iter();
    lines
        .map(|it| (it.path.as_str(), it.line, it.text.as_str()))
        .collect()
}

#[tokio::test]
async fn files_are_found_by_name() {
    let bench = prepared().await;
    let sprite = &bench.sprite;
    let all = sprite.glob("", "**/*.rs", 10).await.unwrap();
    assert_eq!(all.items, [".hidden/h.rs", "src/deep/a.rs", "src/main.rs"]);
    let some = sprite.glob("src", "*", 2).await.unwrap();
    assert_eq!(
        (some.items, some.truncated),
        (vec!["src/b.txt".into(), "src/deep/".into()], true)
    );
    // The rules above a directory hold in it.
    let below = sprite.glob("src/", "*", 10).await.unwrap();
    assert_eq!(below.items, ["src/b.txt", "src/deep/", "src/main.rs"]);
    assert!(refused(sprite.glob("", "[", 10).await).contains("bad glob"));
    assert_eq!(
        refused(sprite.glob("src/b.txt", "*", 10).await),
        "src/b.txt: not a directory"
    );
    assert!(sprite.glob("none", "*", 10).await.is_err());
}

#[tokio::test]
async fn lines_are_found_by_content() {
    let bench = prepared().await;
    let sprite = &bench.sprite;
    let mut wanted = search(r"fn [a-z]+\(");
    wanted.path = ".".into();
    wanted.glob = Some("src/**".into());
    wanted.ignore_case = true;
    let found = sprite.grep(wanted.clone()).await.unwrap();
    let expected = [
        ("src/deep/a.rs", 1, "fn Deep() {}"),
        ("src/main.rs", 1, "fn main() {}"),
    ];
    assert_eq!(
        (lines(&found).as_slice(), found.truncated),
        (expected.as_slice(), false)
    );
    wanted.limit = 1;
    assert!(sprite.grep(wanted.clone()).await.unwrap().truncated);
    wanted.path = "src/main.rs".into();
    let found = sprite.grep(wanted).await.unwrap();
    assert_eq!(lines(&found), [("src/main.rs", 1, "fn main() {}")]);
    assert!(refused(sprite.grep(search("(")).await).contains("bad pattern"));
    assert_eq!(
        sprite.grep(search("nowhere at all")).await.unwrap().items,
        []
    );
    assert_eq!(
        sprite.grep(search(r"^\w+ h$")).await.unwrap().items.len(),
        1
    );
}

#[tokio::test]
async fn odd_files_are_searched_and_binary_ones_are_not() {
    let bench = bench().await;
    let sprite = &bench.sprite;
    let odd = "-n it's\n \u{e9}";
    let long = [
        "needle".as_bytes(),
        "y".repeat(3 << 20).as_bytes(),
        b"\r\nneedle\xff\r\n",
    ]
    .concat();
    sprite.write_file("bin", "needle\0\n".into()).await.unwrap();
    sprite.write_file(odd, long.into()).await.unwrap();
    output(
        &**sprite,
        "ln odd* hard 2>/dev/null; ln -- -n* hard; ln -s hard soft",
    )
    .await;
    let found = sprite.grep(search("ne+dle")).await.unwrap();
    let shown: Vec<_> = found
        .items
        .iter()
        .map(|it| (it.path.as_str(), it.line))
        .collect();
    assert_eq!(shown, [(odd, 1), (odd, 2), ("hard", 1), ("hard", 2)]);
    assert_eq!(found.items[0].text.chars().count(), 501);
    assert_eq!(found.items[1].text, "needle\u{fffd}");
    let mut through = search("needle");
    through.path = "soft".into();
    assert_eq!(sprite.grep(through).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn many_files_are_searched() {
    let bench = bench().await;
    let sprite = &bench.sprite;
    output(
        &**sprite,
        "mkdir m; cd m; for i in {1..5000}; do echo \"line $i\" > \"file $i\"; done",
    )
    .await;
    let found = sprite.grep(search(r"[a-z]+ \d*77$")).await.unwrap();
    assert_eq!(found.items.len(), 50);
}
