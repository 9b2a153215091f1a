//! The service as it is started: the store, the settings, the server.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;

use resilient_runtime::{Settings, SettingsWatch, catalog};
use tokio::net::TcpListener;

use crate::http::router;
use crate::store::Store;

/// A service that listens, before it serves.
pub struct App {
    listener: TcpListener,
    store: Store,
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
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, store: Store::connect(qdrant, api_key)?, _settings: settings })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(self.listener, router(self.store)).with_graceful_shutdown(shutdown).await
    }
}
