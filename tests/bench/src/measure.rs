//! Time, in a way that a noisy machine cannot spoil: the candidates take turns, A B C A B C …, and
//! each is held against the plain function of the same turn.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::Candidate;

/// What one candidate took, in nanoseconds a call: one sample for each turn.
pub struct Samples(Vec<f64>);

impl Samples {
    /// The median.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The median of what it took over `base` in the same turn.
    #[must_use]
    pub fn over(&self, base: &Self) -> f64 {
        median(self.0.iter().zip(&base.0).map(|(own, base)| own - base).collect())
    }

    /// The median of how many times `base` it took in the same turn.
    #[must_use]
    pub fn times(&self, base: &Self) -> f64 {
        median(self.0.iter().zip(&base.0).map(|(own, base)| own / base).collect())
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Samples of each candidate, in turns. `sample` takes one, in nanoseconds a call.
pub fn in_turns<T>(
    turns: usize,
    candidates: &[T],
    mut sample: impl FnMut(&T) -> f64,
) -> Vec<Samples> {
    let mut samples = vec![Vec::with_capacity(turns); candidates.len()];
    for _ in 0..turns {
        for (candidate, samples) in candidates.iter().zip(&mut samples) {
            samples.push(sample(candidate));
        }
    }
    samples.into_iter().map(Samples).collect()
}

/// The nanoseconds of a call on this thread, after some that are not counted.
#[must_use]
pub fn on_one_core(candidate: &Candidate, calls: u32) -> f64 {
    candidate.run(calls / 8);
    let start = Instant::now();
    candidate.run(calls);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

/// The nanoseconds of a call while every core calls: the mean of the cores.
///
/// # Panics
///
/// If a thread does.
#[must_use]
pub fn on_all_cores(candidate: &Candidate, calls: u32) -> f64 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let ready = Barrier::new(cores);
    let one = || {
        ready.wait();
        on_one_core(candidate, calls)
    };
    let took: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).sum()
    });
    took / f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}
