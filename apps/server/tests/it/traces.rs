//! Traces: the spans of one run reach a collector, and nothing else does.

use crate::app::{App, Options, TOKEN};
use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// What a collector was sent, as it came.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let receive = async |State(Self(bodies)): State<Self>, body: Bytes| {
            bodies.lock().unwrap().push(body);
        };
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state(collector.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.0.lock().unwrap();
        let decoded = bodies
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.as_ref()));
        decoded.map(Result::unwrap).collect()
    }
}

fn options(collector: SocketAddr) -> Options {
    Options {
        env: vec![
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{collector}/"),
            ),
            // What the log shows does not decide what is traced.
            ("RUST_LOG", "error,server=info".to_owned()),
        ],
        ..Options::default()
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes
        .iter()
        .find(|pair| pair.key == key)?
        .value
        .as_ref()?
        .value
        .as_ref()?
    {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn number(span: &Span, key: &str) -> Option<i64> {
    let pair = span.attributes.iter().find(|pair| pair.key == key)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Value::IntValue(number) => Some(*number),
        _ => None,
    }
}

#[tokio::test]
async fn a_run_is_traced_by_ids_names_and_counts_and_nothing_else() {
    let (collector, address) = Collector::start().await;
    let app = App::start_with(options(address)).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    let config = json!({ "webhook_secret": "hook-secret-canary" });
    app.telegram(&telegram, config).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "run `echo content-canary`");
    telegram
        .wait_for_message(&chat, |message| message.text.contains("content-canary"))
        .await;
    let job = app.items("/api/v1/jobs").await.remove(0);
    app.stop().await;

    let requests = collector.requests();
    let resources = || requests.iter().flat_map(|request| &request.resource_spans);
    let spans: Vec<&Span> = resources()
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let resource = resources().next().unwrap().resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name"), Some("nitejar"));
    tell_the_run(&spans, &job);
    let sent = collector.0.lock().unwrap().concat();
    let sent = String::from_utf8_lossy(&sent);
    for canary in [
        TelegramSimulator::TOKEN,
        TOKEN,
        "hook-secret-canary",
        "content-canary",
        "Kim",
        &telegram.base_url(),
        env!("CARGO_MANIFEST_DIR"),
    ] {
        assert!(!sent.contains(canary), "{canary} left with the traces");
    }
}

/// Checks names, ids and counts.
fn tell_the_run(spans: &[&Span], job: &serde_json::Value) {
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "chat",
        "effects.send",
        "execute_tool",
        "http.request",
        "ingest.accept",
        "invoke_agent",
        "lanes.serve",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    let one = |name: &str| *spans.iter().find(|span| span.name == name).unwrap();
    let run = one("invoke_agent");
    for (key, field) in [
        ("job.id", "id"),
        ("gen_ai.agent.id", "agent_id"),
        ("gen_ai.conversation.id", "conversation_id"),
    ] {
        assert_eq!(text(&run.attributes, key), job[field].as_str(), "{key}");
    }
    let chat = one("chat");
    assert_eq!(chat.trace_id, run.trace_id);
    let word = |key: &str| text(&chat.attributes, key);
    assert_eq!(word("gen_ai.provider.name"), Some("demo"));
    assert_eq!(word("gen_ai.request.model"), Some("scripted"));
    for key in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
        assert!(number(chat, key).is_some_and(|tokens| tokens > 0), "{key}");
    }
    let tool = one("execute_tool");
    assert_eq!(tool.trace_id, run.trace_id);
    assert_eq!(text(&tool.attributes, "gen_ai.tool.name"), Some("bash"));
    let delivery = one("effects.send");
    assert_eq!(text(&delivery.attributes, "job.id"), job["id"].as_str());
    assert!(spans.iter().all(|span| span.events.is_empty()));
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_nothing_up() {
    // Connections are taken by the system, and nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = App::start_with(options(silent.local_addr().unwrap())).await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo once`").await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(job["status"], "completed");
    drop(events);
    let asked = Instant::now();
    app.stop().await;
    // Less than the ten seconds that a request to a collector may take.
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn a_collector_that_is_gone_is_said_once() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let app = App::start_with(options(address)).await;
    app.agent("Ada").await;
    let said = async || {
        let mut events = app.events("/api/v1/events", None).await;
        app.hand_in("run `echo once`").await;
        app.finished_job(&mut events).await;
        app.log().matches("traces are dropped until").count()
    };
    while said().await == 0 {}
    said().await;
    assert_eq!(said().await, 1);
}
