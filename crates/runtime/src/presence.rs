//! What people see in their channel while a job runs: that somebody is writing, and, when it takes
//! longer, one progress message that is edited in place.

use crate::{engine::Engine, job::Run};
use domain::{
    channel::Place,
    effect::{Effect, EffectAction, EffectStatus, PROGRESS_SLOT},
    job::JobStatus,
    message::{Arguments, ToolCall},
};
use ports::{
    channel::Channel,
    store::{StoreError, StoreTx},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
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
    /// How many progress effects were written.
    shown: u32,
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
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.count += calls.len();
        if let Some(call) = calls.last() {
            steps.last = described(call);
        }
    }

    /// Stops signalling.
    pub(crate) fn end(&self) {
        self.over.cancel();
    }

    /// The last edit of the progress message, if one was sent.
    pub(crate) async fn farewell(
        &self,
        run: &Run,
        tx: &dyn StoreTx,
    ) -> Result<Option<Effect>, StoreError> {
        self.end();
        let (count, shown) = {
            let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            (steps.count, steps.shown)
        };
        if shown == 0 {
            return Ok(None);
        }
        let sent = tx
            .effects()
            .of_job(run.job.tenant_id, run.job.id)
            .await?
            .into_iter()
            .find_map(reference);
        let took = run
            .job
            .finished_at
            .zip(run.job.started_at)
            .map_or(0, |(end, start)| (end - start).num_seconds());
        let how = match run.job.status {
            JobStatus::Failed => "Gave up",
            JobStatus::Cancelled => "Stopped",
            JobStatus::Completed | JobStatus::Queued | JobStatus::Running | JobStatus::Waiting => {
                "Done"
            }
        };
        let markdown = format!("{how} after {count} steps and {took} s.");
        let slot = format!("{PROGRESS_SLOT}:{shown}");
        Ok(sent.map(|edit| {
            run.effect(
                slot,
                EffectAction::Progress {
                    markdown,
                    edit: Some(edit),
                },
            )
        }))
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
                    error = &error as &dyn std::error::Error,
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
                                error = &error as &dyn std::error::Error,
                                "progress could not be written"
                            );
                        }
                    }
                }
            }
        }
    }

    fn text(&self) -> String {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        match steps.count {
            0 => "Thinking …".to_owned(),
            count => format!("Working … step {count}: {}", steps.last),
        }
    }

    /// Writes the progress message, or the next edit of it once it was sent.
    async fn write(&self, markdown: String) -> Result<(), StoreError> {
        let shown = self
            .steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shown;
        let tx = self.engine.write().await?;
        tx.fenced(self.lane.tenant_id, self.lane.id, self.lane.fence)
            .await?;
        let earlier = tx
            .effects()
            .of_job(self.first.tenant_id, self.first.job_id)
            .await?;
        let edit = earlier.into_iter().find_map(reference);
        if shown > 0 && edit.is_none() {
            return Ok(());
        }
        let now = self.engine.now();
        let mut effect = self.first.clone();
        effect.id = domain::id::EffectId::from_uuid(self.engine.platform.ids.next());
        effect.slot = format!("{PROGRESS_SLOT}:{shown}");
        effect.action = EffectAction::Progress { markdown, edit };
        effect.created_at = now;
        effect.next_attempt_at = now;
        effect.expires_at = now + crate::finish::lifetime(&effect.action);
        tx.effects().insert(&effect).await?;
        tx.commit().await?;
        self.steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shown += 1;
        Ok(())
    }
}

/// The vendor's id of the progress message, once it was sent.
fn reference(effect: Effect) -> Option<String> {
    let first = matches!(effect.action, EffectAction::Progress { edit: None, .. });
    (first && effect.status == EffectStatus::Sent)
        .then_some(effect.provider_reference)
        .flatten()
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
