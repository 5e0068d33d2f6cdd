//! Two ways to the other processes used as one: a fast one that carries everything, and the database's own, which
//! carries hints and is there whenever anything is. Neither holds truth.

use futures_util::{StreamExt, stream};
use ports::live::{Bus, Heard, HeardStream, News};
use std::{future::ready, sync::Arc};

/// News over both; hints that rows moved count only while the fast way is down.
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
    use domain::id::TenantId;
    use ports::live::Committed;
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
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
    fn news_go_both_ways() {
        let (fast, steady) = (Arc::new(Stub::default()), Arc::new(Stub::default()));
        let buses = TwoBuses::new(Arc::<Stub>::clone(&fast), Arc::<Stub>::clone(&steady));
        buses.publish(News::Committed(Committed::default()));
        assert_eq!(fast.published.lock().unwrap().len(), 1);
        assert_eq!(steady.published.lock().unwrap().len(), 1);
    }
}
