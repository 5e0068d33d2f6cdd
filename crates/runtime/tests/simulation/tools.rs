//! What agents can do in a simulated world: look at something, and change something that must not be changed
//! twice. There are no sprites; shells are only written down.

use crate::process::Process;
use async_trait::async_trait;
use domain::sprite::{SandboxTier, SpriteKey};
use ports::{
    inference::ToolSpec,
    sandbox::{
        Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, Sprite, SpriteReport,
        SpriteStatus,
    },
    tool::{Tool, ToolContext, ToolOutcome},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The tools of one process.
pub(crate) fn all(process: &Arc<Process>) -> Vec<Arc<dyn Tool>> {
    let tool = |name, read_only| -> Arc<dyn Tool> {
        Arc::new(Hand {
            spec: ToolSpec {
                name,
                description: "A simulated tool.",
                parameters: json!({ "type": "object", "properties": { "n": { "type": "integer" } } }),
                read_only,
            },
            process: Arc::clone(process),
        })
    };
    vec![tool("look", true), tool("touch", false)]
}

struct Hand {
    spec: ToolSpec,
    process: Arc<Process>,
}

#[async_trait]
impl Tool for Hand {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext<'_>, arguments: Value) -> ToolOutcome {
        self.process.pass(self.spec.name).await;
        let world = &self.process.world;
        let number = arguments
            .get("n")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        world.note(&self.process.name, format!("{} {number}", self.spec.name));
        if !self.spec.read_only {
            if let Err(error) = context.sandbox.shell().await {
                return ToolOutcome::error(error.to_string());
            }
            self.process.pass("touching").await;
            world.touch(number);
        }
        let takes = world.dice(|dice| {
            let most = if dice.chance(200) { 30 } else { 3 };
            dice.below(most)
        });
        self.process.sleep(Duration::from_secs(takes)).await;
        self.process.pass("tool ended").await;
        if world.fails(world.rates.tool) {
            return ToolOutcome::error("it did not work");
        }
        ToolOutcome::ok(format!("{} {number} done", self.spec.name))
    }
}

/// There are none.
pub(crate) struct NoSprites;

#[async_trait]
impl SandboxHost for NoSprites {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Local(SandboxTier::Plain),
            missing: Vec::new(),
        }
    }

    async fn open(&self, _sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Err(SandboxError::Unavailable(
            "there are no sprites here".to_owned(),
        ))
    }

    async fn inspect(&self, _sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        Ok(SpriteReport {
            provisioned: false,
            status: SpriteStatus::Cold,
            disk_bytes: None,
            disk_limit: None,
            shells: Vec::new(),
        })
    }

    fn sprite(&self, _sprite: SpriteKey) -> Arc<dyn Sprite> {
        unreachable!("no simulated tool leaves anything running")
    }

    async fn destroy(&self, _sprite: SpriteKey) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}
