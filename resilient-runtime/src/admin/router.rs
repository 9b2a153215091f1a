//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};

use super::act::act;
use super::config::AdminConfig;
use super::hub::Hub;
use super::page::{page, protected};
use super::sampler;
use super::stream::stream;

/// Returns the page, to be mounted wherever the service likes: see [the module](super).
///
/// It has the routes `/`, `/stream` and, with a [`token`](AdminConfig::token), `/act`. A thread samples
/// the state of the program every five seconds, and twice a second while the page is open. It ends when
/// the router is dropped.
///
/// Mount it by `nest_service`, which also answers with a slash at the end, or merge it at the root.
///
/// ```
/// use axum::Router;
/// use resilient_runtime::admin::{self, AdminConfig};
///
/// # fn main() -> Result<(), admin::AdminConfigError> {
/// let config = AdminConfig::new().token("b1946ac92492d2347c6235b4d2611184")?;
/// let service: Router = Router::new().nest_service("/resilient", admin::router(config));
/// # drop(service);
/// # Ok(()) }
/// ```
pub fn router(config: AdminConfig) -> Router {
    let can_act = config.token.is_some();
    let hub = Hub::new(config);
    // If there is no thread to be had now, the first stream tries again.
    hub.ensure_sampled(|| sampler::start(&hub));
    let mut router = Router::new().route("/", get(page)).route("/stream", get(stream));
    if can_act {
        router = router.route("/act", post(act));
    }
    router.with_state(Arc::clone(&hub)).layer(map_response(protected))
}
