//! The store: transactions, one repository per aggregate, one error.
//!
//! Every repository method takes the tenant first, or a row that carries it; a row of another
//! tenant is as good as absent. The exceptions are [`SystemStore`] and [`LeaseStore`].
//!
//! Verbs: `find` (absence is `None`), `list` (a page), `insert`, `update`, `delete`, `claim`.

mod access;
mod approvals;
mod audit;
mod catalog;
mod effects;
mod execution;
mod ledger;
mod maintenance;
mod people;
mod providers;
mod reports;
mod sealed;
mod system;
mod transcript;
mod work;

pub use access::{
    AccessRepository, IdempotencyClaim, IdempotencyRepository, KeyClaim, SavedResponse,
    SettingRepository,
};
pub use approvals::{ApprovalFilter, ApprovalRepository, IdentityRepository};
pub use audit::{AuditFilter, AuditRepository};
pub use catalog::{
    AgentRepository, Answered, Before, ConversationFilter, ConversationRepository,
    IntegrationRepository, ListedConversation, Passed,
};
pub use effects::{EffectFilter, EffectRepository, EventRepository};
pub use execution::{
    BackgroundProcessRepository, JobFilter, JobRepository, LaneRepository, QueuedItem,
    SpriteSessionRepository,
};
pub use ledger::LedgerRepository;
pub use maintenance::{Maintenance, Prunable, Prune, Pruned, Tidied};
pub use people::{LoginRepository, UserRepository};
pub use providers::ProviderRepository;
pub use reports::{
    AgentStanding, CostFilter, CostGroup, CostRow, DayOutcome, DayWait, Needs, ReportRepository,
};
pub use sealed::{Resealed, SealedStore, SealedValue};
pub use system::{LeaseStore, Swept, SystemStore, Upkeep, Worker};
pub use transcript::TranscriptRepository;
pub use work::{WorkFilter, WorkRepository};

use crate::{
    BoxError,
    ingest::{Accept, Accepted},
};
use async_trait::async_trait;
use domain::{
    id::{LaneId, TenantId},
    queue::Fence,
};

/// Why the store did not do what it was asked. Named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken.
    #[error("{entity} already exists")]
    Conflict {
        /// What was written.
        entity: &'static str,
        /// What the database said.
        #[source]
        source: BoxError,
    },
    /// The lane is held by somebody else by now: stop, write nothing more.
    #[error("the lane was claimed by another worker")]
    Stale,
    /// A row that the types cannot hold.
    #[error("{entity} has an invalid {column}")]
    Corrupt {
        /// The table.
        entity: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The database failed.
    #[error("storage backend failed")]
    Backend(#[source] BoxError),
}

/// How hard a commit is. Durable commits survive power loss; relaxed ones survive a killed
/// process and become power-safe with the next durable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Ingest, claim of an effect, approval, money cap reached.
    Durable,
    /// Everything inside a job.
    Relaxed,
}

/// A transaction; dropping it rolls back.
pub type BoxTx = Box<dyn StoreTx>;

/// Opens transactions.
#[async_trait]
pub trait Store: Send + Sync {
    /// A snapshot of one tenant's rows to read from; runs beside everything else.
    async fn read(&self, tenant: TenantId) -> Result<BoxTx, StoreError>;

    /// A transaction that may write one tenant's rows; on SQLite it takes the write lock up front. Never await
    /// anything but the store inside it: there every other writer waits.
    ///
    /// Where the database can, it hides the rows of other tenants itself, behind the tenant that every
    /// repository method is given.
    async fn write(&self, tenant: TenantId, durability: Durability) -> Result<BoxTx, StoreError>;

    /// Takes deliveries in with multi-row statements and one durable commit: every event once
    /// (unique by integration and event id), with conversation, sender, work item, and an entry in
    /// the lane of every agent that sees it; lanes become ready at once. An item no agent sees is
    /// `passed` with the reason `no agent`.
    async fn ingest(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError>;

    /// Whether the database answers and its schema is the one this build expects.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Repositories of what people configure.
pub trait CatalogTx {
    /// Agents and who sees what.
    fn agents(&self) -> Box<dyn AgentRepository + '_>;
    /// Integrations.
    fn integrations(&self) -> Box<dyn IntegrationRepository + '_>;
    /// Conversations.
    fn conversations(&self) -> Box<dyn ConversationRepository + '_>;
    /// Single values.
    fn settings(&self) -> Box<dyn SettingRepository + '_>;
    /// Model providers of the settings.
    fn providers(&self) -> Box<dyn ProviderRepository + '_>;
    /// Answers kept for repeated requests.
    fn idempotency(&self) -> Box<dyn IdempotencyRepository + '_>;
}

/// Repositories of who may enter, and of what they changed.
pub trait PeopleTx {
    /// Users.
    fn users(&self) -> Box<dyn UserRepository + '_>;
    /// Their logins and links.
    fn logins(&self) -> Box<dyn LoginRepository + '_>;
    /// Tokens, and what is kept for some people.
    fn access(&self) -> Box<dyn AccessRepository + '_>;
    /// Who people are on their channels.
    fn identities(&self) -> Box<dyn IdentityRepository + '_>;
}

/// Repositories of what happens.
pub trait ExecutionTx {
    /// Work items and decisions.
    fn work(&self) -> Box<dyn WorkRepository + '_>;
    /// Lanes and their entries.
    fn lanes(&self) -> Box<dyn LaneRepository + '_>;
    /// Jobs.
    fn jobs(&self) -> Box<dyn JobRepository + '_>;
    /// Messages and tool calls.
    fn transcript(&self) -> Box<dyn TranscriptRepository + '_>;
    /// Model calls and budgets.
    fn ledger(&self) -> Box<dyn LedgerRepository + '_>;
    /// Effects.
    fn effects(&self) -> Box<dyn EffectRepository + '_>;
    /// Questions to people.
    fn approvals(&self) -> Box<dyn ApprovalRepository + '_>;
    /// Event rows.
    fn events(&self) -> Box<dyn EventRepository + '_>;
    /// Shells in sprites.
    fn sprite_sessions(&self) -> Box<dyn SpriteSessionRepository + '_>;
    /// Commands that outlive their job.
    fn background_processes(&self) -> Box<dyn BackgroundProcessRepository + '_>;
}

/// Repositories of what people look back at.
pub trait RecordTx {
    /// Who changed what.
    fn audit(&self) -> Box<dyn AuditRepository + '_>;
    /// Sums over many rows.
    fn reports(&self) -> Box<dyn ReportRepository + '_>;
}

/// One transaction.
#[async_trait]
pub trait StoreTx: CatalogTx + PeopleTx + ExecutionTx + RecordTx + Send + Sync {
    /// Locks the lane row and checks that the caller still holds it; [`StoreError::Stale`] if not.
    /// First call of every transaction that writes for a job.
    async fn fenced(&self, tenant: TenantId, lane: LaneId, fence: Fence) -> Result<(), StoreError>;

    /// Makes it so, in the class the transaction was opened with, and tells the commit listener. Fails
    /// when anything in it failed before, a conflict too: then it can only be dropped.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
