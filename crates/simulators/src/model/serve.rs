//! The HTTP server: checks, records and answers.

use super::{
    Request, Shared, anthropic, openai,
    reply::{Ending, Fault, Reply, apply_fault, pause},
    request::{Wire, field},
    rules::check_request,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    routing::post,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use std::{io, sync::Arc};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/chat/completions", post(completions))
        // The vendors' own limit.
        .layer(DefaultBodyLimit::max(32 * 1024 * 1024))
        .with_state(shared)
}

async fn messages(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    answer(&shared, Wire::Anthropic, &headers, &body).await
}

async fn completions(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    answer(&shared, Wire::OpenAi, &headers, &body).await
}

async fn answer(shared: &Shared, wire: Wire, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let request = Request {
        wire,
        headers: headers.collect(),
        body: serde_json::from_slice(body).unwrap_or_default(),
    };
    shared.record(request.clone());
    if let Some(refused) = refuse(shared, &request) {
        return refused;
    }
    let reply = shared.reply(&request).adapted(&request);
    let latency = match reply.fault {
        Some(Fault::SlowStart(latency)) => latency,
        _ => shared.options.latency,
    };
    if let Some(latency) = pause(latency) {
        tokio::time::sleep(latency).await;
    }
    if let Some(Fault::Status {
        status,
        retry_after,
        kind,
        message,
    }) = &reply.fault
    {
        return error(wire, *status, kind, message, retry_after.as_deref());
    }
    respond(shared, &request, &reply)
}

fn refuse(shared: &Shared, request: &Request) -> Option<Response<Body>> {
    let given = match request.wire {
        Wire::Anthropic => request.header("x-api-key"),
        Wire::OpenAi => request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer ")),
    };
    let wanted = shared.options.api_key.as_deref();
    if wanted.is_some() && given != wanted {
        let message = format!("invalid x-api-key: {}", given.unwrap_or("none"));
        let refused = error(request.wire, 401, "authentication_error", &message, None);
        return Some(refused);
    }
    let is_versioned = request.header("anthropic-version").is_some();
    let problem = if request.wire == Wire::Anthropic && !is_versioned {
        "anthropic-version: header is required".to_owned()
    } else {
        check_request(request.wire, &request.body).err()?
    };
    Some(error(
        request.wire,
        400,
        "invalid_request_error",
        &problem,
        None,
    ))
}

fn respond(shared: &Shared, request: &Request, reply: &Reply) -> Response<Body> {
    let model = field(&request.body, "model");
    let number = shared.number();
    let streamed = request.body.get("stream") == Some(&Value::Bool(true));
    if !streamed || reply.quirks.plain_json {
        let document = match request.wire {
            Wire::Anthropic => anthropic::document(reply, model, number),
            Wire::OpenAi => openai::document(reply, model, number),
        };
        return response(200, "application/json", Body::from(document.to_string()));
    }
    let fault = reply.fault.as_ref();
    let (events, ending) = match request.wire {
        Wire::Anthropic => apply_fault(
            anthropic::events(reply, model, number),
            fault,
            anthropic::error_event,
        ),
        Wire::OpenAi => apply_fault(
            openai::events(reply, model, number),
            fault,
            openai::error_event,
        ),
    };
    response(
        200,
        "text/event-stream",
        stream_body(shared, fault, events, ending),
    )
}

/// One write when nothing asks for more: benches measure the server, not this.
fn stream_body(
    shared: &Shared,
    fault: Option<&Fault>,
    events: Vec<String>,
    ending: Ending,
) -> Body {
    let delay = match fault {
        Some(Fault::Trickle(delay)) => pause(*delay),
        _ => pause(shared.options.event_delay),
    };
    let pieces: Vec<Bytes> = match (shared.options.fragment, delay, ending) {
        (Some(size), _, _) => {
            let all = Bytes::from(events.concat());
            let starts = (0..all.len()).step_by(size.max(1));
            starts
                .map(|start| all.slice(start..all.len().min(start + size.max(1))))
                .collect()
        }
        (None, None, Ending::Close) => return Body::from(events.concat()),
        (None, _, _) => events.into_iter().map(Bytes::from).collect(),
    };
    let sent = stream::iter(pieces).then(move |piece| async move {
        match delay {
            Some(delay) => tokio::time::sleep(delay).await,
            // Lets the bytes out one by one instead of joined.
            None => tokio::task::yield_now().await,
        }
        Ok::<_, io::Error>(piece)
    });
    let end = stream::once(async move {
        match ending {
            Ending::Close => Ok(Bytes::new()),
            Ending::Cut => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Ending::Stall => std::future::pending().await,
        }
    });
    Body::from_stream(sent.chain(end))
}

fn error(
    wire: Wire,
    status: u16,
    kind: &str,
    message: &str,
    retry_after: Option<&str>,
) -> Response<Body> {
    let body = match wire {
        Wire::Anthropic => anthropic::error_body(kind, message),
        Wire::OpenAi => openai::error_body(kind, message),
    };
    let mut response = response(status, "application/json", Body::from(body.to_string()));
    insert(&mut response, RETRY_AFTER, retry_after);
    response
}

fn response(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    insert(&mut response, CONTENT_TYPE, Some(content_type));
    response
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(name, value);
    }
}
