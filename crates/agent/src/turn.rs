//! The next step of a job, worked out from its transcript and nothing else. A job that was killed
//! anywhere continues from its last committed message by asking the same question again.

use domain::message::{Arguments, Content, Message, Part, Role};

/// Bounds of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Model turns a job may take. The last one gets no tools, so that it must answer.
    pub turns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { turns: 60 }
    }
}

/// A tool call that has no result yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingCall {
    /// The provider's id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What was passed.
    pub arguments: Arguments,
}

/// What a job does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask the model.
    CallModel {
        /// Whether it may ask for tools; false on the last turn that the limits allow.
        with_tools: bool,
    },
    /// Run these calls, in order, and append one result each.
    RunTools(Vec<PendingCall>),
    /// The job is done; this is its answer, Markdown.
    Finish(String),
    /// The limits are used up and the model still asks for tools.
    OutOfTurns,
}

/// What comes after the last message of the transcript.
pub fn next(transcript: &[Message], limits: Limits) -> Step {
    let turns = transcript
        .iter()
        .filter(|m| m.role == Role::Assistant)
        .count();
    match transcript.last() {
        Some(last) if last.role == Role::Assistant => after_answer(last, turns, limits),
        Some(_) | None if turns >= limits.turns => Step::OutOfTurns,
        Some(_) | None => Step::CallModel {
            with_tools: turns + 1 < limits.turns,
        },
    }
}

/// Why a call that had started has no result: what the model is told.
pub const INTERRUPTED: &str = "The call was interrupted and gave no result. It may have taken effect in part or in \
     whole: check before you repeat it.";

/// The result message that answers a batch of calls, in the order of the calls.
pub fn results(results: Vec<(PendingCall, String, bool)>) -> Vec<Part> {
    results
        .into_iter()
        .map(|(call, text, is_error)| Part {
            origin: domain::message::Origin::Tool,
            trust: domain::message::Trust::Untrusted,
            content: Content::ToolResult {
                id: call.id,
                name: call.name,
                text,
                is_error,
            },
        })
        .collect()
}

fn after_answer(answer: &Message, turns: usize, limits: Limits) -> Step {
    let calls: Vec<PendingCall> = answer
        .tool_calls()
        .map(|(id, name, arguments)| PendingCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.clone(),
        })
        .collect();
    if calls.is_empty() {
        Step::Finish(answer.text())
    } else if turns >= limits.turns {
        Step::OutOfTurns
    } else {
        Step::RunTools(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Timestamp,
        id::{JobId, MessageId, TenantId},
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    fn message(seq: i64, role: Role, parts: Vec<Part>) -> Message {
        Message {
            id: MessageId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            job_id: JobId::from_uuid(Uuid::nil()),
            seq,
            role,
            parts,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn call(id: &str) -> Part {
        Part::model(Content::ToolCall {
            id: id.into(),
            name: "bash".into(),
            arguments: Arguments::parse("{}"),
        })
    }

    fn text(text: &str) -> Part {
        Part::model(Content::Text { text: text.into() })
    }

    #[test]
    fn a_question_asks_the_model_a_call_runs_a_tool_and_prose_finishes() {
        let limits = Limits::default();
        let mut transcript = vec![message(1, Role::User, vec![Part::system("hi")])];
        assert_eq!(
            next(&transcript, limits),
            Step::CallModel { with_tools: true }
        );
        transcript.push(message(
            2,
            Role::Assistant,
            vec![text("let me see"), call("a"), call("b")],
        ));
        let Step::RunTools(calls) = next(&transcript, limits) else {
            panic!("tools expected")
        };
        assert_eq!(
            calls.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let answers = results(
            calls
                .into_iter()
                .map(|c| (c, "ok".to_owned(), false))
                .collect(),
        );
        transcript.push(message(3, Role::Tool, answers));
        assert_eq!(
            next(&transcript, limits),
            Step::CallModel { with_tools: true }
        );
        transcript.push(message(4, Role::Assistant, vec![text("one"), text("two")]));
        assert_eq!(next(&transcript, limits), Step::Finish("one\n\ntwo".into()));
    }

    #[test]
    fn the_last_turn_gets_no_tools_and_asking_for_them_anyway_ends_the_job() {
        let limits = Limits { turns: 1 };
        let mut transcript = vec![message(1, Role::User, vec![])];
        assert_eq!(
            next(&transcript, limits),
            Step::CallModel { with_tools: false }
        );
        transcript.push(message(2, Role::Assistant, vec![call("a")]));
        assert_eq!(next(&transcript, limits), Step::OutOfTurns);
    }

    proptest! {
        #[test]
        fn every_run_ends_within_its_turns(asks in prop::collection::vec(0_usize..4, 0..80), turns in 1_usize..20) {
            let limits = Limits { turns };
            let mut transcript = vec![message(1, Role::User, vec![])];
            let mut asks = asks.into_iter();
            let mut answered = 0;
            loop {
                match next(&transcript, limits) {
                    Step::CallModel { .. } => {
                        let n = asks.next().unwrap_or(0);
                        let mut parts: Vec<Part> = (0..n).map(|i| call(&i.to_string())).collect();
                        if parts.is_empty() { parts.push(text("done")); }
                        answered += 1;
                        transcript.push(message(0, Role::Assistant, parts));
                    }
                    Step::RunTools(calls) => {
                        let answers = results(calls.into_iter().map(|c| (c, String::new(), false)).collect());
                        transcript.push(message(0, Role::Tool, answers));
                    }
                    Step::Finish(_) | Step::OutOfTurns => break,
                }
            }
            prop_assert!(answered <= turns);
        }
    }
}
