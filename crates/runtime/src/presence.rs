//! What people see in their channel while a job runs: that somebody is writing, and, when it takes
//! longer, one progress message that is edited in place.

use crate::{engine::Engine, job::Run};
use domain::{
    channel::Place,
    effect::{Effect, EffectAction, EffectStatus, PROGRESS_SLOT},
    id::{EffectId, JobId, TenantId},
    job::JobStatus,
    message::{Arguments, ToolCall},
};
use ports::{
    channel::Channel,
    store::{StoreError, StoreTx},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Channels show "is writing" for about five seconds.
const TYPING_EVERY: Duration = Duration::from_secs(4);
/// A job shorter than this needs no progress message.
const PROGRESS_AFTER: u32 = 3;
/// Every how many typing signals the progress message may be edited: well below any rate limit.
const EDIT_EVERY: u32 = 4;
/// How much of a command is shown.
const EXCERPT: usize = 80;

/// A job's presence in its channel.
#[derive(Default)]
pub(crate) struct Presence {
    steps: Arc<Mutex<Steps>>,
    over: CancellationToken,
}

#[derive(Default)]
struct Steps {
    count: usize,
    last: String,
}

impl Presence {
    /// Starts signalling, if there is a channel to signal to.
    pub(crate) fn begin(&self, run: &Run) {
        let Some(integration) = run.scene.integration.as_ref().filter(|_| run.has_channel()) else {
            return;
        };
        let Ok(channel) = run.engine.platform.channels.connect(integration) else {
            return;
        };
        let signals = Signals {
            engine: Arc::clone(&run.engine),
            channel,
            place: run.scene.conversation.place.clone(),
            first: run.effect(
                PROGRESS_SLOT,
                EffectAction::Progress {
                    markdown: String::new(),
                    edit: None,
                },
            ),
            lane: run.lane,
            steps: Arc::clone(&self.steps),
        };
        let over = self.over.clone();
        run.engine.spawn(async move {
            let _over = over.run_until_cancelled(signals.show()).await;
        });
    }

    /// Notes what the job does now.
    pub(crate) fn working_on(&self, calls: &[ToolCall]) {
        let mut steps = lock(&self.steps);
        steps.count += calls.len();
        if let Some(call) = calls.last() {
            steps.last = described(call);
        }
    }

    /// Stops signalling.
    pub(crate) fn end(&self) {
        self.over.cancel();
    }

    /// Writes the last edit of the progress message, if one was sent, and withdraws what was not.
    pub(crate) async fn farewell(&self, run: &Run, tx: &dyn StoreTx) -> Result<(), StoreError> {
        self.end();
        let count = lock(&self.steps).count;
        let times = run.job.finished_at.zip(run.job.started_at);
        let took = times.map_or(0, |(end, start)| (end - start).num_seconds());
        // Nobody showed progress of a job this short, in whatever process it ran.
        if took < i64::from(PROGRESS_AFTER) * TYPING_EVERY.as_secs().cast_signed() {
            return Ok(());
        }
        let shown = progress_of(tx, run.job.tenant_id, run.job.id).await?;
        for effect in shown.iter().filter(|e| e.status == EffectStatus::Pending) {
            let mut withdrawn = effect.clone();
            withdrawn.status = EffectStatus::Cancelled;
            withdrawn.settled_at = Some(run.engine.now());
            tx.effects()
                .update(&withdrawn, EffectStatus::Pending)
                .await?;
        }
        let Some(edit) = shown.iter().find_map(reference) else {
            return Ok(());
        };
        let how = match run.job.status {
            JobStatus::Failed => "Gave up",
            JobStatus::Cancelled => "Stopped",
            JobStatus::Completed | JobStatus::Queued | JobStatus::Running | JobStatus::Waiting => {
                "Done"
            }
        };
        let steps = if count == 1 { "step" } else { "steps" };
        let markdown = format!("{how} after {count} {steps} and {took} s.");
        let slot = format!("{PROGRESS_SLOT}:{}", shown.len());
        let edit = Some(edit);
        let last = run.effect(slot, EffectAction::Progress { markdown, edit });
        tx.effects().insert(&last).await
    }
}

impl Drop for Presence {
    /// Also where a job panicked: nobody is writing any more.
    fn drop(&mut self) {
        self.over.cancel();
    }
}

struct Signals {
    engine: Arc<Engine>,
    channel: Arc<dyn Channel>,
    place: Place,
    /// The progress message as an effect, text to be filled in.
    first: Effect,
    lane: domain::queue::Lane,
    steps: Arc<Mutex<Steps>>,
}

impl Signals {
    async fn show(self) {
        let mut beats: u32 = 0;
        let mut last = String::new();
        loop {
            if let Err(error) = self.channel.typing(&self.place).await {
                tracing::debug!(
                    error = %ports::Causes(&error),
                    "typing could not be shown"
                );
            }
            self.engine.sleep(TYPING_EVERY).await;
            beats += 1;
            if beats >= PROGRESS_AFTER && (beats - PROGRESS_AFTER).is_multiple_of(EDIT_EVERY) {
                let text = self.text();
                if text != last {
                    match self.write(text.clone()).await {
                        Ok(()) => last = text,
                        Err(StoreError::Stale) => return,
                        Err(error) => {
                            tracing::warn!(
                                error = %ports::Causes(&error),
                                "progress could not be written"
                            );
                        }
                    }
                }
            }
        }
    }

    fn text(&self) -> String {
        let steps = lock(&self.steps);
        match steps.count {
            0 => "Thinking …".to_owned(),
            count => format!("Working … step {count}: {}", steps.last),
        }
    }

    /// Writes the progress message, or the next edit of it once it was sent. The rows say which it is:
    /// this process may not be the one that wrote the first.
    async fn write(&self, markdown: String) -> Result<(), StoreError> {
        let tx = self.engine.write(self.lane.tenant_id).await?;
        let lane = self.lane;
        tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
        let shown = progress_of(tx.as_ref(), lane.tenant_id, self.first.job_id).await?;
        let edit = shown.iter().find_map(reference);
        if !shown.is_empty() && edit.is_none() {
            return Ok(());
        }
        let now = self.engine.now();
        let mut effect = self.first.clone();
        effect.id = EffectId::from_uuid(self.engine.platform.ids.next());
        effect.slot = format!("{PROGRESS_SLOT}:{}", shown.len());
        effect.action = EffectAction::Progress { markdown, edit };
        effect.created_at = now;
        effect.next_attempt_at = now;
        effect.expires_at = now + crate::finish::lifetime(&effect.action);
        tx.effects().insert(&effect).await?;
        crate::crash::point("progress.before_commit");
        tx.commit().await?;
        crate::crash::point("progress.after_commit");
        Ok(())
    }
}

/// The progress message of a job and its edits so far, oldest first.
async fn progress_of(
    tx: &dyn StoreTx,
    tenant: TenantId,
    job: JobId,
) -> Result<Vec<Effect>, StoreError> {
    let mut effects = tx.effects().of_job(tenant, job).await?;
    effects.retain(|effect| effect.slot.starts_with(PROGRESS_SLOT));
    Ok(effects)
}

fn lock(steps: &Mutex<Steps>) -> MutexGuard<'_, Steps> {
    steps.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The vendor's id of the progress message, once it was sent.
fn reference(effect: &Effect) -> Option<String> {
    let first = matches!(effect.action, EffectAction::Progress { edit: None, .. });
    let sent = first && effect.status == EffectStatus::Sent;
    effect.provider_reference.clone().filter(|_| sent)
}

fn described(call: &ToolCall) -> String {
    let object = match &call.arguments {
        Arguments::Valid { value } => value.as_object(),
        Arguments::Invalid { .. } => None,
    };
    let told = object.and_then(|object| {
        ["command", "path", "pattern"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str())
    });
    match told {
        Some(text) => {
            let line: String = text
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(EXCERPT)
                .collect();
            format!("{} `{}`", call.name, line.replace('`', "'"))
        }
        None => call.name.clone(),
    }
}
