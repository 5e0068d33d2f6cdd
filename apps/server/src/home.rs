//! The page at `/` until there is a web app, the page that notices of jobs link to, the API's documentation at `/docs`, and the gate that keeps
//! a server without an owner shut towards the network.

use crate::config::Config;
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use ports::sandbox::SandboxBackend;
use services::{Platform, status};
use std::sync::Arc;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// Where to go from the page.
const OPEN: &str = include_str!("home_open.html");
/// What to do first.
const SHUT: &str = "<p><code>NITEJAR_ADMIN_TOKEN</code> has to be set: this server listens on the network and has no \
    owner yet, so its API and documentation stay shut. Start it again with that variable, or let it listen on \
    <code>127.0.0.1</code>.</p>";

/// What the page shows.
#[derive(Clone)]
struct Home {
    platform: Arc<Platform>,
    shut: bool,
}

/// `/`, its style sheet, and `/docs` with assets of our own.
pub(crate) fn router(platform: &Arc<Platform>, config: &Config) -> Router {
    let home = Home {
        platform: Arc::clone(platform),
        shut: is_shut(config),
    };
    let docs =
        SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::new(["/api/openapi.json"]));
    Router::new()
        .route("/", get(page))
        .route("/home.css", get(style))
        .with_state(home)
        .route("/jobs/{id}", get(job))
        .merge(docs)
        .layer(middleware::map_response(with_policy))
}

/// Off loopback and without a way for its owner to log in, only health and the page at `/` answer.
pub(crate) fn gate(router: Router, config: &Config) -> Router {
    if !is_shut(config) {
        return router;
    }
    tracing::warn!(
        "HOST is not a loopback address and NITEJAR_ADMIN_TOKEN is not set: the API stays shut"
    );
    router.layer(middleware::from_fn(shut))
}

fn is_shut(config: &Config) -> bool {
    !config.server.host.is_loopback() && config.server.admin_token.is_none()
}

async fn shut(request: Request, next: Next) -> Response {
    let open = ["/healthz", "/readyz", "/startupz", "/", "/home.css"];
    if open.contains(&request.uri().path()) {
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

async fn page(State(home): State<Home>) -> Html<String> {
    let status = status::describe(&home.platform);
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
    let sandbox = match &status.sandbox.backend {
        SandboxBackend::Local(tier) => {
            format!("Sandboxes on this machine are of tier <code>{tier}</code>.")
        }
        SandboxBackend::Sprites(_) => "Sandboxes are at a Sprites service.".to_owned(),
    };
    let next = if home.shut { SHUT } else { OPEN };
    let text = include_str!("home.html")
        .replace("{version}", status.version)
        .replace("{model}", &model)
        .replace("{providers}", &escape(&status.providers.join(", ")))
        .replace("{sandbox}", &sandbox)
        .replace("{missing}", &escape(&status.sandbox.missing.join("; ")))
        .replace("{channels}", channels)
        .replace("{next}", next);
    Html(text)
}

/// Where to look a job up. The page knows nothing of jobs: whoever opens it may be anybody.
async fn job(Path(id): Path<String>) -> Response {
    match Uuid::parse_str(&id) {
        Ok(id) => {
            let page = include_str!("home_job.html").replace("{id}", &id.to_string());
            Html(page).into_response()
        }
        Err(_not_an_id) => StatusCode::NOT_FOUND.into_response(),
    }
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
