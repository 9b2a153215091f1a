//! Two names that are nearly the same, in a program that declares nothing.

use resilient_runtime::{Problem, catalog, resilient};
use resilient_tests::Failure;

#[resilient(breaker = "search")]
async fn _first() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "serach")]
async fn _second() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "search")]
async fn _third() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "upsert")]
async fn _other() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_close_misspelling_is_found() {
    let error = catalog().validate().unwrap_err();
    let [Problem::SimilarBreakers { one, one_in, other, other_in, .. }] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!((one.as_str(), other.as_str()), ("search", "serach"));
    assert!(one_in.ends_with("::_first)") && other_in.ends_with("::_second)"), "{error}");
    assert!(error.to_string().starts_with("1 problem with the policies of this program\n- "));
}
