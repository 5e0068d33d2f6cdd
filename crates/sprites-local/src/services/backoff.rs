//! How long to wait before a service is started again, and when to give up.

use std::time::Duration;

/// The longest wait, in multiples of the shortest.
const LONGEST: u32 = 30;
/// A service that ran so long is well; its next end is a first one.
const SETTLED: Duration = Duration::from_mins(1);
/// How often in a row a service that does not settle is started again.
const RESTARTS: u32 = 10;

/// The waits of one service since somebody last started it.
#[derive(Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    wait: Duration,
    quick: u32,
}

impl Backoff {
    pub(super) fn new(shortest: Duration) -> Self {
        Self {
            shortest,
            wait: shortest,
            quick: 0,
        }
    }

    /// The wait after a service ended that ran so long; `None` when it ended too often.
    pub(super) fn ended(&mut self, ran: Duration) -> Option<Duration> {
        if ran >= SETTLED {
            *self = Self::new(self.shortest);
        }
        self.quick += 1;
        (self.quick <= RESTARTS).then(|| self.again())
    }

    /// The wait after an end that is not the service's fault.
    pub(super) fn again(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(self.shortest * LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_wait_doubles_up_to_thirty_times_and_then_it_is_given_up() {
        let mut backoff = Backoff::new(SECOND);
        let waits: Vec<_> = (0..11).map(|_| backoff.ended(SECOND * 59)).collect();
        let seconds = [1, 2, 4, 8, 16, 30, 30, 30, 30, 30].map(|wait| Some(SECOND * wait));
        assert_eq!(waits, [&seconds[..], &[None]].concat());
    }

    #[test]
    fn a_service_that_settled_starts_over() {
        let mut backoff = Backoff::new(SECOND);
        for _ in 0..10 {
            backoff.ended(Duration::ZERO);
        }
        assert_eq!(backoff.ended(SECOND * 60), Some(SECOND));
        assert_eq!(backoff.ended(Duration::ZERO), Some(SECOND * 2));
    }

    #[test]
    fn what_is_not_its_fault_is_never_given_up() {
        let mut backoff = Backoff::new(SECOND);
        let longest = (0..100).map(|_| backoff.again()).last();
        assert_eq!(longest, Some(SECOND * 30));
        assert!(backoff.ended(Duration::ZERO).is_some());
    }
}
