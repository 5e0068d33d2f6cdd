//! Adds what this process tells to the stream, many entries per round trip. After any failure it says that
//! something is missing before it says anything else, and it never tells the same news twice.

use crate::{
    link::{ANSWER, Link},
    queue::{Batch, Queue},
    stream::{Entry, Stream},
};
use redis::{RedisResult, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// News of one batch, at most.
const BATCH: usize = 256;
/// Bytes of one round trip, about: more would need longer than an answer may take.
const TRIP: usize = 1_024 * 1_024;
/// How long nothing may be said before Redis is asked whether it is there.
const IDLE: Duration = Duration::from_secs(1);

/// The outgoing direction.
pub(crate) struct Writer {
    pub(crate) link: Arc<Link>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) queue: Arc<Queue>,
}

impl Writer {
    /// Writes until it is told to stop, and then what still waits.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while let Err(error) = self.session(&stop).await {
            self.queue.close();
            let pause = self.link.lost(&error);
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                break;
            }
        }
        self.queue.close();
        self.link.close();
    }

    /// Writes over one connection until it fails or the bus stops.
    async fn session(&self, stop: &CancellationToken) -> RedisResult<()> {
        let Some(connection) = stop.run_until_cancelled(self.link.connect()).await else {
            return Ok(());
        };
        let mut connection = connection?;
        self.queue.open();
        // The first round asks at once, so that it is soon known whether news get through.
        let mut idle = Duration::ZERO;
        loop {
            let next = timeout(idle, self.queue.take(BATCH));
            match stop.run_until_cancelled(next).await {
                None => return self.finish(&mut connection).await,
                Some(Ok(batch)) => self.send(&mut connection, batch).await?,
                Some(Err(_silence)) => redis::cmd("PING").exec_async(&mut connection).await?,
            }
            self.link.works();
            idle = IDLE;
        }
    }

    /// Sends what waits, as far as the time of one answer goes.
    async fn finish(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let rest = async {
            while let Some(batch) = self.queue.try_take(BATCH) {
                self.send(connection, batch).await?;
            }
            Ok(())
        };
        timeout(ANSWER, rest).await.unwrap_or(Ok(()))
    }

    async fn send(&self, connection: &mut MultiplexedConnection, batch: Batch) -> RedisResult<()> {
        let gap = batch.missed.then_some(Entry::Gap);
        let entries = gap
            .into_iter()
            .chain(batch.news.into_iter().flat_map(Entry::of));
        let (mut trip, mut size) = (redis::pipe(), 0);
        for entry in entries {
            trip.add_command(self.stream.add(&entry)).ignore();
            size += entry.size();
            if size >= TRIP {
                trip.exec_async(connection).await?;
                (trip, size) = (redis::pipe(), 0);
            }
        }
        if trip.is_empty() {
            return Ok(());
        }
        trip.exec_async(connection).await
    }
}
