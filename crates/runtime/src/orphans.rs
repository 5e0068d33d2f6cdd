//! Ends shells that nobody uses any more: their job was over when their process died. Each process
//! looks after its own and after those of processes that are gone.

use crate::engine::Engine;
use services::{Context, sprites};
use std::{sync::Arc, time::Duration};

/// A shell costs a little memory; nobody waits for it to go.
const EVERY: Duration = Duration::from_hours(1);

/// Looks again and again as long as the process runs.
pub(crate) async fn run(engine: Arc<Engine>) {
    let stop = engine.stop.clone();
    let looking = async {
        loop {
            engine.sleep(EVERY).await;
            look(&engine).await;
        }
    };
    let _stopped = stop.run_until_cancelled(looking).await;
}

async fn look(engine: &Engine) {
    let context = Context::system(
        Arc::clone(&engine.platform),
        engine.platform.settings.home_tenant,
    );
    match sprites::cleanup(&context).await {
        Ok(ended) if ended.is_empty() => {}
        Ok(ended) => tracing::info!(shells = ended.len(), "orphaned shells were ended"),
        Err(error) => {
            tracing::warn!(error = %ports::Causes(&error), "orphaned shells could not be looked for");
        }
    }
}
