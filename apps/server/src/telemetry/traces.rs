//! Traces over OTLP/HTTP. Only spans of our own crates leave, and only spans: events carry messages and
//! errors, and what other crates put into their spans is not ours to judge. Where no endpoint is set,
//! nothing of this exists at run time.

use anyhow::Context as _;
use async_trait::async_trait;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Handle;
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

/// The crates whose spans leave: their fields are ids, routes, names of models and tools, and counts.
const TRACED: [&str; 4] = ["api", "inference", "runtime", "services"];
/// Spans that wait at most; more are dropped, so that a slow collector costs no memory.
const QUEUE: usize = 2_048;
/// Spans of one request.
const BATCH: usize = 256;
/// The longest a span waits for company.
const DELAY: Duration = Duration::from_secs(2);
/// The longest one request may take, and the longest the end of the process waits for the last one.
const REQUEST: Duration = Duration::from_secs(10);
const FLUSH: Duration = Duration::from_secs(2);
/// A collector has little to say; a longer answer is not read.
const ANSWER: usize = 64 * 1024;

/// Traces on their way to a collector.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to export to a collector, given as `OTEL_EXPORTER_OTLP_ENDPOINT` gives it: without the path of
    /// the signal. Call it inside the runtime that is to carry the requests.
    pub fn start(endpoint: &str, client: reqwest::Client) -> anyhow::Result<Self> {
        let courier = Courier {
            client,
            runtime: Handle::current(),
            failing: Arc::default(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .with_timeout(REQUEST)
            .build()
            .context("traces cannot be exported to OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let resource = Resource::builder()
            .with_service_name("nitejar")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What hands spans over. Source locations, threads and levels stay here.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("nitejar"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(FilterFn::new(is_traced).with_max_level_hint(LevelFilter::INFO))
    }

    /// Sends what is left, for no longer than two seconds.
    pub async fn finish(self) {
        let provider = self.provider;
        let ending = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH));
        if !matches!(ending.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be delivered in time");
        }
    }
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    let origin = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span() && TRACED.contains(&origin)
}

/// Carries batches from the exporter's thread, which has no runtime, over ours.
#[derive(Clone)]
struct Courier {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last request failed: an outage is said once, and so is its end.
    failing: Arc<AtomicBool>,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = send(self.client.clone(), request);
        // The clock is the runtime's too, so the waiting begins there.
        let sending = async { tokio::time::timeout(REQUEST, sending).await };
        let sent = self.runtime.spawn(sending).await?;
        let answer = match sent {
            Ok(answer) => answer,
            Err(late) => Err(late.into()),
        };
        self.report(&answer);
        answer
    }
}

impl Courier {
    fn report(&self, answer: &Result<Response<Bytes>, HttpError>) {
        let problem = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status())),
            Err(error) => Some(cause(error.as_ref())),
        };
        let was_failing = self.failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_failing => tracing::warn!(
                "traces are dropped until the collector at OTEL_EXPORTER_OTLP_ENDPOINT takes them: {problem}"
            ),
            None if was_failing => tracing::info!("the collector takes traces again"),
            Some(_) | None => {}
        }
    }
}

/// The innermost error: the outer ones repeat the address, which may hold a password.
fn cause(mut error: &(dyn Error + 'static)) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let mut received = client.execute(request.try_into()?).await?;
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = received.status();
    *answer.headers_mut() = std::mem::take(received.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = received.chunk().await? {
        if body.len() + chunk.len() > ANSWER {
            return Ok(answer);
        }
        body.extend_from_slice(&chunk);
    }
    *answer.body_mut() = body.into();
    Ok(answer)
}
