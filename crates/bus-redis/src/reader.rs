//! Reads what the other processes tell and hands it to whoever listens here. It goes on from the last entry it
//! has seen, and wherever it cannot prove that nothing is missing it says so.

use crate::{
    link::Link,
    stream::{Entry, Read, Stream},
};
use ports::live::Heard;
use redis::{RedisResult, aio::MultiplexedConnection};
use std::{convert::Infallible, sync::Arc};
use tokio::{sync::broadcast, time::sleep};
use tokio_util::sync::CancellationToken;

/// The incoming direction.
pub(crate) struct Reader {
    pub(crate) link: Arc<Link>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) listeners: broadcast::Sender<Heard>,
}

impl Reader {
    /// Reads until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        // A cut read loses nothing that matters: who listened ends with the process.
        let _stopped = stop.run_until_cancelled(self.read_on()).await;
        self.link.close();
    }

    async fn read_on(&self) {
        let mut last = None;
        loop {
            let Err(error) = self.session(&mut last).await;
            let was_up = self.link.is_up();
            let pause = self.link.lost(&error);
            if was_up {
                // Until the loss was noticed, others may have told what nobody heard.
                self.tell(Heard::Gap);
            }
            sleep(pause).await;
        }
    }

    /// Reads over one connection until it fails.
    async fn session(&self, last: &mut Option<String>) -> RedisResult<Infallible> {
        let mut connection = self.link.connect().await?;
        let mut after = match last {
            Some(id) => id.clone(),
            None => self.mark(&mut connection).await?,
        };
        // In doubt at first: a Redis that comes back may have forgotten entries that nobody had read yet.
        let mut doubt = true;
        loop {
            let read = self.stream.read(&after, !doubt);
            let (entries, before): Read = read.query_async(&mut connection).await?;
            let entries = entries
                .into_iter()
                .flatten()
                .flat_map(|(_, entries)| entries);
            let mut entries = entries.peekable();
            if before.is_empty() {
                doubt = true;
                if entries.peek().is_none() {
                    // Before the gap is told of: what is lost until here is then covered by it.
                    after = self.mark(&mut connection).await?;
                }
            }
            if doubt {
                self.tell(Heard::Gap);
            }
            for (id, fields) in entries {
                if let Some(heard) = self.stream.hear(&fields) {
                    self.tell(heard);
                }
                after = id;
            }
            *last = Some(after.clone());
            self.link.works();
            doubt = false;
        }
    }

    /// A place in the stream from which nothing goes unnoticed.
    async fn mark(&self, connection: &mut MultiplexedConnection) -> RedisResult<String> {
        self.stream.add(&Entry::Mark).query_async(connection).await
    }

    /// That nobody listens is no fault.
    fn tell(&self, heard: Heard) {
        let _listeners = self.listeners.send(heard).unwrap_or_default();
    }
}
