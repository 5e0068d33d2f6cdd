//! What is kept from somebody, as conditions: an agent or integration that is restricted takes with it all that
//! belongs to it.

use crate::entity::{approval, conversation, effect, job, lane, lane_entry, model_call, work_item};
use domain::access::Hidden;
use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use uuid::Uuid;

fn agents(hidden: &Hidden) -> Vec<Uuid> {
    hidden.agents.iter().map(|id| id.as_uuid()).collect()
}

fn integrations(hidden: &Hidden) -> Vec<Uuid> {
    hidden.integrations.iter().map(|id| id.as_uuid()).collect()
}

/// Work items that came in where they may be seen, and that not only hidden agents have.
pub(crate) fn items(hidden: &Hidden) -> Condition {
    let mut seen = Condition::all();
    if !hidden.integrations.is_empty() {
        let column = work_item::Column::IntegrationId;
        seen = seen.add(column.is_not_in(integrations(hidden)));
    }
    if !hidden.agents.is_empty() {
        let theirs = lane_entry::Column::AgentId.is_in(agents(hidden));
        let others = lane_entry::Column::AgentId.is_not_in(agents(hidden));
        seen = seen.add(
            Condition::any()
                .add(Expr::exists(entries(theirs)).not())
                .add(Expr::exists(entries(others))),
        );
    }
    seen
}

/// Entries of a work item in lanes.
pub(crate) fn entries(which: Expr) -> SelectStatement {
    let of_item = Expr::col((lane_entry::Entity, lane_entry::Column::WorkItemId))
        .equals((work_item::Entity, work_item::Column::Id));
    Query::select()
        .expr(Expr::value(1))
        .from(lane_entry::Entity)
        .and_where(of_item)
        .and_where(which)
        .to_owned()
}

/// Conversations that take place where it may be seen, and in which not only hidden agents work.
pub(crate) fn conversations(hidden: &Hidden) -> Condition {
    let mut seen = Condition::all();
    if !hidden.integrations.is_empty() {
        let column = conversation::Column::IntegrationId;
        seen = seen.add(column.is_not_in(integrations(hidden)));
    }
    if !hidden.agents.is_empty() {
        let only = conversation::Column::AgentId;
        seen = seen.add(
            Condition::any()
                .add(only.is_null())
                .add(only.is_not_in(agents(hidden))),
        );
        let theirs = lane::Column::AgentId.is_in(agents(hidden));
        let others = lane::Column::AgentId.is_not_in(agents(hidden));
        seen = seen.add(
            Condition::any()
                .add(Expr::exists(lanes(theirs)).not())
                .add(Expr::exists(lanes(others))),
        );
    }
    seen
}

fn lanes(which: Expr) -> SelectStatement {
    let of_conversation = Expr::col((lane::Entity, lane::Column::ConversationId))
        .equals((conversation::Entity, conversation::Column::Id));
    Query::select()
        .expr(Expr::value(1))
        .from(lane::Entity)
        .and_where(of_conversation)
        .and_where(which)
        .to_owned()
}

/// Jobs of agents that may be seen, for what came in where it may be seen.
pub(crate) fn jobs(hidden: &Hidden) -> Condition {
    let mut seen = Condition::all();
    if !hidden.agents.is_empty() {
        seen = seen.add(job::Column::AgentId.is_not_in(agents(hidden)));
    }
    if !hidden.integrations.is_empty() {
        let there = Query::select()
            .column((conversation::Entity, conversation::Column::Id))
            .from(conversation::Entity)
            .and_where(conversation::Column::IntegrationId.is_in(integrations(hidden)))
            .to_owned();
        seen = seen.add(job::Column::ConversationId.not_in_subquery(there));
    }
    seen
}

/// Questions of such jobs.
pub(crate) fn approvals(hidden: &Hidden) -> Condition {
    let mut seen = Condition::all();
    if !hidden.agents.is_empty() {
        seen = seen.add(approval::Column::AgentId.is_not_in(agents(hidden)));
    }
    if !hidden.integrations.is_empty() {
        seen = seen.add(approval::Column::IntegrationId.is_not_in(integrations(hidden)));
    }
    seen
}

/// What waits in lanes of such agents and came in at such places.
pub(crate) fn waiting(hidden: &Hidden) -> Condition {
    agents_work(
        hidden,
        lane_entry::Column::AgentId,
        Expr::col((lane_entry::Entity, lane_entry::Column::WorkItemId)),
    )
}

/// Model calls of such agents about what came in at such places.
pub(crate) fn model_calls(hidden: &Hidden) -> Condition {
    agents_work(
        hidden,
        model_call::Column::AgentId,
        Expr::col((model_call::Entity, model_call::Column::WorkItemId)),
    )
}

fn agents_work(hidden: &Hidden, agent: impl ColumnTrait, item: Expr) -> Condition {
    let mut seen = Condition::all();
    if !hidden.agents.is_empty() {
        seen = seen.add(agent.is_not_in(agents(hidden)));
    }
    if !hidden.integrations.is_empty() {
        let there = Query::select()
            .expr(Expr::value(1))
            .from(work_item::Entity)
            .and_where(item.equals((work_item::Entity, work_item::Column::Id)))
            .and_where(work_item::Column::IntegrationId.is_in(integrations(hidden)))
            .to_owned();
        seen = seen.add(Expr::exists(there).not());
    }
    seen
}

/// Effects of such jobs.
pub(crate) fn effects(hidden: &Hidden) -> Condition {
    if hidden.is_empty() {
        return Condition::all();
    }
    let of_effect =
        Expr::col((job::Entity, job::Column::Id)).equals((effect::Entity, effect::Column::JobId));
    let seen = Query::select()
        .expr(Expr::value(1))
        .from(job::Entity)
        .and_where(of_effect)
        .cond_where(jobs(hidden))
        .to_owned();
    Condition::all().add(Expr::exists(seen))
}
