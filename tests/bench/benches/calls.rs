//! What a call takes on one thread.

use resilient_bench::measure::{in_turns, on_one_core};
use resilient_bench::{Case, candidates, table};

const TURNS: usize = 301;
const CALLS: u32 = 5_000;

fn main() {
    for case in Case::ALL {
        let candidates = candidates(case);
        let samples = in_turns(TURNS, &candidates, |candidate| on_one_core(candidate, CALLS));
        let plain = &samples[0];
        let rows = candidates.iter().zip(&samples).map(|(candidate, samples)| {
            [
                candidate.name().to_owned(),
                format!("{:.1} ns", samples.median()),
                format!("{:+.1} ns", samples.over(plain)),
                format!("{:.1}", samples.times(plain)),
            ]
        });
        table::print(case.title(), ["", "time", "over plain", "times plain"], rows);
    }
}
