//! Two ways to the other processes used as one: a fast one that carries everything, and the database's own, which
//! carries hints and is there whenever anything is. Neither holds truth.

use futures_util::{StreamExt, stream};
use ports::live::{Bus, Heard, HeardStream, News};
use std::{collections::BTreeSet, future::ready, sync::Arc};

/// News over both; hints that rows moved count only while the fast way is down at either end.
pub struct TwoBuses {
    fast: Arc<dyn Bus>,
    steady: Arc<dyn Bus>,
}

impl TwoBuses {
    /// Joins a bus that carries whole news with one that carries hints.
    pub fn new(fast: Arc<dyn Bus>, steady: Arc<dyn Bus>) -> Self {
        Self { fast, steady }
    }
}

impl Bus for TwoBuses {
    fn publish(&self, news: News) {
        if !self.fast.is_connected()
            && let News::Committed(committed) = &news
        {
            // Who still hears the fast way takes no hints; that nothing comes that way, only we know.
            let moved: BTreeSet<_> = committed
                .events
                .iter()
                .map(|event| event.tenant_id)
                .collect();
            for tenant in moved {
                self.steady.publish(News::Moved(tenant));
            }
        }
        // Wake-ups go both ways: waking twice costs a look, a lost wake-up costs the time to the next sweep.
        self.steady.publish(news.clone());
        self.fast.publish(news);
    }

    fn listen(&self) -> HeardStream {
        let fast = Arc::clone(&self.fast);
        let hints = self
            .steady
            .listen()
            .filter(move |heard| ready(!matches!(heard, Heard::Moved(_)) || !fast.is_connected()));
        Box::pin(stream::select(self.fast.listen(), hints))
    }

    fn is_connected(&self) -> bool {
        self.fast.is_connected() || self.steady.is_connected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Timestamp,
        event::{EventKind, JobEvent},
        id::{JobId, TenantId},
    };
    use ports::live::Committed;
    use std::{
        slice,
        sync::{
            Mutex,
            atomic::{AtomicBool, Ordering},
        },
    };
    use uuid::Uuid;

    #[derive(Default)]
    struct Stub {
        says: Vec<Heard>,
        connected: AtomicBool,
        published: Mutex<Vec<News>>,
    }

    impl Bus for Stub {
        fn publish(&self, news: News) {
            self.published.lock().unwrap().push(news);
        }

        fn listen(&self) -> HeardStream {
            Box::pin(stream::iter(self.says.clone()))
        }

        fn is_connected(&self) -> bool {
            self.connected.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn hints_of_moved_rows_count_only_while_the_fast_bus_is_down() {
        let moved = Heard::Moved(TenantId::from_uuid(Uuid::nil()));
        let woken = Heard::News(News::Committed(Committed {
            lanes_ready: true,
            ..Committed::default()
        }));
        let steady = || Stub {
            says: vec![moved.clone(), woken.clone(), Heard::Gap],
            ..Stub::default()
        };
        let fast = Arc::new(Stub::default());
        fast.connected.store(true, Ordering::Relaxed);
        let buses = TwoBuses::new(Arc::<Stub>::clone(&fast), Arc::new(steady()));
        let heard: Vec<_> = buses.listen().collect().await;
        assert_eq!(heard, [woken.clone(), Heard::Gap]);
        fast.connected.store(false, Ordering::Relaxed);
        let heard: Vec<_> = buses.listen().collect().await;
        assert_eq!(heard, [moved, woken, Heard::Gap]);
    }

    #[test]
    fn news_go_both_ways_and_who_lost_the_fast_one_says_whose_rows_moved() {
        let tenant = TenantId::from_uuid(Uuid::nil());
        let event = JobEvent {
            tenant_id: tenant,
            job_id: JobId::from_uuid(Uuid::nil()),
            seq: 1,
            feed_seq: 1,
            kind: EventKind::Message,
            payload: serde_json::Value::Null,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let news = News::Committed(Committed {
            events: vec![event.clone(), event],
            ..Committed::default()
        });
        for connected in [true, false] {
            let (fast, steady) = (Arc::new(Stub::default()), Arc::new(Stub::default()));
            fast.connected.store(connected, Ordering::Relaxed);
            let buses = TwoBuses::new(Arc::<Stub>::clone(&fast), Arc::<Stub>::clone(&steady));
            buses.publish(news.clone());
            assert_eq!(*fast.published.lock().unwrap(), slice::from_ref(&news));
            let mut told = vec![News::Moved(tenant), news.clone()];
            told.drain(..usize::from(connected));
            assert_eq!(*steady.published.lock().unwrap(), told);
        }
    }

    #[tokio::test]
    async fn who_is_told_of_rows_that_nothing_else_tells_of_heeds_it() {
        let moved = Heard::News(News::Moved(TenantId::from_uuid(Uuid::nil())));
        let fast = Stub {
            connected: AtomicBool::new(true),
            ..Stub::default()
        };
        let steady = Stub {
            says: vec![moved.clone()],
            ..Stub::default()
        };
        let buses = TwoBuses::new(Arc::new(fast), Arc::new(steady));
        assert_eq!(buses.listen().collect::<Vec<_>>().await, [moved]);
    }
}
