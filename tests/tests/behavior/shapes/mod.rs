//! The attribute on every shape of function that people write. Each runs: a service fails twice,
//! so the third attempt answers, with the values as they were given.

mod async_trait;
mod auto_traits;
mod bodies;
mod elsewhere;
mod generics;
mod instrumented;
mod macros;
mod parameters;
mod receivers;
mod results;
mod traits;

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use resilient_runtime::resilient;
use resilient_tests::{DOWN, Failure, WRONG};

/// Fails twice, and then says how often it was asked.
#[derive(Debug, Default)]
struct Flaky(AtomicU32);

impl Flaky {
    fn ask(&self) -> Result<u32, Failure> {
        let attempt = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < 3 { Err(DOWN) } else { Ok(attempt) }
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}
