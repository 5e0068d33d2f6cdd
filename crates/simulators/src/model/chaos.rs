//! A storm by numbers: how often which fault an answer meets. Every decision depends on the seed and
//! on what is asked (the last words of a person, the length of the history, how often), never on
//! time or on what is asked beside it.

use super::{
    Request,
    reply::Fault,
    request::{Wire, last_user_text, messages},
};
use crate::dice::{pick, roll};
use std::{collections::BTreeMap, time::Duration};

/// How often what goes wrong, per thousand; the default is fair weather.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// The same seed brings the same faults to the same requests.
    pub seed: u64,
    /// Answers whose first byte comes late.
    pub slow_start: u16,
    /// How late.
    pub slowness: Duration,
    /// Answers that trickle.
    pub trickle: u16,
    /// The pause between two events of those.
    pub pause: Duration,
    /// Requests answered with 429.
    pub rate_limited: u16,
    /// The `Retry-After` of a 429.
    pub retry_after: String,
    /// Requests answered with 529 (Anthropic) or 503 (Chat Completions).
    pub overloaded: u16,
    /// Requests answered with 500.
    pub server_error: u16,
    /// Streams that are cut after a few events, or before the first.
    pub cut: u16,
    /// Streams whose last event is malformed.
    pub malformed_end: u16,
    /// Answers that are refusals. They are no failures: the job ends with them.
    pub refusal: u16,
}

impl Default for Chaos {
    fn default() -> Self {
        Self {
            seed: 0,
            slow_start: 0,
            slowness: Duration::from_millis(200),
            trickle: 0,
            pause: Duration::from_millis(20),
            rate_limited: 0,
            retry_after: "1".to_owned(),
            overloaded: 0,
            server_error: 0,
            cut: 0,
            malformed_end: 0,
            refusal: 0,
        }
    }
}

impl Chaos {
    /// Everything at once but refusals, mild enough for work to go on.
    pub fn storm(seed: u64) -> Self {
        Self {
            seed,
            slow_start: 80,
            trickle: 80,
            rate_limited: 30,
            overloaded: 30,
            server_error: 30,
            cut: 60,
            malformed_end: 30,
            ..Self::default()
        }
    }
}

/// A profile at work; it remembers how often each question was asked.
#[derive(Default)]
pub(super) struct Weather {
    chaos: Chaos,
    seen: BTreeMap<String, u64>,
}

impl Weather {
    pub(super) fn new(chaos: Chaos) -> Self {
        Self {
            chaos,
            seen: BTreeMap::new(),
        }
    }

    /// What the answer to a request meets.
    pub(super) fn answer(&mut self, request: &Request) -> Option<Fault> {
        let length = messages(&request.body).len();
        let key = format!("{length}/{}", last_user_text(request));
        let seen = self.seen.entry(key.clone()).or_default();
        let nth = *seen;
        *seen += 1;
        let chaos = &self.chaos;
        let status = |status, kind: &str, message: &str, retry_after| Fault::Status {
            status,
            retry_after,
            kind: kind.to_owned(),
            message: message.to_owned(),
        };
        let overloaded = match request.wire {
            Wire::Anthropic => status(529, "overloaded_error", "Overloaded", None),
            Wire::OpenAi => status(503, "server_overloaded", "The server is overloaded.", None),
        };
        let wait = Some(chaos.retry_after.clone());
        let limited = status(429, "rate_limit_error", "Rate limit reached.", wait);
        let events = roll(chaos.seed, &format!("events/{key}"), nth) % 6;
        let choices = [
            (chaos.slow_start, Fault::SlowStart(chaos.slowness)),
            (chaos.trickle, Fault::Trickle(chaos.pause)),
            (chaos.rate_limited, limited),
            (chaos.overloaded, overloaded),
            (
                chaos.server_error,
                status(500, "api_error", "Internal server error", None),
            ),
            (chaos.cut, Fault::CutAfter(events.into())),
            (chaos.malformed_end, Fault::MalformedEnd),
            (chaos.refusal, Fault::Refusal),
        ];
        pick(roll(chaos.seed, &key, nth), choices)
    }
}
