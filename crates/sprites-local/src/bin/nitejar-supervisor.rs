//! The supervisor as a program of its own, for tests; the server carries it as a hidden
//! subcommand. It must do nothing before [`sprites_local::supervisor::run`].

fn main() -> std::process::ExitCode {
    sprites_local::supervisor::run()
}
