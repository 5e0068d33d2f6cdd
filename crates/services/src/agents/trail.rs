//! What the audit trail is told of agents: what people decide about them, before and after.

use crate::{Context, Error};
use domain::{agent::Agent, audit::Change, budget::Limit, model::ModelRef};
use ports::store::StoreTx;
use serde_json::{Value, json};

/// Notes a change to an agent; `before` are its [`facts`] until then.
pub(super) async fn note(
    context: &Context,
    tx: &dyn StoreTx,
    action: &'static str,
    before: Option<Value>,
    agent: &Agent,
) -> Result<(), Error> {
    let change = change(action, agent).between(before, Some(facts(agent)));
    context.audit(tx, change).await
}

/// A change to an agent.
pub(super) fn change(action: &'static str, agent: &Agent) -> Change {
    let id = agent.id.as_uuid();
    Change::to(action, "agent", id, Some(agent.name.to_string()))
}

/// What people decide about an agent.
pub(super) fn facts(agent: &Agent) -> Value {
    json!({
        "name": agent.name.to_string(),
        "model": agent.model.as_ref().map(ModelRef::to_string),
        "instructions": agent.instructions,
        "enabled": agent.enabled,
        "reply_policy": agent.reply_policy,
        "steering": agent.steering,
        "loop_limits": agent.loop_limits,
        "budget_micros_per_day": match agent.daily_budget {
            Limit::Of(amount) => Some(amount.0),
            Limit::Unlimited => None,
        },
        "tools": agent.tools,
        "approvers": agent.approvers,
        "archived": agent.archived_at.is_some(),
    })
}
