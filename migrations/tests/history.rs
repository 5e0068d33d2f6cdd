//! Shipped migrations never change: databases out there have run them.

use ring::digest::{SHA256, digest};
use std::path::Path;

/// Every file of the history with the hash it shipped with. Add a line for a new file; never change one.
const SHIPPED: &[(&str, &str)] = &[
    ("columns.rs", ""),
    ("m20260101_000001_access.rs", ""),
    ("m20260101_000002_catalog.rs", ""),
    ("m20260101_000003_inbound.rs", ""),
    ("m20260101_000004_lanes.rs", ""),
    ("m20260101_000005_jobs.rs", ""),
    ("m20260101_000006_entries.rs", ""),
    ("m20260101_000007_effects.rs", ""),
    ("m20260101_000008_money.rs", ""),
];

#[test]
fn shipped_files_have_not_changed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<String> = std::fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lib.rs")
        .collect();
    files.sort();
    let found: Vec<(String, String)> = files
        .into_iter()
        .map(|name| {
            let content = std::fs::read(source.join(&name)).unwrap();
            let hash = hex::encode(digest(&SHA256, &content));
            (name, hash)
        })
        .collect();
    let shipped: Vec<(String, String)> = SHIPPED
        .iter()
        .map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned()))
        .collect();
    assert_eq!(
        found, shipped,
        "a shipped migration was changed: undo that and write a new one"
    );
}
