//! What all tools share: arguments are checked before, failures of the sandbox are put into words
//! after. The tools themselves see neither raw JSON nor have to explain a lost sandbox.

use crate::arguments;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{Tool, ToolContext, ToolOutcome},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The part of a tool that differs.
#[async_trait]
pub(crate) trait Action: Send + Sync {
    /// What the model passes.
    type Arguments: DeserializeOwned + Send;

    /// What the model is told.
    fn spec(&self) -> ToolSpec;

    /// Does it.
    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: Self::Arguments,
    ) -> Result<ToolOutcome, SandboxError>;
}

/// An action as a tool.
pub(crate) struct Checked<A> {
    spec: ToolSpec,
    action: A,
}

impl<A: Action> Checked<A> {
    pub(crate) fn new(action: A) -> Self {
        let spec = action.spec();
        Self { spec, action }
    }
}

#[async_trait]
impl<A: Action> Tool for Checked<A> {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext<'_>, arguments: Value) -> ToolOutcome {
        let arguments = match arguments::parse(&self.spec, arguments) {
            Ok(arguments) => arguments,
            Err(text) => return ToolOutcome::error(text),
        };
        match self.action.run(context, arguments).await {
            Ok(outcome) => outcome,
            Err(error) => ToolOutcome::error(explain(&error)),
        }
    }
}

/// What went wrong and what can be done, for the model.
fn explain(error: &SandboxError) -> String {
    match error {
        SandboxError::NotFound { .. } => {
            format!("{error}. Relative paths start at the home directory.")
        }
        SandboxError::Refused(text) | SandboxError::Conflict(text) => text.clone(),
        SandboxError::Exhausted { message, .. } => message.clone(),
        SandboxError::Lost(_) => format!(
            "{error}. What ran may have taken effect; files are kept, but the shell's directory, \
             variables and background processes are gone. Look at the state of things before you repeat it."
        ),
        SandboxError::Unavailable(_) => {
            format!("{error}. No tool works without it; tell the user.")
        }
    }
}
