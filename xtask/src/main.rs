//! Developer commands: up, test, tidy, codegen, bench, ci.
fn main() {}
