//! Where identifiers come from.

use uuid::Uuid;

/// Makes identifiers.
pub trait Ids: Send + Sync {
    /// A fresh UUID v7; later calls in one process give larger values, so ids order rows by age.
    fn next(&self) -> Uuid;
}
