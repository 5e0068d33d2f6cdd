//! The page at `/` until there is a web app, the API's documentation at `/docs`, and the gate that keeps
//! a server without an owner shut towards the network.

use crate::config::Config;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use services::{Platform, status};
use std::sync::Arc;
use utoipa_swagger_ui::SwaggerUi;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// `/`, its style sheet, and `/docs` with assets of our own.
pub(crate) fn router(platform: &Arc<Platform>) -> Router {
    let docs =
        SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::new(["/api/openapi.json"]));
    Router::new()
        .route("/", get(page))
        .route("/home.css", get(style))
        .with_state(Arc::clone(platform))
        .merge(docs)
        .layer(middleware::map_response(with_policy))
}

/// Off loopback and without a way for its owner to log in, only health answers.
pub(crate) fn gate(router: Router, config: &Config) -> Router {
    if config.server.host.is_loopback() || config.server.admin_token.is_some() {
        return router;
    }
    tracing::warn!(
        "HOST is not a loopback address and NITEJAR_ADMIN_TOKEN is not set: the API stays shut"
    );
    router.layer(middleware::from_fn(shut))
}

async fn shut(request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/startupz") {
        return next.run(request).await;
    }
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": "Set-up required",
        "status": 403,
        "code": "setup_required",
        "detail": "This server listens on the network and has no owner yet. Start it with NITEJAR_ADMIN_TOKEN set, \
                   or let it listen on 127.0.0.1.",
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::FORBIDDEN, kind, problem.to_string()).into_response()
}

async fn page(State(platform): State<Arc<Platform>>) -> Html<String> {
    let status = status::describe(&platform);
    let demo = status.default_model.provider() == "demo";
    let model = if demo {
        "No model key is set, so agents use <code>demo/scripted</code>, a built-in model without AI. Set \
         <code>ANTHROPIC_API_KEY</code> or <code>OPENAI_API_KEY</code> for a real one."
            .to_owned()
    } else {
        format!(
            "Agents think with <code>{}</code> unless they name another model.",
            escape(&status.default_model.to_string())
        )
    };
    let channels = if status.reachable {
        "Channels may register webhooks at this server's public URL."
    } else {
        "<code>APP_BASE_URL</code> is not set, so channels are polled and no webhook is registered."
    };
    let text = include_str!("home.html")
        .replace("{version}", status.version)
        .replace("{model}", &model)
        .replace("{providers}", &escape(&status.providers.join(", ")))
        .replace("{tier}", status.sandbox.tier.as_str())
        .replace("{missing}", &escape(&status.sandbox.missing.join("; ")))
        .replace("{channels}", channels);
    Html(text)
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("home.css"),
    )
}

async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
