//! A server of its own for each test, and clients that speak raw HTTP and WebSocket messages.

use bytes::Bytes;
use domain::{secret::Secret, sprite::SandboxTier};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sprited::{Place, SUPERVISOR, Server, Settings};
use sprites_local::LocalSettings;
use std::{path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error as WsError, Message, client::IntoClientRequest as _, http, protocol::CloseFrame,
    },
};

pub(crate) const TOKEN: &str = "token-of-the-tests/0123456789";
/// Long enough for the busiest machine; only a broken server reaches it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running server.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    server: Server,
    client: Client,
}

pub(crate) fn settings(root: &Path) -> Settings {
    let supervisor = vec![env!("CARGO_BIN_EXE_sprited").into(), SUPERVISOR.into()];
    let mut local = LocalSettings::new(root.join("sprites"), supervisor);
    local.min_tier = SandboxTier::Plain;
    local.force_tier = wanted();
    Settings::new(local, vec![Secret::new(TOKEN)])
}

/// The tier of this run, where `SANDBOX_TIER` names one; the best there is otherwise.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says what is tested"
)]
fn wanted() -> Option<SandboxTier> {
    let word = std::env::var("SANDBOX_TIER").ok()?;
    Some(word.parse().unwrap())
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::again(tempfile::tempdir().unwrap(), change).await
    }

    /// A server in the directory of one before.
    pub(crate) async fn again(directory: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(directory.path());
        change(&mut settings);
        let place = Place::open(directory.path()).unwrap();
        let server = Server::start(settings, place).await.unwrap();
        Self {
            directory,
            server,
            client: client(),
        }
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.server.stop().await;
        self.directory
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// A request with the token.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    /// A request without.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, self.url(path))
            .timeout(PATIENCE)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        told(self.ask(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        told(self.ask(method, path).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, body).await
    }

    /// Makes a sprite.
    pub(crate) async fn sprite(&self, name: &str) {
        let (status, body) = self.post("/v1/sprites", json!({"name": name})).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
    }

    /// The lines of a stream, to its end.
    pub(crate) async fn lines(&self, method: Method, path: &str, body: Value) -> Vec<Value> {
        let response = self.ask(method, path).json(&body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{text}");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A WebSocket, or the answer that refused it.
    pub(crate) async fn socket(
        &self,
        path: &str,
    ) -> Result<Socket, http::Response<Option<Vec<u8>>>> {
        let url = self.url(path).replace("http://", "ws://");
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {TOKEN}").parse().unwrap();
        request.headers_mut().insert("authorization", token);
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((socket, answer)) => Ok(Socket { socket, answer }),
            Err(WsError::Http(answer)) => Err(*answer),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// A command over a WebSocket, with these parameters.
    pub(crate) async fn exec(&self, sprite: &str, parameters: &[(&str, &str)]) -> Socket {
        let url = reqwest::Url::parse_with_params("http://x/", parameters).unwrap();
        let query = url.query().unwrap_or_default();
        let path = format!("/v1/sprites/{sprite}/exec?{query}");
        self.socket(&path).await.unwrap()
    }

    /// A command over plain HTTP: the chunks of the answer as they were sent, which no HTTP
    /// client tells.
    pub(crate) async fn chunks(
        &self,
        sprite: &str,
        parameters: &[(&str, &str)],
        input: &[u8],
    ) -> Vec<Vec<u8>> {
        let url = reqwest::Url::parse_with_params("http://x/", parameters).unwrap();
        let head = format!(
            "POST /v1/sprites/{sprite}/exec?{} HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {TOKEN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            url.query().unwrap(),
            input.len()
        );
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(input).await.unwrap();
        let mut all = Vec::new();
        let reading = stream.read_to_end(&mut all);
        timeout(PATIENCE, reading).await.unwrap().unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let (mut rest, mut chunks) = (&all[end + 4..], Vec::new());
        loop {
            let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
            let length = str::from_utf8(&rest[..line]).unwrap();
            let length = usize::from_str_radix(length, 16).unwrap();
            if length == 0 {
                return chunks;
            }
            let start = line + 2;
            chunks.push(rest[start..start + length].to_vec());
            rest = &rest[start + length + 2..];
        }
    }

    /// A shell script to its end.
    pub(crate) async fn run(&self, sprite: &str, script: &str) -> Run {
        let parameters = [("cmd", "sh"), ("cmd", "-c"), ("cmd", script)];
        self.exec(sprite, &parameters).await.rest().await
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no shared client")]
fn client() -> Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn told(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, value)
}

/// A WebSocket connection.
pub(crate) struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) answer: http::Response<Option<Vec<u8>>>,
}

/// All that came over a connection, in order.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) messages: Vec<Message>,
    pub(crate) close: Option<CloseFrame>,
}

impl Socket {
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("something comes")
            {
                Some(Ok(Message::Pong(_) | Message::Ping(_))) => {}
                Some(Ok(message)) => return Some(message),
                // Where the process ended the client may see the end of TCP first.
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next text message.
    pub(crate) async fn text(&mut self) -> Value {
        loop {
            match self.next().await.expect("a text comes") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Binary(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the answer to a ping.
    pub(crate) async fn pong(&mut self, text: &str) {
        loop {
            let next = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a pong comes");
            if matches!(next.unwrap().unwrap(), Message::Pong(bytes) if bytes == text) {
                return;
            }
        }
    }

    pub(crate) async fn say(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn say_json(&mut self, value: Value) {
        self.say(Message::text(value.to_string())).await;
    }

    /// A frame of input.
    pub(crate) async fn input(&mut self, bytes: &[u8]) {
        self.say(Message::binary([&[0], bytes].concat())).await;
    }

    pub(crate) async fn end_input(&mut self) {
        self.say(Message::binary(vec![4])).await;
    }

    /// Reads until standard output (or a terminal's) holds a text; gives all that came.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.contains(text) {
            match self.next().await {
                Some(Message::Binary(bytes)) => all.push_str(&String::from_utf8_lossy(&bytes)),
                Some(Message::Text(_)) => {}
                other => panic!("{other:?} after {all}"),
            }
        }
        all
    }

    pub(crate) async fn rest(mut self) -> Run {
        let mut run = Run::default();
        while let Some(message) = self.next().await {
            match message {
                Message::Close(frame) => run.close = frame,
                message => run.messages.push(message),
            }
        }
        run
    }

    /// Leaves without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }
}

impl Run {
    /// The bytes of a stream, of frames with a prefix.
    pub(crate) fn bytes(&self, stream: u8) -> Vec<u8> {
        self.frames()
            .filter(|frame| frame.first() == Some(&stream))
            .flat_map(|frame| frame[1..].to_vec())
            .collect()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.bytes(1)).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.bytes(2)).into_owned()
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = &Bytes> {
        self.messages.iter().filter_map(|message| match message {
            Message::Binary(bytes) => Some(bytes),
            _ => None,
        })
    }

    pub(crate) fn texts(&self) -> Vec<Value> {
        let texts = self.messages.iter().filter_map(|message| match message {
            Message::Text(text) => Some(serde_json::from_str(text).unwrap()),
            _ => None,
        });
        texts.collect()
    }

    /// The code of the exit message.
    pub(crate) fn code(&self) -> i64 {
        let texts = self.texts();
        let exit = texts.iter().find(|text| text["type"] == "exit");
        let exit = exit.unwrap_or_else(|| panic!("no exit in {self:?}"));
        assert_eq!(exit["exit_code"], exit["code"]);
        exit["exit_code"].as_i64().unwrap()
    }
}
