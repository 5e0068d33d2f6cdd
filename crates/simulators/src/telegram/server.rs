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
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use std::{io, sync::Arc};
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
    let fault = shared.update(|state| {
        state.calls.push(Call {
            method: method.to_owned(),
            params: params.clone(),
        });
        state.faults.get_mut(method)?.pop_front()
    });
    match fault {
        Some(Fault::RateLimited { retry_after }) => answer(Err(Declined {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after}"),
            parameters: Some(json!({"retry_after": retry_after})),
        })),
        Some(Fault::ServerError) => answer(Err(Declined::new(500, "Internal Server Error"))),
        Some(Fault::Refused { code, description }) => {
            answer(Err(Declined::new(code, &description)))
        }
        Some(Fault::LostAnswer) => {
            // Done, whatever came of it; nobody will hear.
            drop(methods::run(shared, method, &params).await);
            let broken = stream::iter([Err::<Bytes, _>(io::Error::from(
                io::ErrorKind::ConnectionReset,
            ))]);
            Response::new(Body::from_stream(broken))
        }
        Some(Fault::Pass) | None => answer(methods::run(shared, method, &params).await),
    }
}

fn answer(result: Result<Value, Declined>) -> Response {
    match result {
        Ok(result) => Json(json!({"ok": true, "result": result})).into_response(),
        Err(declined) => {
            let mut body = json!({
                "ok": false,
                "error_code": declined.code,
                "description": declined.description,
            });
            if let (Some(parameters), Some(fields)) = (declined.parameters, body.as_object_mut()) {
                fields.insert("parameters".to_owned(), parameters);
            }
            let status = StatusCode::from_u16(declined.code);
            (
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                Json(body),
            )
                .into_response()
        }
    }
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
