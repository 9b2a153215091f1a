//! A service with the page at `/resilient`.

use std::net::SocketAddr;

use axum::Router;
use resilient_runtime::admin::{self, AdminConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The token of every service here that has one.
pub const TOKEN: &str = "correct-horse-battery-staple";

/// A running service. Dropping it ends it.
pub struct Service {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Service {
    /// Starts a service in which operators can act. They are called `ada`.
    pub async fn start() -> Self {
        let config = AdminConfig::new().token(TOKEN).expect("the token is long");
        Self::with(config.identify(|_| Some("ada".to_owned())), "127.0.0.1:0").await
    }

    /// Starts a service whose page is read-only.
    pub async fn read_only() -> Self {
        Self::with(AdminConfig::new(), "127.0.0.1:0").await
    }

    async fn with(config: AdminConfig, address: &str) -> Self {
        let service = Router::new().nest_service("/resilient", admin::router(config));
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("it listens");
        let task = tokio::spawn(async move {
            axum::serve(listener, service).await.expect("it serves");
        });
        Self { address, task }
    }

    /// Ends the service and all of its connections.
    #[must_use]
    pub fn stop(self) -> SocketAddr {
        self.task.abort();
        let address = self.address;
        drop(self);
        address
    }

    /// Starts a service at the address of one that was stopped.
    pub async fn start_again(address: SocketAddr) -> Self {
        let config = AdminConfig::new().token(TOKEN).expect("the token is long");
        Self::with(config, &address.to_string()).await
    }

    /// Returns where the page is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/resilient", self.address)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}
