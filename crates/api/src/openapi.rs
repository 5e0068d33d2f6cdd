//! All routes put together: the document they make, and the router that serves them.

use crate::{
    envelope, extract, guard, idempotency,
    limit::{self, Failures},
    problem::{self, ApiError},
    routes,
    state::ApiState,
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};

use std::{
    any::Any,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, SecurityRequirement,
    path::Operation,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_axum::router::OpenApiRouter;

/// The largest body of a request, in bytes.
pub(crate) const LARGEST_BODY: usize = 1024 * 1024;
/// How long a request may take, streams excepted.
pub(crate) const LONGEST: Duration = services::idempotency::LONGEST;
/// Where everything with a version lives.
const V1: &str = "/api/v1";

/// The OpenAPI 3.1 document; made from the routes alone.
pub fn document() -> OpenApi {
    let routes = OpenApiRouter::with_openapi(empty_document())
        .merge(routes::health::router())
        .merge(routes::health::metrics_router())
        .merge(routes::webhooks::router())
        .nest(V1, resources().merge(unbounded()).merge(public()));
    let mut document = routes.into_openapi();
    let unbounded = unbounded().into_openapi().paths.paths;
    for (path, item) in &mut document.paths.paths {
        // Without a credential there is nobody whose keys could be told apart.
        let keyed = |post: &&mut Operation| {
            let path = path.strip_prefix(V1);
            path.is_some_and(|path| !unbounded.contains_key(path)) && post.security.is_none()
        };
        if let Some(post) = item.post.as_mut().filter(keyed) {
            post.parameters
                .get_or_insert_default()
                .push(idempotency::parameter().into());
        }
    }
    document
}

/// The routes, ready to serve. Serve them with connect info, so that limits know their peer.
pub fn router(state: ApiState) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST);
    let authenticate = from_fn_with_state(state.clone(), extract::authenticate);
    let same_site = from_fn_with_state(state.clone(), guard::same_site);
    let once = from_fn_with_state(state.clone(), idempotency::once);
    let clock = || Arc::clone(&state.platform.clock);
    let accounts = Extension(Arc::new(Failures::of_accounts(clock())));
    // Two: whoever floods one must not have the failures of the other forgotten.
    let of_public = Arc::new(Failures::of_peers(clock()));
    let of_webhooks = Arc::new(Failures::of_peers(clock()));

    let api = Router::from(resources())
        .layer(accounts.clone())
        .layer(once)
        .layer(timeout)
        .merge(Router::from(unbounded()))
        .layer(authenticate.clone());
    let public = Router::from(public())
        .layer(accounts)
        .layer(from_fn_with_state(of_public, limit::limit_public))
        .layer(timeout);
    let webhooks = Router::from(routes::webhooks::router())
        .layer(from_fn_with_state(of_webhooks, limit::limit_webhooks))
        .layer(timeout);
    let metrics = Router::from(routes::health::metrics_router()).layer(authenticate);
    let document = Document::default();

    Router::new()
        .nest(V1, api.merge(public))
        .merge(metrics)
        .route("/api/openapi.json", get(show_document))
        .route("/api", any(nothing))
        .route("/api/{*path}", any(nothing))
        .layer(Extension(document))
        .layer(same_site)
        .merge(webhooks)
        .fallback(nothing)
        .merge(Router::from(routes::health::router()).layer(timeout))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(harden))
        .layer(from_fn_with_state(state.clone(), envelope::envelope))
        .with_state(state)
}

/// Only what says how a process is, for one that serves nothing else.
pub fn probes(state: ApiState) -> Router {
    let authenticate = from_fn_with_state(state.clone(), extract::authenticate);
    Router::new()
        .merge(Router::from(routes::health::metrics_router()).layer(authenticate))
        .merge(Router::from(routes::health::router()))
        .fallback(nothing)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(harden))
        .layer(from_fn_with_state(state.clone(), envelope::envelope))
        .with_state(state)
}

/// The OpenAPI document as it is sent. Made when somebody first asks, and kept as text: the tree it
/// comes from is ten times its size, and most servers are never asked.
#[derive(Clone, Default)]
struct Document(Arc<OnceLock<Bytes>>);

impl Document {
    fn text(&self) -> Bytes {
        let make = || document().to_json().unwrap_or_default().into();
        self.0.get_or_init(make).clone()
    }
}

/// What takes as long as it takes: streams, and commands, which have a limit of their own.
fn unbounded() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(routes::events::router())
        .merge(routes::sprite_files::slow_router())
}

/// Everything else.
fn resources() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(routes::integrations::router())
        .merge(routes::agents::router())
        .merge(routes::work_items::router())
        .merge(routes::jobs::router())
        .merge(routes::effects::router())
        .merge(routes::approvals::router())
        .merge(routes::identities::router())
        .merge(routes::sprites::router())
        .merge(routes::sprite_files::router())
        .merge(routes::sprite_sessions::router())
        .merge(routes::tokens::router())
        .merge(routes::session::router())
        .merge(routes::me::router())
        .merge(routes::users::router())
        .merge(routes::links::router())
        .merge(routes::providers::router())
        .merge(routes::settings::router())
        .merge(routes::oidc::router())
        .merge(routes::overview::router())
        .merge(routes::costs::router())
        .merge(routes::audit::router())
        .merge(routes::conversations::router())
}

/// What people reach before they are anybody. Whoever fails here too often is not heard for a while.
fn public() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(routes::session::public_router())
        .merge(routes::links::public_router())
        .merge(routes::oidc::public_router())
}

fn empty_document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Nitejar")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A server on which agents work for a company. Errors are RFC 9457 problem documents with a stable `code`. \
             Lists take `limit` and `cursor`. A POST may carry an `Idempotency-Key`: sent again, it gets the first answer again.",
        ))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token made by `nitejar token` or `POST /api/v1/tokens`.",
        ))
        .build();
    let login = ApiKeyValue::with_description(
        "nitejar_session",
        "The cookie of a login (`POST /api/v1/session`), `__Host-nitejar_session` on https. What is not GET or HEAD \
         needs the header `X-CSRF-Token` too, with the `csrf_token` of `GET /api/v1/session`.",
    );
    let components = problem::schemas()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, schema)
        })
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("login", SecurityScheme::ApiKey(ApiKey::Cookie(login)))
        .build();
    let tag = |(name, text)| TagBuilder::new().name(name).description(Some(text)).build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some(["bearer", "login"].map(|scheme| {
            SecurityRequirement::new(scheme, std::iter::empty::<String>())
        })))
        .tags(Some(TAGS.into_iter().map(tag)))
        .build()
}

const TAGS: [(&str, &str); 21] = [
    ("overview", "The whole at a glance."),
    ("costs", "What was spent, and what came of it."),
    ("agents", "Who works here."),
    ("integrations", "Where people talk to agents."),
    (
        "conversations",
        "Threads on integrations, and what was said in them.",
    ),
    ("work items", "What came in."),
    ("jobs", "Attempts at it, with transcripts and receipts."),
    ("effects", "Changes to the outside world."),
    (
        "approvals",
        "Questions to people that hold a reply or a job.",
    ),
    ("identities", "Who the caller is on channels."),
    (
        "sprites",
        "The computers of agents: what they may reach, checkpoints, what was left running.",
    ),
    ("sprite sessions", "Shells on the computers of agents."),
    ("events", "What happens, live."),
    ("sessions", "Signing in and out."),
    ("me", "What people change about themselves."),
    ("people", "Who may sign in, and what they may do."),
    (
        "tokens",
        "What programs, and people's own tools, come in with.",
    ),
    (
        "settings",
        "Model providers, and what is set for the whole server.",
    ),
    ("audit", "Who changed what."),
    ("webhooks", "Calls of vendors."),
    ("health", "Whether the process lives, and what it counts."),
];

async fn show_document(Extension(document): Extension<Document>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, document.text()).into_response()
}

async fn nothing() -> ApiError {
    ApiError::of_status(StatusCode::NOT_FOUND)
}

/// A handler that panicked is our own fault; what it said may hold anything and stays here.
fn panicked(_said: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// Answers are data: nothing in them may be run, framed, guessed at or kept by a browser. A route
/// that serves a page sets its own policy.
async fn harden(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
