//! Errors on the wire: RFC 9457 problem documents with a stable `code`. The cause of a server
//! error goes to the log, once, here; the client gets the request id to find it by.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use services::Error;
use std::{collections::BTreeMap, time::Duration};
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{Content, Ref, RefOr, ResponseBuilder, response},
};

/// The media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error as clients see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: `code` tells errors apart.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The meaning of the status.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What happened and the way out, for people.
    #[schema(example = "agent not found")]
    detail: String,
    /// What happened, for programs; stable.
    #[schema(example = "not_found")]
    code: &'static str,
    /// Finds the request in the server's log.
    #[schema(required)]
    request_id: Option<String>,
    /// Which fields were refused, and why; empty for other errors.
    errors: Vec<FieldError>,
}

/// A field that was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field, with dots for nesting.
    #[schema(example = "name")]
    field: String,
    /// What is wrong with it.
    #[schema(example = "a name must not be blank")]
    message: String,
}

/// What a handler answers when it fails.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// A refused field.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self {
            errors: vec![FieldError {
                field: field.clone(),
                message: message.clone(),
            }],
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation_failed",
                format!("{field}: {message}"),
            )
        }
    }

    /// The error that a bare status stands for.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::UNAUTHORIZED => ("unauthenticated", "a valid bearer token is needed"),
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this path"),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "this path does not have that method; see the Allow header",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is larger than 1 MiB"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "send the body as application/json",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "unavailable",
                "the server did not answer in time; try again",
            ),
            status if status.is_server_error() => {
                ("internal", "the server failed to do this; its log says why")
            }
            _ => ("bad_request", "the request cannot be read"),
        };
        Self::new(status, code, detail)
    }

    fn problem(&self) -> Problem {
        Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            request_id: None,
            errors: self.errors.clone(),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            Error::Gone { code, .. } => Self::new(StatusCode::NOT_FOUND, code, detail),
            Error::Conflict { code, .. } => Self::new(StatusCode::CONFLICT, code, detail),
            Error::Malformed { .. } => Self::new(StatusCode::BAD_REQUEST, "bad_request", detail),
            Error::Invalid { field, message } => Self::field(field, message),
            Error::Unauthenticated => {
                Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            }
            Error::LoginRefused { code, .. } => Self::new(StatusCode::UNAUTHORIZED, code, detail),
            Error::Forbidden { code, .. } => Self::new(StatusCode::FORBIDDEN, code, detail),
            Error::LimitReached { retry_after, .. } => Self {
                retry_after,
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "limit_reached", detail)
            },
            Error::Unavailable { retry_after, .. } => Self {
                retry_after,
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            },
            Error::Internal(source) => {
                tracing::error!(error = %ports::Causes(&*source), "request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

impl IntoResponse for ApiError {
    /// The body is written by the envelope, which knows the request id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"nitejar\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self.problem());
        response
    }
}

impl IntoResponses for ApiError {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        [
            ("400", "The request cannot be read."),
            ("401", "No valid bearer token."),
            ("403", "The token may not do this."),
            ("404", "There is no such thing, or it is somebody else's."),
            ("409", "It does not go together with how things stand."),
            ("413", "The body is too large."),
            ("415", "The body is not JSON."),
            ("422", "A value cannot be accepted."),
            ("429", "Too much or too fast."),
            ("500", "The server failed."),
            ("503", "It cannot be done now."),
        ]
        .into_iter()
        .map(|(status, description)| {
            let schema = Ref::from_schema_name(Problem::name());
            let response = ResponseBuilder::new()
                .description(description)
                .content(PROBLEM_JSON, Content::new(Some(schema)))
                .build();
            (status.to_owned(), RefOr::T(response))
        })
        .collect()
    }
}

/// Gives every error, whoever made it, the form of a problem document.
pub(crate) fn complete(response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let mut problem = response
        .extensions()
        .get::<Problem>()
        .cloned()
        .unwrap_or_else(|| ApiError::of_status(status).problem());
    problem.request_id = Some(request_id.to_owned());
    let mut complete = (status, Json(problem)).into_response();
    let headers = complete.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    for (name, value) in response.headers() {
        if !name.as_str().starts_with("content-") {
            headers.insert(name.clone(), value.clone());
        }
    }
    complete
}

/// The schemas that errors refer to.
pub(crate) fn schemas() -> [(String, RefOr<utoipa::openapi::Schema>); 2] {
    [
        (Problem::name().into_owned(), Problem::schema()),
        (FieldError::name().into_owned(), FieldError::schema()),
    ]
}
