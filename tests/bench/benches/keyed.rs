//! What a call takes whose arguments choose the breaker, by the number of keys.

use resilient_bench::measure::{in_turns, on_all_cores, on_one_core};
use resilient_bench::{Candidate, keyed_hits, new_keys, plain, table};

const TURNS: usize = 301;
const HITS: u32 = 5_000;
const NEW_KEYS: u32 = 500;

fn main() {
    let with_plain = |others| std::iter::once(plain()).chain(others).collect::<Vec<_>>();
    print("A call whose breaker exists", &with_plain(keyed_hits()), HITS);
    print("A call whose breaker is made, and evicts another", &with_plain(new_keys()), NEW_KEYS);
}

fn print(title: &str, candidates: &[Candidate], calls: u32) {
    // One core and all of them take turns.
    let contestants: Vec<_> =
        candidates.iter().flat_map(|candidate| [(candidate, false), (candidate, true)]).collect();
    let samples = in_turns(TURNS, &contestants, |(candidate, all)| {
        if *all { on_all_cores(candidate, calls) } else { on_one_core(candidate, calls) }
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
    table::print(title, ["", "one core", "all cores", "times one core"], rows);
}
