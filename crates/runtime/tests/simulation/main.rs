//! The runtime in a simulated world: the real engine on a real database, with a clock that the test moves and
//! faults that a seed deals out. A seed takes the same way every time, so one that fails can be looked at.
//!
//! `SIMULATION_SEED=n` lives through one seed, `SIMULATION_SEEDS=n` through that many.
#![expect(clippy::unwrap_used, reason = "test code")]

mod checks;
mod clock;
mod dice;
mod driver;
mod facts;
mod models;
mod people;
mod process;
mod script;
mod stage;
mod store;
mod tools;
mod vendor;
mod world;

use driver::Outcome;

/// How much of what happened is shown when a seed fails; all of it, when it was asked for.
const TAIL: usize = 120;

/// Lives through seeds and shows the end of the first that fails.
fn live(seeds: impl IntoIterator<Item = u64>, tail: usize) {
    for seed in seeds {
        let again = format!(
            "SIMULATION_SEED={seed} cargo nextest run -p runtime --test simulation --no-capture \
             -E 'test(the_seeds_that_were_asked_for)'"
        );
        unbroken(seed, &driver::live(seed), tail, &again);
    }
}

fn unbroken(seed: u64, outcome: &Outcome, tail: usize, again: &str) {
    let beats = ["heartbeat", "sweep", "claim_lanes", "claim_effects", "poll"];
    let told = outcome
        .trace
        .iter()
        .filter(|line| !beats.iter().any(|beat| line.ends_with(beat)));
    let trace: Vec<&str> = told.map(String::as_str).collect();
    let skipped = trace.len().saturating_sub(tail);
    let shown: Vec<&str> = trace.into_iter().skip(skipped).collect();
    assert!(
        outcome.violations.is_empty(),
        "{}\n\nseed {seed} broke:\n{}\n\n{again}",
        shown.join("\n"),
        outcome.violations.join("\n"),
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "which seeds to try is said where the test is started"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_seeds_that_were_asked_for_keep_every_promise() {
    match number("SIMULATION_SEED") {
        Some(seed) => live([seed], usize::MAX),
        None => live(1_000..1_000 + number("SIMULATION_SEEDS").unwrap_or(0), TAIL),
    }
}

#[test]
fn the_first_eight_seeds_keep_every_promise() {
    live(0..8, TAIL);
}

#[test]
fn the_second_eight_seeds_keep_every_promise() {
    live(8..16, TAIL);
}

#[test]
fn the_third_eight_seeds_keep_every_promise() {
    live(16..24, TAIL);
}

#[test]
fn the_fourth_eight_seeds_keep_every_promise() {
    live(24..32, TAIL);
}

#[test]
fn the_fifth_eight_seeds_keep_every_promise() {
    live(32..40, TAIL);
}

#[test]
fn the_sixth_eight_seeds_keep_every_promise() {
    live(40..48, TAIL);
}

#[test]
fn the_seventh_eight_seeds_keep_every_promise() {
    live(48..56, TAIL);
}

#[test]
fn the_eighth_eight_seeds_keep_every_promise() {
    live(56..64, TAIL);
}

#[test]
fn a_process_that_slept_past_its_lease_writes_nothing_more_for_it() {
    let mut late = 0;
    for seed in 0..8 {
        let outcome = driver::live_asleep(seed);
        unbroken(seed, &outcome, TAIL, "");
        late += outcome.stale;
    }
    assert!(late >= 16, "only {late} late writes: too few to say so");
}

#[test]
fn a_seed_takes_the_same_way_every_time() {
    for seed in 100..106 {
        let (first, again) = (driver::live(seed).trace, driver::live(seed).trace);
        let parted = first
            .iter()
            .zip(&again)
            .position(|(one, other)| one != other);
        if let Some(at) = parted {
            let before = first[at.saturating_sub(20)..at].join("\n");
            let (one, other) = (first[at..].join("\n"), again[at..].join("\n"));
            panic!("{before}\nseed {seed} parts at step {at}:\n{one:.2000}\nor\n{other:.2000}");
        }
        assert_eq!(first.len(), again.len());
    }
}
