//! Whatever happens to Redis: every number that was told is heard, or a gap after it was told; and afterwards
//! news flow again. Each test is one thing that happens.

use super::support::{Ear, PATIENCE, Process, Server, connection, next, numbered, two};
use nix::sys::signal::Signal;
use ports::live::{Bus, Heard};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How often a number is told: often enough that some are always under way.
const PACE: Duration = Duration::from_millis(1);
/// What a few seconds are, with some room for a busy machine.
const FEW_SECONDS: Duration = Duration::from_secs(6);

/// Lets one process tell numbers while `fault` happens, checks what the other hears, and says whether that
/// included a gap.
async fn heard_a_gap(fault: impl AsyncFn(&mut Server, [&Process; 2])) -> bool {
    let mut server = Server::start().await;
    let (one, other) = two(&server.url(), "test", 10_000).await;
    let mut stream = other.bus.listen();
    let told = AtomicU64::new(0);
    let (begun, over) = (CancellationToken::new(), CancellationToken::new());
    let tell = |number| {
        one.tell(number);
        // After it was told, so that a gap with this count came later.
        told.store(number + 1, Ordering::SeqCst);
    };

    let telling = async {
        let mut pace = interval(PACE);
        for number in 0.. {
            // Looked at before the number is told, so that the last one is told when all is over.
            let last = over.is_cancelled();
            tell(number);
            if last {
                break;
            }
            pace.tick().await;
        }
    };
    let happening = async {
        begun.cancelled().await;
        fault(&mut server, [&one, &other]).await;
        one.is(true).await;
        other.is(true).await;
        over.cancel();
    };
    let listening = async {
        let mut ear = Ear::default();
        while !(over.is_cancelled() && ear.accounts_for(told.load(Ordering::SeqCst))) {
            ear.hear(&mut stream, || told.load(Ordering::SeqCst)).await;
            begun.cancel();
        }
        ear
    };
    let all = async { tokio::join!(telling, happening, listening) };
    let ((), (), ear) = timeout(PATIENCE * 3, all).await.unwrap();
    assert!(ear.numbers.is_sorted_by(|one, next| one < next));

    // What is told now is heard, after whatever is still on its way.
    let fresh = told.load(Ordering::SeqCst) + 1;
    one.tell(fresh);
    let mut gap = ear.gap.is_some();
    loop {
        match next(&mut stream).await {
            Heard::Gap => gap = true,
            heard if heard == Heard::News(numbered(fresh)) => return gap,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_happens() {
    assert!(!heard_a_gap(async |_: &mut Server, _: [&Process; 2]| {}).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_killed_and_comes_back_empty() {
    let fault = async |server: &mut Server, processes: [&Process; 2]| {
        server.kill().await;
        for process in processes {
            process.is(false).await;
        }
        server.run().await;
    };
    assert!(heard_a_gap(fault).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_hangs_and_it_is_noticed_within_a_few_seconds() {
    let fault = async |server: &mut Server, processes: [&Process; 2]| {
        let hung = Instant::now();
        server.signal(Signal::SIGSTOP);
        for process in processes {
            process.is(false).await;
        }
        assert!(hung.elapsed() < FEW_SECONDS, "{:?}", hung.elapsed());
        server.signal(Signal::SIGCONT);
    };
    assert!(heard_a_gap(fault).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_bus_notices_a_hung_redis_as_well() {
    let server = Server::start().await;
    let (one, other) = two(&server.url(), "test", 10_000).await;
    let hung = Instant::now();
    server.signal(Signal::SIGSTOP);
    one.is(false).await;
    other.is(false).await;
    assert!(hung.elapsed() < FEW_SECONDS, "{:?}", hung.elapsed());
    server.signal(Signal::SIGCONT);
    one.is(true).await;
    other.is(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_are_cut() {
    let fault = async |server: &mut Server, _: [&Process; 2]| {
        for _ in 0..5 {
            server.ask("CLIENT KILL TYPE normal SKIPME yes").await;
        }
    };
    heard_a_gap(fault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_cut_off_says_so_and_goes_on_where_it_was() {
    let server = Server::start().await;
    let (one, other) = two(&server.url(), "test", 10_000).await;
    let mut stream = other.bus.listen();
    let mut connection = connection(&server.url()).await;
    let mut cut = 0;
    // Only those that read: what is told still gets through.
    while cut < 2 {
        let mut list = redis::cmd("CLIENT");
        let list = list.arg("LIST").query_async(&mut connection).await;
        let list: String = list.unwrap();
        for client in list.lines().filter(|line| line.contains("cmd=xread")) {
            let id = client.split_whitespace().next().unwrap();
            let mut kill = redis::cmd("CLIENT");
            kill.arg("KILL").arg("ID").arg(id.trim_start_matches("id="));
            cut += kill.query_async::<u32>(&mut connection).await.unwrap();
        }
    }
    one.tell(1);
    assert_eq!(next(&mut stream).await, Heard::Gap);
    loop {
        match next(&mut stream).await {
            // It may have been cut off twice.
            Heard::Gap => {}
            heard => break assert_eq!(heard, Heard::News(numbered(1))),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_is_flushed_evicted_and_trimmed() {
    let fault = async |server: &mut Server, _: [&Process; 2]| {
        for command in ["FLUSHALL", "DEL test:news", "XTRIM test:news MAXLEN 0"] {
            server.ask(command).await;
        }
    };
    assert!(heard_a_gap(fault).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_full_for_a_while() {
    let fault = async |server: &mut Server, [one, _]: [&Process; 2]| {
        server.ask("CONFIG SET maxmemory 1").await;
        one.is(false).await;
        server.ask("CONFIG SET maxmemory 0").await;
    };
    assert!(heard_a_gap(fault).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_takes_the_key_for_something_else() {
    let fault = async |server: &mut Server, processes: [&Process; 2]| {
        server.ask("SET test:news mine").await;
        for process in processes {
            process.is(false).await;
        }
        server.ask("DEL test:news").await;
    };
    assert!(heard_a_gap(fault).await);
}
