//! A storm by numbers: how often which fault is met. Every decision depends on the seed and on what
//! it is about (method, chat, how often), never on time or on what happens beside it.

use super::{methods::integer, state::Fault};
use crate::dice::{pick, roll};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// How often what goes wrong, per thousand; the default is fair weather.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// The same seed brings the same faults to the same calls.
    pub seed: u64,
    /// The methods it falls on; empty = every one.
    pub methods: Vec<String>,
    /// Calls that are answered late, whatever else they meet.
    pub slow: u16,
    /// How late.
    pub slowness: Duration,
    /// Calls answered with 429.
    pub rate_limited: u16,
    /// The seconds a 429 asks for.
    pub retry_after: u64,
    /// Calls answered with 500 or 502.
    pub server_error: u16,
    /// Calls whose connection is cut before they are carried out.
    pub cut_before: u16,
    /// Calls that are carried out before the connection is cut.
    pub lost_answer: u16,
    /// Calls that are carried out and half answered.
    pub half_answer: u16,
    /// Updates delivered to the webhook twice, at the same time or shortly after.
    pub duplicate: u16,
    /// Updates held back so that later ones of the chat may overtake them on the way to the webhook.
    pub reorder: u16,
    /// Deliveries to the webhook that are broken off before the answer, and repeated.
    pub hang_up: u16,
}

impl Default for Chaos {
    fn default() -> Self {
        Self {
            seed: 0,
            methods: Vec::new(),
            slow: 0,
            slowness: Duration::from_millis(100),
            rate_limited: 0,
            retry_after: 1,
            server_error: 0,
            cut_before: 0,
            lost_answer: 0,
            half_answer: 0,
            duplicate: 0,
            reorder: 0,
            hang_up: 0,
        }
    }
}

impl Chaos {
    /// Everything at once, mild enough for work to go on.
    pub fn storm(seed: u64) -> Self {
        Self {
            seed,
            slow: 100,
            rate_limited: 30,
            server_error: 30,
            cut_before: 10,
            lost_answer: 10,
            half_answer: 10,
            duplicate: 200,
            reorder: 200,
            hang_up: 50,
            ..Self::default()
        }
    }
}

/// A profile at work; it remembers how often each thing came up.
#[derive(Default)]
pub(super) struct Weather {
    chaos: Chaos,
    seen: BTreeMap<String, u64>,
}

/// What happens to one delivery to the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    /// A second one starts that much later.
    Twice(Duration),
    /// It is broken off after that time.
    HangUp(Duration),
}

impl Weather {
    pub(super) fn new(chaos: Chaos) -> Self {
        Self {
            chaos,
            seen: BTreeMap::new(),
        }
    }

    /// What a call meets, and how long it takes longer.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> (Fault, Duration) {
        let fair = (Fault::Pass, Duration::ZERO);
        let chaos = &self.chaos;
        if !chaos.methods.is_empty() && !chaos.methods.iter().any(|name| name == method) {
            return fair;
        }
        let about = integer(params, "chat_id").or_else(|| integer(params, "offset"));
        let key = format!("{method}/{}", about.unwrap_or_default());
        let nth = self.count(&key);
        let chaos = &self.chaos;
        let limited = Fault::RateLimited {
            retry_after: chaos.retry_after,
        };
        let gateway = Fault::Refused {
            code: 502,
            description: "Bad Gateway".to_owned(),
        };
        let choices = [
            (chaos.rate_limited, limited),
            (chaos.server_error / 2, Fault::ServerError),
            (chaos.server_error.div_ceil(2), gateway),
            (chaos.cut_before, Fault::CutBefore),
            (chaos.lost_answer, Fault::LostAnswer),
            (chaos.half_answer, Fault::HalfAnswer),
        ];
        let fault = pick(roll(chaos.seed, &key, nth), choices).unwrap_or(Fault::Pass);
        let is_slow = roll(chaos.seed, &format!("slow/{key}"), nth) < chaos.slow;
        let late = if is_slow {
            chaos.slowness
        } else {
            Duration::ZERO
        };
        (fault, late)
    }

    /// How long an update is held back.
    pub(super) fn hold(&self, update: i64) -> Duration {
        let key = format!("reorder/{update}");
        if roll(self.chaos.seed, &key, 0) >= self.chaos.reorder {
            return Duration::ZERO;
        }
        Duration::from_millis(u64::from(roll(self.chaos.seed, &key, 1)) / 4)
    }

    /// What happens to the next delivery of an update.
    pub(super) fn delivery(&mut self, update: i64) -> Twist {
        let key = format!("webhook/{update}");
        let nth = self.count(&key);
        let (chaos, seed) = (&self.chaos, self.chaos.seed);
        let length = u64::from(roll(seed, &format!("length/{key}"), nth));
        let choices = [
            (
                chaos.duplicate,
                Twist::Twice(Duration::from_millis(length / 20)),
            ),
            (
                chaos.hang_up,
                Twist::HangUp(Duration::from_micros(length * 10)),
            ),
        ];
        pick(roll(seed, &key, nth), choices).unwrap_or(Twist::None)
    }

    fn count(&mut self, key: &str) -> u64 {
        let seen = self.seen.entry(key.to_owned()).or_default();
        *seen += 1;
        *seen - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(seed: u64, chats: &[i64]) -> BTreeMap<i64, Vec<(Fault, Duration)>> {
        let mut weather = Weather::new(Chaos {
            server_error: 200,
            ..Chaos::storm(seed)
        });
        let mut met: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for _round in 0..50 {
            for chat in chats {
                let fault = weather.call("sendMessage", &json!({"chat_id": chat}));
                met.entry(*chat).or_default().push(fault);
            }
        }
        met
    }

    #[test]
    fn a_chat_meets_the_same_faults_whatever_happens_beside_it() {
        let (alone, among) = (faults(3, &[7]), faults(3, &[5, 7, 9]));
        assert_eq!(alone[&7], among[&7]);
        assert_ne!(faults(4, &[7]), alone);
        let kinds = |fault: &Fault| alone[&7].iter().any(|(met, _)| met == fault);
        assert!(kinds(&Fault::Pass) && kinds(&Fault::ServerError));
    }

    #[test]
    fn it_falls_on_the_named_methods_only() {
        let mut weather = Weather::new(Chaos {
            lost_answer: 1_000,
            methods: vec!["sendMessage".to_owned()],
            ..Chaos::default()
        });
        let mut met = |method| weather.call(method, &json!({})).0;
        assert_eq!(met("sendMessage"), Fault::LostAnswer);
        assert_eq!(met("getUpdates"), Fault::Pass);
    }
}
