//! What waits for people, and what a test sees of it.

mod actions;
mod replies;

use crate::world::World;
use domain::{
    access::{Actor, Role},
    approval::Approval,
    effect::EffectAction,
    id::{UserId, UserSessionId},
    page::PageRequest,
};
use ports::store::{ApprovalFilter, Store};
use services::Context;
use std::sync::Arc;
use uuid::Uuid;

impl World {
    fn person(&self, role: Role) -> Context {
        let actor = Actor::User {
            id: UserId::from_uuid(Uuid::max()),
            name: "Grace".to_owned(),
            role,
            session: UserSessionId::from_uuid(Uuid::max()),
        };
        Context::of(Arc::clone(&self.platform), self.tenant, actor)
    }

    async fn approvals(&self) -> Vec<Approval> {
        let (filter, page) = (ApprovalFilter::default(), PageRequest::first(100));
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        let page = tx.approvals().list(self.tenant, &filter, page).await;
        page.unwrap().items
    }

    /// The question that is open, once there is one.
    async fn asked(&self) -> Approval {
        self.until("a question", async || !self.approvals().await.is_empty())
            .await;
        self.approvals().await.remove(0)
    }

    /// The question as it reads in the channel, and its buttons.
    fn questions(&self) -> Vec<(String, Vec<String>, Option<String>)> {
        let sent = self.sent().into_iter();
        sent.filter_map(|delivery| match delivery.action {
            EffectAction::Question {
                markdown,
                choices,
                edit,
            } => Some((
                markdown,
                choices.into_iter().map(|c| c.data).collect(),
                edit,
            )),
            EffectAction::Reply { .. }
            | EffectAction::Receipt { .. }
            | EffectAction::Progress { .. } => None,
        })
        .collect()
    }
}
