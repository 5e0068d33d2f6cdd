//! Where conversations take place, kept in memory: the place of a conversation never changes, and every
//! delivery needs it.

use crate::engine::Engine;
use domain::{
    channel::Place,
    conversation::Conversation,
    id::{ConversationId, TenantId},
};
use ports::store::StoreError;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How many are kept; beyond that all are forgotten, which only costs reading them again. Far more than are busy at
/// the same time: a delivery follows its run by moments.
const KEPT: usize = 1_024;

/// Places by conversation.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<ConversationId, (TenantId, Place)>>);

impl Places {
    /// Remembers a conversation that was read for another reason.
    pub(crate) fn learn(&self, conversation: &Conversation) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= KEPT {
            places.clear();
        }
        places.insert(
            conversation.id,
            (conversation.tenant_id, conversation.place.clone()),
        );
    }

    /// The place of a conversation, read when it is not known; `None` when there is no such conversation.
    pub(crate) async fn find(
        &self,
        engine: &Engine,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Place>, StoreError> {
        if let Some(place) = self.known(tenant, id) {
            return Ok(Some(place));
        }
        let found = engine
            .read(tenant)
            .await?
            .conversations()
            .find(tenant, id)
            .await?;
        Ok(found.map(|conversation| {
            self.learn(&conversation);
            conversation.place
        }))
    }

    fn known(&self, tenant: TenantId, id: ConversationId) -> Option<Place> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places
            .get(&id)
            .filter(|(owner, _)| *owner == tenant)
            .map(|(_, place)| place.clone())
    }
}
