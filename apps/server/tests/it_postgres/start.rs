//! A database that is not there yet when the server starts, as when a machine starts both.

use crate::app::{App, Options};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use test_kit::postgres::Database;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{UnixListener, UnixStream},
};

const SOCKET: &str = ".s.PGSQL.5432";
/// How many connections are told that the database is starting.
const EARLY: usize = 4;

/// The server's own words while it starts: an error of severity FATAL with code 57P03.
fn starting_up() -> Vec<u8> {
    let fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E", length.to_be_bytes().as_slice(), fields].concat()
}

/// Answers on a socket in the directory: first that it is starting, later as the real server.
fn serve(directory: &Path, server: String) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(directory.join(SOCKET)).unwrap();
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            if count.fetch_add(1, Ordering::SeqCst) < EARLY {
                // It asks for TLS, is told that there is none, and says who it is.
                let mut said = [0; 1_024];
                let _asks = client.read(&mut said).await.unwrap();
                client.write_all(b"N").await.unwrap();
                let _hello = client.read(&mut said).await.unwrap();
                client.write_all(&starting_up()).await.unwrap();
                continue;
            }
            let mut server = UnixStream::connect(Path::new(&server).join(SOCKET))
                .await
                .unwrap();
            // A connection that ends is no matter of this test.
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    asked
}

#[tokio::test]
async fn a_server_waits_for_a_database_that_is_starting() {
    let database = Database::create().await;
    let (address, server) = database.url().split_once("?host=").unwrap();
    let sockets = tempfile::tempdir().unwrap();
    let asked = serve(sockets.path(), server.to_owned());
    let url = format!("{address}?host={}", sockets.path().display());
    let options = Options {
        env: vec![("DATABASE_URL", url)],
        ..Options::default()
    };
    let app = App::start_in(tempfile::tempdir().unwrap(), options).await;
    assert!(asked.load(Ordering::SeqCst) > EARLY);
    app.agent("Ada").await;
    assert_eq!(app.items("/api/v1/agents").await.len(), 1);
}
