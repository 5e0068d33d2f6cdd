//! One transaction: hands out repositories and gathers what the process must hear of after the commit.

use crate::{
    backend::End,
    conn::Conn,
    entity::lane,
    error::db_error,
    repo::{
        access::SqlAccess, agents::SqlAgents, approvals::SqlApprovals, audit::SqlAudit,
        background_processes::SqlBackgroundProcesses, conversations::SqlConversations,
        effects::SqlEffects, events::SqlEvents, idempotency::SqlIdempotency,
        identities::SqlIdentities, integrations::SqlIntegrations, jobs::SqlJobs, lanes::SqlLanes,
        ledger::SqlLedger, logins::SqlLogins, providers::SqlProviders, reports::SqlReports,
        settings::SqlSettings, sprite_sessions::SqlSpriteSessions, transcript::SqlTranscript,
        users::SqlUsers, work::SqlWork,
    },
};
use async_trait::async_trait;
use domain::{
    id::{LaneId, TenantId},
    queue::Fence,
};
use ports::{
    ids::Ids,
    live::Committed,
    store::{
        AccessRepository, AgentRepository, ApprovalRepository, AuditRepository,
        BackgroundProcessRepository, CatalogTx, ConversationRepository, EffectRepository,
        EventRepository, ExecutionTx, IdempotencyRepository, IdentityRepository,
        IntegrationRepository, JobRepository, LaneRepository, LedgerRepository, LoginRepository,
        PeopleTx, ProviderRepository, RecordTx, ReportRepository, SettingRepository,
        SpriteSessionRepository, StoreError, StoreTx, TranscriptRepository, UserRepository,
        WorkRepository,
    },
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType,
};
use std::sync::{Arc, Mutex, PoisonError};

/// A transaction on any backend. The fields are in this order because they are dropped in it: the
/// rollback must be on its way before the writer hears that the transaction is gone.
pub(crate) struct SqlTx {
    pub(crate) conn: Conn,
    end: Box<dyn End>,
    pub(crate) ids: Arc<dyn Ids>,
    committed: Mutex<Committed>,
}

impl SqlTx {
    pub(crate) fn new(conn: DatabaseTransaction, end: Box<dyn End>, ids: Arc<dyn Ids>) -> Self {
        Self {
            conn: Conn::new(conn),
            end,
            ids,
            committed: Mutex::default(),
        }
    }

    /// Notes something the process must hear of when, and only when, this commits.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Committed)) {
        change(
            &mut self
                .committed
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let mut committed = self
            .committed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        crate::repo::events::number(&self.conn, &mut committed.events).await?;
        self.end.commit(self.conn.into_inner()?, committed).await
    }
}

/// The end of a snapshot: nothing was written, nobody needs to hear of it.
pub(crate) struct EndOfRead;

#[async_trait]
impl End for EndOfRead {
    async fn commit(
        self: Box<Self>,
        transaction: DatabaseTransaction,
        _committed: Committed,
    ) -> Result<(), StoreError> {
        transaction.commit().await.map_err(db_error("transaction"))
    }
}

impl CatalogTx for SqlTx {
    fn agents(&self) -> Box<dyn AgentRepository + '_> {
        Box::new(SqlAgents(self))
    }

    fn integrations(&self) -> Box<dyn IntegrationRepository + '_> {
        Box::new(SqlIntegrations(self))
    }

    fn conversations(&self) -> Box<dyn ConversationRepository + '_> {
        Box::new(SqlConversations(self))
    }

    fn settings(&self) -> Box<dyn SettingRepository + '_> {
        Box::new(SqlSettings(self))
    }

    fn providers(&self) -> Box<dyn ProviderRepository + '_> {
        Box::new(SqlProviders(self))
    }

    fn idempotency(&self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(SqlIdempotency(self))
    }
}

impl PeopleTx for SqlTx {
    fn users(&self) -> Box<dyn UserRepository + '_> {
        Box::new(SqlUsers(self))
    }

    fn logins(&self) -> Box<dyn LoginRepository + '_> {
        Box::new(SqlLogins(self))
    }

    fn access(&self) -> Box<dyn AccessRepository + '_> {
        Box::new(SqlAccess(self))
    }

    fn identities(&self) -> Box<dyn IdentityRepository + '_> {
        Box::new(SqlIdentities(self))
    }
}

impl ExecutionTx for SqlTx {
    fn work(&self) -> Box<dyn WorkRepository + '_> {
        Box::new(SqlWork(self))
    }

    fn lanes(&self) -> Box<dyn LaneRepository + '_> {
        Box::new(SqlLanes(self))
    }

    fn jobs(&self) -> Box<dyn JobRepository + '_> {
        Box::new(SqlJobs(self))
    }

    fn transcript(&self) -> Box<dyn TranscriptRepository + '_> {
        Box::new(SqlTranscript(self))
    }

    fn ledger(&self) -> Box<dyn LedgerRepository + '_> {
        Box::new(SqlLedger(self))
    }

    fn effects(&self) -> Box<dyn EffectRepository + '_> {
        Box::new(SqlEffects(self))
    }

    fn approvals(&self) -> Box<dyn ApprovalRepository + '_> {
        Box::new(SqlApprovals(self))
    }

    fn events(&self) -> Box<dyn EventRepository + '_> {
        Box::new(SqlEvents(self))
    }

    fn sprite_sessions(&self) -> Box<dyn SpriteSessionRepository + '_> {
        Box::new(SqlSpriteSessions(self))
    }

    fn background_processes(&self) -> Box<dyn BackgroundProcessRepository + '_> {
        Box::new(SqlBackgroundProcesses(self))
    }
}

impl RecordTx for SqlTx {
    fn audit(&self) -> Box<dyn AuditRepository + '_> {
        Box::new(SqlAudit(self))
    }

    fn reports(&self) -> Box<dyn ReportRepository + '_> {
        Box::new(SqlReports(self))
    }
}

#[async_trait]
impl StoreTx for SqlTx {
    async fn fenced(&self, tenant: TenantId, lane: LaneId, fence: Fence) -> Result<(), StoreError> {
        // The lock clause is dropped for SQLite, where this transaction is the only writer anyway.
        let held: Option<i64> = lane::Entity::find_by_id(lane.as_uuid())
            .filter(lane::Column::TenantId.eq(tenant.as_uuid()))
            .filter(lane::Column::LeaseWorker.is_not_null())
            .select_only()
            .column(lane::Column::Fence)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(db_error("lane"))?
            .pop();
        if held == Some(fence.0) {
            Ok(())
        } else {
            Err(StoreError::Stale)
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Self::commit(*self).await
    }
}
