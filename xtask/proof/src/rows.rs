//! Everything a deployment has written down, read with plain SQL. It knows the schema only, never the
//! product's own store, so that a mistake there cannot hide itself here.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, Statement, TryGetable};
use serde_json::Value;
use uuid::Uuid;

/// The rows of one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) inbound: Vec<Inbound>,
    pub(crate) items: Vec<Item>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) messages: Vec<Message>,
    pub(crate) tool_calls: Vec<ToolCall>,
    pub(crate) model_calls: Vec<ModelCall>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) events: Vec<Event>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) notes: Vec<Note>,
}

/// A row type: its table as SQL, and how a result becomes one.
trait Row: Sized {
    const SQL: &'static str;
    fn read(row: &Reader<'_>) -> Result<Self, DbErr>;
}

struct Reader<'r>(&'r QueryResult);

impl Reader<'_> {
    fn get<T: TryGetable>(&self, column: &str) -> Result<T, DbErr> {
        self.0.try_get("", column)
    }
}

/// Declares a row struct whose fields are the columns it reads.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident from $sql:literal { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name { $(pub(crate) $field: $kind),* }

        impl Row for $name {
            const SQL: &'static str = $sql;
            fn read(row: &Reader<'_>) -> Result<Self, DbErr> {
                Ok(Self { $($field: row.get(stringify!($field))?),* })
            }
        }
    )*};
}

rows! {
    /// A thread on an integration.
    Conversation from "SELECT id, integration_id, channel FROM conversations" {
        id: Uuid, integration_id: Uuid, channel: String,
    }
    /// A delivery that was kept.
    Inbound from "SELECT id, integration_id, provider_event_id FROM inbound_events" {
        id: Uuid, integration_id: Uuid, provider_event_id: String,
    }
    /// A work item.
    Item from "SELECT id, inbound_event_id, conversation_id, text, status, reason FROM work_items" {
        id: Uuid, inbound_event_id: Uuid, conversation_id: Uuid, text: String, status: String,
        reason: Option<String>,
    }
    /// A lane.
    Lane from "SELECT id, lease_worker, fence, CASE WHEN ready_at IS NULL THEN 0 ELSE 1 END AS ready FROM lanes" {
        id: Uuid, lease_worker: Option<Uuid>, fence: i64, ready: i32,
    }
    /// A work item in a lane.
    Entry from "SELECT id, lane_id, agent_id, work_item_id, status, job_id FROM lane_entries" {
        id: Uuid, lane_id: Uuid, agent_id: Uuid, work_item_id: Uuid, status: String, job_id: Option<Uuid>,
    }
    /// Whether an agent acted, and why.
    Decision from "SELECT work_item_id, agent_id, verdict, reason FROM decisions" {
        work_item_id: Uuid, agent_id: Uuid, verdict: String, reason: String,
    }
    /// A job.
    Job from "SELECT id, work_item_id, agent_id, lane_id, attempt, status, cost_micros, event_seq FROM jobs" {
        id: Uuid, work_item_id: Uuid, agent_id: Uuid, lane_id: Uuid, attempt: i32, status: String,
        cost_micros: i64, event_seq: i64,
    }
    /// An entry of a transcript.
    Message from "SELECT id, job_id, seq, role, parts FROM messages ORDER BY job_id, seq" {
        id: Uuid, job_id: Uuid, seq: i64, role: String, parts: Value,
    }
    /// A use of a tool.
    ToolCall from "SELECT id, job_id, message_id, position, provider_call_id, status, result FROM tool_calls ORDER BY message_id, position" {
        id: Uuid, job_id: Uuid, message_id: Uuid, position: i32, provider_call_id: String, status: String,
        result: Option<String>,
    }
    /// A call of a model, and today's part of a budget it belongs to.
    ModelCall from "SELECT id, agent_id, job_id, status, cost_micros FROM model_calls" {
        id: Uuid, agent_id: Uuid, job_id: Option<Uuid>, status: String, cost_micros: i64,
    }
    /// What may be spent.
    Budget from "SELECT scope, scope_id, spent_micros, reserved_micros FROM budgets" {
        scope: String, scope_id: Uuid, spent_micros: i64, reserved_micros: i64,
    }
    /// A change to the outside world.
    Effect from "SELECT id, job_id, slot, conversation_id, kind, action, status, provider_reference FROM effects ORDER BY id" {
        id: Uuid, job_id: Uuid, slot: String, conversation_id: Uuid, kind: String, action: Value,
        status: String, provider_reference: Option<String>,
    }
    /// An event of a job.
    Event from "SELECT tenant_id, job_id, seq, feed_seq, kind, payload FROM job_events ORDER BY tenant_id, feed_seq" {
        tenant_id: Uuid, job_id: Uuid, seq: i64, feed_seq: i64, kind: String, payload: Value,
    }
    /// How far a tenant's feed is.
    Feed from "SELECT tenant_id, last_seq FROM feeds" { tenant_id: Uuid, last_seq: i64 }
    /// A shell.
    Session from "SELECT id, job_id, status FROM sprite_sessions" { id: Uuid, job_id: Uuid, status: String }
    /// A question of an agent to people.
    Approval from "SELECT id, job_id, tool_call_id, status FROM approvals WHERE kind = 'action'" {
        id: Uuid, job_id: Uuid, tool_call_id: Option<Uuid>, status: String,
    }
    /// What the audit trail says of work that was handed in.
    Note from "SELECT seq, subject_id FROM audit_entries WHERE action = 'work_item.created'" {
        seq: i64, subject_id: Option<Uuid>,
    }
}

impl Rows {
    /// Reads everything, in one transaction where the database offers a view of one instant.
    pub(crate) async fn read(db: &DatabaseConnection) -> Result<Self> {
        Ok(Self {
            conversations: all(db).await?,
            inbound: all(db).await?,
            items: all(db).await?,
            lanes: all(db).await?,
            entries: all(db).await?,
            decisions: all(db).await?,
            jobs: all(db).await?,
            messages: all(db).await?,
            tool_calls: all(db).await?,
            model_calls: all(db).await?,
            budgets: all(db).await?,
            effects: all(db).await?,
            events: all(db).await?,
            feeds: all(db).await?,
            sessions: all(db).await?,
            approvals: all(db).await?,
            notes: all(db).await?,
        })
    }
}

impl Job {
    /// Whether nothing changes any more.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "cancelled")
    }
}

impl Effect {
    /// The text people see.
    pub(crate) fn markdown(&self) -> &str {
        self.action
            .get("markdown")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether it makes a message of its own, rather than a mark or an edit.
    pub(crate) fn is_message(&self) -> bool {
        let edits = self.action.get("edit").is_some_and(|edit| !edit.is_null());
        self.kind != "receipt" && !edits
    }
}

async fn all<T: Row>(db: &DatabaseConnection) -> Result<Vec<T>> {
    let statement = Statement::from_string(db.get_database_backend(), T::SQL);
    let found = db
        .query_all_raw(statement)
        .await
        .with_context(|| format!("cannot run `{}`", T::SQL))?;
    let read = found.iter().map(|row| T::read(&Reader(row)));
    read.collect::<Result<_, _>>()
        .with_context(|| format!("cannot read a row of `{}`", T::SQL))
}

/// One number.
pub(crate) async fn number(db: &DatabaseConnection, sql: &str) -> Result<i64> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db
        .query_one_raw(statement)
        .await?
        .context("a count without a row")?;
    Ok(row.try_get_by_index(0)?)
}

/// The ids a query finds in its first column.
pub(crate) async fn ids(db: &DatabaseConnection, sql: &str) -> Result<Vec<Uuid>> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?)
}
