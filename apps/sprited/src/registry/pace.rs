//! How fast sprites may be made: so many in a window that slides with time.

use super::CreateError;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

pub(super) struct Pace {
    limit: usize,
    window: Duration,
    taken: VecDeque<Instant>,
}

impl Pace {
    pub(super) const fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            taken: VecDeque::new(),
        }
    }

    /// Takes one of the window's places.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), CreateError> {
        self.taken
            .retain(|at| now.duration_since(*at) < self.window);
        if self.taken.len() < self.limit {
            self.taken.push_back(now);
            return Ok(());
        }
        let oldest = self
            .taken
            .front()
            .map_or(Duration::ZERO, |at| now.duration_since(*at));
        Err(CreateError::TooFast {
            limit: self.limit,
            window: self.window,
            retry_after: self.window.saturating_sub(oldest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_the_window_has_passed() {
        let mut pace = Pace::new(2, Duration::from_mins(1));
        let start = Instant::now();
        pace.take(start).unwrap();
        let later = start + Duration::from_secs(20);
        pace.take(later).unwrap();
        let Err(CreateError::TooFast { retry_after, .. }) = pace.take(later) else {
            panic!("a third was let through");
        };
        assert_eq!(retry_after, Duration::from_secs(40));
        pace.take(later + retry_after).unwrap();
        pace.take(later + retry_after).unwrap_err();
    }
}
