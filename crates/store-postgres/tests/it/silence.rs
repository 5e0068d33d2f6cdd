//! A network that is cut without a word: nothing arrives any more, and nobody is told. What waits for an answer
//! then must not keep others waiting, too.

use crate::{connect, whole};
use domain::{id::WorkerId, secret::Secret};
use futures_util::FutureExt;
use ports::{
    clock::Clock,
    live::Bus,
    store::{LeaseStore, Upkeep},
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store_postgres::{PostgresBus, PostgresSettings};
use test_kit::{
    fakes::FakeClock,
    postgres::{Database, unique},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const SOCKET: &str = ".s.PGSQL.5432";
/// Long enough for the busiest machine, and shorter than TCP takes to give up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to the server on which the first connection that says something certain goes silent.
struct Wire {
    directory: PathBuf,
    tasks: TaskTracker,
    stop: CancellationToken,
    cut: Arc<Cut>,
}

struct Cut {
    word: &'static [u8],
    done: AtomicBool,
    happened: Notify,
}

impl Wire {
    fn cut_at(word: &'static str, database: &Database) -> (Self, String) {
        let (address, server) = database.url().split_once("?host=").unwrap();
        let directory = std::env::temp_dir().join(unique("wire"));
        std::fs::create_dir(&directory).unwrap();
        let url = format!("{address}?host={}", directory.display());
        let wire = Self {
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            cut: Arc::new(Cut {
                word: word.as_bytes(),
                done: AtomicBool::new(false),
                happened: Notify::new(),
            }),
            directory,
        };
        let listener = UnixListener::bind(wire.directory.join(SOCKET)).unwrap();
        let server = PathBuf::from(server).join(SOCKET);
        let (tasks, cut) = (wire.tasks.clone(), Arc::clone(&wire.cut));
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                tasks.spawn(carry(client, server, Arc::clone(&cut)));
            }
        };
        let stop = wire.stop.clone();
        wire.tasks
            .spawn(async move { stop.run_until_cancelled(accept).await });
        (wire, url)
    }

    async fn is_cut(&self) {
        let cut = timeout(PATIENCE, self.cut.happened.notified()).await;
        assert!(cut.is_ok(), "nobody said so");
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.cancel();
        // What is left in a directory for throw-away files harms nobody.
        let _left = std::fs::remove_dir_all(&self.directory);
    }
}

async fn carry(client: UnixStream, server: UnixStream, cut: Arc<Cut>) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        () = ask(from_client, to_server, &cut) => {}
        _ended = copy(&mut from_server, &mut to_client) => {}
    }
}

/// Carries what the client says until it says the word; then everything stands still, both ends open.
async fn ask(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, cut: &Cut) {
    let mut said = Vec::with_capacity(64 << 10);
    while let Ok(1..) = client.read_buf(&mut said).await {
        let word = said.windows(cut.word.len()).any(|part| part == cut.word);
        if word && !cut.done.swap(true, Ordering::SeqCst) {
            cut.happened.notify_one();
            // Until the client closes; it hears nothing of the server, which waits for more.
            while let Ok(1..) = client.read(&mut [0; 1 << 10]).await {}
            return;
        }
        if server.write_all(&said).await.is_err() {
            return;
        }
        said.clear();
    }
}

#[tokio::test]
async fn a_sign_of_life_that_gets_no_answer_does_not_hold_up_the_next() {
    let database = Database::create().await;
    connect(database.url())
        .await
        .unwrap()
        .migrate()
        .await
        .unwrap();
    let (wire, url) = Wire::cut_at("UPDATE \"workers\"", &database);
    let store = connect(&url).await.unwrap();
    let (nobody, now) = (WorkerId::from_uuid(Uuid::nil()), FakeClock::default().now());
    tokio::select! {
        answer = store.heartbeat(nobody, now) => panic!("{answer:?}"),
        () = wire.is_cut() => {}
    }
    // One connection beats, and nobody waits for it longer than this.
    let next = timeout(Duration::from_secs(4), store.heartbeat(nobody, now)).await;
    let beaten = next.expect("it waits, too");
    assert!(!beaten.map_err(|error| whole(&error)).unwrap());
    store.close().now_or_never();
}

#[tokio::test]
async fn a_listener_that_gets_no_answer_listens_again() {
    let database = Database::create().await;
    let (wire, url) = Wire::cut_at("LISTEN", &database);
    let settings = PostgresSettings::new(Secret::new(url));
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let bus = PostgresBus::start(&settings, Uuid::from_u128(1), &tasks, &stop).unwrap();
    wire.is_cut().await;
    let connected = async {
        while !bus.is_connected() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, connected).await.expect("never again");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
}
