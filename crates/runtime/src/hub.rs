//! What happens after a commit: live events to readers, wake-ups to workers, stop requests to running jobs, of
//! this process and, over the bus, of the others. It holds no truth; whoever missed something reads the rows.

mod open_text;

use async_trait::async_trait;
use domain::id::{JobId, TenantId};
use futures_util::{StreamExt, stream};
use open_text::OpenTexts;
use ports::live::{
    Bus, CommitListener, Committed, Delta, EventFeed, Heard, Live, LiveStream, News, Wake,
    WakeSignal,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, broadcast};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use tokio_util::sync::CancellationToken;

/// How far a reader may fall behind before it is told to read the rows again.
const BACKLOG: usize = 1_024;

/// The feed and the signal of this process.
pub struct Hub {
    /// Who else hears of every commit, wherever it was made, before workers are woken.
    listeners: Vec<Arc<dyn CommitListener>>,
    /// The way to other processes; there are none when it is absent.
    bus: Option<Arc<dyn Bus>>,
    live: broadcast::Sender<Live>,
    open: Mutex<OpenTexts>,
    /// The stop token of every job that runs here, with how many hold it: a job whose lease was lost and won
    /// again runs twice for a moment.
    stops: Mutex<HashMap<JobId, (CancellationToken, usize)>>,
    lanes: Notify,
    effects: Notify,
    integrations: Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}

impl Hub {
    /// A hub that passes every commit on to `listeners`, and over `bus` to the other processes.
    pub fn new(listeners: Vec<Arc<dyn CommitListener>>, bus: Option<Arc<dyn Bus>>) -> Self {
        Self {
            listeners,
            bus,
            live: broadcast::Sender::new(BACKLOG),
            open: Mutex::default(),
            stops: Mutex::default(),
            lanes: Notify::new(),
            effects: Notify::new(),
            integrations: Notify::new(),
        }
    }

    /// A token that is cancelled when somebody asks the job to stop. Given back by [`Hub::forget`].
    pub fn stop_token(&self, job: JobId) -> CancellationToken {
        let mut stops = lock(&self.stops);
        let (token, holders) = stops.entry(job).or_default();
        *holders += 1;
        token.clone()
    }

    /// The job is no longer run by whoever took its token.
    pub fn forget(&self, job: JobId) {
        let mut stops = lock(&self.stops);
        if let Some((_, holders)) = stops.get_mut(&job) {
            *holders -= 1;
            if *holders == 0 {
                stops.remove(&job);
                lock(&self.open).forget(job);
            }
        }
    }

    /// Asks a job to stop, if it runs here.
    pub(crate) fn stop(&self, job: JobId) {
        if let Some((token, _)) = lock(&self.stops).get(&job) {
            token.cancel();
        }
    }

    /// Follows what other processes tell; ends at once where there are none.
    pub async fn follow(&self) {
        let Some(bus) = &self.bus else { return };
        let mut others = bus.listen();
        while let Some(heard) = others.next().await {
            match heard {
                Heard::News(News::Committed(committed)) => self.hear(committed),
                Heard::News(News::Delta(delta)) => self.show(delta),
                // The rows are in the database; readers fetch what they lack.
                Heard::Moved(tenant) | Heard::News(News::Moved(tenant)) => {
                    self.publish(Live::Moved(tenant));
                }
                Heard::Gap => {
                    // What ended meanwhile elsewhere will not be told; what is written here goes on.
                    let stops = lock(&self.stops);
                    lock(&self.open).retain(|job| stops.contains_key(&job));
                    drop(stops);
                    self.hear(Committed {
                        lanes_ready: true,
                        effects_ready: true,
                        integrations_changed: true,
                        ..Committed::default()
                    });
                    self.publish(Live::Lagged);
                }
            }
        }
    }

    /// Does what a commit means for this process.
    fn hear(&self, committed: Committed) {
        for listener in &self.listeners {
            listener.committed(committed.clone());
        }
        for job in committed.cancelled {
            crate::crash::point("cancel.committed");
            self.stop(job);
        }
        if !committed.events.is_empty() {
            // Held over all of it, so that a subscriber sees either the open text or the row that ends it.
            let mut open = lock(&self.open);
            for event in committed.events {
                open.close(&event);
                self.publish(Live::Event(event));
            }
        }
        for tenant in committed.work {
            self.publish(Live::Work(tenant));
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

    fn show(&self, delta: Delta) {
        let mut open = lock(&self.open);
        open.add(&delta);
        self.publish(Live::Delta(delta));
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
        if let Some(bus) = self.bus.as_ref().filter(|_| !committed.is_silent()) {
            bus.publish(News::Committed(committed.clone()));
        }
        self.hear(committed);
    }
}

impl EventFeed for Hub {
    fn subscribe(&self, tenant: TenantId, job: Option<JobId>) -> LiveStream {
        let open = lock(&self.open);
        let receiver = self.live.subscribe();
        let so_far: Vec<Live> = open.so_far(tenant, job).map(Live::Delta).collect();
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
            Live::Moved(moved) => *moved == tenant,
            Live::Work(changed) => job.is_none() && *changed == tenant,
            Live::Lagged => true,
        };
        Box::pin(
            stream::iter(so_far).chain(live.filter(move |live| std::future::ready(wanted(live)))),
        )
    }

    fn delta(&self, delta: Delta) {
        if let Some(bus) = &self.bus {
            bus.publish(News::Delta(delta.clone()));
        }
        self.show(delta);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Timestamp,
        event::{EventKind, JobEvent},
    };
    use ports::live::DeltaTarget;
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
