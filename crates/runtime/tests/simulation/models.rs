//! Models that answer by chance, and fail by chance. Every question is judged by what the vendors of both wire
//! formats would refuse.

use crate::{dice::Dice, process::Process};
use agent::triage::ANSWER_TOKENS;
use async_trait::async_trait;
use domain::{
    message::{Arguments, Content},
    model::{ModelRef, Price, StopReason, Usage},
};
use futures_util::stream;
use inference::{Family, Thinking};
use ports::inference::{
    Inference, InferenceError, ModelEvent, ModelProfile, ModelRequest, ModelStream, ResolvedModel,
};
use serde_json::json;
use simulators::model::{Wire, check_request};
use std::{sync::Arc, time::Duration};
use test_kit::models::OneModel;

/// The one model that a process can ask.
pub(crate) fn models(process: &Arc<Process>) -> OneModel {
    OneModel(ResolvedModel {
        model: ModelRef::parse("simulated/mind").unwrap(),
        profile: ModelProfile {
            price: Price {
                input: 3_000_000,
                output: 15_000_000,
                cache_read: 300_000,
                cache_write: 3_750_000,
            },
            context_tokens: 100_000,
            max_output_tokens: 2_000,
            thinking_tokens: None,
        },
        inference: Arc::new(Mind(Arc::clone(process))),
    })
}

struct Mind(Arc<Process>);

/// What a model does next.
enum Beat {
    Pause(Duration),
    Says(ModelEvent),
    BreaksOff,
}

#[async_trait]
impl Inference for Mind {
    async fn ask(&self, request: ModelRequest) -> Result<ModelStream, InferenceError> {
        self.0.pass("ask").await;
        let world = &self.0.world;
        for refusal in refusals(&request) {
            world.broken(format!("a provider would refuse this history: {refusal}"));
        }
        let mut beats = vec![Beat::Pause(pause(&self.0))];
        if world.fails(world.rates.model) {
            let kind = world.dice(|dice| dice.below(12));
            world.note(&self.0.name, format!("the model fails ({kind})"));
            match kind {
                0..10 if kind.is_multiple_of(3) => {
                    return Err(busy(world.dice(|dice| dice.below(20))));
                }
                0..10 if kind % 3 == 1 => return Err(unavailable()),
                0..10 => {
                    beats.push(Beat::Says(ModelEvent::TextDelta("well".to_owned())));
                    beats.push(Beat::BreaksOff);
                    return Ok(self.play(beats));
                }
                10 => {
                    beats.push(Beat::Says(ModelEvent::Stop(StopReason::EndTurn)));
                    return Ok(self.play(beats));
                }
                _ => return Err(rejected()),
            }
        }
        let triage = request.tools.is_empty() && request.max_output_tokens == ANSWER_TOKENS;
        let number = world.number();
        let contents = match world.dice(|dice| dice.below(10)) {
            _ if triage => vec![verdict(world.dice(|dice| dice.below(10)))],
            0..5 if !request.tools.is_empty() => world.dice(|dice| calls(dice, number)),
            _ => vec![text(format!("answer {number}"))],
        };
        world.note(&self.0.name, format!("the model says {}", brief(&contents)));
        let reason = if contents
            .iter()
            .any(|c| matches!(c, Content::ToolCall { .. }))
        {
            StopReason::ToolUse
        } else {
            StopReason::EndTurn
        };
        for content in contents {
            beats.push(Beat::Says(ModelEvent::TextDelta("…".to_owned())));
            beats.push(Beat::Pause(Duration::from_millis(300)));
            beats.push(Beat::Says(ModelEvent::Part(content)));
        }
        let usage = Usage {
            input: 500,
            output: 50,
            ..Usage::default()
        };
        beats.push(Beat::Says(ModelEvent::Usage(usage)));
        beats.push(Beat::Says(ModelEvent::Stop(reason)));
        Ok(self.play(beats))
    }
}

impl Mind {
    fn play(&self, beats: Vec<Beat>) -> ModelStream {
        let state = (Arc::clone(&self.0), beats.into_iter());
        Box::pin(stream::unfold(state, |(process, mut beats)| async move {
            loop {
                let event = match beats.next()? {
                    Beat::Pause(time) => {
                        process.sleep(time).await;
                        continue;
                    }
                    Beat::Says(event) => Ok(event),
                    Beat::BreaksOff => Err(InferenceError::Interrupted {
                        provider: "simulated".to_owned(),
                        message: "the connection broke".to_owned(),
                    }),
                };
                return Some((event, (process, beats)));
            }
        }))
    }
}

fn pause(process: &Process) -> Duration {
    let world = &process.world;
    let slow = world.fails(world.rates.slow);
    Duration::from_millis(world.dice(|dice| dice.below(if slow { 30_000 } else { 1_500 })))
}

/// What the two families would say to this request; nothing when they would take it.
fn refusals(request: &ModelRequest) -> impl Iterator<Item = String> {
    let families = [
        (Family::Anthropic, Some(Thinking::Budget), Wire::Anthropic),
        (Family::OpenAi, None, Wire::OpenAi),
    ];
    families.into_iter().filter_map(|(family, thinking, wire)| {
        let body = inference::body(family, thinking, request)?;
        let refusal = check_request(wire, &body).err()?;
        Some(format!("{refusal}\n{body:#}"))
    })
}

fn calls(dice: &mut Dice, number: u64) -> Vec<Content> {
    let count = dice.from(1, 3);
    let mut contents: Vec<Content> = (0..count)
        .map(|n| {
            let name = match dice.below(10) {
                0 => "nonsense",
                1..6 => "touch",
                _ => "look",
            };
            let arguments = if dice.chance(80) {
                Arguments::parse("{\"n\":")
            } else {
                Arguments::Valid {
                    value: json!({ "n": number * 10 + n }),
                }
            };
            // Some providers number the calls of each answer alike, and some send no number at all.
            let id = match dice.below(20) {
                0 => String::new(),
                1 => "call_0".to_owned(),
                _ => format!("call_{number}_{n}"),
            };
            Content::ToolCall {
                id,
                name: name.to_owned(),
                arguments,
            }
        })
        .collect();
    if dice.chance(300) {
        contents.insert(0, text(format!("thought {number}")));
    }
    contents
}

fn verdict(roll: u64) -> Content {
    text(match roll {
        0..6 => "{\"act\": true, \"reason\": \"for me\"}".to_owned(),
        6..9 => "{\"act\": false, \"reason\": \"not for me\"}".to_owned(),
        _ => "hm".to_owned(),
    })
}

fn text(text: String) -> Content {
    Content::Text { text }
}

fn brief(contents: &[Content]) -> String {
    let words = contents.iter().map(|content| match content {
        Content::Text { text } => format!("{text:?}"),
        Content::ToolCall { id, name, .. } => format!("{name} [{id}]"),
        Content::Thinking { .. } | Content::ToolResult { .. } | Content::File { .. } => {
            String::new()
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn busy(seconds: u64) -> InferenceError {
    InferenceError::Busy {
        provider: "simulated".to_owned(),
        message: "too many".to_owned(),
        retry_after: (seconds > 5).then(|| Duration::from_secs(seconds)),
    }
}

fn unavailable() -> InferenceError {
    InferenceError::Unavailable {
        provider: "simulated".to_owned(),
        message: "no connection".to_owned(),
    }
}

fn rejected() -> InferenceError {
    InferenceError::Rejected {
        provider: "simulated".to_owned(),
        status: 400,
        message: "no".to_owned(),
    }
}
