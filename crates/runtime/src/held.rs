//! What this process knows to have claimed. When the answer to a claim is lost, the database believes that more is
//! held than anybody here works on; what is not known is given back.

use crate::engine::Engine;
use domain::id::{EffectId, LaneId};
use ports::store::StoreError;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

/// Things of one kind that are being worked on, and by how many: what was given back may be claimed again before
/// the one who gave it back is done here.
pub(crate) struct Held<T>(Mutex<BTreeMap<T, usize>>);

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord + Copy> Held<T> {
    /// Remembers one.
    pub(crate) fn hold(&self, id: T) {
        self.with(|held| *held.entry(id).or_default() += 1);
    }

    /// Forgets it when what is returned is dropped.
    pub(crate) fn holding(&self, id: T) -> Hold<'_, T> {
        Hold { held: self, id }
    }

    fn known(&self) -> Vec<T> {
        self.with(|held| held.keys().copied().collect())
    }

    fn with<R>(&self, act: impl FnOnce(&mut BTreeMap<T, usize>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One thing that is being worked on.
pub(crate) struct Hold<'h, T: Ord + Copy> {
    held: &'h Held<T>,
    id: T,
}

impl<T: Ord + Copy> Hold<'_, T> {
    /// Never forgets it: what was begun must not be taken for something that was not.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl<T: Ord + Copy> Drop for Hold<'_, T> {
    fn drop(&mut self) {
        self.held.with(|held| {
            if let Entry::Occupied(mut count) = held.entry(self.id) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        });
    }
}

/// Gives back lanes that were claimed without our knowing. Only the task that claims may call it.
pub(crate) async fn let_go_of_lanes(engine: &Engine) -> Result<(), StoreError> {
    let known: Vec<LaneId> = engine.lanes.known();
    let leases = &engine.leases;
    leases
        .let_go_lanes(engine.worker, &known, engine.now())
        .await
}

/// Gives back effects likewise.
pub(crate) async fn let_go_of_effects(engine: &Engine) -> Result<(), StoreError> {
    let known: Vec<EffectId> = engine.effects.known();
    engine.leases.let_go_effects(engine.worker, &known).await
}
