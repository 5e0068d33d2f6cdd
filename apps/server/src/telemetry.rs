//! Logs, metrics and traces. Every log line passes the redactor on its way out, so that a secret in a
//! third party's error text never reaches a log.

mod traces;

pub use traces::Traces;

use crate::{cli::Failure, config::ConfigError};
use anyhow::Context;
use domain::secret::Redactor;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{
    convert::Infallible,
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::Duration,
};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// How often observations are folded: some thousands of them wait at most.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Starts logging to standard error: text on a terminal, JSON elsewhere. Where there are traces, they are taken
/// from the same spans, whatever the filter lets into the log.
pub fn logs(filter: &str, redactor: Arc<Redactor>, traces: Option<&Traces>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| ConfigError::Invalid {
        name: "RUST_LOG",
        problem: format!(
            "`{filter}` is not a log filter such as info or info,runtime=debug: {error}"
        ),
    })?;
    let lines = fmt::layer().with_writer(Redacting { redactor });
    let lines = if io::stderr().is_terminal() {
        lines.boxed()
    } else {
        lines.json().boxed()
    };
    let registry = tracing_subscriber::registry();
    let started = match traces {
        None => registry.with(lines.with_filter(filter)).try_init(),
        Some(traces) => registry
            .with(lines.with_filter(filter))
            .with(traces.layer())
            .try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok(())
}

/// Starts collecting metrics; the handle renders them for `/metrics`.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    let buckets = [
        0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
    ];
    PrometheusBuilder::new()
        .set_buckets(&buckets)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics cannot be started")
}

/// Folds what histograms observed into their buckets, for as long as it is polled. Otherwise every observation is
/// kept until somebody asks for `/metrics`, which may be never.
pub async fn fold(metrics: &PrometheusHandle) -> Infallible {
    let mut turns = tokio::time::interval(FOLD_EVERY);
    loop {
        turns.tick().await;
        metrics.run_upkeep();
    }
}

/// Writes whole lines without known secrets.
#[derive(Clone)]
struct Redacting {
    redactor: Arc<Redactor>,
}

impl<'w> MakeWriter<'w> for Redacting {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Write for Redacting {
    /// The formatter hands over one whole event at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().write_all(self.redactor.redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
