//! How many instructions a call takes, by callgrind, which counts the same on a noisy machine.
//!
//! It starts itself under valgrind for each candidate, for some calls and for more: the difference
//! is free of what starts and ends a program.

use std::env;
use std::process::Command;

use resilient_bench::{Case, candidates, table};

const FEW: u32 = 1_000;
const MORE: u32 = 3_000;
/// The arguments: case, candidate, calls.
const ONLY: &str = "--only";

fn main() {
    let arguments: Vec<_> = env::args().skip_while(|argument| argument != ONLY).collect();
    if let [_, case, candidate, calls] = arguments.as_slice() {
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let calls = u32::try_from(number(calls)).expect("a count of calls");
        candidates(Case::ALL[number(case)])[number(candidate)].run(calls);
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("\nvalgrind is not installed: no instructions are counted.");
        return;
    }
    for (number, case) in Case::ALL.into_iter().enumerate() {
        let counts: Vec<_> = candidates(case)
            .iter()
            .enumerate()
            .map(|(candidate, row)| {
                let [few, more] = [FEW, MORE].map(|calls| count(number, candidate, calls));
                (row.name(), (more - few) / u64::from(MORE - FEW))
            })
            .collect();
        let plain = counts[0].1;
        let rows = counts
            .into_iter()
            .map(|(name, count)| [name.to_owned(), count.to_string(), (count - plain).to_string()]);
        table::print(case.title(), ["", "instructions", "over plain"], rows);
    }
}

/// The instructions of a whole run of this program.
fn count(case: usize, candidate: usize, calls: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("this program is a file"))
        .arg(ONLY)
        .args([case.to_string(), candidate.to_string(), calls.to_string()])
        .output()
        .expect("valgrind runs");
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("callgrind counted nothing:\n{report}"));
    count.trim().parse().expect("a count of instructions")
}
