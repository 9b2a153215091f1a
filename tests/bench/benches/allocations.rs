//! What a call allocates.

use allocation_counter::measure;
use resilient_bench::{Case, candidates, table};
use resilient_runtime::{BreakerConfig, KeyedBreakers};

const CALLS: u32 = 1_000;

fn main() {
    for case in Case::ALL {
        let rows = candidates(case).into_iter().map(|candidate| {
            candidate.run(CALLS);
            let total = measure(|| candidate.run(CALLS));
            // What a candidate holds for a whole sample is none of a call's.
            let each = |count: u64| (count / u64::from(CALLS)).to_string();
            [candidate.name().to_owned(), each(total.count_total), each(total.bytes_total)]
        });
        table::print(case.title(), ["", "allocations", "bytes"], rows);
    }
    let rows = [1_000, 50_000].map(|keys| [format!("of {keys} keys"), idle_bytes(keys).to_string()]);
    table::print("An idle breaker of a key", ["", "bytes"], rows);
}

/// What a breaker of a template holds while no call uses it, with its name and its place.
fn idle_bytes(keys: u32) -> i64 {
    let breakers = KeyedBreakers::new(BreakerConfig::DEFAULT, keys);
    let made = measure(|| (0..keys).for_each(|key| drop(breakers.get(&format!("search/{key}")))));
    made.bytes_current / i64::from(keys)
}
