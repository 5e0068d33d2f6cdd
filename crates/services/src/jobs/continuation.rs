//! What another attempt takes over of a transcript that ended anywhere, so that any provider goes on with it.

use domain::message::{Content, Message, Role};

/// Cuts a transcript after its last complete turn. `same_provider` is whether the one that goes on is the
/// one that wrote it.
pub fn keep(messages: &mut Vec<Message>, same_provider: bool) {
    messages.truncate(complete_turns(messages));
    if same_provider {
        return;
    }
    for message in messages {
        // Signed reasoning means nothing to another provider, which would refuse it.
        message
            .parts
            .retain(|part| !matches!(part.content, Content::Thinking { .. }));
    }
}

/// How many messages to keep so that the model is to speak next and every tool call is answered.
fn complete_turns(messages: &[Message]) -> usize {
    let mut open: Vec<&str> = Vec::new();
    let mut keep = 0;
    for (count, message) in (1..).zip(messages) {
        for part in &message.parts {
            match &part.content {
                Content::ToolCall { id, .. } => open.push(id),
                Content::ToolResult { id, .. } => {
                    if let Some(at) = open.iter().position(|call| call == id) {
                        open.swap_remove(at);
                    }
                }
                Content::Text { .. } | Content::Thinking { .. } | Content::File { .. } => {}
            }
        }
        let model_is_next = match message.role {
            Role::User | Role::Tool => true,
            Role::Assistant => false,
        };
        if open.is_empty() && model_is_next {
            keep = count;
        }
    }
    keep
}

#[cfg(test)]
#[path = "continuation_tests.rs"]
mod tests;
