//! The HTTP face: paths, tokens, answers and planned faults. What a method does is in `methods`.

use super::{
    TelegramSimulator,
    methods::{self, Declined},
    state::{Call, Fault, Shared},
};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::{collections::VecDeque, io, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The largest request the stand-in reads.
const REQUEST_LIMIT: usize = 1 << 20;

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(handle).with_state(shared);
    // Accept errors are retried inside; the future ends only with the task.
    let _ended = axum::serve(listener, router).await;
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(rest) = path.strip_prefix("/file/bot") {
        return download(&shared, rest);
    }
    let Some((token, method)) = path
        .strip_prefix("/bot")
        .and_then(|rest| rest.split_once('/'))
    else {
        return answer(Err(Declined::new(404, "Not Found")));
    };
    if token != TelegramSimulator::TOKEN {
        return answer(Err(Declined::new(401, "Unauthorized")));
    }
    let Ok(body) = to_bytes(request.into_body(), REQUEST_LIMIT).await else {
        return answer(Err(Declined::new(413, "Request Entity Too Large")));
    };
    let params = if body.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&body) {
            Ok(params) => params,
            Err(_not_json) => {
                let words = "Bad Request: can't parse JSON object";
                return answer(Err(Declined::new(400, words)));
            }
        }
    };
    call(&shared, method, params).await
}

async fn call(shared: &Shared, method: &str, params: Value) -> Response {
    let (fault, late) = shared.update(|state| {
        state.calls.push(Call {
            method: method.to_owned(),
            params: params.clone(),
        });
        let planned = state.faults.get_mut(method).and_then(VecDeque::pop_front);
        match planned {
            Some(Fault::Slow(late)) => (Fault::Pass, late),
            Some(fault) => (fault, Duration::ZERO),
            None => state.weather.call(method, &params),
        }
    });
    if !late.is_zero() {
        tokio::time::sleep(late).await;
    }
    match fault {
        Fault::RateLimited { retry_after } => answer(Err(Declined {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after}"),
            parameters: Some(json!({"retry_after": retry_after})),
        })),
        Fault::ServerError => answer(Err(Declined::new(500, "Internal Server Error"))),
        Fault::Refused { code, description } => answer(Err(Declined::new(code, &description))),
        Fault::CutBefore => cut(None),
        Fault::LostAnswer => {
            // Done, whatever came of it; nobody will hear.
            drop(methods::run(shared, method, &params, false).await);
            cut(None)
        }
        Fault::HalfAnswer => cut(Some(methods::run(shared, method, &params, false).await)),
        Fault::Pass | Fault::Slow(_) => answer(methods::run(shared, method, &params, true).await),
    }
}

/// Breaks the connection: at once, or in the middle of an answer.
fn cut(half: Option<Result<Value, Declined>>) -> Response {
    let broken = async {
        // Lets out what was written before.
        tokio::task::yield_now().await;
        Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let Some(result) = half else {
        return Response::new(Body::from_stream(stream::once(broken)));
    };
    let body = body_of(result).1.to_string();
    let length = body.len();
    let first = Bytes::from(body).slice(..length / 2);
    let pieces = stream::iter([Ok(first)]).chain(stream::once(broken));
    let mut response = Response::new(Body::from_stream(pieces));
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn answer(result: Result<Value, Declined>) -> Response {
    let (status, body) = body_of(result);
    (status, Json(body)).into_response()
}

fn body_of(result: Result<Value, Declined>) -> (StatusCode, Value) {
    let declined = match result {
        Ok(result) => return (StatusCode::OK, json!({"ok": true, "result": result})),
        Err(declined) => declined,
    };
    let mut body = json!({
        "ok": false,
        "error_code": declined.code,
        "description": declined.description,
    });
    if let (Some(parameters), Some(fields)) = (declined.parameters, body.as_object_mut()) {
        fields.insert("parameters".to_owned(), parameters);
    }
    let status = StatusCode::from_u16(declined.code);
    (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

fn download(shared: &Shared, rest: &str) -> Response {
    let found = rest
        .strip_prefix(TelegramSimulator::TOKEN)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|path| {
            shared.read(|state| {
                let mut files = state.files.values();
                files
                    .find(|file| file.path == path)
                    .map(|file| file.bytes.clone())
            })
        });
    match found {
        Some(bytes) => bytes.into_response(),
        None => answer(Err(Declined::new(404, "Not Found"))),
    }
}
