//! `Idempotency-Key`: a POST that is sent again gets the first answer again. The request runs to
//! its end even when its client goes away, so that there is an answer to give; but never longer than a request
//! may take, for then somebody else may take its key over.

use crate::{openapi::LONGEST, problem::ApiError, state::ApiState};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use services::{
    Context, Error,
    idempotency::{Begun, Claim, begin},
};
use tokio::time::timeout;
use tracing::Instrument as _;
use utoipa::openapi::{
    ObjectBuilder, Required, Type,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The largest answer that is kept.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How the document describes the header.
pub(crate) fn parameter() -> Parameter {
    let text = "A key of your choice for this request, 1 to 255 printable characters. Sent again within 24 hours \
                with the same body, it gets the first answer again.";
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(255))
                .pattern(Some("^[!-~]+$")),
        ))
        .build()
}

/// Answers a repeated POST from memory.
pub(crate) async fn once(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let key = request.headers().get(KEY).cloned();
    let context = request.extensions().get::<Context>().cloned();
    let (Some(key), Some(context), &Method::POST) = (key, context, request.method()) else {
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, crate::openapi::LARGEST_BODY)
        .await
        .map_err(|_too_large| ApiError::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let key = key.to_str().unwrap_or_default();
    let target = parts.uri.path_and_query().map_or("", |path| path.as_str());
    match begin(&context, key, (parts.method.as_str(), target, &body)).await? {
        Begun::Replay { status, body } => Ok(replay(status, body)),
        Begun::Proceed(claim) => {
            parts.extensions.insert(claim.context());
            let request = Request::from_parts(parts, Body::from(body));
            let run = async move {
                match timeout(LONGEST, next.run(request)).await {
                    Ok(response) => keep(claim, response).await,
                    // Nobody knows what it did: the next one with this key finds out.
                    Err(_elapsed) => Err(ApiError::of_status(StatusCode::SERVICE_UNAVAILABLE)),
                }
            };
            state
                .tasks
                .spawn(run.in_current_span())
                .await
                .map_err(|error| ApiError::from(Error::Internal(Box::new(error))))?
        }
    }
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if status.is_success() {
        let json = HeaderValue::from_static("application/json");
        (status, [(CONTENT_TYPE, json)], body).into_response()
    } else {
        ApiError::of_status(status).into_response()
    };
    let yes = HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, yes);
    response
}

/// Keeps what was done, and what may have been: only a refusal surely changed nothing.
async fn keep(claim: Claim, response: Response) -> Result<Response, ApiError> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST_ANSWER)
        .await
        .map_err(|error| Error::Internal(Box::new(error)))?;
    if parts.status.is_success() || parts.status == StatusCode::INTERNAL_SERVER_ERROR {
        claim.complete(parts.status.as_u16(), &text(&body)).await?;
    } else {
        claim.release().await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn text(body: &Bytes) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(body)
}
