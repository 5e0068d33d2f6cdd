//! What arrives while Redis is well: everything in order, and a gap instead of what was too much.

use super::support::{
    Ear, connection, fresh_prefix, next, numbered, shared_url, two, with_payload,
};
use domain::id::{JobId, TenantId};
use ports::live::{Bus, Committed, Delta, DeltaTarget, Heard, News};
use uuid::Uuid;

/// What the stream may hold more than its limit: Redis drops whole nodes of entries.
const NODES: u64 = 300;

async fn length(prefix: &str) -> u64 {
    let mut connection = connection(&shared_url()).await;
    let mut command = redis::cmd("XLEN");
    let command = command.arg(format!("{prefix}:news"));
    command.query_async(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_arrive_whole_in_order_and_without_a_gap() {
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    for number in 0..2_000 {
        one.tell(number);
    }
    for number in 0..2_000 {
        assert_eq!(next(&mut stream).await, Heard::News(numbered(number)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_being_written_arrives_complete() {
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    let mut written = String::new();
    for part in 0..1_000 {
        let text = format!("{part} ü ");
        let delta = Delta {
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            job_id: JobId::from_uuid(Uuid::from_u128(2)),
            target: DeltaTarget::Text,
            offset: written.len(),
            text,
        };
        written.push_str(&delta.text);
        one.bus.publish(News::Delta(delta));
    }
    let mut read = String::new();
    while read.len() < written.len() {
        let Heard::News(News::Delta(delta)) = next(&mut stream).await else {
            panic!("no delta")
        };
        assert_eq!(delta.offset, read.len());
        read.push_str(&delta.text);
    }
    assert_eq!(read, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_ends_in_delivery_or_a_gap_and_leaves_a_bounded_stream() {
    const BURST: u64 = 20_000;
    let prefix = fresh_prefix();
    let (one, other) = two(&shared_url(), &prefix, 10_000).await;
    let mut stream = other.bus.listen();
    for number in 0..BURST {
        one.tell(number);
    }
    let mut ear = Ear::default();
    while !ear.accounts_for(BURST) {
        ear.hear(&mut stream, || BURST).await;
    }
    assert!(length(&prefix).await <= 10_000 + NODES);
    // And it goes on.
    one.tell(BURST);
    while ear.numbers.last() != Some(&BURST) {
        ear.hear(&mut stream, || BURST).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_up_misses_nothing_of_a_stream_that_is_trimmed() {
    let prefix = fresh_prefix();
    let (one, other) = two(&shared_url(), &prefix, 1_000).await;
    let mut stream = other.bus.listen();
    for number in 0..20_000 {
        one.tell(number);
        if number % 500 == 499 {
            for number in number - 499..=number {
                assert_eq!(next(&mut stream).await, Heard::News(numbered(number)));
            }
        }
    }
    assert!(length(&prefix).await <= 1_000 + NODES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_trimmed_before_it_was_read_is_a_gap() {
    let prefix = fresh_prefix();
    let (one, other) = two(&shared_url(), &prefix, 10_000).await;
    let (key, mut stream) = (format!("{prefix}:news"), other.bus.listen());
    let mut lost = redis::pipe();
    lost.atomic();
    lost.cmd("XADD")
        .arg(&key)
        .arg("*")
        .arg("origin")
        .arg("third");
    lost.cmd("XTRIM").arg(&key).arg("MAXLEN").arg(0);
    let mut connection = connection(&shared_url()).await;
    lost.exec_async(&mut connection).await.unwrap();
    assert_eq!(next(&mut stream).await, Heard::Gap);
    one.tell(1);
    assert_eq!(next(&mut stream).await, Heard::News(numbered(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_falls_behind_hears_of_a_gap_and_then_the_latest() {
    const MANY: u64 = 6_000;
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let (mut slow, mut quick) = (other.bus.listen(), other.bus.listen());
    for number in 0..MANY {
        one.tell(number);
        if number % 500 == 499 {
            for _ in 0..500 {
                next(&mut quick).await;
            }
        }
    }
    assert_eq!(next(&mut slow).await, Heard::Gap);
    let mut ear = Ear::default();
    while ear.numbers.last() != Some(&(MANY - 1)) {
        ear.hear(&mut slow, || MANY).await;
    }
    assert_eq!(ear.gap, None);
    assert!(ear.numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_too_large_arrives_as_wake_up_and_gap() {
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    let payload = serde_json::json!("x".repeat(300 * 1_024));
    one.bus.publish(with_payload(1, payload));
    one.tell(2);
    let light = News::Committed(Committed {
        lanes_ready: true,
        ..Committed::default()
    });
    for heard in [Heard::News(light), Heard::Gap, Heard::News(numbered(2))] {
        assert_eq!(next(&mut stream).await, heard);
    }
}
