//! Questions to people that hold an effect or a job until somebody answers. The rules of answering are
//! here and nowhere else; an agent never answers, and silence is a no.

use crate::{
    Timestamp,
    access::Role,
    id::{
        AgentId, ApprovalId, ConversationId, EffectId, IntegrationId, JobId, TenantId, ToolCallId,
        UserId, WorkItemId,
    },
    text::words,
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

words!(
    /// What an approval holds.
    ApprovalKind {
        /// An answer that waits as a draft.
        Reply = "reply",
        /// Something an agent asks leave for; its job waits.
        Action = "action",
    }
);

words!(
    /// Where an approval stands; all but the first are final.
    ApprovalStatus {
        /// Nobody has answered yet.
        Pending = "pending",
        /// Somebody said yes.
        Approved = "approved",
        /// Somebody said no.
        Denied = "denied",
        /// Nobody answered in time, which is a no.
        Expired = "expired",
        /// What it held is gone: the job was stopped, or the draft withdrawn.
        Withdrawn = "withdrawn",
    }
);

words!(
    /// An answer.
    Ruling {
        /// Yes.
        Approve = "approve",
        /// No.
        Deny = "deny",
    }
);

/// How long a question stays open when nobody said otherwise, and the bounds of what may be said.
pub const OPEN_FOR: TimeDelta = TimeDelta::hours(24);
/// The shortest time a question may be open.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(1);
/// The longest time a question may be open.
pub const LONGEST: TimeDelta = TimeDelta::days(7);

/// Who may answer, of those who may answer approvals at all: anybody of at least this role, and whoever is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// The lowest role that may.
    pub min_role: Role,
    /// Those who may with a lower one.
    pub user_ids: Vec<UserId>,
}

impl Default for Approvers {
    fn default() -> Self {
        Self {
            min_role: Role::Member,
            user_ids: Vec::new(),
        }
    }
}

impl Approvers {
    /// The same people, but nobody of a lower role unless they are named.
    #[must_use]
    pub fn of_at_least(mut self, role: Role) -> Self {
        if role.is_at_least(self.min_role) {
            self.min_role = role;
        }
        self
    }

    /// Whether somebody is one of them.
    pub fn include(&self, role: Role, user: Option<UserId>) -> bool {
        role.is_at_least(self.min_role) || user.is_some_and(|user| self.user_ids.contains(&user))
    }
}

/// Somebody whose message the job answers, as their channel knows them. They never answer for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The type of the channel.
    pub provider: String,
    /// Their id there.
    pub external_id: String,
    /// What the channel shows of them.
    pub name: String,
    /// The user they are, when that was known.
    pub user_id: Option<UserId>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// The user or token.
    pub id: Option<Uuid>,
    /// What people call them.
    pub name: String,
}

/// Why an answer does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// It was answered otherwise, or needs no answer any more.
    #[error("the approval is {0} already")]
    Decided(ApprovalStatus),
    /// Its time is over.
    #[error("the approval has expired, which counts as a denial")]
    Expired,
}

/// A durable question to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What it holds.
    pub kind: ApprovalKind,
    /// Where it stands.
    pub status: ApprovalStatus,
    /// Who wants to do it.
    pub agent_id: AgentId,
    /// In which job.
    pub job_id: JobId,
    /// For which work item.
    pub work_item_id: WorkItemId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// On which integration.
    pub integration_id: IntegrationId,
    /// The effect it holds.
    pub effect_id: Option<EffectId>,
    /// The tool call that waits for it.
    pub tool_call_id: Option<ToolCallId>,
    /// The question, for people; free of secrets.
    pub question: String,
    /// What would be done, as people are shown it: a JSON object, free of secrets.
    pub action: Value,
    /// Hex SHA-256 of [`canonical`]: an answer counts for exactly this.
    pub digest: String,
    /// Who may answer.
    pub approvers: Approvers,
    /// Whose messages the job answers, the first first.
    pub requesters: Vec<Requester>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When silence becomes a no.
    pub expires_at: Timestamp,
    /// When it became final.
    pub decided_at: Option<Timestamp>,
    /// Who answered.
    pub decided_by: Option<Decider>,
    /// What they said with it, or why it needs no answer any more.
    pub note: Option<String>,
}

impl Approval {
    /// Whether somebody may still answer.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == ApprovalStatus::Pending && now < self.expires_at
    }

    /// Takes an answer; false when the same one was given before, which changes nothing.
    ///
    /// # Errors
    /// When it was answered otherwise or its time is over.
    pub fn rule(
        &mut self,
        ruling: Ruling,
        by: Decider,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let to = match ruling {
            Ruling::Approve => ApprovalStatus::Approved,
            Ruling::Deny => ApprovalStatus::Denied,
        };
        match self.status {
            ApprovalStatus::Pending if now >= self.expires_at => Err(Refusal::Expired),
            ApprovalStatus::Pending => {
                self.settle(to, note, now);
                self.decided_by = Some(by);
                Ok(true)
            }
            status if status == to => Ok(false),
            ApprovalStatus::Expired => Err(Refusal::Expired),
            status @ (ApprovalStatus::Approved
            | ApprovalStatus::Denied
            | ApprovalStatus::Withdrawn) => Err(Refusal::Decided(status)),
        }
    }

    /// Its time is over; false when that changes nothing.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let due = self.status == ApprovalStatus::Pending && now >= self.expires_at;
        if due {
            self.settle(ApprovalStatus::Expired, None, now);
        }
        due
    }

    /// What it held is gone; false when it was final already.
    pub fn withdraw(&mut self, why: &str, now: Timestamp) -> bool {
        let open = self.status == ApprovalStatus::Pending;
        if open {
            self.settle(ApprovalStatus::Withdrawn, Some(why.to_owned()), now);
        }
        open
    }

    fn settle(&mut self, status: ApprovalStatus, note: Option<String>, now: Timestamp) {
        self.status = status;
        self.note = note;
        self.decided_at = Some(now);
    }
}

/// The text whose hash is the digest: every change of what would be done, by whom or where, changes it; the
/// order of fields does not.
pub fn canonical(kind: ApprovalKind, agent: AgentId, action: &Value, destination: &str) -> String {
    let whole = json!({
        "kind": kind.as_str(),
        "agent": agent,
        "action": action,
        "destination": destination,
    });
    sorted(whole).to_string()
}

/// The same value with the fields of every object in the order of their names, whatever map holds them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            let sorted = fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn approval() -> Approval {
        let nil = Uuid::nil();
        Approval {
            id: ApprovalId::from_uuid(nil),
            tenant_id: TenantId::from_uuid(nil),
            kind: ApprovalKind::Action,
            status: ApprovalStatus::Pending,
            agent_id: AgentId::from_uuid(nil),
            job_id: JobId::from_uuid(nil),
            work_item_id: WorkItemId::from_uuid(nil),
            conversation_id: ConversationId::from_uuid(nil),
            integration_id: IntegrationId::from_uuid(nil),
            effect_id: None,
            tool_call_id: None,
            question: "Deploy?".to_owned(),
            action: json!({}),
            digest: String::new(),
            approvers: Approvers::default(),
            requesters: Vec::new(),
            requested_at: START,
            expires_at: START + OPEN_FOR,
            decided_at: None,
            decided_by: None,
            note: None,
        }
    }

    fn ada() -> Decider {
        Decider {
            id: None,
            name: "Ada".to_owned(),
        }
    }

    #[test]
    fn the_same_answer_again_changes_nothing_and_another_one_does_not_count() {
        let mut asked = approval();
        assert_eq!(asked.rule(Ruling::Approve, ada(), None, START), Ok(true));
        let given = asked.clone();
        let note = Some("again".to_owned());
        assert_eq!(asked.rule(Ruling::Approve, ada(), note, START), Ok(false));
        assert_eq!(asked, given);
        assert_eq!(
            asked.rule(Ruling::Deny, ada(), None, START),
            Err(Refusal::Decided(ApprovalStatus::Approved))
        );
        assert!(!asked.withdraw("stopped", START));
    }

    #[test]
    fn silence_is_a_no_from_the_instant_it_expires() {
        let end = START + OPEN_FOR;
        let mut asked = approval();
        assert!(!asked.expire(end - TimeDelta::microseconds(1)));
        assert_eq!(
            asked.rule(Ruling::Approve, ada(), None, end),
            Err(Refusal::Expired)
        );
        assert!(asked.expire(end));
        assert_eq!(asked.status, ApprovalStatus::Expired);
        assert_eq!(
            asked.rule(Ruling::Deny, ada(), None, end),
            Err(Refusal::Expired)
        );
    }

    #[test]
    fn approvers_are_a_role_and_whoever_is_named() {
        let named = UserId::from_uuid(Uuid::max());
        let approvers = Approvers {
            min_role: Role::Admin,
            user_ids: vec![named],
        };
        assert!(approvers.include(Role::Owner, None));
        assert!(approvers.include(Role::Viewer, Some(named)));
        assert!(!approvers.include(Role::Member, Some(UserId::from_uuid(Uuid::nil()))));
        assert!(Approvers::default().include(Role::Member, None));
        assert!(!Approvers::default().include(Role::Viewer, None));
        // An agent that asks for more gets more, and never less than people said.
        let asked = |role| approvers.clone().of_at_least(role).min_role;
        assert_eq!(asked(Role::Owner), Role::Owner);
        assert_eq!(asked(Role::Member), approvers.min_role);
    }

    #[test]
    fn the_canonical_text_ignores_the_order_of_fields_and_nothing_else() {
        let (agent, other) = (
            AgentId::from_uuid(Uuid::nil()),
            AgentId::from_uuid(Uuid::max()),
        );
        let text = |agent, action: &str, place| {
            let action: Value = serde_json::from_str(action).unwrap();
            canonical(ApprovalKind::Action, agent, &action, place)
        };
        let one = text(agent, r#"{"a": [1, {"y": 2, "x": 1}], "b": "c"}"#, "here");
        assert_eq!(
            one,
            text(agent, r#"{"b": "c", "a": [1, {"x": 1, "y": 2}]}"#, "here")
        );
        for changed in [
            text(agent, r#"{"a": [1, {"y": 2, "x": 2}], "b": "c"}"#, "here"),
            text(agent, r#"{"a": [{"y": 2, "x": 1}, 1], "b": "c"}"#, "here"),
            text(other, r#"{"a": [1, {"y": 2, "x": 1}], "b": "c"}"#, "here"),
            text(agent, r#"{"a": [1, {"y": 2, "x": 1}], "b": "c"}"#, "there"),
        ] {
            assert_ne!(one, changed);
        }
    }
}
