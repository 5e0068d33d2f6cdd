//! The contract every bus keeps, between two processes of one deployment. A bus may carry events whole or only
//! hint that rows moved; it carries wake-ups and stop requests either way. What a fault of its transport does is
//! tested where the transport is. A new bus writes one line: `test_kit::bus_contract!(make_pair);`.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "every promise has one shape, and a broken one fails the test that calls it"
)]

use domain::{
    Timestamp,
    event::{EventKind, JobEvent},
    id::{JobId, TenantId},
};
use futures_util::StreamExt;
use ports::live::{Bus, Committed, Delta, DeltaTarget, Heard, HeardStream, News};
use std::{any::Any, collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

/// Long enough for the busiest machine; only a broken bus reaches it.
const PATIENCE: Duration = Duration::from_secs(15);
const JOB: JobId = JobId::from_uuid(Uuid::from_u128(7));

/// Two processes on one bus that nobody else uses, and what must live as long as they do.
pub struct Pair {
    /// One process.
    pub one: Arc<dyn Bus>,
    /// The other.
    pub other: Arc<dyn Bus>,
    /// Dropped last.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// Writes one `#[tokio::test]` per promise. The argument is an async function without arguments that makes a
/// fresh [`Pair`]; it need not be connected yet.
#[macro_export]
macro_rules! bus_contract {
    ($make:path) => {
        $crate::bus_contract!($make =>
            every_wake_up_arrives,
            stop_requests_arrive,
            events_arrive_whole_or_as_a_hint,
            nobody_hears_itself,
            every_listener_hears,
            a_listener_starts_with_nothing,
            open_text_arrives_unchanged_or_not_at_all,
        );
    };
    ($make:path => $($promise:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::bus::$promise(&$crate::bus::connected($make().await).await).await;
        }
    )*};
}

/// Returns once news get through in both directions.
pub async fn connected(pair: Pair) -> Pair {
    for bus in [&pair.one, &pair.other] {
        let connect = async {
            while !bus.is_connected() {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(PATIENCE, connect).await.is_ok(), "never connected");
    }
    pair
}

/// Each kind by itself, in both directions.
pub async fn every_wake_up_arrives(pair: &Pair) {
    for (from, to) in [(&pair.one, &pair.other), (&pair.other, &pair.one)] {
        for wake in [lanes(), effects(), integrations()] {
            let mut ear = Ear::of(to);
            from.publish(News::Committed(wake.clone()));
            ear.until(|heard| heard.sum == wake).await;
        }
    }
}

/// The jobs that were asked to stop, together with a wake-up.
pub async fn stop_requests_arrive(pair: &Pair) {
    let mut ear = Ear::of(&pair.other);
    let jobs: Vec<JobId> = (1..=3)
        .map(|id| JobId::from_uuid(Uuid::from_u128(id)))
        .collect();
    let wanted = Committed {
        cancelled: jobs,
        ..effects()
    };
    pair.one.publish(News::Committed(wanted.clone()));
    ear.until(|heard| heard.sum == wanted).await;
}

/// Whole events in their order, or the tenants whose rows moved; never another tenant's.
pub async fn events_arrive_whole_or_as_a_hint(pair: &Pair) {
    let mut ear = Ear::of(&pair.other);
    let told: Vec<JobEvent> = (1..=20)
        .map(|seq| event(if seq % 2 == 0 { 1 } else { 2 }, seq))
        .collect();
    for two in told.chunks(2) {
        pair.one.publish(News::Committed(Committed {
            events: two.to_vec(),
            ..Committed::default()
        }));
    }
    let tenants: BTreeSet<TenantId> = told.iter().map(|event| event.tenant_id).collect();
    let last = |heard: &Ear| heard.sum.events.last() == told.last();
    ear.until(|heard| last(heard) || heard.moved == tenants)
        .await;
    if ear.sum.events.is_empty() {
        assert_eq!(ear.moved, tenants);
    } else {
        assert_eq!(ear.sum.events, told);
    }
}

/// A process knows what it tells.
pub async fn nobody_hears_itself(pair: &Pair) {
    let (mut one, mut other) = (Ear::of(&pair.one), Ear::of(&pair.other));
    pair.one.publish(News::Committed(Committed {
        events: vec![event(1, 1)],
        cancelled: vec![JOB],
        ..lanes()
    }));
    other.until(|heard| heard.sum.lanes_ready).await;
    // What the other tells now comes after what the one told, so that would have been heard before it.
    pair.other.publish(News::Committed(effects()));
    one.until(|heard| heard.sum.effects_ready).await;
    assert_eq!(one.sum, effects());
    assert_eq!(one.moved, BTreeSet::new());
}

/// Each of them everything.
pub async fn every_listener_hears(pair: &Pair) {
    let mut ears = [Ear::of(&pair.other), Ear::of(&pair.other)];
    pair.one.publish(News::Committed(lanes()));
    for ear in &mut ears {
        ear.until(|heard| heard.sum == lanes()).await;
    }
}

/// What was told before is found in the rows.
pub async fn a_listener_starts_with_nothing(pair: &Pair) {
    let mut early = Ear::of(&pair.other);
    pair.one.publish(News::Committed(lanes()));
    early.until(|heard| heard.sum.lanes_ready).await;
    let mut late = Ear::of(&pair.other);
    pair.one.publish(News::Committed(effects()));
    late.until(|heard| heard.sum.effects_ready).await;
    assert_eq!(late.sum, effects());
}

/// A bus may leave it out: the row that ends the text holds the whole.
pub async fn open_text_arrives_unchanged_or_not_at_all(pair: &Pair) {
    let mut ear = Ear::of(&pair.other);
    let delta = Delta {
        tenant_id: tenant(1),
        job_id: JOB,
        target: DeltaTarget::ToolOutput("call".to_owned()),
        offset: 3,
        text: "Grüße\n\u{0}\"'".to_owned(),
    };
    pair.one.publish(News::Delta(delta.clone()));
    pair.one.publish(News::Committed(lanes()));
    ear.until(|heard| heard.sum.lanes_ready).await;
    assert!(ear.deltas.is_empty() || ear.deltas == [delta]);
}

/// A listener that adds up what it hears.
struct Ear {
    stream: HeardStream,
    sum: Committed,
    moved: BTreeSet<TenantId>,
    deltas: Vec<Delta>,
}

impl Ear {
    fn of(bus: &Arc<dyn Bus>) -> Self {
        Self {
            stream: bus.listen(),
            sum: Committed::default(),
            moved: BTreeSet::new(),
            deltas: Vec::new(),
        }
    }

    /// Listens until it has heard enough.
    async fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let Ok(heard) = timeout(PATIENCE, self.stream.next()).await else {
                panic!("not heard; so far {:?}, {:?}", self.sum, self.moved)
            };
            match heard {
                Some(Heard::News(News::Committed(committed))) => self.add(committed),
                Some(Heard::News(News::Delta(delta))) => self.deltas.push(delta),
                Some(Heard::News(News::Moved(tenant))) => panic!("nobody said {tenant}"),
                Some(Heard::Moved(tenant)) => {
                    self.moved.insert(tenant);
                }
                // Allowed at any time, but while nothing is wrong it stands for nothing.
                Some(Heard::Gap) => {}
                None => panic!("the bus ended"),
            }
        }
    }

    fn add(&mut self, committed: Committed) {
        self.sum.events.extend(committed.events);
        self.sum.cancelled.extend(committed.cancelled);
        self.sum.lanes_ready |= committed.lanes_ready;
        self.sum.effects_ready |= committed.effects_ready;
        self.sum.integrations_changed |= committed.integrations_changed;
    }
}

fn lanes() -> Committed {
    Committed {
        lanes_ready: true,
        ..Committed::default()
    }
}

fn effects() -> Committed {
    Committed {
        effects_ready: true,
        ..Committed::default()
    }
}

fn integrations() -> Committed {
    Committed {
        integrations_changed: true,
        ..Committed::default()
    }
}

fn tenant(id: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(id))
}

fn event(of: u128, seq: i64) -> JobEvent {
    JobEvent {
        tenant_id: tenant(of),
        job_id: JOB,
        seq,
        feed_seq: seq,
        kind: EventKind::Message,
        payload: serde_json::json!({ "text": "Grüße\n\u{0}", "number": 0.5 }),
        created_at: Timestamp::UNIX_EPOCH,
    }
}
