//! Hosts and helpers for the tests.

use domain::{
    id::{AgentId, TenantId},
    sprite::{SandboxTier, SpriteKey},
};
use ports::sandbox::{Sandbox, SandboxHost};
use sprites_local::{LocalHost, LocalSettings, StartError};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
pub(crate) use test_kit::sandbox::support::{
    Kept, SHELL, nap, output, refused, request, run, shell,
};

pub(crate) const TENANT: u128 = 7;

/// A host in a directory of its own.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) host: LocalHost,
    pub(crate) sandbox: Arc<dyn Sandbox>,
}

pub(crate) fn settings(root: &Path, tier: SandboxTier) -> LocalSettings {
    let supervisor = env!("CARGO_BIN_EXE_nitejar-supervisor").into();
    LocalSettings {
        min_tier: SandboxTier::Plain,
        force_tier: Some(tier),
        ..LocalSettings::new(root.join("sprites"), vec![supervisor])
    }
}

/// A host with one sprite awake, or `None` where the tier cannot be had.
pub(crate) async fn bench(tier: SandboxTier) -> Option<Bench> {
    bench_with(tier, |settings| settings).await
}

pub(crate) async fn bench_with(
    tier: SandboxTier,
    change: impl FnOnce(LocalSettings) -> LocalSettings,
) -> Option<Bench> {
    let directory = tempfile::tempdir().unwrap();
    let host = match LocalHost::start(change(settings(directory.path(), tier))).await {
        Ok(host) => host,
        Err(StartError::TierMissing { reasons, .. }) => {
            assert!(!required(tier), "{tier} is required: {reasons:?}");
            return None;
        }
        Err(error) => panic!("{error:?}"),
    };
    let sandbox = host.open(sprite(1)).await.unwrap();
    Some(Bench {
        directory,
        host,
        sandbox,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says what must be there"
)]
pub(crate) fn required(tier: SandboxTier) -> bool {
    let all = std::env::var("SANDBOX_REQUIRE").unwrap_or_default();
    all.split(',').any(|word| word == tier.as_str())
}

pub(crate) fn sprite(agent: u128) -> SpriteKey {
    SpriteKey {
        tenant_id: TenantId::from_uuid(uuid::Uuid::from_u128(TENANT)),
        agent_id: AgentId::from_uuid(uuid::Uuid::from_u128(agent)),
    }
}
