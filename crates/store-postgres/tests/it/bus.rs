//! The bus: the contract of all of them, and what a lost connection does.

use domain::secret::Secret;
use futures_util::StreamExt;
use ports::live::{Bus, Committed, Heard, News};
use std::sync::Arc;
use store_postgres::{PostgresBus, PostgresSettings};
use test_kit::{
    bus::{self, Pair},
    postgres::{self, Database},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Two processes on a database of their own.
struct Processes {
    database: Database,
    tasks: TaskTracker,
    stop: CancellationToken,
}

async fn processes() -> (Pair, Arc<Processes>) {
    let processes = Arc::new(Processes {
        database: Database::create().await,
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
    });
    let settings = PostgresSettings::new(Secret::new(processes.database.url()));
    let [one, other] = [1, 2].map(|origin| {
        let origin = Uuid::from_u128(origin);
        let Processes { tasks, stop, .. } = &*processes;
        Arc::new(PostgresBus::start(&settings, origin, tasks, stop).unwrap()) as Arc<dyn Bus>
    });
    let guard = Box::new(Arc::clone(&processes));
    (Pair { one, other, guard }, processes)
}

async fn pair() -> Pair {
    processes().await.0
}

test_kit::bus_contract!(pair);

fn lanes() -> News {
    News::Committed(Committed {
        lanes_ready: true,
        ..Committed::default()
    })
}

#[tokio::test]
async fn a_lost_connection_is_a_gap_and_news_get_through_again() {
    let (pair, processes) = processes().await;
    let pair = bus::connected(pair).await;
    let mut heard = pair.other.listen();
    postgres::execute(
        processes.database.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    assert_eq!(heard.next().await, Some(Heard::Gap));
    pair.one.publish(lanes());
    assert_eq!(heard.next().await, Some(Heard::News(lanes())));
}

#[tokio::test]
async fn what_waits_is_told_before_the_end() {
    let (pair, processes) = processes().await;
    let pair = bus::connected(pair).await;
    let mut heard = pair.other.listen();
    pair.one.publish(lanes());
    drop(pair.one);
    assert_eq!(heard.next().await, Some(Heard::News(lanes())));
    processes.stop.cancel();
    processes.tasks.close();
    processes.tasks.wait().await;
    drop(pair.other);
    assert!(heard.next().await.is_none());
}

#[tokio::test]
async fn a_bus_without_a_server_is_not_connected_and_ends() {
    let settings = PostgresSettings::new(Secret::new(
        "postgres://ada:hunter2@localhost/acme?host=/nonexistent",
    ));
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let bus = PostgresBus::start(&settings, Uuid::nil(), &tasks, &stop).unwrap();
    bus.publish(lanes());
    tokio::task::yield_now().await;
    assert!(!bus.is_connected());
    drop(bus);
    tasks.close();
    tasks.wait().await;
}
