//! Every sealed value of every tenant, wherever it stands: for the rotation of the encryption key and
//! nothing else. No key and no plaintext passes here.

use super::StoreError;
use crate::cipher::SealedPlace;
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use uuid::Uuid;

/// A sealed text and the place it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The table.
    pub table: &'static str,
    /// The column, with what tells values of one column apart.
    pub column: String,
    /// The row.
    pub row: Uuid,
    /// The text as it is stored.
    pub text: String,
}

impl SealedValue {
    /// The place that sealing binds the text to.
    pub fn place(&self) -> SealedPlace<'_> {
        SealedPlace {
            tenant_id: self.tenant_id,
            table: self.table,
            column: &self.column,
            row: self.row,
        }
    }
}

/// A value and the text that is to stand in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// As it was read.
    pub value: SealedValue,
    /// The same secret, sealed anew.
    pub text: String,
}

/// Reads and exchanges sealed values.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// The values of some rows, in an order that stays; rows of removed integrations are among them. Goes on
    /// after the last value of the call before, and is empty when there are no more. A row is read whole, so
    /// there may be a few more values than `rows`.
    async fn sealed(
        &self,
        after: Option<&SealedValue>,
        rows: u32,
    ) -> Result<Vec<SealedValue>, StoreError>;

    /// Exchanges the texts in one durable transaction and says how many: one that changed since it was read is
    /// left as it is.
    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError>;

    /// How many server processes gave a sign of life since `since`.
    async fn alive(&self, since: Timestamp) -> Result<u64, StoreError>;
}
