//! Services: defined, started, stopped, and their logs as lines for so long. A stream that tells of
//! a service does not own it: it goes on when nobody reads.

use crate::{answer::Refusal, app::Target, body, ndjson, system};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::Timestamp;
use futures_util::StreamExt as _;
use ports::sandbox::{
    OutputStream, ProcessEvent, SandboxError, ServiceDefinition, ServiceReport, ServiceStatus,
    Sprite,
};
use sprites::wire::{
    duration,
    service::{
        Event, PutService, Service, ServiceEvent, SignalService, State, Status, StreamQuery,
    },
    signal,
};
use std::{collections::BTreeMap, iter, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long a start is told of, and an end waited for, when nobody said otherwise.
const TOLD: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);
/// How many lines of a log are answered when nobody said otherwise, and looked through for a start.
const LINES: usize = 200;

/// The path of a service: the sprite's name and its own.
type Named = Path<(String, String)>;
type Lines = ndjson::Lines<ServiceEvent>;

/// `GET …/services`.
pub(crate) async fn list(target: Target) -> Result<Json<Vec<Service>>, Refusal> {
    let services = target.sprite.services().await?;
    Ok(Json(services.into_iter().map(wire).collect()))
}

/// `GET …/services/{service}`.
pub(crate) async fn get(target: Target, Path((_, name)): Named) -> Result<Json<Service>, Refusal> {
    find(&target, &name).await.map(wire).map(Json)
}

/// `PUT …/services/{service}`.
pub(crate) async fn put(
    target: Target,
    Path((_, name)): Named,
    Query(query): Query<StreamQuery>,
    given: Bytes,
) -> Result<Response, Refusal> {
    let asked: PutService = body::json(&given)?;
    let told = length(query.duration, TOLD)?;
    let definition = ServiceDefinition {
        name: name.clone(),
        command: iter::once(asked.cmd).chain(asked.args).collect(),
        environment: asked.env.into_iter().collect(),
        directory: asked.dir,
        needs: asked.needs,
        http_port: asked.http_port,
    };
    let since = system::now();
    target.sprite.put_service(definition).await?;
    Ok(follow(&target, name, since, told, vec![Event::Started]))
}

/// `POST …/services/{service}/start`.
pub(crate) async fn start(
    target: Target,
    Path((_, name)): Named,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Refusal> {
    let told = length(query.duration, TOLD)?;
    find(&target, &name).await?;
    let since = system::now();
    target.sprite.start_service(&name).await?;
    Ok(follow(&target, name, since, told, vec![Event::Started]))
}

/// `POST …/services/{service}/restart`.
pub(crate) async fn restart(
    target: Target,
    Path((_, name)): Named,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Refusal> {
    let told = length(query.duration, TOLD)?;
    find(&target, &name).await?;
    let since = system::now();
    target.sprite.stop_service(&name, PATIENCE).await?;
    let exit_code = last_exit(target.sprite.as_ref(), &name, since).await;
    let begun = system::now();
    target.sprite.start_service(&name).await?;
    let ended = [
        Event::Stopping,
        Event::Stopped { exit_code },
        Event::Started,
    ];
    Ok(follow(&target, name, begun, told, ended.to_vec()))
}

/// `POST …/services/{service}/stop`.
pub(crate) async fn stop(
    target: Target,
    Path((_, name)): Named,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Refusal> {
    let patience = length(query.timeout, PATIENCE)?;
    runs(&find(&target, &name).await?)?;
    let (lines, response) = ndjson::answer();
    let sprite = Arc::clone(&target.sprite);
    target.app.tasks.spawn(async move {
        let since = system::now();
        write(&lines, Event::Stopping).await;
        let last = match sprite.stop_service(&name, patience).await {
            Ok(()) => {
                let exit_code = last_exit(sprite.as_ref(), &name, since).await;
                Event::Stopped { exit_code }
            }
            Err(error) => failed(&error),
        };
        write(&lines, last).await;
        write(&lines, complete()).await;
    });
    Ok(response)
}

/// `GET …/services/{service}/logs`.
pub(crate) async fn logs(
    target: Target,
    Path((_, name)): Named,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Refusal> {
    let told = length(query.duration, Duration::ZERO)?;
    let count = match query.lines.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => text
            .parse()
            .map_err(|_wrong| Refusal::bad(format!("`{text}` is not a number of lines")))?,
        None => LINES,
    };
    find(&target, &name).await?;
    let (lines, response) = ndjson::answer();
    let telling = Telling {
        sprite: Arc::clone(&target.sprite),
        name,
        since: Timestamp::MIN_UTC,
        count,
        told,
    };
    tell(&target, telling, lines, Vec::new());
    Ok(response)
}

/// `POST …/services/signal`.
pub(crate) async fn send_signal(target: Target, given: Bytes) -> Result<StatusCode, Refusal> {
    let asked: SignalService = body::json(&given)?;
    let number = signal::number(&asked.signal).ok_or_else(|| {
        Refusal::bad(format!(
            "`{}` is not a signal; SIGTERM is one",
            asked.signal
        ))
    })?;
    runs(&find(&target, &asked.name).await?)?;
    target.sprite.signal_service(&asked.name, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/services/{service}`.
pub(crate) async fn delete(target: Target, Path((_, name)): Named) -> Result<StatusCode, Refusal> {
    find(&target, &name).await?;
    target.sprite.delete_service(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(target: &Target, name: &str) -> Result<ServiceReport, Refusal> {
    let services = target.sprite.services().await?;
    let found = services
        .into_iter()
        .find(|service| service.definition.name == name);
    found.ok_or_else(|| Refusal::missing(format!("service not found: {name}")))
}

fn runs(service: &ServiceReport) -> Result<(), Refusal> {
    match service.status {
        ServiceStatus::Starting | ServiceStatus::Running | ServiceStatus::Stopping => Ok(()),
        ServiceStatus::Stopped | ServiceStatus::Failed => {
            let text = format!("service not running: {}", service.definition.name);
            Err(Refusal::bad(text).status(StatusCode::CONFLICT))
        }
    }
}

fn length(text: Option<String>, usual: Duration) -> Result<Duration, Refusal> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => duration::parse(&text).map_err(|error| Refusal::bad(error.to_string())),
        None => Ok(usual),
    }
}

fn follow(
    target: &Target,
    name: String,
    since: Timestamp,
    told: Duration,
    first: Vec<Event>,
) -> Response {
    let (lines, response) = ndjson::answer();
    let telling = Telling {
        sprite: Arc::clone(&target.sprite),
        name,
        since,
        count: LINES,
        told,
    };
    tell(target, telling, lines, first);
    response
}

fn tell(target: &Target, telling: Telling, lines: Lines, first: Vec<Event>) {
    let stopping = target.app.stopping.clone();
    target.app.tasks.spawn(async move {
        for event in first {
            write(&lines, event).await;
        }
        tokio::select! {
            told = telling.run(&lines) => if let Err(error) = told {
                write(&lines, failed(&error)).await;
            },
            () = lines.unread() => return,
            () = stopping.cancelled() => {}
        }
        write(&lines, complete()).await;
    });
}

/// What is told of a service's log.
struct Telling {
    sprite: Arc<dyn Sprite>,
    name: String,
    /// Nothing older.
    since: Timestamp,
    count: usize,
    /// For so long.
    told: Duration,
}

impl Telling {
    async fn run(&self, lines: &Lines) -> Result<(), SandboxError> {
        let end = Instant::now() + self.told;
        let follow = !self.told.is_zero();
        let log = self
            .sprite
            .service_log(&self.name, self.count, follow)
            .await?;
        let mut log = log.filter(|event| std::future::ready(event.at >= self.since));
        loop {
            let next = if follow {
                timeout_at(end, log.next()).await.unwrap_or_default()
            } else {
                log.next().await
            };
            let Some(event) = next else { return Ok(()) };
            let line = ServiceEvent {
                timestamp: millis(event.at),
                event: said(event.event),
            };
            lines.write(&line).await;
        }
    }
}

fn said(event: ProcessEvent) -> Event {
    let text = |bytes: &[u8]| {
        let line = String::from_utf8_lossy(bytes);
        line.strip_suffix('\n').unwrap_or(&line).to_owned()
    };
    match event {
        ProcessEvent::Output(OutputStream::Stdout, bytes) => Event::Stdout { data: text(&bytes) },
        ProcessEvent::Output(OutputStream::Stderr, bytes) => Event::Stderr { data: text(&bytes) },
        ProcessEvent::Ended(exit) => Event::Exit {
            exit_code: crate::exec::exit_code(exit).0.into(),
        },
    }
}

/// How a service ended since then; zero where its log does not say.
async fn last_exit(sprite: &dyn Sprite, name: &str, since: Timestamp) -> i32 {
    let Ok(log) = sprite.service_log(name, LINES, false).await else {
        return 0;
    };
    let codes = log.filter_map(|event| {
        let code = match event.event {
            ProcessEvent::Ended(exit) if event.at >= since => Some(crate::exec::exit_code(exit).0),
            ProcessEvent::Ended(_) | ProcessEvent::Output(..) => None,
        };
        std::future::ready(code)
    });
    codes.fold(0, async |_, code| code.into()).await
}

async fn write(lines: &Lines, event: Event) {
    let timestamp = millis(system::now());
    lines.write(&ServiceEvent { event, timestamp }).await;
}

fn failed(error: &SandboxError) -> Event {
    Event::Error {
        data: error.to_string(),
    }
}

/// Logs are kept outside the sprite, so there is no file to name.
fn complete() -> Event {
    Event::Complete {
        log_files: BTreeMap::new(),
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.timestamp_millis()).unwrap_or_default()
}

fn wire(service: ServiceReport) -> Service {
    let definition = service.definition;
    let mut command = definition.command.into_iter();
    Service {
        state: Some(State {
            name: definition.name.clone(),
            status: match service.status {
                ServiceStatus::Stopped => Status::Stopped,
                ServiceStatus::Starting => Status::Starting,
                ServiceStatus::Running => Status::Running,
                ServiceStatus::Stopping => Status::Stopping,
                ServiceStatus::Failed => Status::Failed,
            },
            pid: service.process,
            started_at: service.started_at,
            error: service.error,
            restart_count: Some(service.restarts),
            next_restart_at: service.next_start_at,
        }),
        name: definition.name,
        cmd: command.next().unwrap_or_default(),
        args: command.collect(),
        env: definition.environment.into_iter().collect(),
        dir: definition.directory,
        needs: definition.needs,
        http_port: definition.http_port,
    }
}
