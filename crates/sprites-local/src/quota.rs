//! How much disk sprites take, and what follows from it. Nobody can ask the kernel to hold a sprite
//! to its quota everywhere, so what it takes is measured again and again while it is awake, and once
//! it is over, files may not grow any more. This module measures and decides; the supervisor carries
//! it out.

use crate::{
    checkpoints::shelf,
    home::Home,
    protocol::Request,
    settings::Quotas,
    sprite::LocalSprite,
    tree::{self, Entry, Visitor},
};
use domain::{id::TenantId, sprite::SpriteKey};
use nix::sys::statvfs::statvfs;
use ports::sandbox::SandboxError;
use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

/// Measuring may take one part in so many of the time.
const SHARE: u32 = 20;
/// Less than this the host's free disk changes by whatever else goes on.
const NOTED: u64 = 16 << 20;
/// What a full sprite may grow by, say for directories, before what runs in it is killed again.
const SLACK: u64 = 64 << 10;

/// What the sprites of this host take.
pub(crate) struct Ledger {
    root: PathBuf,
    quotas: Quotas,
    taken: Mutex<Taken>,
    /// One measures at a time, so that many sprites do not take more than one.
    turn: Semaphore,
}

#[derive(Default)]
struct Taken {
    sprites: HashMap<SpriteKey, Bytes>,
    /// Those of whom all sprites are in the ledger.
    tenants: HashSet<TenantId>,
}

#[derive(Clone, Copy, Default)]
struct Bytes {
    files: u64,
    checkpoints: u64,
}

/// What a sprite that is awake may still write.
pub(crate) struct Disk {
    state: Mutex<Room>,
}

#[derive(Clone)]
struct Room {
    bytes: u64,
    /// Why there is none.
    full: Option<String>,
}

impl Default for Disk {
    /// Nothing is known yet.
    fn default() -> Self {
        let state = Mutex::new(Room {
            bytes: u64::MAX,
            full: None,
        });
        Self { state }
    }
}

impl Disk {
    /// Whether so many bytes may be written; if so they count.
    pub(crate) fn admit(&self, bytes: usize) -> Result<(), SandboxError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut room = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &room.full {
            return Err(exhausted(reason.clone()));
        }
        let Some(left) = room.bytes.checked_sub(bytes) else {
            let (needed, left) = (size(bytes), size(room.bytes));
            let text = format!("{needed} do not fit: {left} of disk are left; remove files first");
            return Err(exhausted(text));
        };
        room.bytes = left;
        Ok(())
    }
}

impl Ledger {
    pub(crate) fn new(root: PathBuf, quotas: Quotas) -> Arc<Self> {
        Arc::new(Self {
            root,
            quotas,
            taken: Mutex::default(),
            turn: Semaphore::new(1),
        })
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// Whether one more sprite may be made. Blocks for a moment.
    pub(crate) fn admit_sprite(&self, sprite: SpriteKey) -> Result<(), SandboxError> {
        let limit = self.quotas.tenant_sprites;
        let tenant = self.root.join(sprite.tenant_id.to_string());
        let count = fs::read_dir(tenant).map_or(0, Iterator::count);
        if count < limit {
            return Ok(());
        }
        let text = format!("there are {count} sprites of the {limit} allowed; destroy one first");
        Err(exhausted(text))
    }

    /// How much more checkpoints may take. Blocks, at the first time for long.
    pub(crate) fn room_for_checkpoint(&self, sprite: SpriteKey) -> Result<u64, SandboxError> {
        self.learn(sprite.tenant_id);
        let tenant = self.tenant_room(sprite.tenant_id)?;
        Ok(tenant.min(self.host_room()?))
    }

    /// Measures a sprite's files. Blocks.
    pub(crate) fn measure(&self, sprite: SpriteKey, home: &Home) -> io::Result<Option<u64>> {
        let files = measured(home)?;
        if let Some(files) = files {
            self.taken().sprites.entry(sprite).or_default().files = files;
        }
        Ok(files)
    }

    /// Counts a sprite's checkpoints. Blocks for a moment.
    pub(crate) fn count_checkpoints(&self, sprite: SpriteKey, home: &Home) {
        let checkpoints = shelf::bytes(&home.folder);
        self.taken().sprites.entry(sprite).or_default().checkpoints = checkpoints;
    }

    pub(crate) fn forget(&self, sprite: SpriteKey) {
        self.taken().sprites.remove(&sprite);
    }

    /// Watches a sprite for as long as it is awake.
    pub(crate) async fn watch(self: Arc<Self>, key: SpriteKey, home: Home, on: Weak<LocalSprite>) {
        let mut watched = Watched {
            key,
            home,
            least: None,
            told: None,
        };
        while on.upgrade().is_some_and(|sprite| sprite.is_awake()) {
            let begun = Instant::now();
            let Ok(turn) = self.turn.acquire().await else {
                return;
            };
            let (ledger, before) = (Arc::clone(&self), watched);
            let looked = tokio::task::spawn_blocking(move || ledger.look(before)).await;
            drop(turn);
            let Ok((after, room, kill)) = looked else {
                return;
            };
            watched = after;
            let pause = (begun.elapsed() * SHARE).max(self.quotas.pause);
            if let Some(sprite) = on.upgrade() {
                watched.apply(&sprite, &room, kill).await;
            }
            self.wait(pause, room.bytes).await;
        }
    }

    /// Waits so long, or until so much is gone that it may be the sprite's doing.
    async fn wait(&self, pause: std::time::Duration, room: u64) {
        let room = room.max(NOTED);
        let (begun, free) = (Instant::now(), free(&self.root).unwrap_or(0));
        while begun.elapsed() < pause {
            sleep(self.quotas.pause.min(pause)).await;
            let now = self::free(&self.root).unwrap_or(0);
            if now.saturating_add(room) < free {
                return;
            }
        }
    }

    fn look(&self, mut watched: Watched) -> (Watched, Room, bool) {
        let (key, measured) = (watched.key, self.measure(watched.key, &watched.home));
        let files = measured.as_ref().ok().copied().flatten().unwrap_or(0);
        let room = match &measured {
            Err(error) => Err(exhausted(format!(
                "the sprite's files cannot be measured: {error}"
            ))),
            Ok(_) => self.room(key, files),
        };
        let room = match room {
            Ok(bytes) => Room { bytes, full: None },
            Err(error) => Room {
                bytes: 0,
                full: Some(error.to_string()),
            },
        };
        if room.full.is_none() {
            watched.least = None;
            // Slow the first time; until then the sprite's own quota holds.
            self.learn(key.tenant_id);
            return (watched, room, false);
        }
        let kill = match watched.least {
            // Who is not to blame, and does not grow either, is left alone.
            None => files >= self.quotas.disk_bytes || measured.is_err(),
            Some(least) => files > least.saturating_add(SLACK),
        };
        // What was written while it was being killed counts from the next look on.
        let least = watched.least.filter(|_| !kill);
        let most = if kill { u64::MAX } else { files };
        watched.least = Some(least.unwrap_or(most).min(most));
        (watched, room, kill)
    }

    fn room(&self, sprite: SpriteKey, files: u64) -> Result<u64, SandboxError> {
        let limit = self.quotas.disk_bytes;
        let Some(own) = limit.checked_sub(files).filter(|left| *left > 0) else {
            let (taken, limit) = (size(files), size(limit));
            let text =
                format!("the disk is full: files take {taken} of {limit}; remove some first");
            return Err(exhausted(text));
        };
        let tenant = self.tenant_room(sprite.tenant_id)?;
        Ok(own.min(tenant).min(self.host_room()?))
    }

    fn tenant_room(&self, tenant: TenantId) -> Result<u64, SandboxError> {
        let taken: u64 = self
            .taken()
            .sprites
            .iter()
            .filter(|(sprite, _)| sprite.tenant_id == tenant)
            .map(|(_, bytes)| bytes.files + bytes.checkpoints)
            .sum();
        let limit = self.quotas.tenant_disk_bytes;
        limit
            .checked_sub(taken)
            .filter(|left| *left > 0)
            .ok_or_else(|| {
                let (taken, limit) = (size(taken), size(limit));
                exhausted(format!(
                    "all sprites together, with their checkpoints, take {taken} of {limit}; remove \
                     files, checkpoints or sprites first"
                ))
            })
    }

    fn host_room(&self) -> Result<u64, SandboxError> {
        let free = free(&self.root).map_err(|error| exhausted(error.to_string()))?;
        let least = self.quotas.free_bytes;
        free.checked_sub(least)
            .filter(|left| *left > 0)
            .ok_or_else(|| {
                let (free, least) = (size(free), size(least));
                exhausted(format!(
                    "the server's disk is almost full: {free} are left and {least} are kept free"
                ))
            })
    }

    /// Puts all sprites of a tenant into the ledger, once.
    fn learn(&self, tenant: TenantId) {
        if !self.taken().tenants.insert(tenant) {
            return;
        }
        let folders = fs::read_dir(self.root.join(tenant.to_string()));
        for folder in folders.into_iter().flatten().flatten() {
            let agent = folder
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let Some(agent_id) = agent.map(domain::id::AgentId::from_uuid) else {
                continue;
            };
            let home = Home::at(&folder.path(), None);
            let bytes = Bytes {
                // What cannot be measured now is when it wakes.
                files: measured(&home).ok().flatten().unwrap_or(0),
                checkpoints: shelf::bytes(&home.folder),
            };
            let key = SpriteKey {
                tenant_id: tenant,
                agent_id,
            };
            self.taken().sprites.entry(key).or_insert(bytes);
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sprite under watch.
struct Watched {
    key: SpriteKey,
    home: Home,
    /// While it is full: the least it took since what ran was killed.
    least: Option<u64>,
    /// What its supervisor was told last.
    told: Option<String>,
}

impl Watched {
    async fn apply(&mut self, sprite: &LocalSprite, room: &Room, kill: bool) {
        *sprite
            .disk
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = room.clone();
        if !kill && room.full.is_some() == self.told.is_some() {
            return;
        }
        self.told.clone_from(&room.full);
        let stopped = room.full.clone();
        tracing::info!(
            tenant.id = %self.key.tenant_id, agent.id = %self.key.agent_id, kill,
            reason = stopped.as_deref().unwrap_or("there is room again"),
            "sprite.quota: whether files may grow has changed"
        );
        // One that does not answer is ended, and what it ran with it.
        drop(sprite.tell(Request::Growth { stopped, kill }).await);
    }
}

/// Bytes of the home and, where they are on disk too, the temporary files.
fn measured(home: &Home) -> io::Result<Option<u64>> {
    let mut sum = Sum::default();
    match tree::walk(&home.files, &mut sum) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        walked => walked?,
    }
    match tree::walk(&home.tmp, &mut sum) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(Some(sum.bytes)),
    }
}

/// What files take on disk, each counted once however many names it has.
#[derive(Default)]
struct Sum {
    bytes: u64,
    seen: HashSet<(u64, u64)>,
}

impl Visitor for Sum {
    fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        const BLOCK: u64 = 512;
        let metadata = entry.metadata;
        let named_twice = metadata.nlink() > 1 && !metadata.is_dir();
        if !named_twice || self.seen.insert((metadata.dev(), metadata.ino())) {
            self.bytes += metadata.blocks() * BLOCK;
        }
        Ok(())
    }
}

/// Bytes that can still be written there; none when files can no longer be made.
fn free(path: &Path) -> io::Result<u64> {
    let all = statvfs(path)?;
    // Some file systems count no files, and say zero of zero.
    if all.files() > 0 && all.files_available() == 0 {
        return Ok(0);
    }
    Ok(all.blocks_available().saturating_mul(all.fragment_size()))
}

/// A figure for a person.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, one) in UNITS {
        if bytes >= one {
            let tenths = bytes / (one / 10).max(1);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

pub(crate) fn exhausted(message: String) -> SandboxError {
    SandboxError::Exhausted {
        message,
        retry_after: None,
    }
}
