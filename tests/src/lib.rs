//! Integration tests of `resilient-runtime` and `resilient-macros`.
