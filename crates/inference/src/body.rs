//! What goes out to a provider, without sending it: for whoever has to judge a history without a server.

use crate::{
    anthropic,
    catalog::Family,
    openai::{self, request::Dialect},
    prices::{Thinking, Traits},
};
use ports::inference::ModelRequest;
use serde_json::Value;

/// The body of a request to a provider of this family and a model that thinks like this; `None` for the
/// built-in model, which is sent nothing.
pub fn body(family: Family, thinking: Option<Thinking>, request: &ModelRequest) -> Option<Value> {
    let traits = Traits {
        thinking,
        ..Traits::default()
    };
    match family {
        Family::Demo => None,
        Family::Anthropic => Some(anthropic::request::body(request, &traits, true)),
        Family::OpenAi => Some(openai::request::body(request, &Dialect::Common)),
    }
}
