//! The port over both directions. It holds the ends that callers touch; the work is done by the tasks.

use crate::{
    link::Link,
    queue::Queue,
    reader::Reader,
    settings::{RedisBusError, RedisSettings},
    stream::{Stream, WAIT},
    writer::Writer,
};
use futures_util::StreamExt;
use ports::live::{Bus, Heard, HeardStream, News};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use uuid::Uuid;

/// How far a listener may fall behind before it hears of a gap instead.
const BACKLOG: usize = 4_096;

/// News to and from the other processes, over Redis.
pub struct RedisBus {
    queue: Arc<Queue>,
    listeners: broadcast::Sender<Heard>,
    outgoing: Arc<Link>,
    incoming: Arc<Link>,
    _stop: DropGuard,
}

impl RedisBus {
    /// Starts both directions. Redis may be down: they connect when it is there. `origin` tells this process
    /// from all others. The tasks end when `stop` is cancelled or the bus is dropped; what still waits is
    /// sent first, if that takes no longer than an answer may.
    ///
    /// # Errors
    /// When the URL names no Redis.
    pub fn start(
        settings: &RedisSettings,
        origin: Uuid,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, RedisBusError> {
        let client = settings.client()?;
        let stop = stop.child_token();
        let stream = Arc::new(Stream::new(&settings.prefix, origin, settings.max_length));
        let queue = Arc::<Queue>::default();
        let listeners = broadcast::Sender::new(BACKLOG);
        let outgoing = Arc::new(Link::new(client.clone(), "outgoing", Duration::ZERO));
        let incoming = Arc::new(Link::new(client, "incoming", WAIT));
        let writer = Writer {
            link: Arc::clone(&outgoing),
            stream: Arc::clone(&stream),
            queue: Arc::clone(&queue),
        };
        let reader = Reader {
            link: Arc::clone(&incoming),
            stream,
            listeners: listeners.clone(),
        };
        tasks.spawn(writer.run(stop.clone()));
        tasks.spawn(reader.run(stop.clone()));
        Ok(Self {
            queue,
            listeners,
            outgoing,
            incoming,
            _stop: stop.drop_guard(),
        })
    }
}

impl Bus for RedisBus {
    fn publish(&self, news: News) {
        self.queue.push(news);
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
