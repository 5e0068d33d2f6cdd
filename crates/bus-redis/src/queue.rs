//! What waits to be added to the stream. Putting something in never waits: what finds no place is dropped and
//! remembered, so that a gap is told of as soon as anything gets through again.

use ports::live::{Delta, News};
use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How many news may wait.
const CAPACITY: usize = 4_096;
/// Deltas that wait are joined up to this many bytes.
const JOINED: usize = 16 * 1_024;

/// News on their way out; one task takes them.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<News>,
    /// Something was dropped since the last batch was taken.
    missed: bool,
    /// Nothing gets through, so nothing is kept.
    closed: bool,
}

/// What goes out together.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    /// Something was dropped before these news could be taken; their readers must hear of it.
    pub(crate) missed: bool,
    pub(crate) news: Vec<News>,
}

impl Queue {
    /// Adds news, or drops them.
    pub(crate) fn push(&self, news: News) {
        self.state().push(news);
        self.changed.notify_one();
    }

    /// Waits until there is something to tell, a gap included.
    pub(crate) async fn take(&self, most: usize) -> Batch {
        loop {
            if let Some(batch) = self.try_take(most) {
                return batch;
            }
            // A push between the look and the wait has left a permit, so it is not slept through.
            self.changed.notified().await;
        }
    }

    /// What there is to tell now.
    pub(crate) fn try_take(&self, most: usize) -> Option<Batch> {
        let mut state = self.state();
        if state.closed || (state.waiting.is_empty() && !state.missed) {
            return None;
        }
        let end = most.min(state.waiting.len());
        Some(Batch {
            missed: mem::take(&mut state.missed),
            news: state.waiting.drain(..end).collect(),
        })
    }

    /// Redis is there: news may wait again.
    pub(crate) fn open(&self) {
        self.state().closed = false;
    }

    /// Redis is gone: what waits is dropped, and so is what was taken and may not have arrived.
    pub(crate) fn close(&self) {
        *self.state() = State {
            waiting: VecDeque::new(),
            missed: true,
            closed: true,
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, news: News) {
        // That something is missed is remembered since it closed.
        if self.closed {
            return;
        }
        let Some(news) = join(self.waiting.back_mut(), news) else {
            return;
        };
        if self.waiting.len() < CAPACITY {
            self.waiting.push_back(news);
        } else {
            self.missed = true;
        }
    }
}

/// Adds a delta to the one it continues; gives back whatever continues nothing.
fn join(last: Option<&mut News>, news: News) -> Option<News> {
    if let (Some(News::Delta(last)), News::Delta(next)) = (last, &news)
        && continues(last, next)
    {
        last.text.push_str(&next.text);
        return None;
    }
    Some(news)
}

fn continues(last: &Delta, next: &Delta) -> bool {
    last.tenant_id == next.tenant_id
        && last.job_id == next.job_id
        && last.target == next.target
        && last.offset + last.text.len() == next.offset
        && last.text.len() + next.text.len() <= JOINED
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{JobId, TenantId};
    use ports::live::{Committed, DeltaTarget};
    use uuid::Uuid;

    const ALL: usize = usize::MAX;

    fn delta(target: DeltaTarget, offset: usize, text: &str) -> News {
        News::Delta(Delta {
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            job_id: JobId::from_uuid(Uuid::from_u128(2)),
            target,
            offset,
            text: text.to_owned(),
        })
    }

    fn wake() -> News {
        News::Committed(Committed {
            lanes_ready: true,
            ..Committed::default()
        })
    }

    fn taken(queue: &Queue) -> (bool, Vec<News>) {
        let batch = queue.try_take(ALL).unwrap();
        (batch.missed, batch.news)
    }

    #[test]
    fn deltas_that_continue_each_other_are_joined_and_others_are_not() {
        let queue = Queue::default();
        let tool = || DeltaTarget::ToolOutput("call".to_owned());
        for news in [
            delta(DeltaTarget::Text, 0, "Hé"),
            delta(DeltaTarget::Text, 3, "llo"),
            delta(DeltaTarget::Text, 7, "?"),
            delta(tool(), 8, "out"),
            wake(),
            delta(tool(), 11, "put"),
        ] {
            queue.push(news);
        }
        let expected = vec![
            delta(DeltaTarget::Text, 0, "Héllo"),
            delta(DeltaTarget::Text, 7, "?"),
            delta(tool(), 8, "out"),
            wake(),
            delta(tool(), 11, "put"),
        ];
        assert_eq!(taken(&queue), (false, expected));
    }

    #[test]
    fn joined_deltas_stay_small() {
        let queue = Queue::default();
        let text = "x".repeat(JOINED / 2);
        for part in 0..4 {
            queue.push(delta(DeltaTarget::Text, part * text.len(), &text));
        }
        let twice = text.repeat(2);
        let expected = vec![
            delta(DeltaTarget::Text, 0, &twice),
            delta(DeltaTarget::Text, JOINED, &twice),
        ];
        assert_eq!(taken(&queue), (false, expected));
    }

    #[test]
    fn what_finds_no_place_is_a_gap_once() {
        let queue = Queue::default();
        for _ in 0..=CAPACITY {
            queue.push(wake());
        }
        let (missed, news) = taken(&queue);
        assert_eq!((missed, news.len()), (true, CAPACITY));
        assert_eq!(queue.try_take(ALL), None);
        queue.push(wake());
        assert_eq!(taken(&queue), (false, vec![wake()]));
    }

    #[test]
    fn a_batch_has_its_limit_and_keeps_the_order() {
        let queue = Queue::default();
        let wanted: Vec<News> = [5, 3, 1]
            .map(|offset| delta(DeltaTarget::Thinking, offset, "x"))
            .into();
        wanted.iter().cloned().for_each(|news| queue.push(news));
        assert_eq!(queue.try_take(2).unwrap().news, wanted[..2]);
        assert_eq!(queue.try_take(2).unwrap().news, wanted[2..]);
    }

    #[tokio::test]
    async fn while_closed_nothing_waits_and_afterwards_a_gap_does() {
        let queue = Queue::default();
        queue.push(wake());
        assert_eq!(taken(&queue), (false, vec![wake()]));
        // What was taken may not have arrived, so the gap does not depend on what is pushed now.
        for pushed in [0, 1] {
            queue.close();
            (0..pushed).for_each(|_| queue.push(wake()));
            assert_eq!(queue.try_take(ALL), None);
            queue.open();
            let gap = Batch {
                missed: true,
                news: Vec::new(),
            };
            assert_eq!(queue.take(ALL).await, gap);
            assert_eq!(queue.try_take(ALL), None);
        }
    }
}
