//! One bash in reserve: starting one takes longer than most commands run, so it is done before
//! anybody waits for it.

use super::bash::Bash;
use crate::supervisor::{environment::Surroundings, processes::Reaper};
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::sync::oneshot::error::TryRecvError;

/// How long after a command the next reserve is started: its answer leaves first.
const LATER: Duration = Duration::from_millis(20);

/// The reserve of a supervisor, shared by its shells.
#[derive(Default)]
pub(in crate::supervisor) struct Spare {
    bash: RefCell<Option<Bash>>,
}

impl Spare {
    /// The reserve, if there is one and it lives.
    pub(super) fn take(&self) -> Option<Bash> {
        let mut bash = self.bash.borrow_mut().take()?;
        let alive = matches!(bash.channels.exited.try_recv(), Err(TryRecvError::Empty));
        alive.then_some(bash)
    }

    /// Starts a new reserve a little later, when there is none. That it fails is no matter: whoever
    /// needs a bash starts one and hears of it.
    pub(super) fn refill(self: &Rc<Self>, reaper: &Rc<Reaper>, surroundings: &Rc<Surroundings>) {
        if self.bash.borrow().is_some() {
            return;
        }
        let (spare, reaper) = (Rc::clone(self), Rc::clone(reaper));
        let surroundings = Rc::clone(surroundings);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(LATER).await;
            if spare.bash.borrow().is_none() {
                *spare.bash.borrow_mut() = Bash::start(&reaper, &surroundings).ok();
            }
        });
    }
}
