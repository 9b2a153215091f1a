//! Settings: numbers over source, at run time. They hold for the whole program, so the tests of
//! this program take turns.

mod breakers;
mod environment;
mod files;
mod functions;
mod mistakes;
mod program;
mod random;
mod reloads;
mod watched;

use std::sync::{Mutex, MutexGuard, PoisonError};

use resilient_runtime::{Applied, Settings};

/// The turn of a test. When it begins and ends, nothing is set.
struct Turn(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Turn {
    fn take() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = Self(TURN.lock().unwrap_or_else(PoisonError::into_inner));
        Settings::new().apply().unwrap();
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        Settings::new().apply().unwrap();
    }
}

/// Applies a text.
fn apply(text: &str) -> Applied {
    Settings::from_toml_str(text).unwrap().apply().unwrap()
}

/// The mistakes in a text.
fn refuse(text: &str) -> Vec<String> {
    let refused = Settings::from_toml_str(text).and_then(|settings| settings.apply()).unwrap_err();
    refused.problems().iter().map(ToString::to_string).collect()
}

fn changes(applied: &Applied) -> Vec<String> {
    applied.changes().iter().map(ToString::to_string).collect()
}
