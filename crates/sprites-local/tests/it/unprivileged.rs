//! The same as a server that is not root, and as root with users for sprites. Both need programs
//! where such a user can get at them, so they are copied.

use crate::support::{output, required, settings, sprite};
use domain::sprite::{NetworkPolicy, SandboxTier};
use ports::sandbox::SandboxHost as _;
use sprites_local::{LocalHost, LocalSettings, StartError};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
};

const USER: u32 = 20_001;

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn under_root_a_sprite_has_a_user_of_its_own() {
    if !is_root() {
        return;
    }
    // As the server does: what it makes is its own unless it says otherwise.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    for tier in [SandboxTier::Namespaces, SandboxTier::Landlock] {
        let directory = tempfile::tempdir().unwrap();
        open_to_all(directory.path());
        let supervisor = directory.path().join("supervisor");
        fs::copy(env!("CARGO_BIN_EXE_nitejar-supervisor"), &supervisor).unwrap();
        open_to_all(&supervisor);
        let settings = LocalSettings {
            supervisor: vec![supervisor.into()],
            ..settings(directory.path(), tier)
        };
        let host = match LocalHost::start(settings).await {
            Ok(host) => host,
            Err(StartError::TierMissing { reasons, .. }) => {
                assert!(!required(tier), "{reasons:?}");
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        let sandbox = host.open(sprite(1)).await.unwrap();
        // A record of a sprite that was never awake, and then the sprite.
        let policy = NetworkPolicy::default();
        let computer = host.sprite(sprite(1));
        computer.set_network_policy(policy).await.unwrap();
        output(&*sandbox, "echo x > file; cat file").await;
        let key = sprite(1);
        let home = directory.path().join("sprites");
        let home = home
            .join(key.tenant_id.to_string())
            .join(key.agent_id.to_string());
        assert_eq!(
            fs::metadata(home.join("home/file")).unwrap().uid(),
            USER,
            "{tier}"
        );
    }
}

#[test]
fn the_tiers_work_without_root() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    open_to_all(directory.path());
    let program = directory.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let supervisor = directory.path().join("supervisor");
    fs::copy(env!("CARGO_BIN_EXE_nitejar-supervisor"), &supervisor).unwrap();
    open_to_all(&supervisor);
    open_to_all(&program);
    let work = directory.path().join("work");
    fs::create_dir(&work).unwrap();
    std::os::unix::fs::chown(&work, Some(USER), Some(USER)).unwrap();
    let user = USER.to_string();
    let output = Command::new("setpriv")
        .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
        .arg(&program)
        .args([
            "--exact",
            "--ignored",
            "unprivileged::tiers_of_an_ordinary_user",
        ])
        .env("TMPDIR", &work)
        .current_dir(&work)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Run by the test above, as another user.
#[tokio::test]
#[ignore = "run by another test as another user"]
async fn tiers_of_an_ordinary_user() {
    let beside = std::env::current_exe()
        .unwrap()
        .with_file_name("supervisor");
    for tier in SandboxTier::ALL {
        let beside = beside.clone();
        let change = |settings| LocalSettings {
            supervisor: vec![beside.into()],
            ..settings
        };
        let Some(bench) = crate::support::bench_with(*tier, change).await else {
            continue;
        };
        assert_eq!(
            output(&*bench.sandbox, "echo $((1 + 1)) > f; cat f").await,
            "2\n"
        );
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
