//! What a call allocates.

use allocation_counter::measure;
use resilient_bench::{Case, candidates, table};

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
}
