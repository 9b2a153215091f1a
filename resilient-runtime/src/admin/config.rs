//! What the page may do, and for whom.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;

use super::error::AdminConfigError;
use super::origin::Origin;
use super::token::Token;

type Identify = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// The configuration of the [`router`](super::router): read-only, until it has a
/// [`token`](Self::token).
///
/// ```
/// use resilient_runtime::admin::{self, AdminConfig};
///
/// # fn of(token: &str) -> Result<axum::Router, admin::AdminConfigError> {
/// let config = AdminConfig::new()
///     .token(token)?
///     .allowed_origin("https://ops.example.com")?
///     .identify(|request| {
///         let user = request.headers.get("x-forwarded-user")?;
///         Some(user.to_str().ok()?.to_owned())
///     });
/// let router = admin::router(config);
/// # Ok(router) }
/// # of("correct-horse-battery-staple").unwrap();
/// ```
#[derive(Clone, Default)]
pub struct AdminConfig {
    pub(super) token: Option<Token>,
    pub(super) allowed_origins: Vec<Origin>,
    identify: Option<Arc<Identify>>,
}

impl AdminConfig {
    /// The most characters of the operator's name that an event carries.
    const LONGEST_IDENTITY: usize = 100;

    /// Creates a configuration that is read-only: without buttons, and without a route that acts.
    ///
    /// ```
    /// use resilient_runtime::admin::{self, AdminConfig};
    ///
    /// let router: axum::Router =
    ///     axum::Router::new().nest_service("/resilient", admin::router(AdminConfig::new()));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { token: None, allowed_origins: Vec::new(), identify: None }
    }

    /// Allows requests with this token to act: to hold breakers open or closed, to disable and to reset
    /// them. Reading the page needs no token.
    ///
    /// The page asks for it before the first action, and keeps it until it is closed or loaded again.
    /// Read it from a secret. `openssl rand -hex 32` prints a good one.
    ///
    /// # Errors
    ///
    /// If the token has fewer than 16 characters, or one that is not a visible ASCII character.
    ///
    /// ```
    /// use resilient_runtime::admin::AdminConfig;
    ///
    /// let config = AdminConfig::new().token("b1946ac92492d2347c6235b4d2611184")?;
    /// assert!(!format!("{config:?}").contains("b1946"));
    /// assert!(AdminConfig::new().token("").is_err());
    /// # Ok::<(), resilient_runtime::admin::AdminConfigError>(())
    /// ```
    pub fn token(self, token: impl Into<String>) -> Result<Self, AdminConfigError> {
        Ok(Self { token: Some(Token::new(token.into())?), ..self })
    }

    /// Sets how to find the operator who sends a request that acts: by a header of a trusted proxy, or by
    /// an extension that a layer of the service has added. Events and the page name that operator, by up
    /// to 100 characters.
    ///
    /// Without it, and if it returns `None`, they name `the admin page`. It does not decide whether the
    /// request may act.
    ///
    /// ```
    /// use resilient_runtime::admin::AdminConfig;
    ///
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// let config = AdminConfig::new()
    ///     .identify(|request| request.extensions.get().map(|User(name)| name.clone()));
    /// ```
    #[must_use]
    pub fn identify(
        self,
        identify: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { identify: Some(Arc::new(identify)), ..self }
    }

    /// Allows requests from the page at this origin: `https://ops.example.com`. It can be called for
    /// several.
    ///
    /// Without an allowed origin, the header `Origin` of a request must match its `Host`. A proxy that
    /// replaces `Host` breaks that. Allowed origins replace that check.
    ///
    /// # Errors
    ///
    /// If the text is not a scheme and a host, and a port where it is not the scheme's own.
    ///
    /// ```
    /// use resilient_runtime::admin::AdminConfig;
    ///
    /// let config = AdminConfig::new().allowed_origin("https://ops.example.com:8443")?;
    /// assert!(AdminConfig::new().allowed_origin("ops.example.com").is_err());
    /// # Ok::<(), resilient_runtime::admin::AdminConfigError>(())
    /// ```
    pub fn allowed_origin(mut self, origin: impl AsRef<str>) -> Result<Self, AdminConfigError> {
        self.allowed_origins.push(Origin::new(origin.as_ref())?);
        Ok(self)
    }

    /// Returns the name of the operator who sends this request. Control characters are dropped, since events are written to
    /// logs.
    pub(super) fn identity(&self, request: &Parts) -> Arc<str> {
        let identity = self.identify.as_ref().and_then(|identify| identify(request));
        let identity = identity.unwrap_or_default();
        let readable = identity.chars().filter(|character| !character.is_control());
        let identity: String = readable.take(Self::LONGEST_IDENTITY).collect();
        if identity.trim().is_empty() { "the admin page".into() } else { identity.into() }
    }
}

impl fmt::Debug for AdminConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdminConfig")
            .field("has_token", &self.token.is_some())
            .field("allowed_origins", &self.allowed_origins)
            .field("identifies", &self.identify.is_some())
            .finish()
    }
}
