//! Shipped migrations never change: databases out there have run them.

use ring::digest::{SHA256, digest};
use std::path::Path;

/// Every file of the history with the hash it shipped with. Add a line for a new file; never change one.
const SHIPPED: &[(&str, &str)] = &[
    (
        "columns.rs",
        "8e2567adfc3464c9950fe84c2110220f15d58cf53c23aac8b418d9f321aaee94",
    ),
    (
        "m20260101_000001_access.rs",
        "4b954f8f651a5772a62a98b1d37d09e926f33ee96ca9b5af35a0ebb00243bbcd",
    ),
    (
        "m20260101_000002_catalog.rs",
        "9af81606ff7c8f28de829d3e7af3641aa1addb127f15279f97d32ee0e9649dd7",
    ),
    (
        "m20260101_000003_inbound.rs",
        "e0d329d8b3afca420728b15fe026d900a5ecf653620f5e7e7854a66115ef4485",
    ),
    (
        "m20260101_000004_lanes.rs",
        "8c9ccc71b5c95e22f7894711105524c5b805c58a899cab8f1aa0a57fa1c6deac",
    ),
    (
        "m20260101_000005_jobs.rs",
        "885069ca4ed7e4f645dd175cd1e9b848eac972db7b96f04e46de4ff32af0db06",
    ),
    (
        "m20260101_000006_entries.rs",
        "8884cd31c5762d7c179c1f81ca1f1a9c9d18f1bf5fe17bc9728a301eb2ec4ba1",
    ),
    (
        "m20260101_000007_effects.rs",
        "d98357f611bc44636752ebcd314063927e3c19796c63745ea0e0dfcbadf5ccf0",
    ),
    (
        "m20260101_000008_money.rs",
        "79b2a20c861af9e7bb6fc251a0bf1a7b33a1635941cc7502ac6e8c08ed9dc47e",
    ),
    (
        "m20261123_000009_guards.rs",
        "ada872a1ba65c80c8888bc9dd2eb52bc606879b3c979c78e18dcd794b6125853",
    ),
    (
        "m20261123_000010_row_level_security.rs",
        "000221e35f4c4ea046c87b8cc6c7883992aa414c55d1f3f9673747a14663f308",
    ),
    (
        "m20261123_000011_retention.rs",
        "265b11ca67cc2b6e906d0bb84d59a46d04d5c6e7e1e927d22908cd1fd8cbeef1",
    ),
    (
        "m20261123_000012_idempotency_holder.rs",
        "6763704accb348a260fc18f25ca8c2d88aa8de27fc86db91204fcfc497ef2124",
    ),
    (
        "m20261123_000013_shell_instance.rs",
        "2e1bf9aedc22bc09c7ce620135ad2531dbfb4cb4363c22f2850a3bfe535167c1",
    ),
    (
        "m20261123_000014_background_processes.rs",
        "a823c62753390b5a48d703ea59ad2d61499bca189d64ac6174364845bac48486",
    ),
    (
        "m20261123_000015_access.rs",
        "ec6baf7068003f4d4d701059962c5914aa6bc423fa1e9c2fbbea27c365b2dd3c",
    ),
    (
        "m20261123_000016_audit.rs",
        "7c56d3f9dd38c7ef2baf4bacb6a9428ba38d0f4b35411288c06a475c30f1bfe1",
    ),
    (
        "m20261123_000017_approvals.rs",
        "7d744e37df173d046f7757e26da106945fd5141a6ad83335e24f7de93f8a7b9e",
    ),
    (
        "m20261123_000018_providers.rs",
        "1d468a635671d0e4f858a482efbf8230780f2267eb2e72cc380fc54ffbd724be",
    ),
    (
        "m20261123_000019_web_channel.rs",
        "4b081289b0cb81f44b4aa071bc75b5e7431a4ce6195835cce221204b728a3e42",
    ),
    (
        "m20261123_000020_read_models.rs",
        "79e7957ae0b1c6749c5216310ce097002b2c4aeac04b53825f61fff4c25376de",
    ),
    (
        "m20261123_000021_agent_approvers.rs",
        "e0dfff7ff138b24a3f1b112972804497157ae52c0e1e5c8eaa4dda44295748ce",
    ),
];

#[test]
fn shipped_files_have_not_changed() {
    // Tests run in the root of their package, wherever they were built.
    let source = Path::new("src");
    let mut files: Vec<String> = std::fs::read_dir(source)
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
