//! What every bus promises.

use super::support::{Process, fresh_prefix, shared_url};
use std::sync::Arc;
use test_kit::bus::Pair;

async fn pair() -> Pair {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let [one, other] = [0; 2].map(|_| Process::start(&url, &prefix, 10_000));
    Pair {
        one: Arc::new(one.bus),
        other: Arc::new(other.bus),
        guard: Box::new((one.stop, other.stop)),
    }
}

test_kit::bus_contract!(pair);
