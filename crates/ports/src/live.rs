//! What happens after a commit: live events for readers, wake-ups for workers.

use async_trait::async_trait;
use domain::{
    event::JobEvent,
    id::{JobId, TenantId},
};
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, pin::Pin};

/// What a committed transaction means to the rest of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// Event rows it wrote, in feed order.
    pub events: Vec<JobEvent>,
    /// Whether a lane became ready.
    pub lanes_ready: bool,
    /// Whether an effect became due.
    pub effects_ready: bool,
    /// Jobs that were asked to stop.
    pub cancelled: Vec<JobId>,
    /// Whether an integration was made, changed or removed.
    pub integrations_changed: bool,
    /// Tenants whose work items came in or ended.
    #[serde(default)]
    pub work: BTreeSet<TenantId>,
}

impl Committed {
    /// Whether nobody needs to hear of it.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

/// Hears of every commit, after it is durable in its class and never before. Where a database commits side by
/// side, two commits may be heard of in either order: sequence numbers tell readers that one is missing.
pub trait CommitListener: Send + Sync {
    /// Must not block: it is called on the store's writer.
    fn committed(&self, committed: Committed);
}

/// A piece of text that is being written right now. Not a row: it is gone with the process, and
/// the message row that follows holds the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The job.
    pub job_id: JobId,
    /// What it belongs to.
    pub target: DeltaTarget,
    /// Where it starts in the open text, in bytes.
    pub offset: usize,
    /// The new text.
    pub text: String,
}

/// What a delta adds to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeltaTarget {
    /// The open assistant message.
    Text,
    /// The reasoning of the open assistant message.
    Thinking,
    /// The output of a running tool call, by the provider's call id.
    ToolOutput(String),
}

/// Something a live reader sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// A committed row.
    Event(JobEvent),
    /// Text as it is written.
    Delta(Delta),
    /// The tenant has new rows, written by another process: read them.
    Moved(TenantId),
    /// Work items of the tenant came in or ended. Not a row: lists of them are to be asked for again.
    Work(TenantId),
    /// The reader was too slow and missed something: read the rows again from where you are.
    Lagged,
}

/// An endless stream of what happens.
pub type LiveStream = Pin<Box<dyn Stream<Item = Live> + Send>>;

/// Live events for readers. Subscribe first, then replay rows, then drop what came twice.
pub trait EventFeed: Send + Sync {
    /// Everything of the tenant, or of one job of it. The stream starts with the text that is
    /// open right now, as deltas from offset 0.
    fn subscribe(&self, tenant: TenantId, job: Option<JobId>) -> LiveStream;

    /// Publishes a piece of open text.
    fn delta(&self, delta: Delta);
}

/// What a worker may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// A lane became ready.
    Lanes,
    /// An effect became due.
    Effects,
    /// An integration was made, changed or removed.
    Integrations,
}

/// Wake-ups for workers. A wake-up may be lost (the sweep catches that) but is never late by design.
#[async_trait]
pub trait WakeSignal: Send + Sync {
    /// Wakes everybody who waits, and the next who comes.
    fn wake(&self, wake: Wake);

    /// Returns at the next wake-up, at once when one happened since the last call returned.
    async fn wait(&self, wake: Wake);
}

/// What one process tells the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A transaction was committed.
    Committed(Committed),
    /// A piece of text is being written.
    Delta(Delta),
    /// The tenant has new event rows, and nothing else tells of them.
    Moved(TenantId),
}

/// What a process hears of the others.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Their news, whole.
    News(News),
    /// The tenant has new event rows; they are in the database only.
    Moved(TenantId),
    /// News may have been missed: look at everything once.
    Gap,
}

/// An endless stream of what other processes tell.
pub type HeardStream = Pin<Box<dyn Stream<Item = Heard> + Send>>;

/// Carries news between the processes of one deployment. It holds no truth: whatever is lost on it is found
/// again in the rows, by the sweep or by a reader that is told of a [`Heard::Gap`].
pub trait Bus: Send + Sync {
    /// Hands news over without waiting. What cannot be carried is dropped; listeners then hear of a gap.
    fn publish(&self, news: News);

    /// What the other processes publish from now on, never one's own. Starts with nothing.
    fn listen(&self) -> HeardStream;

    /// Whether news get through at this moment, as far as is known.
    fn is_connected(&self) -> bool;
}
