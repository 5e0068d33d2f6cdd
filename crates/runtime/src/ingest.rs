//! Gathers deliveries that arrive at the same time into one durable commit. It never waits for more:
//! while one batch is being written, the next one collects itself.

use async_trait::async_trait;
use metrics::counter;
use ports::{
    BoxError,
    ingest::{Accept, Accepted, IngestQueue},
    store::{Store, StoreError},
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// The most deliveries one commit carries.
const BATCH: usize = 256;
/// How many callers may wait; the next one waits for a place.
const QUEUE: usize = 1_024;

/// The way in for webhooks, pollers and people.
pub struct Gatherer {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    batch: Vec<Accept>,
    answer: oneshot::Sender<Result<Vec<Accepted>, StoreError>>,
}

impl Gatherer {
    /// Starts gathering; ends when the last handle is dropped.
    pub fn start(store: Arc<dyn Store>, tracker: &TaskTracker) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tracker.spawn(gather(store, waiting));
        Self { queue }
    }
}

#[async_trait]
impl IngestQueue for Gatherer {
    #[tracing::instrument(name = "ingest.accept", skip_all, fields(deliveries = batch.len()))]
    async fn accept(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, outcome) = oneshot::channel();
        self.queue
            .send(Waiting { batch, answer })
            .await
            .map_err(stopped)?;
        outcome.await.map_err(stopped)?
    }
}

async fn gather(store: Arc<dyn Store>, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let mut batch = Vec::new();
        let mut callers = Vec::with_capacity(waiting.len());
        for caller in waiting.drain(..) {
            callers.push((caller.batch.len(), caller.answer));
            batch.extend(caller.batch);
        }
        crate::crash::point("ingest.before_commit");
        let result = store.ingest(batch).await;
        crate::crash::point("ingest.after_commit");
        answer(callers, result);
    }
}

type Caller = (usize, oneshot::Sender<Result<Vec<Accepted>, StoreError>>);

/// Hands every caller its share. A caller that hung up no longer cares; its delivery is safe.
fn answer(callers: Vec<Caller>, result: Result<Vec<Accepted>, StoreError>) {
    match result {
        Ok(mut outcomes) => {
            let fresh = outcomes.iter().filter(|o| !o.duplicate).count();
            counter!("nitejar_ingested_total").increment(u64::try_from(fresh).unwrap_or(0));
            for (count, caller) in callers {
                let rest = outcomes.split_off(count.min(outcomes.len()));
                let _gone = caller.send(Ok(std::mem::replace(&mut outcomes, rest)));
            }
        }
        Err(error) => {
            let error: Arc<StoreError> = Arc::new(error);
            for (_, caller) in callers {
                let _gone = caller.send(Err(StoreError::Backend(Box::new(Arc::clone(&error)))));
            }
        }
    }
}

fn stopped(error: impl Into<BoxError>) -> StoreError {
    StoreError::Backend(error.into())
}
