//! The processes of one sprite, whether it is awake or not: those that run, for a while those that
//! ended, and those that were lost. One task per process moves its output; everything else only
//! looks.

use super::{
    archive::{Archive, Record, Tail},
    session::{Outcome, Session, report},
    wire::Control,
};
use crate::{
    link::{Call, Piece, unexpected},
    protocol::Reply,
    sprite::LocalSprite,
};
use bytes::Bytes;
use domain::sprite::SpriteKey;
use ports::sandbox::{ProcessId, ProcessReport, ProcessState, SandboxError};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore},
    time::sleep_until,
};

/// The most that run at once.
const MAX_RUNNING: usize = 256;
/// So many that ended are remembered, as long as the server runs.
const MAX_ENDED: usize = 32;
/// So many that were lost are remembered.
const MAX_LOST: usize = 64;

/// The processes of every sprite of a host.
#[derive(Default)]
pub(crate) struct Hubs(Mutex<HashMap<SpriteKey, Arc<Hub>>>);

impl Hubs {
    /// Those of one sprite, whose records are in a folder.
    pub(super) fn of(&self, sprite: SpriteKey, folder: PathBuf) -> Arc<Hub> {
        let mut hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Hub::new(folder));
        Arc::clone(hubs.entry(sprite).or_insert_with(new))
    }

    /// Forgets a sprite that is gone with its folder.
    pub(crate) fn forget(&self, sprite: SpriteKey) {
        let mut hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.remove(&sprite);
    }
}

/// The processes of a sprite.
pub(super) struct Hub {
    archive: Archive,
    loaded: OnceCell<()>,
    reserving: tokio::sync::Mutex<()>,
    places: Arc<Semaphore>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The last id that was given, and the last that is set aside.
    last: u64,
    reserved: u64,
    running: BTreeMap<u64, Arc<Session>>,
    ended: VecDeque<Arc<Session>>,
    lost: BTreeMap<u64, Record>,
}

/// A place among those that run.
pub(super) struct Place {
    pub(super) id: u64,
    #[expect(dead_code, reason = "held for as long as the process runs")]
    permit: OwnedSemaphorePermit,
}

/// What an id stands for.
pub(super) enum Found {
    Running(Arc<Session>),
    Ended(Arc<Session>),
    Lost,
}

impl Hub {
    fn new(folder: PathBuf) -> Self {
        Self {
            archive: Archive::new(folder),
            loaded: OnceCell::new(),
            reserving: tokio::sync::Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_RUNNING)),
            known: Mutex::default(),
        }
    }

    /// Looks once for what ran when the server ended: it is lost.
    async fn load(&self) -> Result<(), SandboxError> {
        let load = async || {
            let lost = self.on_disk(|archive| Ok(archive.records())).await?;
            self.known().lost.extend(lost);
            self.prune().await;
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }

    /// Those that run and those that were lost, oldest first.
    pub(super) async fn list(&self) -> Result<Vec<ProcessReport>, SandboxError> {
        self.load().await?;
        let known = self.known();
        let running = known.running.iter();
        let mut all: BTreeMap<u64, ProcessReport> = running
            .map(|(id, session)| (*id, session.report()))
            .collect();
        all.extend(known.lost.iter().map(|(id, record)| {
            let active_at = record.active_at.unwrap_or(record.started_at);
            let report = report(*id, record, active_at, ProcessState::Lost, 0);
            (*id, report)
        }));
        Ok(all.into_values().collect())
    }

    pub(super) async fn find(&self, process: &ProcessId) -> Result<Found, SandboxError> {
        self.load().await?;
        let unknown = || SandboxError::NotFound {
            path: format!("process {process}"),
        };
        let id: u64 = process.0.parse().map_err(|_number| unknown())?;
        let known = self.known();
        if let Some(session) = known.running.get(&id) {
            return Ok(Found::Running(Arc::clone(session)));
        }
        let mut ended = known.ended.iter();
        if let Some(session) = ended.find(|session| session.id == id) {
            return Ok(Found::Ended(Arc::clone(session)));
        }
        let lost = known.lost.contains_key(&id);
        lost.then_some(Found::Lost).ok_or_else(unknown)
    }

    pub(super) async fn last_output(&self, process: &ProcessId) -> Result<Bytes, SandboxError> {
        match self.find(process).await? {
            Found::Running(session) | Found::Ended(session) => Ok(session.last_output()),
            Found::Lost => {
                let id = process.0.parse().unwrap_or_default();
                self.on_disk(move |archive| archive.last_output(id)).await
            }
        }
    }

    /// A place for one more and an id that was never given, with a record of what has it.
    pub(super) async fn admit(&self, record: &Record) -> Result<Place, SandboxError> {
        self.load().await?;
        let permit = Arc::clone(&self.places).try_acquire_owned();
        let permit = permit.map_err(|_all_taken| SandboxError::Exhausted {
            message: format!(
                "{MAX_RUNNING} processes run in this sprite already, which is the most; end one first"
            ),
            retry_after: None,
        })?;
        let id = self.next_id().await?;
        let record = record.clone();
        self.on_disk(move |archive| archive.insert(id, &record))
            .await?;
        Ok(Place { id, permit })
    }

    async fn next_id(&self) -> Result<u64, SandboxError> {
        let _turn = self.reserving.lock().await;
        let spent = {
            let known = self.known();
            known.last == known.reserved
        };
        if spent {
            let (last, reserved) = self.on_disk(Archive::reserve).await?;
            let mut known = self.known();
            (known.last, known.reserved) = (last, reserved);
        }
        let mut known = self.known();
        known.last += 1;
        Ok(known.last)
    }

    /// Takes back what [`Hub::admit`] gave, for what was not started after all.
    pub(super) async fn dismiss(&self, place: Place) {
        self.forget(place.id).await;
    }

    /// From here on it can be found.
    pub(super) fn enter(&self, session: &Arc<Session>) {
        let mut known = self.known();
        known.running.insert(session.id, Arc::clone(session));
    }

    /// Keeps a process until its end; whoever calls it does nothing else.
    pub(super) async fn keep(
        &self,
        session: Arc<Session>,
        call: Call,
        sprite: Arc<LocalSprite>,
        place: Place,
    ) {
        let id = session.id;
        let running = sprite.runs();
        let outcome = self.drive(&session, call, &sprite).await;
        sprite.touch();
        drop((running, place));
        // First off the list, then told of: who hears of the end does not find it there.
        self.shelve(&session, &outcome);
        let lost = matches!(outcome, Outcome::Lost(_));
        session.end(outcome);
        if lost {
            self.prune().await;
        } else {
            self.forget(id).await;
        }
    }

    fn shelve(&self, session: &Arc<Session>, outcome: &Outcome) {
        let mut known = self.known();
        known.running.remove(&session.id);
        match outcome {
            Outcome::Ended(_) => {
                known.ended.push_back(Arc::clone(session));
                let spare = known.ended.len().saturating_sub(MAX_ENDED);
                known.ended.drain(..spare);
            }
            Outcome::Lost(_) => {
                let mut record = session.record.clone();
                record.active_at = Some(session.report().active_at);
                known.lost.insert(session.id, record);
            }
        }
    }

    /// Moves output until the end.
    async fn drive(&self, session: &Session, mut call: Call, sprite: &Arc<LocalSprite>) -> Outcome {
        let mut tail = Some(self.archive.tail(session.id));
        let mut killed = false;
        let mut attended = None;
        loop {
            // Somebody is connected: the sprite has something to do.
            attended = match attended {
                _ if !session.is_attended() => None,
                None => Some(sprite.keep_busy()),
                held => held,
            };
            let deadline = session.deadline().filter(|_| !killed);
            let linger = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let piece = tokio::select! {
                biased;
                () = linger => {
                    killed = true;
                    tracing::info!(process.id = session.id, "process.left: nobody came back to a process, it is killed");
                    let kill = Control::Kill { signal: libc::SIGKILL, patience_ms: Some(0) };
                    match session.control(&kill) {
                        Ok(()) => continue,
                        Err(error) => Err(error),
                    }
                }
                piece = call.next() => piece,
                () = session.went.notified() => continue,
            };
            match piece {
                Ok(Piece::Data(stream, bytes)) => {
                    sprite.touch();
                    session.put(stream, bytes.clone()).await;
                    tail = append(tail, bytes).await;
                }
                Ok(Piece::End(Reply::Ended(exit))) => return Outcome::Ended(exit.into()),
                Ok(Piece::End(other)) => return Outcome::Lost(unexpected(&other).to_string()),
                Err(SandboxError::Lost(reason)) => return Outcome::Lost(reason),
                Err(error) => return Outcome::Lost(error.to_string()),
            }
        }
    }

    async fn forget(&self, id: u64) {
        if let Err(error) = self.on_disk(move |archive| archive.delete(id)).await {
            tracing::warn!(%error, process.id = id, "process.record: it cannot be removed");
        }
    }

    /// Forgets the oldest of those that were lost.
    async fn prune(&self) {
        loop {
            let oldest = {
                let mut known = self.known();
                if known.lost.len() <= MAX_LOST {
                    return;
                }
                known.lost.pop_first()
            };
            if let Some((id, _)) = oldest {
                self.forget(id).await;
            }
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SandboxError> {
        let failed = |error: io::Error| {
            SandboxError::Unavailable(format!("its record of processes: {error}"))
        };
        let archive = self.archive.clone();
        tokio::task::spawn_blocking(move || work(&archive))
            .await
            .map_err(|error| failed(error.into()))?
            .map_err(failed)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps output on disk. That it cannot be kept there does not disturb the process.
async fn append(tail: Option<Tail>, bytes: Bytes) -> Option<Tail> {
    let mut tail = tail?;
    let written = tokio::task::spawn_blocking(move || {
        tail.append(&bytes)?;
        Ok::<_, io::Error>(tail)
    });
    match written.await.map_err(io::Error::from).flatten() {
        Ok(tail) => Some(tail),
        Err(error) => {
            tracing::warn!(%error, "process.output: the last output of a process is not kept");
            None
        }
    }
}
