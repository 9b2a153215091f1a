//! A service with the page.

use std::net::SocketAddr;

use axum::Router;
use resilient_runtime::admin::{self, AdminConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const TOKEN: &str = "correct-horse-battery-staple";

/// A service with the page at `/resilient`. Dropping it ends it.
pub struct Service {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Service {
    pub async fn start(config: AdminConfig) -> Self {
        let service = Router::new().nest_service("/resilient", admin::router(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, task }
    }

    /// A service whose operator can act.
    pub async fn with_token() -> Self {
        Self::start(AdminConfig::new().token(TOKEN).unwrap()).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}
