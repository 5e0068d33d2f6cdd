//! Event streams: one JSON object per line, as they come.

use super::Api;
use crate::error::SpritesError;
use bytes::BytesMut;
use reqwest::Response;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

const LONGEST_LINE: usize = 4 << 20;

/// The lines of an answer.
pub(crate) struct Lines {
    response: Response,
    buffer: BytesMut,
    over: bool,
}

impl Lines {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            buffer: BytesMut::new(),
            over: false,
        }
    }

    /// The next line of something that goes on all the time; the last one may lack its end.
    pub(crate) async fn next<T: DeserializeOwned>(
        &mut self,
        api: &Api,
    ) -> Result<Option<T>, SpritesError> {
        let line = timeout(api.timing.answer, self.next_whenever()).await;
        line.map_err(|_elapsed| SpritesError::Interrupted("the answer stopped coming".into()))?
    }

    /// The next line, however long it takes.
    pub(crate) async fn next_whenever<T: DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, SpritesError> {
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            let line = match end {
                Some(end) => self.buffer.split_to(end + 1),
                None if self.over && self.buffer.is_empty() => return Ok(None),
                None if self.over => self.buffer.split(),
                None if self.buffer.len() > LONGEST_LINE => {
                    return Err(SpritesError::Protocol("a line is too long".into()));
                }
                None => {
                    let piece = self.response.chunk().await;
                    match piece.map_err(SpritesError::from_client)? {
                        Some(piece) => self.buffer.extend_from_slice(&piece),
                        None => self.over = true,
                    }
                    continue;
                }
            };
            if !line.trim_ascii().is_empty() {
                let event = serde_json::from_slice(&line);
                return event
                    .map(Some)
                    .map_err(|error| SpritesError::Protocol(error.to_string()));
            }
        }
    }
}
