//! What a call takes while every core calls through one breaker.

use resilient_bench::measure::{in_turns, on_all_cores, on_one_core};
use resilient_bench::{Case, candidates, table};

const TURNS: usize = 51;
const CALLS: u32 = 50_000;

fn main() {
    // Not a failure and a success: those of several cores would make failures in a row.
    for case in [Case::Success, Case::Neutral, Case::Rejection] {
        let mut candidates = candidates(case);
        if case == Case::Rejection {
            // It sleeps for a millisecond where another core holds its lock.
            candidates.retain(|candidate| candidate.name() != "tower-resilience");
        }
        // One core and all of them take turns too.
        let contestants: Vec<_> = candidates
            .iter()
            .flat_map(|candidate| [(candidate, false), (candidate, true)])
            .collect();
        let samples = in_turns(TURNS, &contestants, |(candidate, all)| {
            if *all { on_all_cores(candidate, CALLS) } else { on_one_core(candidate, CALLS) }
        });
        let rows = candidates.iter().zip(samples.chunks(2)).map(|(candidate, samples)| {
            let [one, all] = samples else { unreachable!("each has two") };
            [
                candidate.name().to_owned(),
                format!("{:.1} ns", one.median()),
                format!("{:.1} ns", all.median()),
                format!("{:.1}", all.times(one)),
            ]
        });
        let title = format!("{}, on all cores", case.title());
        table::print(&title, ["", "one core", "all cores", "times one core"], rows);
    }
}
