//! Programs with mistakes in them, and what the compiler says: see `tests/mistakes`.
