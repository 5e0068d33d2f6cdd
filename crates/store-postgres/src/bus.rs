//! News between the processes that share a database, over `LISTEN`/`NOTIFY`.
//!
//! Two tasks with a connection each. One tells, outside of every transaction of ours, because a transaction
//! that notifies makes all others that do wait for its commit; while it is under way, what else there is to
//! tell gathers. The other listens. What does not fit into a notification becomes a gap, after which
//! listeners look at the rows: nothing here is the truth.

mod hear;
mod summary;
mod tell;

use crate::{connect, connect::PostgresSettings, error::OpenError};
use futures_util::StreamExt;
use hear::Ear;
use ports::live::{Bus, Heard, HeardStream, News};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tell::{Mouth, Queue};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use uuid::Uuid;

/// How far a listener may fall behind before it hears of a gap instead.
const BACKLOG: usize = 1_024;
/// How long the server may take for one answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long until a lost connection is made again, at first and at most.
const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(2);

/// News to and from the other processes, over the database they share.
pub struct PostgresBus {
    queue: Arc<Queue>,
    listeners: broadcast::Sender<Heard>,
    outgoing: Arc<Link>,
    incoming: Arc<Link>,
    _stop: DropGuard,
}

impl PostgresBus {
    /// Starts both directions. The server may be down: they connect when it is there. `origin` tells this
    /// process from all others. The tasks end when `stop` is cancelled or the bus is dropped; what still
    /// waits is told first, if that takes no longer than an answer may.
    ///
    /// # Errors
    /// When the URL names no database.
    pub fn start(
        settings: &PostgresSettings,
        origin: Uuid,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, OpenError> {
        let options = connect::options(settings)?;
        let stop = stop.child_token();
        let queue = Arc::<Queue>::default();
        let listeners = broadcast::Sender::new(BACKLOG);
        let (outgoing, incoming) = (Arc::new(Link::new("told")), Arc::new(Link::new("heard")));
        let mouth = Mouth::new(options.clone(), origin, &queue, &outgoing);
        let ear = Ear::new(options, origin, listeners.clone(), &incoming);
        tasks.spawn(mouth.run(stop.clone()));
        tasks.spawn(ear.run(stop.clone()));
        Ok(Self {
            queue,
            listeners,
            outgoing,
            incoming,
            _stop: stop.drop_guard(),
        })
    }
}

impl Bus for PostgresBus {
    fn publish(&self, news: News) {
        self.queue.put(&news);
    }

    fn listen(&self) -> HeardStream {
        let heard = BroadcastStream::new(self.listeners.subscribe());
        // The one error is that the listener was too slow.
        Box::pin(heard.map(|heard| heard.unwrap_or(Heard::Gap)))
    }

    fn is_connected(&self) -> bool {
        self.outgoing.is_up() && self.incoming.is_up()
    }
}

/// Whether one direction works, with a word in the log whenever that changes.
struct Link {
    what: &'static str,
    up: AtomicBool,
    /// Whether the log says that it is down.
    told: AtomicBool,
}

impl Link {
    const fn new(what: &'static str) -> Self {
        Self {
            what,
            up: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }

    fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    fn works(&self) {
        self.up.store(true, Ordering::Relaxed);
        if self.told.swap(false, Ordering::Relaxed) {
            tracing::info!(
                direction = self.what,
                "news of other processes get through again"
            );
        }
    }

    fn broke(&self, error: &(dyn std::error::Error + 'static)) {
        self.up.store(false, Ordering::Relaxed);
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                direction = self.what,
                error,
                "news of other processes do not get through PostgreSQL; they are looked for instead, \
                 which takes longer"
            );
        }
    }
}

/// Waits before the next attempt, longer every time; false when it is time to stop.
async fn pause(delay: &mut Duration, stop: &CancellationToken) -> bool {
    let wait = *delay;
    *delay = (wait * 2).min(LATE);
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = stop.cancelled() => false,
    }
}
