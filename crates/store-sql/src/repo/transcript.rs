//! Messages and tool calls. No method here changes a message.

use crate::{
    entity::{message, tool_call},
    error::db_error,
    query::insert_all,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    id::{JobId, TenantId},
    message::{Message, ToolCall},
};
use ports::store::{StoreError, TranscriptRepository};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

const MESSAGE: &str = "message";
const CALL: &str = "tool call";

pub(crate) struct SqlTranscript<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl TranscriptRepository for SqlTranscript<'_> {
    async fn append(&self, messages: &[Message]) -> Result<(), StoreError> {
        let rows = messages
            .iter()
            .map(message::Model::try_from)
            .collect::<Result<_, _>>()?;
        insert_all(&self.0.conn, rows, None)
            .await
            .map_err(db_error(MESSAGE))
    }

    async fn list(
        &self,
        tenant: TenantId,
        job: JobId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let select = of(tenant)
            .filter(message::Column::JobId.eq(job.as_uuid()))
            .filter(message::Column::Seq.gt(after))
            .order_by_asc(message::Column::Seq)
            .limit(u64::from(limit));
        self.all(select).await
    }

    async fn of_jobs(&self, tenant: TenantId, jobs: &[JobId]) -> Result<Vec<Message>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let select = of(tenant)
            .filter(message::Column::JobId.is_in(jobs.iter().map(|job| job.as_uuid())))
            .order_by_asc(message::Column::JobId)
            .order_by_asc(message::Column::Seq);
        self.all(select).await
    }

    async fn insert_tool_calls(&self, calls: &[ToolCall]) -> Result<(), StoreError> {
        let rows = calls
            .iter()
            .map(tool_call::Model::try_from)
            .collect::<Result<_, _>>()?;
        insert_all(&self.0.conn, rows, None)
            .await
            .map_err(db_error(CALL))
    }

    async fn finish_tool_call(&self, call: &ToolCall) -> Result<(), StoreError> {
        use tool_call::Column;
        tool_call::Entity::update_many()
            .col_expr(Column::Status, Expr::value(call.status.as_str()))
            .col_expr(Column::Result, Expr::value(call.result.as_deref()))
            .col_expr(Column::Detail, Expr::value(call.detail.clone()))
            .col_expr(Column::FinishedAt, Expr::value(call.finished_at))
            .filter(Column::Id.eq(call.id.as_uuid()))
            .filter(Column::TenantId.eq(call.tenant_id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(CALL))?;
        Ok(())
    }

    async fn tool_calls(&self, tenant: TenantId, job: JobId) -> Result<Vec<ToolCall>, StoreError> {
        tool_call::Entity::find()
            .filter(tool_call::Column::JobId.eq(job.as_uuid()))
            .filter(tool_call::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_asc(tool_call::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error(CALL))?
            .into_iter()
            .map(ToolCall::try_from)
            .collect()
    }
}

impl SqlTranscript<'_> {
    async fn all(&self, select: Select<message::Entity>) -> Result<Vec<Message>, StoreError> {
        select
            .all(&self.0.conn)
            .await
            .map_err(db_error(MESSAGE))?
            .into_iter()
            .map(Message::try_from)
            .collect()
    }
}

fn of(tenant: TenantId) -> Select<message::Entity> {
    message::Entity::find().filter(message::Column::TenantId.eq(tenant.as_uuid()))
}
