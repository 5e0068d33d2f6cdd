//! Asks people for leave before something is done. It does nothing itself: the runtime lets the job wait and writes
//! down what people said.

use crate::action::Action;
use async_trait::async_trait;
use domain::{
    access::Role,
    approval::{LONGEST, OPEN_FOR, SHORTEST},
};
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{Question, ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The longest question, in characters.
const LONGEST_QUESTION: usize = 1_000;
/// The largest action, in bytes of JSON.
const LARGEST_ACTION: usize = 32 * 1024;

/// The tool.
pub(crate) struct RequestApproval;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    question: String,
    action: Map<String, Value>,
    expires_in_seconds: Option<u64>,
    approver_role: Option<String>,
}

#[async_trait]
impl Action for RequestApproval {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "request_approval",
            description: include_str!("request_approval.md"),
            parameters: json!({
                "type": "object",
                "properties": {
                    "question": {
                        "type": "string",
                        "description": "What people decide on, in one sentence they understand without reading your work."
                    },
                    "action": {
                        "type": "object",
                        "description": "Exactly what you would do: the command, target and arguments. The answer counts for this and nothing else."
                    },
                    "expires_in_seconds": {
                        "type": "integer",
                        "description": "How long the question stays open, 60 to 604800; a day when left out. No answer in time is a denial."
                    },
                    "approver_role": {
                        "type": "string",
                        "enum": ["member", "admin", "owner"],
                        "description": "The lowest role that may answer; member when left out."
                    }
                },
                "required": ["question", "action"],
                "additionalProperties": false
            }),
            read_only: true,
        }
    }

    async fn run(
        &self,
        _context: &ToolContext<'_>,
        arguments: Arguments,
    ) -> Result<ToolOutcome, SandboxError> {
        Ok(match question(arguments) {
            Ok(question) => ToolOutcome::ask(question),
            Err(wrong) => ToolOutcome::error(format!("Nobody was asked: {wrong}.")),
        })
    }
}

fn question(arguments: Arguments) -> Result<Question, String> {
    let question = arguments.question.trim().to_owned();
    let length = question.chars().count();
    if length == 0 || length > LONGEST_QUESTION {
        return Err(format!(
            "`question` must have 1 to {LONGEST_QUESTION} characters"
        ));
    }
    let action = Value::Object(arguments.action);
    if action.to_string().len() > LARGEST_ACTION {
        return Err(format!(
            "`action` must be at most {LARGEST_ACTION} bytes of JSON; name large things instead of including them"
        ));
    }
    let [least, most, usual] =
        [SHORTEST, LONGEST, OPEN_FOR].map(|time| time.num_seconds().unsigned_abs());
    let open = arguments.expires_in_seconds.unwrap_or(usual);
    if !(least..=most).contains(&open) {
        return Err(format!("`expires_in_seconds` must be {least} to {most}"));
    }
    let min_role = match arguments.approver_role.as_deref() {
        None | Some("member") => Role::Member,
        Some("admin") => Role::Admin,
        Some("owner") => Role::Owner,
        Some(_) => return Err("`approver_role` must be member, admin or owner".to_owned()),
    };
    Ok(Question {
        question,
        action,
        open_for: Duration::from_secs(open),
        min_role,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: Value) -> Result<Question, String> {
        question(serde_json::from_value(arguments).unwrap())
    }

    #[test]
    fn a_question_is_open_for_a_day_and_for_every_member_unless_said_otherwise() {
        let plain =
            asked(json!({"question": " Deploy? ", "action": {"command": "deploy"}})).unwrap();
        assert_eq!(plain.question, "Deploy?");
        assert_eq!(plain.open_for, Duration::from_hours(24));
        assert_eq!(plain.min_role, Role::Member);
        let strict = json!({"question": "Deploy?", "action": {}, "expires_in_seconds": 60, "approver_role": "owner"});
        let strict = asked(strict).unwrap();
        assert_eq!(strict.open_for, Duration::from_mins(1));
        assert_eq!(strict.min_role, Role::Owner);
    }

    #[test]
    fn what_people_could_not_decide_on_is_refused() {
        let large = "x".repeat(LARGEST_ACTION);
        for (arguments, field) in [
            (json!({"question": " ", "action": {}}), "question"),
            (
                json!({"question": "?", "action": {"text": large}}),
                "action",
            ),
            (
                json!({"question": "?", "action": {}, "expires_in_seconds": 59}),
                "expires_in_seconds",
            ),
            (
                json!({"question": "?", "action": {}, "expires_in_seconds": 604_801}),
                "expires_in_seconds",
            ),
            (
                json!({"question": "?", "action": {}, "approver_role": "viewer"}),
                "approver_role",
            ),
        ] {
            assert!(asked(arguments).unwrap_err().contains(field), "{field}");
        }
    }
}
