//! Sprites as such: made, listed, watched, changed, looked at and ended.

use crate::{
    answer::Refusal,
    app::{App, Shared, Target},
    body, ndjson,
    registry::Record,
    system,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::sprite::{NetworkPolicy, SandboxTier};
use futures_util::future::join_all;
use ports::sandbox::{
    ProcessState, SandboxError, SandboxHost as _, ServiceStatus, SpriteReport, SpriteStatus,
};
use serde_json::{Value, json};
use sprites::wire::{
    self,
    sprite::{Counts, CreateSprite, ListQuery, Sprite, SpriteList, Status, UpdateSprite},
};
use std::{collections::BTreeMap, io, time::Duration};
use tokio::time::{Instant, timeout};

/// The one organisation of this server.
const ORGANIZATION: &str = "local";
/// How many sprites a page has when nobody said, and at most.
const PAGE: usize = 50;
const LONGEST_PAGE: usize = 500;
/// How long a process has to end before a restart kills it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often watchers look whether a sprite woke or slept, and hear that nothing did.
const LOOK: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `POST /v1/sprites`.
pub(crate) async fn create(
    State(app): State<Shared>,
    given: Bytes,
) -> Result<(StatusCode, Json<Sprite>), Refusal> {
    let asked: CreateSprite = body::json(&given)?;
    let fill = |record: &mut Record| {
        record.labels.clone_from(&asked.labels);
        record.url_settings = asked.url_settings.clone().unwrap_or_default();
    };
    let record = app.registry.create(&asked.name, &fill).await?;
    // Where nothing can be enforced everything is open already, and where only "nothing" can be,
    // it stays at that; the policy says so.
    if app.tier() == SandboxTier::Namespaces {
        let sprite = app.host.sprite(record.key());
        if let Err(error) = sprite.set_network_policy(NetworkPolicy::open()).await {
            let begun = app.registry.begin_delete(&record.name).await;
            if let Ok(Some(record)) = begun {
                finish_delete(&app, record).await?;
            }
            return Err(error.into());
        }
    }
    tracing::info!(sprite.name = record.name, sprite.id = %record.id, "sprite.created");
    Ok((StatusCode::CREATED, Json(describe(&app, &record).await)))
}

/// `GET /v1/sprites`: a page, or lines as they change.
pub(crate) async fn list(
    State(app): State<Shared>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Response {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let limit = query.max_results.map_or(PAGE, |limit| {
        usize::try_from(limit).unwrap_or(1).clamp(1, LONGEST_PAGE)
    });
    let prefix = query.prefix.unwrap_or_default();
    if accepts.is_some_and(|kinds| kinds.contains(wire::NDJSON)) {
        return watch(app, prefix, limit);
    }
    let after = query.continuation_token.unwrap_or_default();
    let (records, has_more) = app.registry.list(&prefix, &after, limit);
    let sprites = join_all(records.iter().map(|record| describe(&app, record))).await;
    let next = records.last().filter(|_| has_more);
    let counts = counts(&app, sprites.iter().map(|sprite| sprite.status));
    Json(SpriteList {
        next_continuation_token: next.map(|record| record.name.clone()),
        has_more,
        org: Some(counts.clone()),
        counts,
        sprites,
    })
    .into_response()
}

/// `GET /v1/sprites/{name}`.
pub(crate) async fn get(target: Target) -> Json<Sprite> {
    let mut sprite = describe(&target.app, &target.record).await;
    let processes = target.sprite.processes().await.unwrap_or_default();
    let lost = |state| state == ProcessState::Lost;
    let lost = processes
        .iter()
        .filter(|process| lost(process.state))
        .count();
    sprite.lost_sessions = u64::try_from(lost).ok();
    Json(sprite)
}

/// `PUT /v1/sprites/{name}`.
pub(crate) async fn update(target: Target, given: Bytes) -> Result<Json<Sprite>, Refusal> {
    let asked: UpdateSprite = body::json(&given)?;
    if asked == UpdateSprite::default() {
        return Err(Refusal::bad("give url_settings, labels or clear_labels"));
    }
    let change = |record: &mut Record| {
        if let Some(settings) = &asked.url_settings {
            record.url_settings = settings.clone();
        }
        if asked.clear_labels {
            record.labels.clear();
        }
        if let Some(labels) = &asked.labels {
            record.labels.clone_from(labels);
        }
    };
    let name = &target.record.name;
    let updated = target.app.registry.update(name, &change).await;
    match updated.map_err(|error| Refusal::internal(&error))? {
        Some(record) => Ok(Json(describe(&target.app, &record).await)),
        None => Err(crate::app::no_sprite(name)),
    }
}

/// `DELETE /v1/sprites/{name}`.
pub(crate) async fn delete(
    State(app): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    let begun = app.registry.begin_delete(&name).await;
    let Some(record) = begun.map_err(|error| Refusal::internal(&error))? else {
        return Err(crate::app::no_sprite(&name));
    };
    finish_delete(&app, record).await?;
    tracing::info!(sprite.name = name, "sprite.deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a sprite that is hidden already.
pub(crate) async fn finish_delete(app: &App, record: Record) -> Result<(), Refusal> {
    app.host.destroy(record.key()).await?;
    let forgotten = app.registry.finish_delete(record).await;
    forgotten.map_err(|error: io::Error| Refusal::internal(&error))
}

/// `POST …/upgrade`: sprites use the programs of this machine, there is no image to change.
pub(crate) async fn upgrade(_target: Target) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `POST …/restart`: what runs ends, services start again.
pub(crate) async fn restart(target: Target) -> Result<Json<Value>, Refusal> {
    const TERM: i32 = 15;
    let sprite = &target.sprite;
    let processes = sprite.processes().await?;
    let running = processes
        .iter()
        .filter(|process| process.state == ProcessState::Running);
    let ends = join_all(running.map(|process| sprite.kill(&process.id, TERM, PATIENCE))).await;
    for end in ends {
        match end {
            // It ended by itself.
            Ok(_) | Err(SandboxError::NotFound { .. } | SandboxError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for service in sprite.services().await? {
        if service.status != ServiceStatus::Stopped {
            let name = &service.definition.name;
            sprite.stop_service(name, PATIENCE).await?;
            sprite.start_service(name).await?;
        }
    }
    Ok(Json(json!({
        "sprite_name": target.record.name,
        "machine_id": id(&target.record),
        "message": "what ran has ended, services start again",
    })))
}

/// `GET …/check`.
pub(crate) async fn check(target: Target) -> Json<Value> {
    let began = Instant::now();
    let looked = target.app.host.inspect(target.record.key()).await;
    let (status, reason) = match looked {
        Ok(report) if report.status == SpriteStatus::Cold => {
            ("hibernated", "it sleeps; the next use wakes it".to_owned())
        }
        Ok(_) => ("healthy", "it is awake".to_owned()),
        Err(error) => ("error", error.to_string()),
    };
    Json(json!({
        "sprite_name": target.record.name,
        "sprite_id": id(&target.record),
        "status": status,
        "reason": reason,
        "checked_at": system::now(),
        "elapsed": began.elapsed().as_secs_f64(),
    }))
}

/// A sprite as clients see it.
async fn describe(app: &App, record: &Record) -> Sprite {
    let report = look(app, record).await;
    Sprite {
        id: id(record),
        name: record.name.clone(),
        organization: ORGANIZATION.to_owned(),
        url: format!("http://{}.localhost:{}", record.name, app.address.port()),
        url_settings: Some(record.url_settings.clone()),
        status: report.as_ref().map_or(Status::Cold, status),
        created_at: Some(record.created_at),
        updated_at: Some(record.updated_at),
        last_running_at: record.last_running_at,
        last_warming_at: None,
        environment_version: Some(wire::VERSION.to_owned()),
        version: Some(wire::VERSION.to_owned()),
        labels: record.labels.clone(),
        home: Some(app.host.home(record.key())),
        disk_bytes: report.as_ref().and_then(|report| report.disk_bytes),
        disk_limit: report.as_ref().and_then(|report| report.disk_limit),
        lost_sessions: None,
    }
}

async fn look(app: &App, record: &Record) -> Option<SpriteReport> {
    match app.host.inspect(record.key()).await {
        Ok(report) => Some(report),
        Err(error) => {
            tracing::warn!(%error, sprite.name = record.name, "a sprite cannot be looked at");
            None
        }
    }
}

fn id(record: &Record) -> String {
    format!("sprite-{}", record.id)
}

fn status(report: &SpriteReport) -> Status {
    match report.status {
        SpriteStatus::Cold => Status::Cold,
        SpriteStatus::Warm => Status::Warm,
        SpriteStatus::Running => Status::Running,
    }
}

fn counts(app: &App, statuses: impl Iterator<Item = Status>) -> Counts {
    let limit = u64::try_from(app.settings.local.max_awake).unwrap_or(u64::MAX);
    let mut counts = Counts {
        name: ORGANIZATION.to_owned(),
        running_limit: limit,
        warm_limit: limit,
        ..Counts::default()
    };
    for status in statuses {
        match status {
            Status::Running => counts.running += 1,
            Status::Warm => counts.warm += 1,
            Status::Cold | Status::Unknown => counts.cold += 1,
        }
    }
    counts
}

/// A line for each sprite, then one for each that changes, and some for nothing.
fn watch(app: Shared, prefix: String, limit: usize) -> Response {
    let (lines, response) = ndjson::answer::<Value>();
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        let stopping = app.stopping.clone();
        let watching = tell(&app, &prefix, limit, &lines);
        tokio::select! {
            () = watching => {}
            () = lines.unread() => {}
            () = stopping.cancelled() => {}
        }
    });
    response
}

async fn tell(app: &Shared, prefix: &str, limit: usize, lines: &ndjson::Lines<Value>) {
    let mut changes = app.registry.changes();
    let mut told: BTreeMap<String, Status> = BTreeMap::new();
    let mut spoke = Instant::now();
    loop {
        let (records, _) = app.registry.list(prefix, "", limit);
        let reports = join_all(records.iter().map(|record| look(app, record))).await;
        let statuses: Vec<_> = reports
            .iter()
            .map(|report| report.as_ref().map_or(Status::Cold, status))
            .collect();
        let org = counts(app, statuses.iter().copied());
        for (record, status) in records.iter().zip(statuses) {
            if told.insert(record.name.clone(), status) != Some(status) {
                spoke = Instant::now();
                lines.write(&line(record, status, &org)).await;
            }
        }
        told.retain(|name, _| records.iter().any(|record| record.name == *name));
        if spoke.elapsed() >= HEARTBEAT {
            spoke = Instant::now();
            let beat = json!({"type": "heartbeat", "timestamp": system::now(), "org": org});
            lines.write(&beat).await;
        }
        // Either there is a change or it is time to look.
        let _changed = timeout(LOOK, changes.changed()).await;
    }
}

fn line(record: &Record, status: Status, org: &Counts) -> Value {
    json!({
        "name": record.name,
        "status": status,
        "running_version": wire::VERSION,
        "last_running_at": record.last_running_at,
        "last_warming_at": null,
        "timestamp": system::now(),
        "org": org,
    })
}
