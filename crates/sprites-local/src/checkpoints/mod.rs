//! Checkpoints of a sprite's home, kept beside it and out of its sight. Here is the order in which
//! things happen; how contents are kept, numbered and exchanged is in the modules below.

mod archive;
mod clone;
pub(crate) mod shelf;
pub(crate) mod swap;
mod work;

use crate::{computer::LocalComputer, home::Home, host::Inner, quota::size, tree};
use async_trait::async_trait;
use domain::sprite::SpriteKey;
use ports::sandbox::{Checkpoint, Checkpoints, Progress, SandboxError};
use shelf::{Shelf, failed};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, ErrorKind},
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{OwnedMutexGuard, mpsc},
    time::interval,
};
use work::Work;

/// How often somebody who waits hears something; what lies between may close silent connections.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
const ARCHIVE: &str = "home.tar.zst";
const CLONE: &str = "home";

/// What a host has to know to keep checkpoints.
#[derive(Default)]
pub(crate) struct Upkeep {
    /// Held while a sprite's files as a whole are kept, put back or removed.
    sprites: Mutex<HashMap<SpriteKey, Arc<tokio::sync::Mutex<()>>>>,
    /// Whether files are cloned instead of archived; found out at the first checkpoint.
    clones: OnceLock<bool>,
}

impl Upkeep {
    /// Waits until nothing else is done to a sprite's files as a whole, and keeps it so.
    pub(crate) async fn begin(&self, sprite: SpriteKey) -> OwnedMutexGuard<()> {
        let turn = {
            let mut sprites = self.sprites.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sprites.entry(sprite).or_default())
        };
        turn.lock_owned().await
    }
}

#[async_trait]
impl Checkpoints for LocalComputer {
    async fn checkpoint(
        &self,
        comment: Option<String>,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, SandboxError> {
        if !self.inner.home(self.key).files.exists() {
            self.awake().await?;
        }
        let (inner, key) = (Arc::clone(&self.inner), self.key);
        reported(&self.inner, progress, async move |steps| {
            let _turn = inner.upkeep.begin(key).await;
            steps.say("Keeping the files");
            let made = keep(&inner, key, (comment, false), &steps).await?;
            steps.say(format!("Checkpoint {} created", made.id));
            Ok(made)
        })
        .await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, SandboxError> {
        let home = self.inner.home(self.key);
        let all = tokio::task::spawn_blocking(move || Shelf::of(&home.folder).all()).await;
        all.map_err(io::Error::from)
            .and_then(|all| all)
            .map_err(|error| failed(&error))
    }

    async fn restore(&self, id: &str, progress: &dyn Progress) -> Result<(), SandboxError> {
        let (inner, key, id) = (Arc::clone(&self.inner), self.key, id.to_owned());
        reported(&self.inner, progress, async move |steps| {
            let _turn = inner.upkeep.begin(key).await;
            put_back(&inner, key, &id, &steps).await?;
            steps.say(format!("Restored to {id}"));
            Ok(())
        })
        .await
    }

    async fn delete_checkpoint(&self, id: &str) -> Result<(), SandboxError> {
        let (inner, key, id) = (Arc::clone(&self.inner), self.key, id.to_owned());
        reported(&self.inner, &(), async move |steps| {
            let _turn = inner.upkeep.begin(key).await;
            let home = inner.home(key);
            steps
                .blocking(Work::default(), move |_| {
                    let kept = Shelf::of(&home.folder);
                    let found = kept.find(&id)?;
                    kept.remove(&found).map_err(|error| failed(&error))?;
                    inner.ledger.count_checkpoints(key, &home);
                    Ok(())
                })
                .await
        })
        .await
    }
}

/// Makes a checkpoint; the caller has the sprite's turn.
async fn keep(
    inner: &Arc<Inner>,
    key: SpriteKey,
    why: (Option<String>, bool),
    steps: &Steps,
) -> Result<Checkpoint, SandboxError> {
    let (host, home) = (Arc::clone(inner), inner.home(key));
    let work = Work::until(inner.stopping.clone());
    let made = steps.blocking(work, move |work| {
        // Twice what may be written, so that some of it may be holes.
        work.bound(host.ledger.quotas().disk_bytes.saturating_mul(2));
        let shelf = Shelf::of(&home.folder);
        let (comment, automatic) = why;
        if !automatic {
            shelf.admit()?;
        }
        host.ledger
            .measure(key, &home)
            .map_err(|error| failed(&error))?;
        let room = host.ledger.room_for_checkpoint(key)?;
        let clones = *host
            .upkeep
            .clones
            .get_or_init(|| clone::works(&host.root).unwrap_or(false));
        let made = (|| {
            let draft = shelf.draft()?;
            let kept = if clones {
                clone::copy(&home.files, &draft.folder.join(CLONE), room, work)
            } else {
                archive::pack(&home.files, &draft.folder.join(ARCHIVE), room, work)
            };
            let bytes = match kept {
                Ok(bytes) => bytes,
                Err(error) => {
                    tree::remove(&draft.folder)?;
                    return Err(error);
                }
            };
            let now = SystemTime::now().into();
            let made = shelf.keep(draft, (comment, automatic, bytes), now)?;
            shelf.make_room()?;
            Ok(made)
        })();
        host.ledger.count_checkpoints(key, &home);
        made.map_err(|error| failed(&error))
    });
    made.await
}

/// Restores a checkpoint; the caller has the sprite's turn.
async fn put_back(
    inner: &Arc<Inner>,
    key: SpriteKey,
    id: &str,
    steps: &Steps,
) -> Result<(), SandboxError> {
    let home = inner.home(key);
    let found = Shelf::of(&home.folder).find(id)?;
    steps.say(format!("Unpacking and checking {id}"));
    let (host, prepared) = (Arc::clone(inner), home.clone());
    let work = Work::until(inner.stopping.clone());
    let staged = steps.blocking(work, move |work| {
        work.bound(host.ledger.room_for_checkpoint(key)?);
        stage(&prepared, &found, work).map_err(|error| failed(&error))
    });
    staged.await?;
    // From here on nobody wakes it until its home is the other one.
    let mut held = inner.hold(key).await;
    let awake = held.take();
    if let Some(sprite) = &awake {
        steps.say("Ending processes and shells");
        sprite.stop().await;
    }
    steps.say("Keeping the files as they are now");
    let comment = Some(format!("before the restore of {id}"));
    let kept = keep(inner, key, (comment, true), steps).await?;
    steps.say(format!(
        "Checkpoint {} created; exchanging the files",
        kept.id
    ));
    let exchanged = steps.blocking(Work::default(), move |_| {
        swap::exchange(&home.folder).map_err(|error| failed(&error))
    });
    exchanged.await?;
    drop(held);
    if awake.is_some()
        && let Err(error) = inner.awake(key).await
    {
        tracing::warn!(
            tenant.id = %key.tenant_id, agent.id = %key.agent_id, %error,
            "sprite.restored: the files are restored, but the sprite does not wake"
        );
    }
    Ok(())
}

/// Puts the contents of a checkpoint beside the home, whole and safe on disk.
fn stage(home: &Home, checkpoint: &Path, work: &Work) -> io::Result<()> {
    let next = swap::staging(&home.folder);
    tree::remove(&next)?;
    let cloned = checkpoint.join(CLONE);
    let staged = if cloned.exists() {
        clone::copy(&cloned, &next, u64::MAX, work).map(drop)
    } else {
        archive::unpack(&checkpoint.join(ARCHIVE), &next, work)
    };
    let staged = staged.and_then(|()| match home.owner {
        Some(owner) => tree::give(&next, owner),
        None => Ok(()),
    });
    if let Err(error) = staged {
        tree::remove(&next)?;
        return Err(error);
    }
    Ok(nix::unistd::syncfs(&File::open(&next)?)?)
}

fn no_room() -> io::Error {
    let text = "there is no room for the checkpoint; delete another or remove files first";
    io::Error::new(ErrorKind::QuotaExceeded, text)
}

/// Tells of the progress of work that goes on elsewhere.
struct Steps {
    lines: mpsc::UnboundedSender<String>,
}

impl Steps {
    /// Nobody may listen any more; the work goes on.
    fn say(&self, line: impl Into<String>) {
        drop(self.lines.send(line.into()));
    }

    /// Does work that blocks, with a line now and then.
    async fn blocking<T: Send + 'static>(
        &self,
        work: Work,
        step: impl FnOnce(&Work) -> Result<T, SandboxError> + Send + 'static,
    ) -> Result<T, SandboxError> {
        let work = Arc::new(work);
        let done = Arc::clone(&work);
        let mut step = tokio::task::spawn_blocking(move || step(&work));
        let mut ticks = interval(SIGN_OF_LIFE);
        ticks.tick().await;
        loop {
            tokio::select! {
                ended = &mut step => {
                    return ended.map_err(|error| failed(&error.into()))?;
                }
                _ = ticks.tick() => {
                    let (files, bytes) = done.done();
                    self.say(format!("{files} files, {} so far", size(bytes)));
                }
            }
        }
    }
}

/// Does work to its end, also when the caller goes away on the way: half of it would help nobody.
async fn reported<
    T: Send + 'static,
    F: Future<Output = Result<T, SandboxError>> + Send + 'static,
>(
    inner: &Inner,
    progress: &dyn Progress,
    work: impl FnOnce(Steps) -> F,
) -> Result<T, SandboxError> {
    let (lines, mut heard) = mpsc::unbounded_channel();
    let ended = inner.tasks().spawn(work(Steps { lines }));
    while let Some(line) = heard.recv().await {
        progress.line(&line);
    }
    ended.await.map_err(|error| failed(&error.into()))?
}
