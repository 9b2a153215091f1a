//! The admin page over real HTTP. What an attacker may try is in `attacks`, each with its result.

mod attacks;
mod client;
mod live;
mod service;

use service::{Service, TOKEN};
