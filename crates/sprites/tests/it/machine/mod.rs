//! A small Sprites service. It keeps no secrets and walls nothing off; what it is for is to speak
//! the wire, and to misbehave on demand.

mod exec;
mod fs;
mod process;

pub(crate) use process::Process;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post, put},
};
use serde_json::{Value, json};
use sprites::wire::{
    error::ErrorBody,
    network::{Policy, Rule},
    sprite::{CreateSprite, Sprite, Status},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub(crate) const TOKEN: &str = "org/7/canary-token";

/// How an exec connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Output, text, frame, close.
    #[default]
    Usual,
    /// The text first, then the output, then the frame.
    TextFirst,
    /// No text at all.
    NoText,
    /// No frame and no close, as terminals end at the real service.
    Dropped,
}

/// What some services do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Habit {
    /// It says what of the output comes again.
    TellsReplay,
    /// Signs of life are not answered, and input is not read.
    Deaf,
    /// Sprites are not kept off the network.
    NoWalls,
    /// Files come without their length.
    NoLength,
}

/// An answer that takes the place of a real one.
#[derive(Clone)]
pub(crate) struct Canned {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
}

/// How it misbehaves.
#[derive(Default)]
pub(crate) struct Behaviour {
    pub(crate) ending: Ending,
    /// Answers for the next requests that fit, in order.
    pub(crate) canned: Vec<Canned>,
    /// After so many messages of output the next connections break, in order.
    pub(crate) cuts: VecDeque<usize>,
    /// So many bytes of output are kept for those who connect again.
    pub(crate) ring: Option<usize>,
    pub(crate) habits: HashSet<Habit>,
}

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) sprites: HashMap<String, Sprite>,
    pub(crate) policies: HashMap<String, Vec<Rule>>,
    pub(crate) processes: HashMap<String, Arc<Process>>,
    pub(crate) requests: Vec<String>,
    /// Commands that were started.
    pub(crate) started: Vec<Vec<String>>,
}

pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    pub(crate) address: String,
    pub(crate) behaviour: Mutex<Behaviour>,
    pub(crate) kept: Mutex<Kept>,
}

impl Machine {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let machine = Arc::new(Self {
            folder: tempfile::tempdir().unwrap(),
            address: format!("http://{}", listener.local_addr().unwrap()),
            behaviour: Mutex::default(),
            kept: Mutex::default(),
        });
        let routes = routes(Arc::clone(&machine));
        TaskTracker::new().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        machine
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Requests that began with these words.
    pub(crate) fn asked(&self, begin: &str) -> usize {
        let kept = self.kept.lock().unwrap();
        kept.requests
            .iter()
            .filter(|it| it.starts_with(begin))
            .count()
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    pub(crate) fn adopt(&self, habit: Habit) {
        self.behave(|it| it.habits.extend([habit]));
    }

    fn has(&self, habit: Habit) -> bool {
        self.behaviour.lock().unwrap().habits.contains(&habit)
    }

    fn canned(&self, method: &Method, path: &str) -> Option<Canned> {
        let canned = &mut self.behaviour.lock().unwrap().canned;
        let fits = |it: &Canned| it.method == method && path.ends_with(it.path);
        let index = canned.iter().position(fits)?;
        Some(canned.remove(index))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Nothing may stay behind, whatever a test left running.
        for process in self.kept.get_mut().unwrap().processes.values() {
            if process.runs() {
                process.signal(9);
            }
        }
    }
}

fn routes(machine: Arc<Machine>) -> Router {
    let sprite = Router::new()
        .route("/", get(look).delete(remove).put(look))
        .route("/policy/network", get(policy).post(set_policy))
        .route("/exec", get(exec::start_or_list))
        .route("/exec/{id}", get(exec::attach))
        .route("/exec/{id}/kill", post(exec::kill))
        .route("/fs/read", get(fs::read))
        .route("/fs/write", put(fs::write))
        .route("/fs/list", get(fs::list))
        .route("/fs/delete", delete(fs::delete))
        .route("/proxy", any(exec::proxy));
    Router::new()
        .route("/v1/sprites", post(create).get(list))
        .nest("/v1/sprites/{name}", sprite)
        .layer(middleware::from_fn_with_state(Arc::clone(&machine), guard))
        .with_state(machine)
}

/// Checks the token, keeps account, and answers out of turn.
async fn guard(State(machine): State<Arc<Machine>>, request: Request, next: Next) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION).cloned();
    assert!(
        !request.uri().to_string().contains("canary"),
        "the token is in the address"
    );
    if bearer.is_none_or(|bearer| bearer != format!("Bearer {TOKEN}")) {
        return refusal(401, ErrorBody::text("unauthorized"));
    }
    let path = request.uri().path().to_owned();
    let line = format!("{} {path}", request.method());
    machine.kept.lock().unwrap().requests.push(line);
    if let Some(canned) = machine.canned(request.method(), &path) {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = canned.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        let status = StatusCode::from_u16(canned.status).unwrap();
        let body = match canned.body {
            Value::String(text) => Body::from(text),
            body => Body::from(body.to_string()),
        };
        return (status, headers, body).into_response();
    }
    next.run(request).await
}

pub(crate) fn refusal(status: u16, body: ErrorBody) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

fn unknown() -> Response {
    refusal(404, ErrorBody::text("sprite not found"))
}

async fn create(State(machine): State<Arc<Machine>>, Json(wanted): Json<CreateSprite>) -> Response {
    let home = machine.home().display().to_string();
    let mut kept = machine.kept.lock().unwrap();
    if kept.sprites.contains_key(&wanted.name) {
        return refusal(409, ErrorBody::text("sprite already exists"));
    }
    let sprite = Sprite {
        name: wanted.name.clone(),
        labels: wanted.labels,
        home: Some(home),
        ..Sprite::default()
    };
    kept.sprites.insert(wanted.name, sprite.clone());
    (StatusCode::CREATED, Json(sprite)).into_response()
}

async fn look(State(machine): State<Arc<Machine>>, Path(name): Path<String>) -> Response {
    let kept = machine.kept.lock().unwrap();
    match kept.sprites.get(&name) {
        Some(sprite) => {
            let running = kept.processes.values().any(|it| it.runs());
            let status = if running {
                Status::Running
            } else {
                Status::Cold
            };
            Json(Sprite {
                status,
                ..sprite.clone()
            })
            .into_response()
        }
        None => unknown(),
    }
}

async fn remove(State(machine): State<Arc<Machine>>, Path(name): Path<String>) -> Response {
    match machine.kept.lock().unwrap().sprites.remove(&name) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => unknown(),
    }
}

/// Pages of two, in the order of their names.
async fn list(State(machine): State<Arc<Machine>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let from = query
        .split("continuation_token=")
        .nth(1)
        .and_then(|it| it.parse().ok());
    let from: usize = from.unwrap_or(0);
    let kept = machine.kept.lock().unwrap();
    let mut all: Vec<_> = kept.sprites.values().cloned().collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let page: Vec<_> = all.iter().skip(from).take(2).collect();
    let next = from + page.len();
    let more = next < all.len();
    let token = more.then(|| next.to_string());
    Json(json!({"sprites": page, "has_more": more, "next_continuation_token": token, "odd": 1}))
        .into_response()
}

async fn policy(State(machine): State<Arc<Machine>>, Path(name): Path<String>) -> Response {
    let kept = machine.kept.lock().unwrap();
    let rules = kept.policies.get(&name).cloned().unwrap_or_default();
    Json(Policy { rules }).into_response()
}

async fn set_policy(
    State(machine): State<Arc<Machine>>,
    Path(name): Path<String>,
    Json(policy): Json<Policy>,
) -> Response {
    if machine.has(Habit::NoWalls) {
        return refusal(
            501,
            ErrorBody::coded("policy_not_enforceable", "no walls here"),
        );
    }
    machine
        .kept
        .lock()
        .unwrap()
        .policies
        .insert(name, policy.rules);
    StatusCode::NO_CONTENT.into_response()
}
