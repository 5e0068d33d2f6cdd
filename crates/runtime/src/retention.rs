//! Keeps the database small: forgets what is older than it is kept for, a little at a time, and gives the space
//! back. One process of a deployment does it. It never touches a job that is not final.

use crate::{engine::Engine, leases, patience::within};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    retention::{Kept, Retention},
};
use metrics::{counter, gauge};
use ports::{
    clock::Clock,
    store::{Maintenance, Prunable, Prune, StoreError},
};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// The name of the lease.
const LEASE: &str = "retention";
/// How often the files are looked after; a log of changes can grow in minutes.
const TIDY_EVERY: Duration = Duration::from_mins(1);
/// How often old rows are looked for.
const PRUNE_EVERY: TimeDelta = TimeDelta::hours(1);
/// Rows that one transaction changes, at most: writers behind it wait that long.
const ROWS: u32 = 200;
/// The pause after each step, in which others write.
const PAUSE: Duration = Duration::from_millis(20);

/// What to forget now, and what to write where a tool's answer was. Events hold copies of messages and
/// answers, and a copy must not outlive what it is a copy of.
fn due(retention: Retention, now: Timestamp) -> Vec<(Prunable, Timestamp, String)> {
    let Retention {
        transcripts,
        events,
        tool_output,
    } = retention;
    let copies = [events, tool_output, transcripts];
    let copies = copies.into_iter().filter_map(Kept::days).min();
    let due = |what, days: Option<NonZeroU32>| {
        let days = days?;
        let before = now - TimeDelta::days(i64::from(days.get()));
        Some((what, before, marker(days)))
    };
    let keys = now - services::idempotency::KEPT;
    [
        due(Prunable::Events, copies),
        due(Prunable::ToolOutput, tool_output.days()),
        due(Prunable::Transcripts, transcripts.days()),
        Some((Prunable::IdempotencyKeys, keys, String::new())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What stands where a tool's answer was.
fn marker(days: NonZeroU32) -> String {
    format!("[removed: what tools answer is kept for {days} days]")
}

/// Prunes and tidies as long as this process holds the lease for it.
pub(crate) async fn run(engine: Arc<Engine>) {
    let stop = engine.stop.clone();
    let _stopped = stop.run_until_cancelled(keep_small(&engine)).await;
}

async fn keep_small(engine: &Engine) {
    let store = engine.maintenance.as_ref();
    let clock = engine.platform.clock.as_ref();
    let mut due = engine.now();
    loop {
        let expired = leases::expired(engine.now());
        let hold = engine.leases.hold(LEASE, engine.worker, expired);
        match within(engine, hold).await {
            Ok(true) => {
                if engine.now() >= due {
                    due = engine.now() + PRUNE_EVERY;
                    stumble(prune_now(engine).await);
                }
                stumble(tidy(store, clock).await);
            }
            Ok(false) => {}
            Err(error) => stumble(Err(error)),
        }
        engine.sleep(TIDY_EVERY).await;
    }
}

/// Nothing here is urgent: what failed is tried again at the next turn.
fn stumble(outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::error!(
            error = %ports::Causes(&error),
            "the database could not be kept small"
        );
    }
}

/// The settings are looked at every time: what people decide there takes hold without a restart.
async fn prune_now(engine: &Engine) -> Result<(), StoreError> {
    let current = services::retention::current(&engine.platform);
    let retention = within(engine, current).await?;
    let clock = engine.platform.clock.as_ref();
    prune(engine.maintenance.as_ref(), clock, retention).await
}

/// Forgets everything that is old by now, step by step.
async fn prune(
    store: &dyn Maintenance,
    clock: &dyn Clock,
    retention: Retention,
) -> Result<(), StoreError> {
    for (what, before, marker) in due(retention, clock.now()) {
        let mut rows = 0;
        loop {
            let step = Prune {
                what,
                before,
                rows: ROWS,
                marker: &marker,
            };
            let done = store.prune(step).await?;
            rows += done.rows;
            if !done.more {
                break;
            }
            clock.sleep(PAUSE).await;
        }
        if rows > 0 {
            counter!("nitejar_pruned_rows_total", "what" => name(what)).increment(rows);
            tracing::info!(what = name(what), rows, "forgot what is no longer kept");
        }
    }
    Ok(())
}

/// Gives unused space back, step by step, and reports the sizes.
async fn tidy(store: &dyn Maintenance, clock: &dyn Clock) -> Result<(), StoreError> {
    loop {
        let found = store.tidy().await?;
        if let Some(bytes) = found.database_bytes {
            gauge!("nitejar_database_bytes").set(float(bytes));
        }
        if let Some(bytes) = found.wal_bytes {
            gauge!("nitejar_wal_bytes").set(float(bytes));
        }
        if !found.more {
            return Ok(());
        }
        clock.sleep(PAUSE).await;
    }
}

const fn name(what: Prunable) -> &'static str {
    match what {
        Prunable::Events => "events",
        Prunable::ToolOutput => "tool_output",
        Prunable::Transcripts => "transcripts",
        Prunable::IdempotencyKeys => "idempotency_keys",
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge holds nothing else, and no file has 2^53 bytes"
)]
const fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use ports::store::{Pruned, Tidied};
    use std::sync::Mutex;

    /// A clock on which every pause is over at once.
    struct Hasty(Timestamp);

    #[async_trait]
    impl Clock for Hasty {
        fn now(&self) -> Timestamp {
            self.0
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    /// Has something left for as many steps as are given for each kind.
    struct Asked {
        steps: usize,
        seen: Mutex<Vec<(Prunable, Timestamp, String)>>,
    }

    #[async_trait]
    impl Maintenance for Asked {
        async fn prune(&self, prune: Prune<'_>) -> Result<Pruned, StoreError> {
            assert!(prune.rows <= 500);
            let mut seen = self.seen.lock().unwrap();
            seen.push((prune.what, prune.before, prune.marker.to_owned()));
            let steps = seen.iter().filter(|step| step.0 == prune.what).count();
            Ok(Pruned {
                rows: 1,
                more: steps < self.steps,
            })
        }

        async fn tidy(&self) -> Result<Tidied, StoreError> {
            Ok(Tidied::default())
        }
    }

    fn days(days: u32) -> Kept {
        NonZeroU32::new(days).map_or(Kept::Forever, Kept::Days)
    }

    async fn asked(retention: Retention, steps: usize) -> Vec<(Prunable, i64, String)> {
        let now = Timestamp::from_timestamp(1_800_000_000, 0).unwrap();
        let store = Asked {
            steps,
            seen: Mutex::default(),
        };
        prune(&store, &Hasty(now), retention).await.unwrap();
        let seen = store.seen.into_inner().unwrap();
        seen.into_iter()
            .map(|(what, before, marker)| (what, (now - before).num_days(), marker))
            .collect()
    }

    #[tokio::test]
    async fn what_is_kept_forever_is_never_asked_for() {
        let retention = Retention {
            transcripts: days(0),
            events: days(0),
            tool_output: days(0),
        };
        let asked = asked(retention, 1).await;
        assert_eq!(asked, [(Prunable::IdempotencyKeys, 1, String::new())]);
    }

    #[tokio::test]
    async fn each_kind_goes_at_its_own_age_and_copies_go_with_the_first() {
        let retention = Retention {
            transcripts: days(0),
            events: days(30),
            tool_output: days(7),
        };
        let asked = asked(retention, 2).await;
        let ages: Vec<_> = asked.iter().map(|(what, age, _)| (*what, *age)).collect();
        let expected = [
            (Prunable::Events, 7),
            (Prunable::Events, 7),
            (Prunable::ToolOutput, 7),
            (Prunable::ToolOutput, 7),
            (Prunable::IdempotencyKeys, 1),
            (Prunable::IdempotencyKeys, 1),
        ];
        assert_eq!(ages, expected);
        assert!(asked[2].2.contains("kept for 7 days"), "{}", asked[2].2);
    }
}
