//! What handlers take: the caller, ids, bodies and queries, each refused with a problem document.

use crate::{
    cookies::{self, CSRF_HEADER},
    envelope::RequestId,
    limit::peer,
    problem::ApiError,
    state::ApiState,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request, State},
    http::{
        Extensions, HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
        request::Parts,
    },
    middleware::Next,
    response::Response,
};
use domain::{
    page::{Cursor, MAX_LIMIT, PageRequest},
    secret::Secret,
};
use serde::{Deserialize, de::DeserializeOwned};
use services::{Context, access};
use std::{convert::Infallible, str::FromStr, sync::Arc};
use utoipa::IntoParams;

/// How many rows a list gives when nobody said otherwise.
const DEFAULT_LIMIT: u32 = 50;

/// Lets nobody pass without a live bearer token, or the cookie of a live login and, for what changes something, the
/// token that proves that a page of ours sent it.
pub(crate) async fn authenticate(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    let (mut context, csrf) = if headers.contains_key(AUTHORIZATION) {
        let token = bearer(headers).ok_or(services::Error::Unauthenticated)?;
        (access::authenticate(&state.platform, &token).await?, None)
    } else {
        let cookie = cookies::read(&state, headers).ok_or(services::Error::Unauthenticated)?;
        let context = access::resume(&state.platform, &cookie).await?;
        let expected = cookies::csrf_token(&state.platform, &cookie);
        if !request.method().is_safe() {
            check_csrf(&state, headers, &expected)?;
        }
        (context, Some(expected))
    };
    locate(&mut context, request.extensions(), request.headers());
    request.extensions_mut().insert(context);
    request.extensions_mut().insert(Csrf(csrf));
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Secret::new(token.trim()))
}

/// Both are hashes of 256 random bits, and are compared as hashes again: the time it takes tells nothing.
fn check_csrf(state: &ApiState, headers: &HeaderMap, expected: &str) -> Result<(), ApiError> {
    let given = headers.get(CSRF_HEADER).map(|value| value.to_str());
    let given = given.and_then(Result::ok).unwrap_or_default();
    let hash = |text: &str| state.platform.secrets.hash(&Secret::new(text));
    if hash(given) == hash(expected) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "csrf_missing",
        "a request with a login's cookie must carry its csrf_token, from GET /api/v1/session, in the header X-CSRF-Token",
    ))
}

/// Notes where a request comes from and what the log calls it.
fn locate(context: &mut Context, extensions: &Extensions, headers: &HeaderMap) {
    context.address = Some(peer(extensions, headers));
    let id = extensions.get::<RequestId>();
    context.request_id = id.map(|RequestId(id)| id.clone());
}

/// The token that a page must send along with a login's cookie; none with a bearer token.
#[derive(Clone)]
pub(crate) struct Csrf(pub(crate) Option<String>);

/// Somebody who is nobody yet: the server itself acts for them, in the tenant of this install.
pub(crate) struct Visitor(pub(crate) Context);

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        let tenant = state.platform.settings.home_tenant;
        let mut context = Context::system(Arc::clone(&state.platform), tenant);
        locate(&mut context, &parts.extensions, &parts.headers);
        Ok(Self(context))
    }
}

/// What a browser calls itself.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
}

/// Who calls, as [`authenticate`] found out.
pub(crate) struct Caller(pub(crate) Context);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let context = parts.extensions.get::<Context>().cloned();
        Ok(Self(context.ok_or(services::Error::Unauthenticated)?))
    }
}

/// The id in the path. One that cannot be an id is as good as one that nobody has.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let none = || ApiError::of_status(StatusCode::NOT_FOUND);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_rejection| none())?;
        text.parse().map(Self).map_err(|_not_an_id| none())
    }
}

/// The id in the path, and what is named below it.
pub(crate) struct Within<T, U>(pub(crate) T, pub(crate) U);

impl<S: Send + Sync, T: FromStr, U: FromStr> FromRequestParts<S> for Within<T, U> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let none = || ApiError::of_status(StatusCode::NOT_FOUND);
        let Path((outer, inner)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_rejection| none())?;
        let outer = outer.parse().map_err(|_not_an_id| none())?;
        let inner = inner.parse().map_err(|_not_an_id| none())?;
        Ok(Self(outer, inner))
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(ApiError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| ApiError::of_status(rejection.status()))?;
        parse(&bytes).map(Self)
    }
}

/// A body that may be left out: one without a content type.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

/// A query string.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(query)| Self(query))
            .map_err(|rejection| ApiError::field("query", rejection.body_text()))
    }
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many rows, 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

impl Paging {
    /// The page of a list that is ordered by id.
    pub(crate) fn by_id(&self) -> Result<PageRequest, ApiError> {
        let cursor = self.cursor.as_deref().map(str::parse).transpose();
        Ok(PageRequest {
            limit: self.limit()?,
            cursor: cursor.map_err(|_not_an_id| not_ours())?.map(Cursor),
        })
    }

    /// The page of a list that is ordered by sequence number: after which one, and how many.
    pub(crate) fn by_sequence(&self) -> Result<(i64, u32), ApiError> {
        let after = self.cursor.as_deref().map_or(Ok(0), str::parse);
        Ok((after.map_err(|_not_a_number| not_ours())?, self.limit()?))
    }

    /// The page of a list with a cursor of its own: after what, and how many.
    pub(crate) fn by_place<C>(
        &self,
        parse: impl Fn(&str) -> Option<C>,
    ) -> Result<(Option<C>, u32), ApiError> {
        let after = self
            .cursor
            .as_deref()
            .map(|text| parse(text).ok_or_else(not_ours));
        Ok((after.transpose()?, self.limit()?))
    }

    fn limit(&self) -> Result<u32, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => Err(ApiError::field("limit", "must be 1 to 100")),
        }
    }
}

fn not_ours() -> ApiError {
    ApiError::field("cursor", "must be the next_cursor of an earlier page")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // A struct can be read from a list of its values too, which is documented nowhere.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::field("body", "must be a JSON object, not a list"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            let field = if path == "." { "body".to_owned() } else { path };
            ApiError::field(field, cause.to_string())
        } else {
            malformed(&cause)
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "bad_json",
        format!("the body is not valid JSON: {error}"),
    )
}
