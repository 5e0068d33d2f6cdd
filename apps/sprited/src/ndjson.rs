//! Answers that are a line of JSON at a time, as long as somebody reads them.

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Serialize;
use sprites::wire;
use std::{convert::Infallible, marker::PhantomData};
use tokio::sync::mpsc;

/// Lines that a slow reader may be behind.
const BEHIND: usize = 256;

/// The writing end.
pub(crate) struct Lines<T> {
    to: mpsc::Sender<Bytes>,
    kind: PhantomData<fn(T)>,
}

/// An answer and the way to write its lines; it ends when the way is dropped.
pub(crate) fn answer<T: Serialize>() -> (Lines<T>, Response) {
    let (to, mut from) = mpsc::channel(BEHIND);
    let lines = stream::poll_fn(move |context| {
        from.poll_recv(context)
            .map(|line| line.map(Ok::<Bytes, Infallible>))
    });
    let headers = [(header::CONTENT_TYPE, wire::NDJSON)];
    let response = (headers, Body::from_stream(lines)).into_response();
    let kind = PhantomData;
    (Lines { to, kind }, response)
}

impl<T: Serialize> Lines<T> {
    /// Writes a line; `false` when nobody reads any more.
    pub(crate) async fn write(&self, value: &T) -> bool {
        match line(value) {
            Some(line) => self.to.send(line).await.is_ok(),
            None => true,
        }
    }

    /// Writes a line nobody needs: it is left out when the reader is far behind.
    pub(crate) fn hint(&self, value: &T) {
        if let Some(line) = line(value)
            && let Err(error) = self.to.try_send(line)
        {
            tracing::debug!(%error, "a line was left out");
        }
    }

    /// Returns when nobody reads any more.
    pub(crate) async fn unread(&self) {
        self.to.closed().await;
    }
}

fn line(value: &impl Serialize) -> Option<Bytes> {
    match serde_json::to_vec(value) {
        Ok(mut line) => {
            line.push(b'\n');
            Some(line.into())
        }
        Err(error) => {
            tracing::error!(%error, "a line cannot be written as JSON");
            None
        }
    }
}
