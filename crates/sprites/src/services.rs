//! Services of a sprite. The service tells how starting and stopping goes; only errors matter here.

use crate::{
    api::{Lines, Twice},
    error::SpritesError,
    process::named,
    sprite::{Place, RemoteSprite},
    wire::{
        NDJSON, duration,
        error::ErrorBody,
        service::{
            Event, PutService, Service, ServiceEvent as Line, ServiceList, SignalService, Status,
            StreamQuery,
        },
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use ports::sandbox::{
    Exit, OutputStream, ProcessEvent, SandboxError, ServiceDefinition, ServiceEvent, ServiceLog,
    ServiceReport, ServiceStatus, Services,
};
use reqwest::{Method, RequestBuilder, Response, header};
use std::time::Duration;
use tokio::sync::mpsc;

const WAITING: usize = 16;
/// How long the answer to a start goes on; what happens later is in the log.
const WATCHED: &str = "1s";
/// The longest a service lets anybody follow a log at once; then it is asked again.
const FOLLOWED: Duration = Duration::from_hours(1);

impl Place {
    fn services(&self, method: Method, rest: &[&str]) -> RequestBuilder {
        let path = [&["services"], rest].concat();
        self.door.api.request(method, &self.path(&path))
    }

    async fn follow_service(&self, request: RequestBuilder) -> Result<(), SpritesError> {
        let api = &self.door.api;
        let request = request.header(header::ACCEPT, NDJSON);
        let mut lines = Lines::new(api.send(request, Twice::Differs).await?);
        while let Some(Line { event, .. }) = lines.next(api).await? {
            match event {
                Event::Complete { .. } => break,
                Event::Error { data } => {
                    return Err(SpritesError::Refused {
                        status: 200,
                        body: Box::new(ErrorBody::text(data)),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn about_service(&self, name: &str, error: SpritesError) -> SandboxError {
        self.noticed(error, |error| match error {
            SpritesError::NotFound { .. } => SandboxError::NotFound {
                path: format!("service {name}"),
            },
            error => error.into(),
        })
    }
}

fn wire_of(definition: ServiceDefinition) -> PutService {
    let mut words = definition.command.into_iter();
    PutService {
        cmd: words.next().unwrap_or_default(),
        args: words.collect(),
        env: definition.environment.into_iter().collect(),
        dir: definition.directory,
        needs: definition.needs,
        http_port: definition.http_port,
    }
}

fn report(service: Service) -> ServiceReport {
    let state = service.state.unwrap_or_default();
    let mut command = vec![service.cmd];
    command.extend(service.args);
    ServiceReport {
        definition: ServiceDefinition {
            name: service.name,
            command,
            environment: service.env.into_iter().collect(),
            directory: service.dir,
            needs: service.needs,
            http_port: service.http_port,
        },
        status: match state.status {
            Status::Stopped | Status::Unknown => ServiceStatus::Stopped,
            Status::Starting => ServiceStatus::Starting,
            Status::Running => ServiceStatus::Running,
            Status::Stopping => ServiceStatus::Stopping,
            Status::Failed => ServiceStatus::Failed,
        },
        process: state.pid,
        started_at: state.started_at,
        error: state.error.filter(|error| !error.is_empty()),
        restarts: state.restart_count.unwrap_or(0),
        next_start_at: state.next_restart_at,
    }
}

/// A line of a log; what only says how a request goes is none.
fn event_of(line: Line) -> Option<ServiceEvent> {
    let output = |stream, data: String| ProcessEvent::Output(stream, Bytes::from(data));
    let event = match line.event {
        Event::Stdout { data } => output(OutputStream::Stdout, data),
        Event::Stderr { data } => output(OutputStream::Stderr, data),
        Event::Exit { exit_code } => ProcessEvent::Ended(Exit::Code(exit_code)),
        _ => return None,
    };
    let milliseconds = i64::try_from(line.timestamp).unwrap_or(0);
    Some(ServiceEvent {
        at: Timestamp::from_timestamp_millis(milliseconds).unwrap_or_default(),
        event,
    })
}

#[async_trait]
impl Services for RemoteSprite {
    async fn services(&self) -> Result<Vec<ServiceReport>, SandboxError> {
        let Some(place) = self.existing().await? else {
            return Ok(Vec::new());
        };
        let request = place.services(Method::GET, &[]);
        let list: Result<Option<ServiceList>, _> = self.api().json(request, Twice::Same).await;
        let list = list.map_err(|error| place.failed(error))?;
        let services = match list {
            Some(ServiceList::Bare(services) | ServiceList::Wrapped { services }) => services,
            None => Vec::new(),
        };
        let mut reports: Vec<_> = services.into_iter().map(report).collect();
        reports.sort_by(|a, b| a.definition.name.cmp(&b.definition.name));
        Ok(reports)
    }

    async fn put_service(&self, definition: ServiceDefinition) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let name = definition.name.clone();
        let request = place.services(Method::PUT, &[&name]);
        let request = request
            .query(&[("duration", WATCHED)])
            .json(&wire_of(definition));
        let done = place.follow_service(request).await;
        done.map_err(|error| place.about_service(&name, error))
    }

    async fn start_service(&self, name: &str) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let request = place.services(Method::POST, &[name, "start"]);
        let done = place
            .follow_service(request.query(&[("duration", WATCHED)]))
            .await;
        done.map_err(|error| place.about_service(name, error))
    }

    async fn stop_service(&self, name: &str, patience: Duration) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let query = [("timeout", duration::text(patience))];
        let request = place.services(Method::POST, &[name, "stop"]).query(&query);
        match place.follow_service(request).await {
            // It is stopped already.
            Ok(()) | Err(SpritesError::Conflict { .. }) => Ok(()),
            Err(error) => Err(place.about_service(name, error)),
        }
    }

    async fn signal_service(&self, name: &str, signal: i32) -> Result<(), SandboxError> {
        let signal = named(signal)?;
        let place = self.place().await?;
        let body = SignalService {
            name: name.to_owned(),
            signal,
        };
        let request = place.services(Method::POST, &["signal"]).json(&body);
        let sent = self.api().send(request, Twice::Differs).await;
        sent.map(drop)
            .map_err(|error| place.about_service(name, error))
    }

    async fn delete_service(&self, name: &str) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let request = place.services(Method::DELETE, &[name]);
        let sent = self.api().send(request, Twice::Differs).await;
        sent.map(drop)
            .map_err(|error| place.about_service(name, error))
    }

    async fn service_log(
        &self,
        name: &str,
        lines: usize,
        follow: bool,
    ) -> Result<ServiceLog, SandboxError> {
        let place = self.place().await?;
        let query = StreamQuery {
            lines: Some(lines.to_string()),
            duration: Some(duration::text(if follow {
                FOLLOWED
            } else {
                Duration::ZERO
            })),
            timeout: None,
        };
        let request = place.services(Method::GET, &[name, "logs"]).query(&query);
        let request = request.header(header::ACCEPT, NDJSON);
        let sent = self.api().send(request, Twice::Same).await;
        let response = sent.map_err(|error| place.about_service(name, error))?;
        Ok(log(&place, response))
    }
}

/// The lines of an answer as they come, however seldom that is.
fn log(place: &Place, response: Response) -> ServiceLog {
    let (events, log) = mpsc::channel(WAITING);
    let listener = events.clone();
    let door = place.door.clone();
    let stop = door.stop.clone();
    let reading = async move {
        let mut lines = Lines::new(response);
        while let Ok(Some(line)) = lines.next_whenever::<Line>().await {
            if matches!(line.event, Event::Complete { .. }) {
                return;
            }
            let Some(event) = event_of(line) else {
                continue;
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    };
    door.tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = listener.closed() => {}
            () = reading => {}
        }
    });
    Box::pin(futures_util::stream::unfold(log, async |mut log| {
        Some((log.recv().await?, log))
    }))
}
