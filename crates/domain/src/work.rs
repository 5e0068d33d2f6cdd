//! What came in and what became of it.

use crate::{
    Timestamp,
    channel::InboundMessage,
    effect::EffectStatus,
    id::{
        AgentId, ConversationId, DecisionId, InboundEventId, IntegrationId, JobId, TenantId,
        WorkItemId,
    },
    job::JobStatus,
    queue::EntryStatus,
    text::words,
};

words!(
    /// How a work item stands. It ends visibly in one of the last three.
    WorkItemStatus {
        /// Some agent may still act on it, or an answer is still on its way.
        Open = "open",
        /// At least one answer arrived.
        Replied = "replied",
        /// Nobody acted; every decision carries its reason.
        Passed = "passed",
        /// Somebody acted and nothing arrived.
        Failed = "failed",
    }
);

/// One delivery from a provider, unique by (integration, provider event id).
#[derive(Clone, Debug, PartialEq)]
pub struct InboundEvent {
    /// Its id.
    pub id: InboundEventId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Where it came in.
    pub integration_id: IntegrationId,
    /// The provider's id of the delivery.
    pub provider_event_id: String,
    /// When we took it.
    pub received_at: Timestamp,
}

/// One thing that came in and may need work.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Where it came in.
    pub integration_id: IntegrationId,
    /// The thread it belongs to.
    pub conversation_id: ConversationId,
    /// The delivery it was made from.
    pub inbound_event_id: InboundEventId,
    /// The message, free of vendor detail.
    pub message: InboundMessage,
    /// Agents it was handed to by name; empty when it was simply broadcast.
    pub assigned: Vec<AgentId>,
    /// How it stands.
    pub status: WorkItemStatus,
    /// Why it ended that way, when there is something to say.
    pub reason: Option<String>,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
}

words!(
    /// What an agent decided about a work item.
    Verdict {
        /// It takes a job.
        Act = "act",
        /// It leaves the item alone.
        Pass = "pass",
    }
);

words!(
    /// What settled a decision.
    DecidedBy {
        /// The item was handed to this agent.
        Assignment = "assignment",
        /// The message calls this agent, or another one, by name.
        Name = "name",
        /// A direct chat.
        Direct = "direct",
        /// There is nobody else to act.
        SingleAgent = "single_agent",
        /// The message calls the integration, or carries a command for it.
        Mention = "mention",
        /// The model was asked.
        Model = "model",
        /// The model could not be asked; the rule for that case applied.
        Fallback = "fallback",
        /// The agent is switched off.
        Disabled = "disabled",
        /// It looks like part of a loop.
        Guard = "guard",
    }
);

/// Why an agent acted or did not: a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What was decided on; unique together with the agent.
    pub work_item_id: WorkItemId,
    /// Who decided.
    pub agent_id: AgentId,
    /// What was decided.
    pub verdict: Verdict,
    /// What settled it.
    pub decided_by: DecidedBy,
    /// In words for a person.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
}

/// What one lane contributes to the outcome of a work item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneOutcome {
    /// How the item's entry in the lane stands.
    pub entry: EntryStatus,
    /// The job that ran or absorbed it.
    pub job: Option<JobId>,
    /// How that job stands.
    pub job_status: Option<JobStatus>,
    /// How that job's reply stands; absent when it owes none (work handed in over the API).
    pub reply: Option<EffectStatus>,
}

/// Why a job that somebody stopped gave no answer.
pub const STOPPED: &str = "the job was cancelled";
/// Why an answer that somebody withdrew never arrived.
pub const WITHDRAWN: &str = "the reply was withdrawn by a person";

impl LaneOutcome {
    /// What the item would come to if this lane were the only one.
    pub fn status(&self) -> WorkItemStatus {
        match (self.entry, self.job_status) {
            (EntryStatus::Queued | EntryStatus::Running, _)
            | (_, Some(JobStatus::Queued | JobStatus::Running | JobStatus::Waiting)) => {
                WorkItemStatus::Open
            }
            (_, None) => WorkItemStatus::Passed,
            (_, Some(JobStatus::Completed)) => match self.reply {
                None | Some(EffectStatus::Sent) => WorkItemStatus::Replied,
                Some(EffectStatus::Failed | EffectStatus::Cancelled) => WorkItemStatus::Failed,
                Some(
                    EffectStatus::Pending
                    | EffectStatus::Held
                    | EffectStatus::Sending
                    | EffectStatus::Unknown,
                ) => WorkItemStatus::Open,
            },
            (_, Some(JobStatus::Failed | JobStatus::Cancelled)) => WorkItemStatus::Failed,
        }
    }
}

/// The status a work item has, given how every lane it sits in stands. One visible answer is
/// enough; otherwise any failure shows; otherwise everybody passed.
pub fn outcome(lanes: &[LaneOutcome]) -> WorkItemStatus {
    let mut best = WorkItemStatus::Passed;
    for lane in lanes {
        match lane.status() {
            WorkItemStatus::Open => return WorkItemStatus::Open,
            WorkItemStatus::Replied => best = WorkItemStatus::Replied,
            WorkItemStatus::Failed if best == WorkItemStatus::Passed => {
                best = WorkItemStatus::Failed;
            }
            WorkItemStatus::Failed | WorkItemStatus::Passed => {}
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(
        entry: EntryStatus,
        job: Option<JobStatus>,
        reply: Option<EffectStatus>,
    ) -> LaneOutcome {
        LaneOutcome {
            entry,
            job: None,
            job_status: job,
            reply,
        }
    }

    #[test]
    fn one_answer_is_enough_and_one_open_lane_keeps_it_open() {
        use EffectStatus::{Failed, Sent, Unknown};
        use EntryStatus::{Absorbed, Done, Queued};
        let sent = lane(Done, Some(JobStatus::Completed), Some(Sent));
        let lost = lane(Done, Some(JobStatus::Completed), Some(Failed));
        let passed = lane(Done, None, None);
        let unknown = lane(Absorbed, Some(JobStatus::Completed), Some(Unknown));
        let queued = lane(Queued, None, None);
        assert_eq!(outcome(&[]), WorkItemStatus::Passed);
        assert_eq!(
            outcome(&[lost.clone(), passed.clone(), sent.clone()]),
            WorkItemStatus::Replied
        );
        assert_eq!(outcome(&[passed.clone(), lost]), WorkItemStatus::Failed);
        assert_eq!(outcome(&[sent.clone(), unknown]), WorkItemStatus::Open);
        assert_eq!(outcome(&[sent, queued]), WorkItemStatus::Open);
        assert_eq!(outcome(&[passed]), WorkItemStatus::Passed);
    }
}
