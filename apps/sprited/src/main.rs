//! The `sprited` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Inside a sandbox this binary is the supervisor; nothing of the server may be set up there.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == sprited::SUPERVISOR)
    {
        return sprites_local::supervisor::run();
    }
    sprited::cli::main()
}
