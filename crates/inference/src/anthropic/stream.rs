//! Anthropic's stream as model events.

use super::wire::{Block, Delta, Event, Tokens};
use crate::{endpoint::Decode, estimate, failure::Failure};
use domain::model::{StopReason, Usage};
use ports::inference::ModelEvent;
use std::collections::{BTreeMap, VecDeque};

/// Follows one answer.
pub(super) struct Decoder {
    open: BTreeMap<u64, Block>,
    usage: Tokens,
    stop: Option<StopReason>,
    /// Tokens of the prompt and characters of the answer, for providers that do not count.
    prompt_estimate: i64,
    characters: usize,
}

impl Decoder {
    pub(super) fn new(prompt_estimate: i64) -> Self {
        Self {
            open: BTreeMap::new(),
            usage: Tokens::default(),
            stop: None,
            prompt_estimate,
            characters: 0,
        }
    }

    fn start(&mut self, index: u64, block: Block, out: &mut VecDeque<ModelEvent>) {
        match &block {
            Block::Text { text } if !text.is_empty() => {
                out.push_back(ModelEvent::TextDelta(text.clone()));
            }
            Block::Thinking { thinking, .. } if !thinking.is_empty() => {
                out.push_back(ModelEvent::ThinkingDelta(thinking.clone()));
            }
            Block::Text { .. }
            | Block::Thinking { .. }
            | Block::RedactedThinking { .. }
            | Block::ToolUse { .. }
            | Block::Other => {}
        }
        self.open.insert(index, block);
    }

    fn delta(&mut self, index: u64, delta: Delta, out: &mut VecDeque<ModelEvent>) {
        match (self.open.get_mut(&index), delta) {
            (Some(Block::Text { text }), Delta::Text { text: more }) => {
                self.characters += more.chars().count();
                text.push_str(&more);
                out.push_back(ModelEvent::TextDelta(more));
            }
            (Some(Block::Thinking { thinking, .. }), Delta::Thinking { thinking: more }) => {
                self.characters += more.chars().count();
                thinking.push_str(&more);
                out.push_back(ModelEvent::ThinkingDelta(more));
            }
            (Some(Block::Thinking { signature, .. }), Delta::Signature { signature: more }) => {
                signature.push_str(&more);
            }
            (Some(Block::ToolUse { json, .. }), Delta::InputJson { partial_json }) => {
                self.characters += partial_json.chars().count();
                json.push_str(&partial_json);
            }
            // Citations and whatever comes later; blocks of tools the provider runs itself.
            (_, _) => {}
        }
    }

    fn finish(&mut self, out: &mut VecDeque<ModelEvent>) {
        while let Some((_, block)) = self.open.pop_first() {
            out.extend(block.into_content().map(ModelEvent::Part));
        }
        let usage = self.usage_or_estimate();
        if usage != self.usage.counted() {
            out.push_back(ModelEvent::Usage(usage));
        }
        out.push_back(ModelEvent::Stop(self.stop.unwrap_or(StopReason::EndTurn)));
    }
}

impl Decode for Decoder {
    fn event(&mut self, data: &str, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        let Ok(event) = serde_json::from_str::<Event>(data) else {
            return Err(Failure::Interrupted(
                "an event is not of the Messages API".to_owned(),
            ));
        };
        match event {
            Event::MessageStart { message } => self.count(message.usage, out),
            Event::ContentBlockStart {
                index,
                content_block,
            } => self.start(index, content_block, out),
            Event::ContentBlockDelta { index, delta } => self.delta(index, delta, out),
            Event::ContentBlockStop { index } => {
                let block = self.open.remove(&index).and_then(Block::into_content);
                out.extend(block.map(ModelEvent::Part));
            }
            Event::MessageDelta { delta, usage } => {
                self.stop = delta.stop_reason.as_deref().map(stop).or(self.stop);
                self.count(usage, out);
            }
            Event::MessageStop => self.finish(out),
            Event::Error { error } => return Err(Failure::from_event(&error)),
            Event::Other => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        if self.stop.is_none() {
            return Err(Failure::Interrupted(
                "the stream ended before the answer did".to_owned(),
            ));
        }
        self.finish(out);
        Ok(())
    }
}

impl Decoder {
    /// Providers that do not count send nothing or zeroes.
    fn usage_or_estimate(&self) -> Usage {
        let mut usage = self.usage.counted();
        if usage.input + usage.cache_read + usage.cache_write == 0 {
            usage.input = self.prompt_estimate;
        }
        if usage.output == 0 {
            usage.output = estimate::tokens(self.characters);
        }
        usage
    }

    fn count(&mut self, usage: Option<Tokens>, out: &mut VecDeque<ModelEvent>) {
        if let Some(usage) = usage {
            self.usage.update(usage);
            out.push_back(ModelEvent::Usage(self.usage.counted()));
        }
    }
}

fn stop(reason: &str) -> StopReason {
    match reason {
        "tool_use" => StopReason::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
        "refusal" => StopReason::Refusal,
        // `end_turn`, `stop_sequence`, and `pause_turn`, which only tools of the provider cause.
        _ => StopReason::EndTurn,
    }
}
