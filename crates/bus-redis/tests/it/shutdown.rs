//! The end: what still waits is sent, and no task stays behind, not even when Redis hangs.

use super::support::{PATIENCE, Server, fresh_prefix, next, numbered, shared_url, two};
use nix::sys::signal::Signal;
use ports::live::{Bus, Heard};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_sent_before_the_end() {
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    for number in 0..2_000 {
        one.tell(number);
    }
    one.stop.cancel();
    timeout(PATIENCE, one.tasks.wait()).await.unwrap();
    assert!(!one.bus.is_connected());
    for number in 0..2_000 {
        assert_eq!(next(&mut stream).await, Heard::News(numbered(number)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_bus_ends_its_tasks_and_no_others() {
    let (one, other) = two(&shared_url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    one.tell(1);
    drop(one.bus);
    timeout(PATIENCE, one.tasks.wait()).await.unwrap();
    assert!(!one.stop.is_cancelled());
    assert_eq!(next(&mut stream).await, Heard::News(numbered(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_redis_does_not_hold_the_end_up() {
    let server = Server::start().await;
    let (one, _other) = two(&server.url(), "test", 10_000).await;
    server.signal(Signal::SIGSTOP);
    one.tell(1);
    one.stop.cancel();
    timeout(PATIENCE, one.tasks.wait()).await.unwrap();
}
