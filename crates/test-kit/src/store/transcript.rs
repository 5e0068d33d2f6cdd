//! Messages and tool calls.

use super::Harness;
use crate::builders;
use domain::{
    id::ToolCallId,
    message::{Arguments, Part, ToolCall, ToolCallStatus, Trust},
};
use ports::{ids::Ids, store::StoreError};

/// A number that exists is refused; reading goes on after any number. Text keeps every character but the
/// zero byte, which not every database can store.
pub async fn messages_are_appended_once_and_read_in_order(h: &Harness) {
    let c = h.claimed("chat").await;
    let tenant = h.tenant.id;
    let mut messages: Vec<_> = (1..=3)
        .map(|seq| builders::message(&*h.ids, &c.job, seq, &format!("nr. {seq} \u{1F980}")))
        .collect();
    messages[0].parts = vec![Part::human("zero \u{0}", Trust::Guest)];
    let tx = h.write().await;
    let transcript = tx.transcript();
    transcript.append(&messages[..2]).await.unwrap();
    transcript.append(&messages[2..]).await.unwrap();
    transcript.append(&[]).await.unwrap();
    drop(transcript);
    tx.commit().await.unwrap();
    messages[0].parts = vec![Part::human("zero \u{FFFD}", Trust::Guest)];
    let twin = builders::message(&*h.ids, &c.job, 3, "again");
    let refused = h.write().await.transcript().append(&[twin]).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "message",
            ..
        })
    ));
    let tx = h.read().await;
    let transcript = tx.transcript();
    let read = async |after, limit| {
        transcript
            .list(tenant, c.job.id, after, limit)
            .await
            .unwrap()
    };
    assert_eq!(read(0, 10).await, messages);
    assert_eq!(read(1, 1).await, messages[1..2]);
    let whole = transcript.of_jobs(tenant, &[c.job.id]).await.unwrap();
    assert_eq!(whole, messages);
    assert_eq!(transcript.of_jobs(tenant, &[]).await.unwrap(), vec![]);
    let foreign = transcript.list(h.stranger(), c.job.id, 0, 10).await;
    assert_eq!(foreign.unwrap(), vec![]);
}

/// Bad arguments are kept as they came.
pub async fn tool_calls_are_written_and_finished(h: &Harness) {
    let c = h.claimed("chat").await;
    let message = builders::message(&*h.ids, &c.job, 1, "use tools");
    let call = |position: i32, arguments: &str| ToolCall {
        id: ToolCallId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        job_id: c.job.id,
        message_id: message.id,
        position,
        provider_call_id: format!("call_{position}"),
        name: "bash".to_owned(),
        arguments: Arguments::parse(arguments),
        status: ToolCallStatus::Running,
        result: None,
        detail: None,
        started_at: h.now(),
        finished_at: None,
    };
    let mut calls = vec![call(0, r#"{"command":"true"}"#), call(1, "{broken")];
    let tx = h.write().await;
    let transcript = tx.transcript();
    transcript
        .append(std::slice::from_ref(&message))
        .await
        .unwrap();
    transcript.insert_tool_calls(&calls).await.unwrap();
    calls[1].status = ToolCallStatus::Failed;
    calls[1].result = Some("not JSON".to_owned());
    calls[1].detail = Some(serde_json::json!({"exit_code": 1}));
    calls[1].finished_at = Some(h.now());
    transcript.finish_tool_call(&calls[1]).await.unwrap();
    let found = transcript.tool_calls(h.tenant.id, c.job.id).await.unwrap();
    assert_eq!(found, calls);
    let foreign = transcript.tool_calls(h.stranger(), c.job.id).await;
    assert_eq!(foreign.unwrap(), vec![]);
}
