//! Developer commands: one binary, so that a laptop and a build machine run the same code.
//! It only drives other programs; nothing of the product lives here.

mod bench;
mod ci;
mod codegen;
mod e2e;
mod issuer;
mod node;
mod programs;
mod proof;
mod python;
mod running;
mod schemathesis;
mod sdks;
mod services;
mod shell;
mod test;
mod tidy;
mod up;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Nitejar")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the web app and the server and run it in the foreground.
    Up {
        /// Arguments for `nitejar serve`.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Install what the suites need, start the services they declare and run every suite.
    Test {
        /// Run only the tests whose name contains this; doc tests are left out then.
        filter: Option<String>,
    },
    /// Check the rules the compiler cannot: arrows between crates, sizes, module docs, manifests.
    Tidy,
    /// Write the generated files that are committed.
    Codegen {
        /// Write nothing; fail when a committed file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Measure the release binary against its targets.
    Bench {
        /// `sqlite`, or `postgres` on a throw-away server that waits for its disk.
        #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres"])]
        db: String,
        /// Arguments for the bench program; `--help` lists them.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Kill the server at every named crash point and check what is left.
    Crash {
        /// Arguments for the proof program, or `--ci` for both databases with a bounded number of seeds.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run two replicas under load through restarts, kills and outages.
    Replicas {
        /// Arguments for the proof program.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run very many jobs and watch memory and files.
    Soak {
        /// Arguments for the proof program.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Drive the web app in a browser against the optimised server.
    E2e {
        /// Arguments for Playwright.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Drive `sprited` with the published SDKs of the Sprites API.
    Sdks,
    /// Let a published judge of APIs compare a running server with the OpenAPI document.
    Schemathesis {
        /// Arguments for `schemathesis run`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that gates a change, tests last.
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Up { args } => up::run(&args),
        Verb::Test { filter } => test::run(filter.as_deref()),
        Verb::Tidy => tidy::run(),
        Verb::Codegen { check } => codegen::run(check),
        Verb::Bench { db, args } => bench::run(&db, &args),
        Verb::Crash { args } => proof::crash(&args),
        Verb::Replicas { args } => proof::replicas(&args),
        Verb::Soak { args } => proof::soak(&args),
        Verb::E2e { args } => e2e::run(&args),
        Verb::Sdks => sdks::run(),
        Verb::Schemathesis { args } => schemathesis::run(&args),
        Verb::Ci => ci::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            // 2 tells a machine that lacks a program from a check that failed.
            ExitCode::from(if error.is::<programs::Missing>() {
                2
            } else {
                1
            })
        }
    }
}
