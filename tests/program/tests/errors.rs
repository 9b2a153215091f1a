//! Errors of other crates that derive `Classify` are found inside type-erased ones, in every build.

use resilient_program_reads::slow;
use resilient_runtime::{Classify, ErrorKind};

#[test]
fn an_error_of_another_crate_is_found_behind_a_box() {
    assert_eq!(slow().kind(), ErrorKind::SearchTimeout);
}
