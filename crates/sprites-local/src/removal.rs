//! Removes sprites for good: first out of sight, at once and whole, then from the disk, which takes
//! as long as it takes. What a crash left on the way is removed at the next start.

use crate::{host::Inner, services, tree};
use domain::sprite::SpriteKey;
use ports::sandbox::SandboxError;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

impl Inner {
    /// Ends a sprite and removes all of it. The caller may go away on the way.
    pub(crate) async fn remove(self: &Arc<Self>, sprite: SpriteKey) -> Result<(), SandboxError> {
        let inner = Arc::clone(self);
        let removing = self.tasks().spawn(async move {
            let _turn = inner.upkeep.begin(sprite).await;
            services::forget(&inner, sprite).await;
            let doomed = {
                let mut held = inner.hold(sprite).await;
                if let Some(awake) = held.take() {
                    awake.stop().await;
                }
                inner.hubs.forget(sprite);
                let (root, folder) = (inner.root.clone(), inner.home(sprite).folder);
                tokio::task::spawn_blocking(move || throw_away(&root, &folder)).await??
            };
            inner.ledger.forget(sprite);
            let Some(doomed) = doomed else {
                return Ok(());
            };
            tracing::info!(
                tenant.id = %sprite.tenant_id, agent.id = %sprite.agent_id,
                "sprite.destroyed: the sandbox and its files are gone"
            );
            tokio::task::spawn_blocking(move || tree::remove(&doomed)).await?
        });
        removing
            .await
            .map_err(io::Error::from)
            .and_then(|removed| removed)
            .map_err(|error| {
                SandboxError::Refused(format!("the sprite's files cannot be removed: {error}"))
            })
    }
}

/// Moves a folder to the trash; where it is then. One that is not there is fine.
fn throw_away(root: &Path, folder: &Path) -> io::Result<Option<PathBuf>> {
    let trash = trash(root);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&trash)?;
    // The same sprite may be made and destroyed again while this one is still being removed.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(io::Error::other)?.as_nanos();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let doomed = trash.join(format!("{name}.{now}"));
    match fs::rename(folder, &doomed) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        renamed => renamed?,
    }
    File::open(&trash)?.sync_all()?;
    Ok(Some(doomed))
}

/// Removes what is in the trash; what cannot be removed is told.
pub(crate) fn empty_trash(root: &Path) {
    for doomed in fs::read_dir(trash(root)).into_iter().flatten().flatten() {
        if let Err(error) = tree::remove(&doomed.path()) {
            let path = doomed.path();
            let path = path.display();
            tracing::warn!(%error, %path, "sprite.trash: a destroyed sprite's files stay on the disk");
        }
    }
}

fn trash(root: &Path) -> PathBuf {
    root.join(".trash")
}
