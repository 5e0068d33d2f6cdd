//! What people ask of agents, and what of it is refused: names, models, limits and approvers that cannot be.
//! Writes nothing.

use crate::{Context, Error, people, providers};
use domain::{
    access::Role,
    agent::{AgentName, ReplyPolicy},
    approval::Approvers,
    budget::{Limit, Micros},
    guard::LoopLimits,
    model::ModelRef,
    queue::Steering,
};
use ports::store::StoreTx;

/// The most an agent's instructions may hold, in characters.
const MAX_INSTRUCTIONS: usize = 100_000;

/// What is asked of a new agent; everything but the name has a default.
#[derive(Clone, Debug, Default)]
pub struct CreateAgent {
    /// Its name.
    pub name: String,
    /// Its model; absent = the server's default.
    pub model: Option<String>,
    /// What its humans want of it.
    pub instructions: Option<String>,
    /// Whether it sees new work; yes when absent.
    pub enabled: Option<bool>,
    /// What happens to its replies; sent when absent.
    pub reply_policy: Option<ReplyPolicy>,
    /// What becomes of messages that arrive while it works; they steer when absent.
    pub steering: Option<Steering>,
    /// Where it stops to go along with a loop; what is absent has its default.
    pub loop_limits: UpdateLoopLimits,
    /// What it may spend in a day; absent = the server's default.
    pub budget: Option<Limit>,
    /// The tools it may use; absent = all there are.
    pub tools: Option<Vec<String>>,
    /// Who may answer what it asks; members when absent.
    pub approvers: Option<Approvers>,
}

/// What is to change; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct UpdateAgent {
    /// A new name.
    pub name: Option<String>,
    /// Another model; `Some(None)` = the server's default.
    pub model: Option<Option<String>>,
    /// New instructions.
    pub instructions: Option<String>,
    /// Whether it sees new work.
    pub enabled: Option<bool>,
    /// What happens to its replies.
    pub reply_policy: Option<ReplyPolicy>,
    /// What becomes of messages that arrive while it works.
    pub steering: Option<Steering>,
    /// Where it stops to go along with a loop; what is absent stays.
    pub loop_limits: UpdateLoopLimits,
    /// What it may spend in a day.
    pub budget: Option<Limit>,
    /// The tools it may use; `Some(None)` = all there are.
    pub tools: Option<Option<Vec<String>>>,
    /// Who may answer what it asks.
    pub approvers: Option<Approvers>,
}

/// The limits of [`LoopLimits`] that are to change.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateLoopLimits {
    /// See [`LoopLimits::relay_depth`].
    pub relay_depth: Option<u32>,
    /// See [`LoopLimits::bot_window_items`].
    pub bot_window_items: Option<u32>,
    /// See [`LoopLimits::bot_window_seconds`].
    pub bot_window_seconds: Option<u32>,
    /// See [`LoopLimits::bot_cooldown_seconds`].
    pub bot_cooldown_seconds: Option<u32>,
    /// See [`LoopLimits::identical_calls`].
    pub identical_calls: Option<u32>,
    /// See [`LoopLimits::identical_answers`].
    pub identical_answers: Option<u32>,
    /// See [`LoopLimits::resumes`].
    pub resumes: Option<u32>,
}

pub(super) fn name(text: &str) -> Result<AgentName, Error> {
    AgentName::parse(text).map_err(|error| Error::invalid("name", error.to_string()))
}

pub(super) async fn approvers(
    context: &Context,
    tx: &dyn StoreTx,
    mut approvers: Approvers,
) -> Result<Approvers, Error> {
    if approvers.min_role == Role::Viewer {
        let text =
            "a viewer may answer nothing; say member, admin or owner, and name people beside it";
        return Err(Error::invalid("approvers.min_role", text));
    }
    people::known(context, tx, "approvers.user_ids", &mut approvers.user_ids).await?;
    Ok(approvers)
}

pub(super) async fn model(
    context: &Context,
    tx: &dyn StoreTx,
    text: Option<&str>,
) -> Result<Option<ModelRef>, Error> {
    let Some(text) = text else { return Ok(None) };
    let model =
        ModelRef::parse(text).map_err(|error| Error::invalid("model", error.to_string()))?;
    providers::resolve(&context.platform, tx, context.tenant, &model)
        .await?
        .map_err(|error| Error::invalid("model", error.to_string()))?;
    Ok(Some(model))
}

pub(super) fn instructions(text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_INSTRUCTIONS {
        return Err(Error::invalid(
            "instructions",
            format!("at most {MAX_INSTRUCTIONS} characters"),
        ));
    }
    Ok(text)
}

pub(super) fn budget(limit: Limit) -> Result<Limit, Error> {
    match limit {
        Limit::Of(amount) if amount < Micros::ZERO => Err(Error::invalid(
            "budget_micros_per_day",
            "must not be negative; null means unlimited",
        )),
        Limit::Of(_) | Limit::Unlimited => Ok(limit),
    }
}

pub(super) fn loop_limits(now: LoopLimits, change: UpdateLoopLimits) -> Result<LoopLimits, Error> {
    let limits = LoopLimits {
        relay_depth: change.relay_depth.unwrap_or(now.relay_depth),
        bot_window_items: change.bot_window_items.unwrap_or(now.bot_window_items),
        bot_window_seconds: change.bot_window_seconds.unwrap_or(now.bot_window_seconds),
        bot_cooldown_seconds: change
            .bot_cooldown_seconds
            .unwrap_or(now.bot_cooldown_seconds),
        identical_calls: change.identical_calls.unwrap_or(now.identical_calls),
        identical_answers: change.identical_answers.unwrap_or(now.identical_answers),
        resumes: change.resumes.unwrap_or(now.resumes),
    };
    let named = |limit| format!("loop_limits.{limit}");
    limits
        .check()
        .map_err(|error| Error::invalid(named(error.limit), error.to_string()))?;
    Ok(limits)
}
