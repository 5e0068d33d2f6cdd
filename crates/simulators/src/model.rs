//! A stand-in for model providers: Anthropic Messages and Chat Completions on one port.
//!
//! It streams like the vendors, refuses what they refuse, and fails on demand. Replies come from a
//! queue, else from a handler, else from a small built-in habit: "run `X`" makes it call `bash` with
//! X and then answer with what came back.

mod anthropic;
mod chaos;
mod openai;
mod reply;
mod request;
mod rules;
mod serve;
#[cfg(test)]
mod tests;

pub use chaos::Chaos;
pub use reply::{Block, Fault, Quirks, Reply, Tokens};
pub use request::{Wire, last_user_text, tool_results};
pub use rules::check_request;

use axum::serve::ListenerExt as _;
use chaos::Weather;
use serde_json::Value;
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// How many requests are remembered; older ones are forgotten, so that long benches stay small.
const REMEMBERED: usize = 1_000;

/// Answers a request, or leaves it to the built-in habit.
pub type Handler = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

/// How the stand-in behaves for every request.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Before the response starts.
    pub latency: Duration,
    /// Between two events of a stream.
    pub event_delay: Duration,
    /// Cuts the stream into pieces of this many bytes, wherever they fall.
    pub fragment: Option<usize>,
    /// When set, any other key is refused.
    pub api_key: Option<String>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which of the two formats.
    pub wire: Wire,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A running stand-in. It stops when dropped.
pub struct ModelSimulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

struct Shared {
    options: Options,
    state: Mutex<State>,
    /// How many requests have come in, including refused ones.
    count: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    handler: Option<Arc<Handler>>,
    requests: VecDeque<Request>,
    calls: u64,
    faults: VecDeque<Fault>,
    /// Absent in fair weather, so that benches pay for none of it.
    weather: Option<Weather>,
}

impl ModelSimulator {
    /// Binds a free port on loopback and starts.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // Small events must not wait for the peer's acknowledgements. A socket that cannot be set up
        // so is only slower.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        let shared = Arc::new(Shared {
            options,
            state: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let app = serve::router(Arc::clone(&shared));
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator owns its server and ends it when dropped"
        )]
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// The base URL for an Anthropic-compatible provider.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL for an OpenAI-compatible provider.
    pub fn openai_base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Queues the reply to a request that is not answered yet.
    pub fn push(&self, reply: Reply) {
        self.shared.state().replies.push_back(reply);
    }

    /// Plans that the next answers all go wrong like this. A fault that spoils the answer takes no
    /// reply from the queue: what was to be said is said when the model is asked again.
    pub fn fail_next(&self, fault: Fault, times: usize) {
        let planned = std::iter::repeat_n(fault, times);
        self.shared.state().faults.extend(planned);
    }

    /// From now on answers meet faults by numbers; planned faults come first.
    pub fn set_chaos(&self, chaos: Chaos) {
        self.shared.state().weather = Some(Weather::new(chaos));
    }

    /// Ends what `set_chaos` began.
    pub fn clear_chaos(&self) {
        self.shared.state().weather = None;
    }

    /// Sets who answers when the queue is empty.
    pub fn on_request(&self, handler: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) {
        self.shared.state().handler = Some(Arc::new(handler));
    }

    /// The requests so far, oldest first; only the last thousand.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.iter().cloned().collect()
    }

    /// How many requests came in.
    pub fn count(&self) -> u64 {
        *self.shared.count.borrow()
    }

    /// Returns once that many requests have come in.
    pub async fn wait_for(&self, count: u64) {
        let mut changes = self.shared.count.subscribe();
        // The sender lives in `self`, so waiting cannot fail while we are here.
        let _seen = changes.wait_for(|seen| *seen >= count).await;
    }
}

impl Drop for ModelSimulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, request: Request) {
        let mut state = self.state();
        if state.requests.len() == REMEMBERED {
            state.requests.pop_front();
        }
        state.requests.push_back(request);
        drop(state);
        self.count.send_modify(|count| *count += 1);
    }

    /// The reply: queue, handler, habit; going wrong as planned, else as the weather is.
    fn reply(&self, request: &Request) -> Reply {
        let (queued, handler, fault) = {
            let mut state = self.state();
            let planned = state.faults.pop_front();
            let weather = state.weather.as_mut();
            let fault = planned.or_else(|| weather.and_then(|weather| weather.answer(request)));
            let queued = if fault.as_ref().is_some_and(Fault::spoils) {
                state.replies.front().cloned()
            } else {
                state.replies.pop_front()
            };
            (queued, state.handler.clone(), fault)
        };
        let mut reply = queued
            .or_else(|| handler.and_then(|handler| handler(request)))
            .unwrap_or_else(|| reply::habit(request));
        reply.fault = fault.or(reply.fault);
        reply
    }

    /// A number no other call or message of this stand-in has.
    fn number(&self) -> u64 {
        let mut state = self.state();
        state.calls += 1;
        state.calls
    }
}
