//! Conversations and what was said in them.

use crate::{
    dto::{
        PageView,
        conversation::{
            ConversationEntryView, ConversationQuery, ConversationView, CreateConversation,
            parse_cursor,
        },
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::ConversationId;
use services::conversations;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_conversations, create_conversation))
        .routes(routes!(find_conversation))
        .routes(routes!(list_conversation_entries))
}

/// List conversations.
///
/// Those in which something came in last first.
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(ConversationQuery, Paging),
    responses((status = 200, description = "A page of conversations.", body = PageView<ConversationView>), ApiError))]
async fn list_conversations(
    Caller(context): Caller,
    Params(filter): Params<ConversationQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<ConversationView>>, ApiError> {
    let page = conversations::list(&context, &filter.into(), page.by_id()?).await?;
    Ok(Json(page.into()))
}

/// Begin a conversation.
///
/// With one agent, on the built-in integration. What is said in it is handed in as work.
#[utoipa::path(post, path = "/conversations", tag = "conversations", request_body = CreateConversation,
    responses((status = 201, description = "The new conversation.", body = ConversationView), ApiError))]
async fn create_conversation(
    Caller(context): Caller,
    Body(body): Body<CreateConversation>,
) -> Result<(StatusCode, Json<ConversationView>), ApiError> {
    let conversation = conversations::create(&context, body.into()).await?;
    Ok((StatusCode::CREATED, Json(conversation.into())))
}

/// Show a conversation.
#[utoipa::path(get, path = "/conversations/{id}", tag = "conversations",
    params(("id" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation.", body = ConversationView), ApiError))]
async fn find_conversation(
    Caller(context): Caller,
    Id(id): Id<ConversationId>,
) -> Result<Json<ConversationView>, ApiError> {
    Ok(Json(conversations::find(&context, id).await?.into()))
}

/// List what was said.
///
/// Newest first: what came in, what agents answered, and where nobody acted.
#[utoipa::path(get, path = "/conversations/{id}/entries", tag = "conversations",
    params(("id" = Uuid, Path, description = "The conversation."), Paging),
    responses((status = 200, description = "A page of entries.", body = PageView<ConversationEntryView>), ApiError))]
async fn list_conversation_entries(
    Caller(context): Caller,
    Id(id): Id<ConversationId>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<ConversationEntryView>>, ApiError> {
    let (after, limit) = page.by_place(parse_cursor)?;
    let entries = conversations::entries(&context, id, after, limit).await?;
    Ok(Json(entries.into()))
}
