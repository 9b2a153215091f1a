//! Chromium, a service with the admin page, and functions whose server can go down.

mod browser;
mod down;
mod service;

pub use browser::{Browser, Look, with_browser};
pub use down::Down;
pub use service::{Service, TOKEN};
