//! One provider's HTTP endpoint: sends a request, then turns the response into events.
//!
//! What the bytes mean is the [`Decode`] implementation's business. No retries here.

use crate::{failure::Failure, sse};
use domain::secret::Secret;
use futures_util::{
    future::{Either, select},
    stream,
};
use ports::{
    clock::Clock,
    inference::{InferenceError, ModelEvent, ModelStream},
};
use reqwest::{
    Client, Response, Url,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use std::{
    collections::VecDeque, error::Error as _, future::Future, pin::pin, sync::Arc, time::Duration,
};

/// How long the injected client may take to connect. A client's connect timeout cannot be set per
/// request, so whoever builds it uses this value.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than any answer; replaces a total timeout the shared client may have.
const WHOLE_ANSWER: Duration = Duration::from_hours(2);
const MAX_ERROR_BODY: usize = 64 * 1024;

/// How long to wait for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the response starts. Local servers read the whole prompt before they answer.
    pub response: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            response: Duration::from_mins(5),
            idle: Duration::from_mins(2),
        }
    }
}

/// Where and as whom a provider is asked.
pub(crate) struct Endpoint {
    pub(crate) provider: String,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) key: Option<Secret>,
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeouts: Timeouts,
}

/// Gives the events of one answer their meaning.
pub(crate) trait Decode: Send + Sized + 'static {
    /// Takes one event and appends what it means.
    fn event(&mut self, data: &str, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure>;

    /// The provider closed the stream: appends the end, or says why there is none.
    fn end(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure>;
}

impl Endpoint {
    /// Sends the request; a success is a response whose body has not been read.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Result<Response, Failure> {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        // Compressors hold events back.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let sent = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .timeout(WHOLE_ANSWER)
            .body(body)
            .send();
        let mut response = match self.within(self.timeouts.response, sent).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err(Failure::Unavailable(describe(error))),
            None => {
                return Err(Failure::Unavailable(format!(
                    "no answer within {} s",
                    self.timeouts.response.as_secs()
                )));
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let mut body = Vec::new();
        while body.len() < MAX_ERROR_BODY {
            // The status already says what matters; a body that breaks off only says it worse.
            match self.within(self.timeouts.idle, response.chunk()).await {
                Some(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Some(Ok(None) | Err(_)) | None => break,
            }
        }
        Err(Failure::from_response(
            response.status(),
            response.headers(),
            &body,
            self.clock.now(),
        ))
    }

    /// Names this provider in a failure.
    pub(crate) fn error(&self, failure: Failure) -> InferenceError {
        failure.of(&self.provider, self.key.as_ref())
    }

    /// Reads the response as a stream of model events.
    pub(crate) fn read<D: Decode>(self: Arc<Self>, response: Response, decode: D) -> ModelStream {
        let answer = Answer {
            endpoint: self,
            response,
            decode,
            sse: sse::Decoder::default(),
            whole: None,
            queue: VecDeque::new(),
            failure: None,
            ended: false,
        };
        Box::pin(stream::unfold(answer, Answer::next))
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.clock.sleep(limit)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

struct Answer<D> {
    endpoint: Arc<Endpoint>,
    response: Response,
    decode: D,
    sse: sse::Decoder,
    /// Set once the body turned out to be one JSON document instead of a stream.
    whole: Option<Vec<u8>>,
    queue: VecDeque<ModelEvent>,
    failure: Option<Failure>,
    ended: bool,
}

impl<D: Decode> Answer<D> {
    async fn next(mut self) -> Option<(Result<ModelEvent, InferenceError>, Self)> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                if matches!(event, ModelEvent::Stop(_)) {
                    self.queue.clear();
                    self.failure = None;
                    self.ended = true;
                }
                return Some((Ok(event), self));
            }
            if let Some(failure) = self.failure.take() {
                self.ended = true;
                return Some((Err(self.endpoint.error(failure)), self));
            }
            if self.ended {
                return None;
            }
            if let Err(failure) = self.fill().await {
                self.failure = Some(failure);
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        let idle = self.endpoint.timeouts.idle;
        let chunk = self.endpoint.within(idle, self.response.chunk()).await;
        let mut events = Vec::new();
        match chunk {
            None => {
                return Err(Failure::Interrupted(format!(
                    "nothing arrived for {} s",
                    idle.as_secs()
                )));
            }
            Some(Err(error)) => return Err(Failure::Interrupted(describe(error))),
            Some(Ok(Some(bytes))) => self.take(&bytes, &mut events)?,
            Some(Ok(None)) => {
                self.finish(&mut events);
                self.decode_all(&events)?;
                self.decode.end(&mut self.queue)?;
                // `end` appends the stop or fails; without either there is nothing more to read.
                self.ended = true;
                return Ok(());
            }
        }
        self.decode_all(&events)
    }

    /// Server-sent events never begin with a brace, JSON documents do. Content types lie more often.
    fn take(&mut self, bytes: &[u8], events: &mut Vec<sse::Event>) -> Result<(), Failure> {
        let too_large = |error: sse::TooLarge| Failure::Interrupted(error.to_string());
        if let Some(whole) = &mut self.whole {
            if whole.len() + bytes.len() > sse::MAX_EVENT_BYTES {
                return Err(too_large(sse::TooLarge));
            }
            whole.extend_from_slice(bytes);
            return Ok(());
        }
        if self.sse.is_fresh() && bytes.trim_ascii_start().starts_with(b"{") {
            self.whole = Some(bytes.to_vec());
            return Ok(());
        }
        self.sse.push(bytes, events).map_err(too_large)
    }

    fn finish(&mut self, events: &mut Vec<sse::Event>) {
        match self.whole.take() {
            Some(whole) => events.push(sse::Event {
                name: String::new(),
                data: String::from_utf8_lossy(&whole).into_owned(),
            }),
            None => self.sse.finish(events),
        }
    }

    fn decode_all(&mut self, events: &[sse::Event]) -> Result<(), Failure> {
        events
            .iter()
            .filter(|event| !event.data.trim().is_empty())
            .try_for_each(|event| self.decode.event(&event.data, &mut self.queue))
    }
}

/// What went wrong on the network: the innermost cause, without the URL, which may carry a key.
fn describe(error: reqwest::Error) -> String {
    let what = if error.is_connect() {
        "cannot connect"
    } else if error.is_timeout() {
        "timed out"
    } else {
        "the connection failed"
    };
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    match cause {
        Some(cause) => format!("{what}: {cause}"),
        None => format!("{what}: {error}"),
    }
}
