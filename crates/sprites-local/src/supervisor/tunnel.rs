//! A TCP connection to a port of the sandbox's own loopback, both ways. Only what something of
//! this sprite listens on can be reached: where the network is the host's, its other ports are not
//! ours to offer.

use super::{input::Input, listening, responder::Responder};
use crate::protocol::{Answer, CHUNK, Failure, Kind, Reply, WINDOW};
use bytes::{Bytes, BytesMut};
use domain::sprite::SandboxTier;
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::UnboundedReceiver,
    time::timeout,
};

/// How long connecting may take, which is at once unless the listener is overrun.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to a port and passes bytes until both ways are over, or one breaks.
pub(super) async fn run(port: u16, tier: SandboxTier, input: Input, to: &Responder) -> Answer {
    if tier != SandboxTier::Namespaces {
        let own = tokio::task::spawn_blocking(move || listening::listens(tier, port)).await;
        if !own.unwrap_or(false) {
            return Err(nobody(port));
        }
    }
    let connect = async {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Ok(stream) => Ok(stream),
            Err(_) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await,
        }
    };
    let connected = timeout(PATIENCE, connect).await.map_err(|_elapsed| {
        Failure::Refused(format!("what listens on port {port} takes no connection"))
    })?;
    let (reader, writer) = connected.map_err(|_refused| nobody(port))?.into_split();
    to.grant(WINDOW).await;
    let both = async { tokio::join!(forth(input.data, writer, to), back(reader, to)) };
    tokio::select! {
        _ = both => {}
        () = to.cancelled() => {}
    }
    Ok(Reply::Done)
}

fn nobody(port: u16) -> Failure {
    Failure::Refused(format!("nothing in the sprite listens on port {port}"))
}

async fn forth(mut data: UnboundedReceiver<Bytes>, mut writer: OwnedWriteHalf, to: &Responder) {
    let mut taken = 0;
    while let Some(bytes) = data.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            // It takes no more. The other way sees that too, when there is nothing left on it.
            return;
        }
        taken += bytes.len();
        if taken >= WINDOW / 4 {
            to.grant(taken).await;
            taken = 0;
        }
    }
    // A connection that is gone already is shut down.
    writer.shutdown().await.unwrap_or(());
}

async fn back(mut reader: OwnedReadHalf, to: &Responder) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match reader.read_buf(&mut buffer).await {
            Ok(1..) => to.data(Kind::Stdout, buffer.split().freeze()).await,
            Ok(0) | Err(_) => break,
        }
    }
    to.data(Kind::Stdout, Bytes::new()).await;
}
