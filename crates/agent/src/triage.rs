//! Whether an agent takes up a work item. Rules settle most cases; what they leave open is one short
//! question to a model, whose failure has a rule of its own.

use domain::{
    agent::{Agent, AgentName},
    channel::ChatKind,
    message::{Part, Role},
    work::{DecidedBy, Verdict, WorkItem},
};
use ports::inference::{ModelRequest, Turn};
use serde::Deserialize;

/// A decision before it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Act or pass.
    pub verdict: Verdict,
    /// What settled it.
    pub by: DecidedBy,
    /// In words for a person.
    pub reason: String,
}

impl Ruling {
    fn act(by: DecidedBy, reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Act,
            by,
            reason: reason.into(),
        }
    }

    fn pass(by: DecidedBy, reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Pass,
            by,
            reason: reason.into(),
        }
    }
}

/// What the rules say; `None` when only a model can tell. `peers` are the other agents that see the item.
pub fn by_rule(item: &WorkItem, agent: &Agent, peers: &[AgentName]) -> Option<Ruling> {
    if !agent.enabled || agent.archived_at.is_some() {
        return Some(Ruling::pass(
            DecidedBy::Disabled,
            format!("{} is switched off", agent.name),
        ));
    }
    if item.message.is_stop() {
        return Some(Ruling::pass(
            DecidedBy::Mention,
            "it asks to stop the work here, which happened when it came in if there was any; nothing else is to do",
        ));
    }
    if item.assigned.contains(&agent.id) {
        return Some(Ruling::act(
            DecidedBy::Assignment,
            format!("it was handed to {}", agent.name),
        ));
    }
    let text = &item.message.text;
    if calls(text, &agent.name) {
        return Some(Ruling::act(
            DecidedBy::Name,
            format!("it calls {} by name", agent.name),
        ));
    }
    if let Some(other) = peers.iter().find(|peer| calls(text, peer)) {
        return Some(Ruling::pass(
            DecidedBy::Name,
            format!("it calls {other} by name"),
        ));
    }
    if !peers.is_empty() {
        return None;
    }
    let message = &item.message;
    Some(match message.chat {
        ChatKind::Direct => Ruling::act(DecidedBy::Direct, "it is a direct chat"),
        ChatKind::Group if message.addressed || message.command.is_some() => {
            Ruling::act(DecidedBy::Mention, "it addresses the integration")
        }
        ChatKind::Group => Ruling::act(
            DecidedBy::SingleAgent,
            format!("{} is the only agent that sees it", agent.name),
        ),
    })
}

/// The most a classifier may write; models that always think spend part of it on that.
pub const ANSWER_TOKENS: i64 = 1_000;

/// The question to the model.
pub fn question(item: &WorkItem, agent: &Agent, peers: &[AgentName], model: &str) -> ModelRequest {
    let names: Vec<&str> = peers.iter().map(AgentName::as_str).collect();
    let instructions = if agent.instructions.is_empty() {
        "(nothing said)"
    } else {
        &agent.instructions
    };
    let system = include_str!("../prompts/triage.md")
        .replace("{name}", agent.name.as_str())
        .replace("{peers}", &names.join(", "))
        .replace("{instructions}", instructions);
    let text = format!(
        "From {}:\n{}",
        item.message.sender.display_name, item.message.text
    );
    ModelRequest {
        model: model.to_owned(),
        system,
        turns: vec![Turn {
            role: Role::User,
            parts: vec![Part::human(text, domain::message::Trust::Guest)],
        }],
        tools: Vec::new(),
        max_output_tokens: ANSWER_TOKENS,
        thinking_tokens: None,
    }
}

/// Reads the model's answer; `None` when it is not the object that was asked for.
pub fn answer(text: &str) -> Option<Ruling> {
    #[derive(Deserialize)]
    struct Answer {
        act: bool,
        #[serde(default)]
        reason: String,
    }
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    let answer: Answer = serde_json::from_str(object).ok()?;
    let reason = if answer.reason.is_empty() {
        "the model said so".to_owned()
    } else {
        answer.reason
    };
    Some(if answer.act {
        Ruling::act(DecidedBy::Model, reason)
    } else {
        Ruling::pass(DecidedBy::Model, reason)
    })
}

/// What holds when the model could not be asked or made no sense: a message meant for us is never met
/// with silence.
pub fn fallback(item: &WorkItem, problem: &str) -> Ruling {
    let meant_for_us = item.message.chat == ChatKind::Direct || item.message.addressed;
    if meant_for_us {
        Ruling::act(
            DecidedBy::Fallback,
            format!("nobody could be asked ({problem}) and it is meant for us"),
        )
    } else {
        Ruling::pass(
            DecidedBy::Fallback,
            format!("nobody could be asked ({problem}) and it is not meant for us"),
        )
    }
}

/// Whether the text calls this name: `@name` anywhere, or `name:` or `name,` at its start.
fn calls(text: &str, name: &AgentName) -> bool {
    let (text, name) = (text.to_lowercase(), name.as_str().to_lowercase());
    let at_start = text
        .trim_start()
        .trim_start_matches('@')
        .strip_prefix(&name)
        .is_some_and(|rest| rest.trim_start().starts_with([':', ',']));
    at_start || mentions(&text, &name)
}

fn mentions(text: &str, name: &str) -> bool {
    let wanted = format!("@{name}");
    text.match_indices(&wanted).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|t| t.chars().next());
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Timestamp,
        agent::ReplyPolicy,
        approval::Approvers,
        budget::Limit,
        channel::{Command, InboundMessage, Place, Sender},
        guard::LoopLimits,
        id::{AgentId, ConversationId, InboundEventId, IntegrationId, TenantId, WorkItemId},
        queue::Steering,
        work::WorkItemStatus,
    };
    use uuid::Uuid;

    fn name(text: &str) -> AgentName {
        AgentName::parse(text).unwrap()
    }

    fn ada() -> Agent {
        Agent {
            id: AgentId::from_uuid(Uuid::from_u128(1)),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            name: name("Ada"),
            model: None,
            instructions: String::new(),
            enabled: true,
            reply_policy: ReplyPolicy::Auto,
            steering: Steering::Steer,
            loop_limits: LoopLimits::default(),
            daily_budget: Limit::Unlimited,
            tools: None,
            approvers: Approvers::default(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            archived_at: None,
        }
    }

    fn item(text: &str, chat: ChatKind) -> WorkItem {
        WorkItem {
            id: WorkItemId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            integration_id: IntegrationId::from_uuid(Uuid::nil()),
            conversation_id: ConversationId::from_uuid(Uuid::nil()),
            inbound_event_id: InboundEventId::from_uuid(Uuid::nil()),
            message: InboundMessage {
                event_id: "1".into(),
                message_id: None,
                place: Place {
                    channel: "1".into(),
                    thread: None,
                },
                chat,
                title: None,
                sender: Sender {
                    external_id: "7".into(),
                    display_name: "Kim".into(),
                    is_bot: false,
                },
                text: text.into(),
                attachments: vec![],
                command: None,
                addressed: false,
                edit_of: None,
                quoted: None,
                sent_at: Timestamp::UNIX_EPOCH,
            },
            assigned: vec![],
            status: WorkItemStatus::Open,
            reason: None,
            created_at: Timestamp::UNIX_EPOCH,
            closed_at: None,
        }
    }

    fn verdict(text: &str, peers: &[AgentName]) -> Option<(Verdict, DecidedBy)> {
        by_rule(&item(text, ChatKind::Group), &ada(), peers).map(|r| (r.verdict, r.by))
    }

    #[test]
    fn a_name_decides_for_everybody() {
        let peers = [name("Bob"), name("Grace Hopper")];
        let mine = Some((Verdict::Act, DecidedBy::Name));
        let theirs = Some((Verdict::Pass, DecidedBy::Name));
        assert_eq!(verdict("ada, please look", &peers), mine);
        assert_eq!(verdict("could @Ada look?", &peers), mine);
        assert_eq!(verdict("@ada and @bob: look", &peers), mine);
        assert_eq!(verdict("Grace Hopper: look", &peers), theirs);
        assert_eq!(verdict("adaptive, please", &peers), None);
        assert_eq!(verdict("mail me@ada.example", &peers), None);
    }

    #[test]
    fn alone_an_agent_acts_and_switched_off_it_never_does() {
        assert_eq!(
            verdict("hello", &[]),
            Some((Verdict::Act, DecidedBy::SingleAgent))
        );
        let direct = by_rule(&item("hello", ChatKind::Direct), &ada(), &[]).map(|r| r.by);
        assert_eq!(direct, Some(DecidedBy::Direct));
        let off = Agent {
            enabled: false,
            ..ada()
        };
        assert_eq!(
            by_rule(&item("ada: hello", ChatKind::Direct), &off, &[])
                .unwrap()
                .verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn a_stop_command_is_done_already_and_a_bot_cannot_give_one() {
        let mut stop = item("/stop", ChatKind::Direct);
        stop.message.command = Some(Command {
            name: "stop".into(),
            arguments: String::new(),
        });
        stop.message.addressed = true;
        let verdict = |item: &WorkItem| by_rule(item, &ada(), &[]).map(|r| r.verdict);
        assert_eq!(verdict(&stop), Some(Verdict::Pass));
        stop.message.sender.is_bot = true;
        assert_eq!(verdict(&stop), Some(Verdict::Act));
        stop.message.sender.is_bot = false;
        stop.message.addressed = false;
        assert_eq!(verdict(&stop), Some(Verdict::Act));
    }

    #[test]
    fn an_answer_is_found_inside_prose_and_nonsense_is_not_an_answer() {
        let ruling =
            answer("Sure:\n```json\n{\"act\": false, \"reason\": \"for Bob\"}\n```").unwrap();
        assert_eq!(
            (ruling.verdict, ruling.reason.as_str()),
            (Verdict::Pass, "for Bob")
        );
        assert_eq!(answer("yes"), None);
        assert_eq!(answer("}{"), None);
        assert_eq!(
            fallback(&item("x", ChatKind::Direct), "down").verdict,
            Verdict::Act
        );
        assert_eq!(
            fallback(&item("x", ChatKind::Group), "down").verdict,
            Verdict::Pass
        );
    }
}
