//! Deciding what waits in a lane: rules first, a short model call where they do not settle it. Every
//! decision is a row with its reason before anything follows from it.

use crate::{
    engine::Engine,
    guards,
    model_call::{self, Heard},
    steering,
};
use ::agent::triage::{self, Ruling};
use domain::{
    agent::{Agent, AgentName},
    budget::{Micros, Reservation},
    conversation::Conversation,
    id::ModelCallId,
    integration::Integration,
    model::{ModelCall, ModelCallPurpose, ModelCallStatus, ModelRef, Usage},
    queue::Lane,
    work::{Verdict, WorkItem},
};
use ports::{
    BoxError,
    inference::{InferenceError, ModelRequest, ResolvedModel},
    store::{QueuedItem, StoreError, StoreTx},
};
use std::sync::Arc;

/// Who and where: what every step in a lane needs to know.
pub(crate) struct Scene {
    pub(crate) agent: Agent,
    pub(crate) conversation: Conversation,
    /// Absent once it was deleted; replies have nowhere to go then.
    pub(crate) integration: Option<Integration>,
    /// The names of the other agents that see the conversation.
    pub(crate) peers: Vec<AgentName>,
}

/// An item the agent acts on, and why.
pub(crate) struct Chosen {
    pub(crate) queued: QueuedItem,
    pub(crate) ruling: Ruling,
}

impl Scene {
    pub(crate) async fn load(tx: &dyn StoreTx, lane: Lane) -> Result<Self, StoreError> {
        let tenant = lane.tenant_id;
        let agent = tx
            .agents()
            .find(tenant, lane.agent_id)
            .await?
            .ok_or_else(|| missing("agent"))?;
        let conversation = tx
            .conversations()
            .find(tenant, lane.conversation_id)
            .await?
            .ok_or_else(|| missing("conversation"))?;
        let integration = tx
            .integrations()
            .find(tenant, conversation.integration_id)
            .await?;
        let seeing = tx
            .agents()
            .seeing(tenant, conversation.integration_id)
            .await?;
        let peers = seeing
            .into_iter()
            .filter(|peer| peer.id != agent.id)
            .map(|peer| peer.name)
            .collect();
        Ok(Self {
            agent,
            conversation,
            integration,
            peers,
        })
    }

    /// The model the agent thinks with.
    pub(crate) fn model(&self, engine: &Engine) -> ModelRef {
        self.agent
            .model
            .clone()
            .unwrap_or_else(|| engine.platform.models.default_model())
    }
}

/// Goes through what waits, from `waiting` on, writes down every pass, and returns the first item to act on.
pub(crate) async fn next(
    engine: &Arc<Engine>,
    lane: Lane,
    scene: &Scene,
    mut waiting: Option<QueuedItem>,
) -> Result<Option<Chosen>, StoreError> {
    loop {
        let Some(queued) = waiting else {
            return Ok(None);
        };
        let Some(ruling) = (match guards::rule(engine, lane, scene, &queued.item).await? {
            Some(ruling) => Some(ruling),
            None => ask(engine, lane, scene, &queued.item).await?,
        }) else {
            return Ok(None);
        };
        match ruling.verdict {
            Verdict::Act => return Ok(Some(Chosen { queued, ruling })),
            Verdict::Pass => {
                let tx = engine.write(lane.tenant_id).await?;
                tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
                steering::pass(engine, tx.as_ref(), lane, &queued, ruling).await?;
                waiting = tx.lanes().queued(lane.tenant_id, lane.id, 1).await?.pop();
                crate::crash::point("pass.before_commit");
                tx.commit().await?;
                crate::crash::point("pass.after_commit");
            }
        }
    }
}

/// Asks the model; whatever goes wrong has a rule. `None` when the process ends first.
async fn ask(
    engine: &Arc<Engine>,
    lane: Lane,
    scene: &Scene,
    item: &WorkItem,
) -> Result<Option<Ruling>, StoreError> {
    settle_leftovers(engine, lane, item).await?;
    let name = scene.model(engine);
    let tx = engine.read(lane.tenant_id).await?;
    let found =
        services::providers::resolve(&engine.platform, tx.as_ref(), lane.tenant_id, &name).await?;
    drop(tx);
    let model = match found {
        Ok(model) => model,
        Err(problem) => return Ok(Some(triage::fallback(item, &problem.to_string()))),
    };
    let request = triage::question(item, &scene.agent, &scene.peers, model.model.name());
    let Some(mut call) = reserve(engine, lane, item, &model, &request).await? else {
        return Ok(Some(triage::fallback(item, "the budget is used up")));
    };
    crate::crash::point("triage.reserved");
    let prompt = ::agent::prompt::prompt_tokens(&request);
    let mut heard = Heard::new(&model);
    tokio::select! {
        biased;
        () = model_call::listen(&model, request, &model_call::Nobody, &mut heard) => {}
        // Settled where the lane is claimed next.
        () = engine.abandon.cancelled() => return Ok(None),
    }
    crate::crash::point("triage.answered");
    call.usage = heard.charged(prompt);
    call.cost = model.profile.price.cost(call.usage);
    call.finished_at = Some(engine.now());
    let ruling = match &heard.end {
        Ok(stop) => {
            call.status = ModelCallStatus::Settled;
            call.outcome = Some(stop.to_string());
            triage::answer(&heard.text())
                .unwrap_or_else(|| triage::fallback(item, "the answer made no sense"))
        }
        Err(error) => {
            call.status = ModelCallStatus::Failed;
            call.outcome = Some(engine.redactor.redact(&error.to_string()).into_owned());
            triage::fallback(item, brief(error))
        }
    };
    let tx = engine.write(lane.tenant_id).await?;
    tx.ledger().settle(&call, lane.agent_id).await?;
    tx.commit().await?;
    crate::crash::point("triage.settled");
    Ok(Some(ruling))
}

/// Settles the question a dead process was asking; nobody knows what it cost, so it is charged whole.
pub(crate) async fn settle_leftovers(
    engine: &Engine,
    lane: Lane,
    item: &WorkItem,
) -> Result<(), StoreError> {
    let tx = engine.read(lane.tenant_id).await?;
    let mut left = tx.ledger().triage_calls(lane.tenant_id, item.id).await?;
    drop(tx);
    // Whoever has claimed the lane knows that nobody makes these any more.
    left.retain(|(agent, call)| {
        *agent == lane.agent_id && call.status == ModelCallStatus::Reserved
    });
    if left.is_empty() {
        return Ok(());
    }
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    for (agent, mut call) in left {
        call.status = ModelCallStatus::Failed;
        call.cost = call.reserved;
        call.outcome = Some("interrupted by a restart; charged as reserved".to_owned());
        call.finished_at = Some(engine.now());
        tx.ledger().settle(&call, agent).await?;
    }
    crate::crash::point("triage.leftovers");
    tx.commit().await
}

async fn reserve(
    engine: &Engine,
    lane: Lane,
    item: &WorkItem,
    model: &ResolvedModel,
    request: &ModelRequest,
) -> Result<Option<ModelCall>, StoreError> {
    let prompt = ::agent::prompt::prompt_tokens(request);
    let call = ModelCall {
        id: ModelCallId::from_uuid(engine.platform.ids.next()),
        tenant_id: lane.tenant_id,
        work_item_id: item.id,
        job_id: None,
        purpose: ModelCallPurpose::Triage,
        model: model.model.clone(),
        status: ModelCallStatus::Reserved,
        reserved: model
            .profile
            .price
            .worst_case(prompt, request.max_output_tokens),
        cost: Micros::ZERO,
        usage: Usage::default(),
        outcome: None,
        started_at: engine.now(),
        finished_at: None,
    };
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    let granted = tx.ledger().reserve(&call, lane.agent_id).await? == Reservation::Granted;
    tx.commit().await?;
    Ok(granted.then_some(call))
}

fn brief(error: &InferenceError) -> &'static str {
    match error {
        InferenceError::Busy { .. } => "the model is busy",
        InferenceError::Unavailable { .. } => "the model cannot be reached",
        InferenceError::Interrupted { .. } => "the model broke off",
        InferenceError::Rejected { .. } => "the model refused",
    }
}

fn missing(entity: &'static str) -> StoreError {
    let source: BoxError = "a lane points at a row that is not there".into();
    StoreError::Corrupt {
        entity,
        column: "id",
        source,
    }
}
