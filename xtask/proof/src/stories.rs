//! What people do while the server is killed: chats and groups, tools, steering, failures, a stop, a
//! retry, duplicates, approvals. Everything starts at a moment the seed chooses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::rows;
use crate::seed::Seed;
use crate::world::{Bot, SECRET, World, id};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than a model that breaks off again and again is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Within this time every story has begun.
const SPREAD_MS: u64 = 300;

/// Where the stories play.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) api: Api,
    pub(crate) db: DatabaseConnection,
}

/// Plays all stories to their end; `long` adds one that shows progress.
pub(crate) async fn play(stage: &Stage, mut seed: Seed, long: bool) -> Result<()> {
    let mut stories: Vec<BoxFuture<'_, Result<()>>> = vec![
        says(stage, Bot::Polled, 101, "#1 tools").boxed(),
        steers(stage, seed.below(500)).boxed(),
        says_in_group(stage, Bot::Polled, 201, "#4 plain").boxed(),
        says(stage, Bot::Called, 102, "Bo, #5 tools").boxed(),
        says_in_group(stage, Bot::Called, 202, "#6 both of you").boxed(),
        says_in_group(stage, Bot::Called, 203, "#7 chatter").boxed(),
        says(stage, Bot::Polled, 103, "#8 flaky").boxed(),
        retries(stage).boxed(),
        stops(stage, seed.below(600)).boxed(),
        delivers_thrice(stage, 1).boxed(),
        hands_in(stage).boxed(),
        says(stage, Bot::Polled, 108, "#13 cut").boxed(),
        says(stage, Bot::Polled, 110, "#16 ask").boxed(),
    ];
    if long {
        stories.push(says(stage, Bot::Polled, 109, "#14 long").boxed());
    }
    let started = stories.into_iter().map(|story| {
        let pause = Duration::from_millis(seed.below(SPREAD_MS));
        async move {
            tokio::time::sleep(pause).await;
            story.await
        }
    });
    try_join_all(started).await?;
    Ok(())
}

/// What a human does about everything that waits for one; `true` when there was anything.
pub(crate) async fn decide(stage: &Stage, seed: &mut Seed) -> Result<bool> {
    let answered = answer(stage, seed).await?;
    Ok(settle(stage, seed).await? || answered)
}

/// Answers the questions of agents.
async fn answer(stage: &Stage, seed: &mut Seed) -> Result<bool> {
    let open = "SELECT id FROM approvals WHERE status = 'pending' AND kind = 'action' ORDER BY id";
    let open = rows::ids(&stage.db, open).await?;
    for approval in &open {
        let verb = if seed.below(3) == 0 {
            "deny"
        } else {
            "approve"
        };
        ask(
            stage,
            &format!("/api/v1/approvals/{approval}/{verb}"),
            &json!({}),
        )
        .await?;
    }
    Ok(!open.is_empty())
}

/// Releases or calls off effects that are held or of which nobody knows whether they arrived.
async fn settle(stage: &Stage, seed: &mut Seed) -> Result<bool> {
    let waiting = "SELECT id FROM effects WHERE status IN ('held', 'unknown') ORDER BY id";
    let mut any = false;
    for effect in rows::ids(&stage.db, waiting).await? {
        let unknown = format!(
            "SELECT count(*) FROM effects WHERE status = 'unknown' AND slot <> '' AND {}",
            is(&stage.db, effect)
        );
        let is_unknown = rows::number(&stage.db, &unknown).await? > 0;
        let path = |verb: &str| format!("/api/v1/effects/{effect}/{verb}");
        let (path, body) = match (is_unknown, seed.below(4)) {
            (true, 0) => {
                stage.world.resent(effect);
                (path("release"), json!({ "resolve": "resend" }))
            }
            (true, 1) => (path("release"), json!({ "resolve": "mark_sent" })),
            (false, 0 | 1) => (path("release"), json!({})),
            (_, 2) => (path("cancel"), json!({})),
            _ => continue,
        };
        any = true;
        ask(stage, &path, &body).await?;
    }
    Ok(any)
}

async fn says(stage: &Stage, bot: Bot, person: i64, text: &str) -> Result<()> {
    stage.world.say(bot, person, text);
    heard(stage).await
}

async fn says_in_group(stage: &Stage, bot: Bot, group: i64, text: &str) -> Result<()> {
    stage.world.say_in_group(bot, group, text);
    heard(stage).await
}

/// Waits until everything that was written has been taken, whatever happens to the server meanwhile.
async fn heard(stage: &Stage) -> Result<()> {
    let started = Instant::now();
    while !stage.world.is_heard() {
        ensure!(
            started.elapsed() < PATIENCE,
            "a message was not taken within {PATIENCE:?}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// A second message while the first is worked on, and a third soon after.
async fn steers(stage: &Stage, pause: u64) -> Result<()> {
    stage.world.say(Bot::Polled, 104, "#2 slow");
    tokio::time::sleep(Duration::from_millis(pause)).await;
    stage.world.say(Bot::Polled, 104, "#3 plain");
    tokio::time::sleep(Duration::from_millis(pause / 2)).await;
    stage.world.say(Bot::Polled, 104, "#15 plain");
    Ok(())
}

/// A job the model refuses, tried again by a human.
async fn retries(stage: &Stage) -> Result<()> {
    stage.world.say(Bot::Polled, 105, "#9 bad");
    let failed = job_of(stage, "#9 bad", "j.status = 'failed'").await?;
    let from = json!({ "from": "start", "reply_again": true });
    stage.world.mend();
    ask(stage, &format!("/api/v1/jobs/{failed}/retry"), &from)
        .await
        .map(drop)
}

/// A job that a human stops, unless it was quicker.
async fn stops(stage: &Stage, pause: u64) -> Result<()> {
    stage.world.say(Bot::Polled, 106, "#10 slow");
    let job = job_of(stage, "#10 slow", "1 = 1").await?;
    tokio::time::sleep(Duration::from_millis(pause)).await;
    let _over_already = stage
        .api
        .post(&format!("/api/v1/jobs/{job}/cancel"), &json!({}), "stop-10")
        .await?;
    Ok(())
}

/// The same update three times at once, as a vendor does whose answers got lost.
async fn delivers_thrice(stage: &Stage, number: i64) -> Result<()> {
    let update = stage.world.update(number, 107, "Bo, #11 plain");
    let integration = stage.world.integration_id(Bot::Called)?.to_string();
    let deliveries = (0..3).map(|_| stage.api.deliver(&integration, SECRET, &update));
    for answer in try_join_all(deliveries).await? {
        ensure!(answer.ok, "a delivery was refused: {}", answer.body);
        stage.world.taken(number);
    }
    Ok(())
}

/// Work that is handed in over the API.
async fn hands_in(stage: &Stage) -> Result<()> {
    let body = json!({ "text": "#12 tools", "agent_ids": [stage.world.agent_id("Ada")?] });
    let answer = ask(stage, "/api/v1/work-items", &body).await?;
    stage.world.handed_in(id(&answer)?);
    Ok(())
}

/// Posts what must be agreed to, once however often it has to be repeated. A key that stays taken is
/// noted as a broken promise, and the story goes on with another.
async fn ask(stage: &Stage, path: &str, body: &Value) -> Result<Value> {
    let answer = stage.api.post(path, body, &format!("first{path}")).await?;
    if answer.stuck {
        stage.world.stuck(path);
        // Whether the first one was carried out is not known, so a refusal is as good.
        let second = stage.api.post(path, body, &format!("second{path}")).await?;
        return Ok(second.body);
    }
    let done = answer.repeated && is_done_already(&answer.body);
    ensure!(
        answer.ok || done,
        "POST {path} was refused: {}",
        answer.body
    );
    Ok(answer.body)
}

/// How a command that was carried out before its answer was lost refuses to be carried out again.
fn is_done_already(problem: &Value) -> bool {
    let code = problem.get("code").and_then(Value::as_str);
    matches!(code, Some("superseded" | "job_final" | "effect_status"))
}

/// Waits for the newest job of the item with that text.
async fn job_of(stage: &Stage, text: &str, condition: &str) -> Result<Uuid> {
    let sql = format!(
        "SELECT j.id FROM jobs j JOIN work_items w ON w.id = j.work_item_id WHERE w.text LIKE '%{text}%' AND {condition}"
    );
    let started = Instant::now();
    loop {
        if let Some(job) = rows::ids(&stage.db, &sql).await?.pop() {
            return Ok(job);
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "no job for {text:?} within {PATIENCE:?}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The condition that a row has this id: SQLite keeps ids as bytes.
fn is(db: &DatabaseConnection, id: Uuid) -> String {
    match db.get_database_backend() {
        sea_orm::DbBackend::Postgres => format!("id = '{id}'"),
        _ => format!("id = x'{}'", id.simple()),
    }
}
