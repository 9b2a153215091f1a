//! The service as it is started: the store, the settings, the server.

use std::env;
use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::LazyLock;

use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use resilient_runtime::admin::{self, AdminConfig};
use resilient_runtime::{Settings, SettingsWatch, catalog, metrics};
use tokio::net::TcpListener;

use crate::http::router;
use crate::store::Store;

/// The recorder of the program, in which the metrics of the service itself are too.
static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    PrometheusBuilder::new().install_recorder().expect("nothing else installs a recorder")
});

/// A service that listens, before it serves.
pub struct App {
    listener: TcpListener,
    store: Store,
    admin: AdminConfig,
    _settings: SettingsWatch,
}

impl App {
    /// Listens on this address. The numbers of all policies come from source, from this file for as
    /// long as the service runs, and from the environment before the file.
    pub async fn start(
        address: &str,
        qdrant: &str,
        api_key: Option<String>,
        settings: &Path,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        // Mistakes that only show across the whole program.
        catalog().validate()?;
        let settings = Settings::from_env("RESILIENT").watch_over(settings)?;
        // Without a token, the page is read-only.
        let mut admin = AdminConfig::new();
        if let Ok(token) = env::var("RESILIENT_ADMIN_TOKEN") {
            admin = admin.token(token)?;
        }
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, store: Store::connect(qdrant, api_key)?, admin, _settings: settings })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        LazyLock::force(&METRICS);
        let service = router(self.store)
            .nest_service("/resilient", admin::router(self.admin))
            .route("/metrics", get(|| async { metrics::scrape(|| METRICS.render()) }));
        axum::serve(self.listener, service).with_graceful_shutdown(shutdown).await
    }
}
