//! The admin page in Chromium.
//!
//! Each test has breakers of its own, since all of them share one process.

mod connection;
mod names;
mod operator;
mod outage;
mod readers;

use std::sync::atomic::{AtomicBool, Ordering};

use resilient_browser_tests::Down;

/// A server that a test turns off and on.
struct Server(AtomicBool);

impl Server {
    const fn up() -> Self {
        Self(AtomicBool::new(false))
    }

    fn go_down(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn come_back(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn answer(&self) -> Result<u32, Down> {
        if self.0.load(Ordering::Relaxed) { Err(Down) } else { Ok(7) }
    }
}

/// A function that returns the row of the breaker with the name `name`.
const ROW: &str = "const row = (name) => [...document.querySelectorAll('.breaker')]\
    .find((item) => item.querySelector('.name').textContent === name);";
