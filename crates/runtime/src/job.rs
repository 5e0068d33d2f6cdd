//! One job from its current row to its end: ask `agent` for the next step, do it, commit, repeat.

use crate::{
    answer::{self, Preparation},
    decide::Scene,
    engine::Engine,
    finish, guards,
    hands::Hands,
    presence::Presence,
    start, tool_calls,
};
use ::agent::{
    history, prompt,
    turn::{self, Step},
};
use domain::{
    effect::{Effect, EffectAction, EffectStatus, RECEIPT_SLOT},
    event::NewEvent,
    id::{EffectId, JobId, MessageId, ToolCallId},
    job::{Job, JobFailure, JobStatus},
    message::{Message, Part, Role, ToolCall, ToolCallStatus, Trust},
    queue::Lane,
    work::WorkItem,
};
use ports::{
    inference::{ResolvedModel, Turn},
    store::{StoreError, StoreTx},
};
use std::{collections::HashSet, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Why a job stops before its answer.
pub(crate) enum Halt {
    /// The store failed, or the lane is no longer ours: nothing more may be written.
    Store(StoreError),
    /// The process ends; the next one continues from the last commit.
    Abandoned,
    /// Somebody asked it to stop.
    Cancelled,
    /// It cannot go on.
    Failed(JobFailure),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A job at work: its rows as they are committed, and what it needs to go on.
pub(crate) struct Run {
    pub(crate) engine: Arc<Engine>,
    pub(crate) lane: Lane,
    pub(crate) scene: Scene,
    pub(crate) job: Job,
    pub(crate) history: Vec<Turn>,
    pub(crate) transcript: Vec<Message>,
    /// The calls of the last message, when it asks for tools.
    pub(crate) calls: Vec<ToolCall>,
    /// Whether those calls may have started in a process that is gone.
    pub(crate) resumed: bool,
    /// The vendor's id of the message that the answer answers.
    pub(crate) answers: Option<String>,
    /// Money for the next model call, reserved together with the last commit.
    pub(crate) prepared: Option<Preparation>,
    pub(crate) hands: Hands,
    pub(crate) presence: Presence,
    pub(crate) stop: CancellationToken,
    /// Calls whose results are in the database.
    pub(crate) receipts: HashSet<ToolCallId>,
    /// How often it was resumed while its last message stayed the same.
    pub(crate) resumes: u32,
    /// How often in a row the model did not answer.
    pub(crate) failures: u32,
    /// Events of the transaction that is being put together.
    pub(crate) events: Vec<NewEvent>,
}

impl Run {
    /// A job whose rows exist: queued for a retry, or left behind by a process that is gone.
    pub(crate) async fn resume(
        engine: &Arc<Engine>,
        lane: Lane,
        scene: Scene,
        job: Job,
    ) -> Result<Self, StoreError> {
        let tenant = job.tenant_id;
        let tx = engine.read(tenant).await?;
        let history = recall(tx.as_ref(), lane, job.id).await?;
        let transcript = tx.transcript().of_jobs(tenant, &[job.id]).await?;
        let calls = tx.transcript().tool_calls(tenant, job.id).await?;
        let item = tx.work().find(tenant, job.work_item_id).await?;
        drop(tx);
        let answers = item
            .as_ref()
            .and_then(|item| item.message.message_id.clone());
        let mut run = Self::new(engine, (lane, scene), job, history, answers);
        run.resumed = true;
        run.calls = calls
            .into_iter()
            .filter(|c| transcript.last().is_some_and(|m| m.id == c.message_id))
            .collect();
        let written = run
            .calls
            .iter()
            .filter(|call| call.status != ToolCallStatus::Running);
        run.receipts = written.map(|call| call.id).collect();
        run.transcript = transcript;
        run.reopen().await?;
        Ok(run)
    }

    /// A job at its beginning, as far as memory goes; nothing is written.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        (lane, scene): (Lane, Scene),
        job: Job,
        history: Vec<Turn>,
        answers: Option<String>,
    ) -> Self {
        Self {
            stop: engine.hub.stop_token(job.id),
            hands: Hands::new(Arc::clone(engine), lane, job.id),
            presence: Presence::default(),
            engine: Arc::clone(engine),
            lane,
            scene,
            job,
            history,
            transcript: Vec::new(),
            calls: Vec::new(),
            resumed: false,
            answers,
            prepared: None,
            receipts: HashSet::new(),
            resumes: 0,
            failures: 0,
            events: Vec::new(),
        }
    }

    /// Writes the first rows of a job: its first message, the mark on the person's message, and the
    /// reservation of the first model call.
    pub(crate) async fn open(
        &mut self,
        tx: &dyn StoreTx,
        item: &WorkItem,
    ) -> Result<Preparation, StoreError> {
        self.events.push(services::events::job_status(&self.job));
        self.append(tx, Role::User, prompt::spoken(item, self.trust(), false))
            .await?;
        if let (Some(message_id), true) = (self.answers.clone(), self.has_channel()) {
            let receipt = self.effect(RECEIPT_SLOT, EffectAction::Receipt { message_id });
            tx.effects().insert(&receipt).await?;
        }
        let preparation = answer::prepare(self, tx, true).await?;
        self.flush(tx).await?;
        Ok(preparation)
    }

    /// Writes that the job runs again, and what a dead process left open: calls whose money is still
    /// reserved, a shell nobody holds any more.
    async fn reopen(&mut self) -> Result<(), StoreError> {
        let was = self.job.status;
        let tx = self.engine.write(self.lane.tenant_id).await?;
        tx.fenced(self.lane.tenant_id, self.lane.id, self.lane.fence)
            .await?;
        // Asked to stop between the claim and now: the signal came before anybody listened.
        let current = tx.jobs().find(self.job.tenant_id, self.job.id).await?;
        self.job.cancel_requested_at = current.and_then(|job| job.cancel_requested_at);
        if was == JobStatus::Running {
            let seq = self.transcript.last().map_or(0, |last| last.seq);
            let (tenant, id) = (self.job.tenant_id, self.job.id);
            self.resumes = tx.jobs().resumed(tenant, id, seq).await?;
        }
        answer::settle_leftovers(self, tx.as_ref()).await?;
        self.hands.forget_lost(tx.as_ref()).await?;
        self.job.start(self.engine.now()).map_err(start::illegal)?;
        tx.jobs().update(&self.job).await?;
        if was != JobStatus::Running {
            self.events.push(services::events::job_status(&self.job));
        }
        if self.transcript.is_empty() {
            self.hear_all(tx.as_ref()).await?;
            crate::crash::point("retry.heard");
        }
        self.flush(tx.as_ref()).await?;
        crate::crash::point("reopen.before_commit");
        tx.commit().await?;
        crate::crash::point("reopen.after_commit");
        Ok(())
    }

    /// The first messages of a retry: everything its predecessor was told, what it absorbed included.
    async fn hear_all(&mut self, tx: &dyn StoreTx) -> Result<(), StoreError> {
        let tenant = self.job.tenant_id;
        for id in tx.lanes().items_of(tenant, self.job.id).await? {
            if let Some(item) = tx.work().find(tenant, id).await? {
                self.append(tx, Role::User, prompt::spoken(&item, self.trust(), false))
                    .await?;
            }
        }
        Ok(())
    }

    /// Appends a message to the transcript.
    pub(crate) async fn append(
        &mut self,
        tx: &dyn StoreTx,
        role: Role,
        parts: Vec<Part>,
    ) -> Result<(), StoreError> {
        let message = Message {
            id: MessageId::from_uuid(self.engine.platform.ids.next()),
            tenant_id: self.job.tenant_id,
            job_id: self.job.id,
            seq: self.transcript.last().map_or(1, |last| last.seq + 1),
            role,
            parts,
            created_at: self.engine.now(),
        };
        tx.transcript()
            .append(std::slice::from_ref(&message))
            .await?;
        self.events.push(services::events::message(&message));
        self.transcript.push(message);
        Ok(())
    }

    /// Writes the collected events; last before a commit, so that their order is that of the rows.
    pub(crate) async fn flush(&mut self, tx: &dyn StoreTx) -> Result<(), StoreError> {
        let mut events = std::mem::take(&mut self.events);
        for event in &mut events {
            // Events go to every sink there is: no secret of the server leaves with them.
            self.engine.redactor.redact_json(&mut event.payload);
        }
        if events.is_empty() {
            return Ok(());
        }
        tx.events()
            .append(self.job.tenant_id, self.job.id, events, self.engine.now())
            .await
    }

    /// An effect of this job, due at once.
    pub(crate) fn effect(&self, slot: impl Into<String>, action: EffectAction) -> Effect {
        let now = self.engine.now();
        Effect {
            id: EffectId::from_uuid(self.engine.platform.ids.next()),
            tenant_id: self.job.tenant_id,
            job_id: self.job.id,
            slot: slot.into(),
            integration_id: self.scene.conversation.integration_id,
            conversation_id: self.scene.conversation.id,
            expires_at: now + finish::lifetime(&action),
            action,
            status: EffectStatus::Pending,
            dead_reason: None,
            detail: None,
            attempts: 0,
            next_attempt_at: now,
            provider_reference: None,
            created_at: now,
            settled_at: None,
        }
    }

    /// Whether there is a channel that replies go to; work handed in over the API has none. One whose
    /// integration was deleted has one: that the reply cannot go there must be seen.
    pub(crate) fn has_channel(&self) -> bool {
        self.scene
            .integration
            .as_ref()
            .is_none_or(|integration| integration.channel != domain::channel::ChannelType::Web)
    }

    /// How far the people of this conversation may be believed: who holds a token of the tenant is one
    /// of its own, a sender on a channel is a guest.
    pub(crate) fn trust(&self) -> Trust {
        if self.has_channel() {
            Trust::Guest
        } else {
            Trust::Trusted
        }
    }

    /// The model this job thinks with.
    pub(crate) async fn model(
        &self,
        tx: &dyn StoreTx,
    ) -> Result<Result<ResolvedModel, JobFailure>, StoreError> {
        let (platform, tenant) = (&self.engine.platform, self.job.tenant_id);
        let found = services::providers::resolve(platform, tx, tenant, &self.job.model).await?;
        Ok(found.map_err(|problem| JobFailure {
            code: "unknown_model".to_owned(),
            message: format!("{problem}. Change the agent's model, or configure the provider."),
        }))
    }

    fn go_on(&self) -> Result<(), Halt> {
        if self.stop.is_cancelled() || self.job.cancel_requested_at.is_some() {
            Err(Halt::Cancelled)
        } else if self.engine.abandon.is_cancelled() {
            Err(Halt::Abandoned)
        } else {
            Ok(())
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.engine.hub.forget(self.job.id);
    }
}

/// Runs a job to its end and writes how it ended.
#[tracing::instrument(name = "invoke_agent", skip_all, fields(
    job.id = %run.job.id, gen_ai.operation.name = "invoke_agent", gen_ai.agent.id = %run.job.agent_id,
    gen_ai.conversation.id = %run.job.conversation_id))]
pub(crate) async fn run(mut run: Run) -> Result<(), StoreError> {
    run.presence.begin(&run);
    let outcome = drive(&mut run).await;
    let result = match outcome {
        Ok(()) => Ok(()),
        Err(halt) => finish::halt(&mut run, halt).await,
    };
    crate::crash::point("finish.after_commit");
    run.presence.end();
    run.hands.close().await;
    crate::crash::point("finish.shell_closed");
    result
}

async fn drive(run: &mut Run) -> Result<(), Halt> {
    loop {
        run.go_on()?;
        guards::check(run)?;
        match turn::next(&run.transcript, run.engine.settings.limits) {
            Step::CallModel { with_tools } => {
                let call = answer::reserve(run, with_tools).await?;
                if answer::take(run, call).await? == answer::Taken::Finished {
                    return Ok(());
                }
            }
            Step::RunTools(_) => {
                if tool_calls::run(run).await? == answer::Taken::Finished {
                    return Ok(());
                }
            }
            Step::Finish(text) => return finish::complete(run, &text).await,
            Step::OutOfTurns => {
                return Err(Halt::Failed(out_of_turns(run.engine.settings.limits.turns)));
            }
        }
    }
}

/// What the agent remembers of the thread: the jobs of this lane that ended before `before`.
pub(crate) async fn recall(
    tx: &dyn StoreTx,
    lane: Lane,
    before: JobId,
) -> Result<Vec<Turn>, StoreError> {
    let jobs = tx
        .jobs()
        .finished_in_lane(lane.tenant_id, lane.id, before, history::JOBS)
        .await?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    let messages = tx.transcript().of_jobs(lane.tenant_id, &ids).await?;
    Ok(history::turns(&jobs, &messages))
}

fn out_of_turns(turns: usize) -> JobFailure {
    JobFailure {
        code: "turn_limit".to_owned(),
        message: format!(
            "The job used all of its {turns} turns without an answer. Ask for a smaller step, or retry."
        ),
    }
}
