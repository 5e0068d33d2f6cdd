//! Ends approvals that nobody decided on in time, which counts as a denial. Any process may do it: of several that
//! try, one does.

use crate::{engine::Engine, patience::within};
use ports::store::StoreError;
use services::{Context, approvals};
use std::{sync::Arc, time::Duration};

/// Approvals are open for minutes at least; nobody counts the seconds after.
const EVERY: Duration = Duration::from_secs(5);
/// The most that one look ends.
const BATCH: u32 = 100;

/// Looks again and again as long as the process takes work.
pub(crate) async fn run(engine: Arc<Engine>) {
    let stop = engine.stop.clone();
    let looking = async {
        loop {
            engine.sleep(EVERY).await;
            if let Err(error) = within(&engine, look(&engine)).await {
                tracing::error!(error = %ports::Causes(&error), "overdue approvals could not be looked for");
            }
        }
    };
    let _stopped = stop.run_until_cancelled(looking).await;
}

async fn look(engine: &Engine) -> Result<(), StoreError> {
    let platform = &engine.platform;
    for (tenant, approval) in platform
        .system
        .overdue_approvals(engine.now(), BATCH)
        .await?
    {
        let context = Context::system(Arc::clone(platform), tenant);
        if let Err(error) = approvals::expire(&context, approval).await {
            tracing::warn!(approval.id = %approval, error = %ports::Causes(&error), "an overdue approval could not be ended");
        }
    }
    Ok(())
}
