//! Text that is being written right now, kept so that readers who come late see it from its start. It is no
//! truth: the row that follows holds the whole, and ends it here.

use domain::{
    event::{EventKind, JobEvent},
    id::{JobId, TenantId},
};
use ports::live::{Delta, DeltaTarget};
use std::collections::{BTreeMap, HashMap};

/// How much of one open text is kept, in bytes.
const KEPT: usize = 64 * 1_024;

/// The open texts of every job that is seen here.
#[derive(Default)]
pub(super) struct OpenTexts(HashMap<JobId, OfJob>);

struct OfJob {
    tenant: TenantId,
    texts: BTreeMap<Key, OpenText>,
}

struct OpenText {
    /// How many bytes came before what is kept.
    start: usize,
    text: String,
}

/// [`DeltaTarget`] with an order, so that reasoning is replayed before text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Thinking,
    Text,
    ToolOutput(String),
}

impl OpenTexts {
    /// Adds a piece. One that does not continue what is kept begins it anew: it is a new text, or pieces between
    /// were lost on their way from another process.
    pub(super) fn add(&mut self, delta: &Delta) {
        let job = self.0.entry(delta.job_id).or_insert_with(|| OfJob {
            tenant: delta.tenant_id,
            texts: BTreeMap::new(),
        });
        let open = job
            .texts
            .entry(Key::from(&delta.target))
            .or_insert_with(|| OpenText::at(delta.offset));
        if open.start + open.text.len() != delta.offset {
            *open = OpenText::at(delta.offset);
        }
        open.push(&delta.text);
    }

    /// A committed row makes the open text it grew from superfluous.
    pub(super) fn close(&mut self, event: &JobEvent) {
        let Some(job) = self.0.get_mut(&event.job_id) else {
            return;
        };
        match event.kind {
            EventKind::JobStatus => {
                self.0.remove(&event.job_id);
            }
            EventKind::Message => job.texts.retain(|key, _| matches!(key, Key::ToolOutput(_))),
            EventKind::ToolFinished => {
                let call = event
                    .payload
                    .get("provider_call_id")
                    .and_then(serde_json::Value::as_str);
                job.texts.retain(
                    |key, _| !matches!(key, Key::ToolOutput(id) if Some(id.as_str()) == call),
                );
            }
            EventKind::ToolStarted | EventKind::Approval | EventKind::Effect | EventKind::Usage => {
            }
        }
    }

    pub(super) fn forget(&mut self, job: JobId) {
        self.0.remove(&job);
    }

    pub(super) fn retain(&mut self, keep: impl Fn(JobId) -> bool) {
        self.0.retain(|job, _| keep(*job));
    }

    /// What is open, as if it were said at once.
    pub(super) fn so_far(
        &self,
        tenant: TenantId,
        only: Option<JobId>,
    ) -> impl Iterator<Item = Delta> {
        self.0
            .iter()
            .filter(move |(id, job)| job.tenant == tenant && only.is_none_or(|only| only == **id))
            .flat_map(move |(id, job)| {
                job.texts.iter().map(move |(key, open)| Delta {
                    tenant_id: tenant,
                    job_id: *id,
                    target: key.into(),
                    offset: open.start,
                    text: open.text.clone(),
                })
            })
    }
}

impl OpenText {
    const fn at(start: usize) -> Self {
        Self {
            start,
            text: String::new(),
        }
    }

    fn push(&mut self, more: &str) {
        self.text.push_str(more);
        if self.text.len() > KEPT {
            let mut cut = self.text.len() - KEPT / 2;
            while !self.text.is_char_boundary(cut) {
                cut += 1;
            }
            self.text.drain(..cut);
            self.start += cut;
        }
    }
}

impl From<&DeltaTarget> for Key {
    fn from(target: &DeltaTarget) -> Self {
        match target {
            DeltaTarget::Text => Self::Text,
            DeltaTarget::Thinking => Self::Thinking,
            DeltaTarget::ToolOutput(call) => Self::ToolOutput(call.clone()),
        }
    }
}

impl From<&Key> for DeltaTarget {
    fn from(key: &Key) -> Self {
        match key {
            Key::Text => Self::Text,
            Key::Thinking => Self::Thinking,
            Key::ToolOutput(call) => Self::ToolOutput(call.clone()),
        }
    }
}
