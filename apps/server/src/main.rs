//! The `nitejar` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Inside a sandbox this binary is the supervisor; nothing of the server may be set up there.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == server::wire::SUPERVISOR)
    {
        return sprites_local::supervisor::run();
    }
    // Nobody else reads what the server writes, wherever it writes it.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    server::cli::main()
}
