//! What the compiler says of each mistake. The words are an interface: read them as one who sees
//! this library for the first time.
//!
//! After a change on purpose, `TRYBUILD=overwrite cargo test -p resilient-ui-tests` writes them
//! anew.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
