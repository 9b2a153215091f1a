//! One row of a table: a way to call the function, ready to be called often.

use std::fmt::Debug;
use std::hint::black_box;

use crate::executor::{drive, entered};
use crate::function::{DOWN, FOUND, WRONG};

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The breaker is closed and the call succeeds.
    Success,
    /// The breaker is closed and the call ends with an error that no retry can help, which is no
    /// failure for a breaker.
    Neutral,
    /// Two calls: one that fails, which the breaker counts, and one that succeeds.
    Failure,
    /// The breaker is open.
    Rejection,
}

impl Case {
    /// All, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::Success, Self::Neutral, Self::Failure, Self::Rejection];

    /// What stands above its table.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Success => "A call that succeeds",
            Self::Neutral => "A call that ends with an error not to be retried",
            Self::Failure => "A failure that the breaker counts, and a success",
            Self::Rejection => "A call that an open breaker rejects",
        }
    }
}

/// See the module.
pub struct Candidate {
    name: &'static str,
    run: Box<dyn Fn(u32) + Send + Sync>,
}

impl Candidate {
    /// `caller` makes what calls the function with a limit: once for each thread and sample, so
    /// that it may hold what cannot be shared.
    ///
    /// # Panics
    ///
    /// If the call does not end as the case says: that would measure something else.
    pub fn new<C, F, T, E>(
        name: &'static str,
        case: Case,
        caller: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self
    where
        C: FnMut(u32) -> F,
        F: Future<Output = Result<T, E>>,
        T: Debug,
        E: Debug,
    {
        let _entered = entered();
        let mut call = caller();
        let mut end = |limit| drive(call(limit)).is_ok();
        let ends = match case {
            Case::Success => end(FOUND),
            Case::Neutral => !end(WRONG),
            Case::Failure => !end(DOWN) && end(FOUND),
            Case::Rejection => !end(FOUND),
        };
        // The plain function has nobody to reject it.
        assert!(ends || name.starts_with(crate::PLAIN), "{name} does not do what {case:?} says");
        drop(call);

        let run = move |times| {
            let mut call = caller();
            let mut once = |limit| {
                let output = drive(call(black_box(limit)));
                black_box(&output);
            };
            for _ in 0..times {
                match case {
                    Case::Success | Case::Rejection => once(FOUND),
                    Case::Neutral => once(WRONG),
                    Case::Failure => {
                        once(DOWN);
                        once(FOUND);
                    }
                }
            }
        };
        Self { name, run: Box::new(run) }
    }

    /// Its row.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Goes through the case so many times.
    pub fn run(&self, times: u32) {
        let _entered = entered();
        (self.run)(times);
    }
}
