//! What happens after a commit, inside one process: live events to readers, wake-ups to workers, stop
//! requests to running jobs. It holds no truth; whoever missed something reads the rows.

use async_trait::async_trait;
use domain::{
    event::{EventKind, JobEvent},
    id::{JobId, TenantId},
};
use futures_util::{StreamExt, stream};
use ports::live::{
    CommitListener, Committed, Delta, DeltaTarget, EventFeed, Live, LiveStream, Wake, WakeSignal,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, broadcast};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use tokio_util::sync::CancellationToken;

/// How far a reader may fall behind before it is told to read the rows again.
const BACKLOG: usize = 1_024;
/// How much of one open text is kept for readers who come late, in bytes.
const OPEN_TEXT: usize = 64 * 1_024;

/// The in-process feed and signal.
pub struct Hub {
    live: broadcast::Sender<Live>,
    open: Mutex<HashMap<JobId, OpenTexts>>,
    stops: Mutex<HashMap<JobId, CancellationToken>>,
    lanes: Notify,
    effects: Notify,
    integrations: Notify,
}

#[derive(Default)]
struct OpenTexts {
    tenant: Option<TenantId>,
    texts: BTreeMap<Key, OpenText>,
}

#[derive(Default)]
struct OpenText {
    /// How many bytes were cut off the front.
    start: usize,
    text: String,
}

/// [`DeltaTarget`] with an order, so that reasoning is replayed before text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Thinking,
    Text,
    ToolOutput(String),
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            live: broadcast::Sender::new(BACKLOG),
            open: Mutex::default(),
            stops: Mutex::default(),
            lanes: Notify::new(),
            effects: Notify::new(),
            integrations: Notify::new(),
        }
    }
}

impl Hub {
    /// A token that is cancelled when somebody asks the job to stop. Forgotten by [`Hub::forget`].
    pub fn stop_token(&self, job: JobId) -> CancellationToken {
        lock(&self.stops).entry(job).or_default().clone()
    }

    /// The job is no longer run here.
    pub fn forget(&self, job: JobId) {
        lock(&self.stops).remove(&job);
        lock(&self.open).remove(&job);
    }

    fn notify(&self, wake: Wake) -> &Notify {
        match wake {
            Wake::Lanes => &self.lanes,
            Wake::Effects => &self.effects,
            Wake::Integrations => &self.integrations,
        }
    }

    /// Sends to whoever listens; that nobody does is the usual case.
    fn publish(&self, live: Live) {
        if self.live.receiver_count() > 0 {
            let _listeners = self.live.send(live).unwrap_or_default();
        }
    }
}

impl CommitListener for Hub {
    fn committed(&self, committed: Committed) {
        for job in committed.cancelled {
            if let Some(token) = lock(&self.stops).get(&job) {
                token.cancel();
            }
        }
        if !committed.events.is_empty() {
            // Held over all of it, so that a subscriber sees either the open text or the row that ends it.
            let mut open = lock(&self.open);
            for event in committed.events {
                close_texts(&mut open, &event);
                self.publish(Live::Event(event));
            }
        }
        if committed.lanes_ready {
            self.wake(Wake::Lanes);
        }
        if committed.effects_ready {
            self.wake(Wake::Effects);
        }
        if committed.integrations_changed {
            self.wake(Wake::Integrations);
        }
    }
}

impl EventFeed for Hub {
    fn subscribe(&self, tenant: TenantId, job: Option<JobId>) -> LiveStream {
        let open = lock(&self.open);
        let receiver = self.live.subscribe();
        let so_far: Vec<Live> = open
            .iter()
            .filter(|(id, texts)| texts.tenant == Some(tenant) && job.is_none_or(|job| job == **id))
            .flat_map(|(id, texts)| {
                texts
                    .texts
                    .iter()
                    .map(|(key, open)| replay(tenant, *id, key, open))
            })
            .collect();
        drop(open);
        let live = BroadcastStream::new(receiver).map(|item| match item {
            Ok(live) => live,
            Err(BroadcastStreamRecvError::Lagged(_)) => Live::Lagged,
        });
        let wanted = move |live: &Live| match live {
            Live::Event(event) => {
                event.tenant_id == tenant && job.is_none_or(|job| job == event.job_id)
            }
            Live::Delta(delta) => {
                delta.tenant_id == tenant && job.is_none_or(|job| job == delta.job_id)
            }
            Live::Lagged => true,
        };
        Box::pin(
            stream::iter(so_far).chain(live.filter(move |live| std::future::ready(wanted(live)))),
        )
    }

    fn delta(&self, delta: Delta) {
        let mut open = lock(&self.open);
        let texts = open.entry(delta.job_id).or_default();
        texts.tenant = Some(delta.tenant_id);
        let text = texts.texts.entry(key(&delta.target)).or_default();
        if delta.offset == 0 {
            *text = OpenText::default();
        }
        text.push(&delta.text);
        self.publish(Live::Delta(delta));
    }
}

#[async_trait]
impl WakeSignal for Hub {
    fn wake(&self, wake: Wake) {
        self.notify(wake).notify_one();
    }

    async fn wait(&self, wake: Wake) {
        self.notify(wake).notified().await;
    }
}

impl OpenText {
    fn push(&mut self, more: &str) {
        self.text.push_str(more);
        if self.text.len() > OPEN_TEXT {
            let mut cut = self.text.len() - OPEN_TEXT / 2;
            while !self.text.is_char_boundary(cut) {
                cut += 1;
            }
            self.text.drain(..cut);
            self.start += cut;
        }
    }
}

fn key(target: &DeltaTarget) -> Key {
    match target {
        DeltaTarget::Text => Key::Text,
        DeltaTarget::Thinking => Key::Thinking,
        DeltaTarget::ToolOutput(call) => Key::ToolOutput(call.clone()),
    }
}

fn replay(tenant_id: TenantId, job_id: JobId, key: &Key, open: &OpenText) -> Live {
    let target = match key {
        Key::Text => DeltaTarget::Text,
        Key::Thinking => DeltaTarget::Thinking,
        Key::ToolOutput(call) => DeltaTarget::ToolOutput(call.clone()),
    };
    Live::Delta(Delta {
        tenant_id,
        job_id,
        target,
        offset: open.start,
        text: open.text.clone(),
    })
}

/// A committed row makes the open text it grew from superfluous.
fn close_texts(open: &mut HashMap<JobId, OpenTexts>, event: &JobEvent) {
    let Some(texts) = open.get_mut(&event.job_id) else {
        return;
    };
    match event.kind {
        EventKind::Message | EventKind::JobStatus => texts
            .texts
            .retain(|key, _| matches!(key, Key::ToolOutput(_))),
        EventKind::ToolFinished => {
            let call = event
                .payload
                .get("provider_call_id")
                .and_then(serde_json::Value::as_str);
            texts
                .texts
                .retain(|key, _| !matches!(key, Key::ToolOutput(id) if Some(id.as_str()) == call));
        }
        EventKind::ToolStarted | EventKind::Effect | EventKind::Usage => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
    const JOB: JobId = JobId::from_uuid(Uuid::from_u128(2));

    fn delta(offset: usize, text: &str) -> Delta {
        Delta {
            tenant_id: TENANT,
            job_id: JOB,
            target: DeltaTarget::Text,
            offset,
            text: text.into(),
        }
    }

    fn event(seq: i64) -> JobEvent {
        JobEvent {
            tenant_id: TENANT,
            job_id: JOB,
            seq,
            feed_seq: seq,
            kind: EventKind::Message,
            payload: json!({}),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn who_comes_late_gets_the_text_so_far_and_then_the_row_that_ends_it() {
        let hub = Hub::default();
        hub.delta(delta(0, "Hel"));
        hub.delta(delta(3, "lo"));
        let mut stream = hub.subscribe(TENANT, Some(JOB));
        hub.delta(delta(5, "!"));
        hub.committed(Committed {
            events: vec![event(1)],
            ..Committed::default()
        });
        assert_eq!(stream.next().await, Some(Live::Delta(delta(0, "Hello"))));
        assert_eq!(stream.next().await, Some(Live::Delta(delta(5, "!"))));
        assert_eq!(stream.next().await, Some(Live::Event(event(1))));
        let other = TenantId::from_uuid(Uuid::from_u128(9));
        let mut late = hub.subscribe(TENANT, None);
        let mut foreign = hub.subscribe(other, None);
        hub.committed(Committed {
            events: vec![event(2)],
            ..Committed::default()
        });
        assert_eq!(late.next().await, Some(Live::Event(event(2))));
        assert!(futures_util::poll!(foreign.next()).is_pending());
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_and_a_stop_request_arrives() {
        let hub = Hub::default();
        let mut stream = hub.subscribe(TENANT, None);
        let stop = hub.stop_token(JOB);
        for seq in 0..=i64::try_from(BACKLOG).unwrap() {
            hub.committed(Committed {
                events: vec![event(seq)],
                ..Committed::default()
            });
        }
        assert_eq!(stream.next().await, Some(Live::Lagged));
        hub.committed(Committed {
            cancelled: vec![JOB],
            ..Committed::default()
        });
        assert!(stop.is_cancelled());
    }
}
