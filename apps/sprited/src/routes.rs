//! Every path of the API, and what stands before all of them.

use crate::{
    answer::{health, no_control, nowhere},
    app::Shared,
    checkpoints, exec, files, guard, lifecycle, policies, services, tunnels,
};
use axum::{
    Router,
    extract::State,
    middleware,
    routing::{delete, get, post, put},
};
use ports::sandbox::SandboxHost as _;

/// The whole server.
pub(crate) fn all(app: &Shared) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/v1/sprites", get(lifecycle::list).post(lifecycle::create))
        .nest("/v1/sprites/{name}", sprite())
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(middleware::from_fn_with_state(app.clone(), guard::admit))
        .layer(middleware::from_fn(guard::note))
        .with_state(app.clone())
}

fn sprite() -> Router<Shared> {
    let one = get(lifecycle::get)
        .put(lifecycle::update)
        .delete(lifecycle::delete);
    Router::new()
        .route("/", one)
        .route("/upgrade", post(lifecycle::upgrade))
        .route("/restart", post(lifecycle::restart))
        .route("/check", get(lifecycle::check))
        .route("/control", get(no_control))
        .route("/exec", get(exec::start).post(exec::run_over_http))
        .route("/exec/{session}", get(exec::attach))
        .route("/exec/{session}/kill", post(exec::kill))
        .route("/exec/{session}/output", get(exec::output))
        .route("/proxy", get(tunnels::proxy))
        .route("/ports/watch", get(tunnels::watch))
        .merge(file_paths())
        .merge(policy_paths())
        .merge(service_paths())
        .route("/checkpoint", post(checkpoints::create))
        .route("/checkpoints", get(checkpoints::list))
        .route(
            "/checkpoints/{id}",
            get(checkpoints::get).delete(checkpoints::delete),
        )
        .route("/checkpoints/{id}/restore", post(checkpoints::restore))
}

fn file_paths() -> Router<Shared> {
    Router::new()
        .route("/fs/read", get(files::read))
        .route("/fs/write", put(files::write))
        .route("/fs/list", get(files::list))
        .route("/fs/delete", delete(files::delete))
        .route("/fs/rename", post(files::rename))
        .route("/fs/copy", post(files::copy))
        .route("/fs/chmod", post(files::chmod))
        .route("/fs/chown", post(files::chown))
        .route("/fs/watch", get(files::watch))
}

fn policy_paths() -> Router<Shared> {
    Router::new()
        .route("/policy/network", get(policies::get).post(policies::set))
        .route(
            "/policy/privileges",
            get(policies::privileges)
                .post(policies::set_privileges)
                .delete(policies::reset_privileges),
        )
        .route(
            "/policy/resources",
            get(policies::resources)
                .post(policies::set_resources)
                .delete(policies::reset_resources),
        )
}

fn service_paths() -> Router<Shared> {
    Router::new()
        .route("/services", get(services::list))
        .route("/services/signal", post(services::send_signal))
        .route(
            "/services/{service}",
            get(services::get)
                .put(services::put)
                .delete(services::delete),
        )
        .route("/services/{service}/start", post(services::start))
        .route("/services/{service}/restart", post(services::restart))
        .route("/services/{service}/stop", post(services::stop))
        .route("/services/{service}/logs", get(services::logs))
}

async fn healthz(State(app): State<Shared>) -> axum::Json<serde_json::Value> {
    health(app.tier().as_str(), &app.host.report().missing)
}
