//! Text that is shown while it comes. No secret of the server leaves with it, not even one that comes in pieces:
//! an end that may be the beginning of a secret waits for what follows. What never follows is in the row.

use crate::{engine::Engine, model_call::Watcher};
use domain::{
    id::{JobId, TenantId},
    secret::Redactor,
};
use ports::live::{Delta, DeltaTarget, EventFeed};
use std::sync::{Mutex, PoisonError};

/// Text of one source on its way to whoever watches.
#[derive(Default)]
pub(crate) struct LiveText {
    /// Bytes shown so far.
    shown: usize,
    held: String,
}

impl LiveText {
    /// Bytes shown so far.
    pub(crate) const fn shown(&self) -> usize {
        self.shown
    }

    /// Takes what came; gives what to show now, and where in all that is shown it begins.
    pub(crate) fn add(&mut self, redactor: &Redactor, more: &str) -> Option<(usize, String)> {
        self.held.push_str(more);
        let mut text = redactor.redact(&self.held).into_owned();
        self.held = text.split_off(redactor.open_end(&text));
        let offset = self.shown;
        self.shown += text.len();
        (!text.is_empty()).then_some((offset, text))
    }
}

/// Publishes what a model writes, as it is written.
pub(crate) struct Publisher<'a> {
    engine: &'a Engine,
    tenant: TenantId,
    job: JobId,
    text: Mutex<LiveText>,
    thinking: Mutex<LiveText>,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(engine: &'a Engine, tenant: TenantId, job: JobId) -> Self {
        Self {
            engine,
            tenant,
            job,
            text: Mutex::default(),
            thinking: Mutex::default(),
        }
    }

    fn publish(&self, target: DeltaTarget, shown: &Mutex<LiveText>, more: &str) {
        crate::crash::point("model.delta");
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((offset, text)) = shown.add(&self.engine.redactor, more) else {
            return;
        };
        self.engine.hub.delta(Delta {
            tenant_id: self.tenant,
            job_id: self.job,
            target,
            offset,
            text,
        });
    }
}

impl Watcher for Publisher<'_> {
    fn text(&self, more: &str) {
        self.publish(DeltaTarget::Text, &self.text, more);
    }

    fn thinking(&self, more: &str) {
        self.publish(DeltaTarget::Thinking, &self.thinking, more);
    }
}
