//! The page for operators. Feature `admin`.
//!
//! It shows every function with its policy, every breaker with its state and why it changed last,
//! retry budgets, and the last events, all live. With a token, operators can open, close, disable and
//! reset breakers. [The guide](crate::guide::admin) has a picture, and says how to protect it.
//!
//! ```no_run
//! use axum::Router;
//! use resilient_runtime::admin::{self, AdminConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Without a token, the page is read-only.
//! let mut config = AdminConfig::new();
//! if let Ok(token) = std::env::var("RESILIENT_ADMIN_TOKEN") {
//!     config = config.token(token)?;
//! }
//! let service = Router::new().nest_service("/resilient", admin::router(config));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, service).await?;
//! # Ok(()) }
//! ```

mod act;
mod config;
mod error;
mod event_log;
mod frame;
mod hub;
mod origin;
mod page;
mod router;
mod rows;
mod sampler;
mod slots;
mod stream;
mod token;
mod wake;

pub use self::config::AdminConfig;
pub use self::error::AdminConfigError;
pub use self::router::router;
