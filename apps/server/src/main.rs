//! The `nitejar` binary.
fn main() {}
