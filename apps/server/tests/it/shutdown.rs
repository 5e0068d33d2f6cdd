//! The end of a server takes a bounded time, whatever others do.

use crate::app::App;
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test]
async fn half_a_request_does_not_hold_up_the_end() {
    let app = App::start().await;
    let address = app.url.trim_start_matches("http://");
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: ")
        .await
        .unwrap();
    // Connections are accepted in order, so the half one is being read by now.
    app.get("/api/v1/agents").await;
    app.stop().await;
}

#[tokio::test]
async fn a_second_signal_ends_the_drain_at_once() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo begun; sleep 600`").await;
    events.until(|event| event.name == "tool.output").await;
    let asked = Instant::now();
    app.terminate().await;
    // Streams end when the server begins to stop.
    events.rest().await;
    app.stop().await;
    let took = asked.elapsed();
    assert!(
        took < Duration::from_secs(15),
        "the drain time is 20 seconds; it took {took:?}"
    );
}
