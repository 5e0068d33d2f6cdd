//! The API's documentation at `/docs`, and the gate that keeps a server without an owner shut towards the network.

use crate::config::Config;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use services::{Context, Platform, links};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use utoipa_swagger_ui::SwaggerUi;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// `/docs` with assets of our own.
pub(crate) fn docs() -> Router {
    let docs =
        SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::new(["/api/openapi.json"]));
    Router::from(docs).layer(middleware::map_response(with_policy))
}

/// Off loopback and without a way for its owner to log in, only health and what makes the owner answer, beside the
/// pages of the web app; everything does from the moment there is an owner.
pub(crate) fn gate(router: Router, platform: &Arc<Platform>, config: &Config) -> Router {
    if config.server.host.is_loopback() || config.server.admin_token.is_some() {
        return router;
    }
    let gate = Gate {
        platform: Arc::clone(platform),
        owned: Arc::default(),
    };
    router.layer(middleware::from_fn_with_state(gate, shut))
}

/// What decides whether the network gets in.
#[derive(Clone)]
struct Gate {
    platform: Arc<Platform>,
    /// Whether an owner was seen; one who once was there is enough.
    owned: Arc<AtomicBool>,
}

impl Gate {
    async fn is_shut(&self) -> bool {
        if self.owned.load(Ordering::Relaxed) {
            return false;
        }
        let tenant = self.platform.settings.home_tenant;
        let context = Context::system(Arc::clone(&self.platform), tenant);
        match links::is_setup_required(&context).await {
            Ok(required) => {
                self.owned.store(!required, Ordering::Relaxed);
                required
            }
            Err(error) => {
                tracing::warn!(error = %ports::Causes(&error), "whether there is an owner is not known; the API stays shut");
                true
            }
        }
    }
}

/// How the server is, and what makes the owner.
const OPEN: [&str; 6] = [
    "/healthz",
    "/readyz",
    "/startupz",
    "/api/v1/access",
    "/api/v1/links/inspect",
    "/api/v1/links/redeem",
];

async fn shut(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if OPEN.contains(&request.uri().path()) || !gate.is_shut().await {
        return next.run(request).await;
    }
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": "Set-up required",
        "status": 403,
        "code": "setup_required",
        "detail": "This server listens on the network and has no owner yet. Open the link that is in setup.link in its \
                   data directory, or start it with NITEJAR_ADMIN_TOKEN set.",
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::FORBIDDEN, kind, problem.to_string()).into_response()
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
