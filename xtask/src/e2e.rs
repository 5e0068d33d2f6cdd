//! `e2e`: the browser tests of the web app against the optimised server. It builds the three programs and
//! says where they are; what is tested stands in `apps/web/e2e`.

use anyhow::Result;

use crate::{programs, shell, web::Web, workspace::Workspace};

/// Optimised, but without link-time optimisation: what is tested is the same program.
const PROFILE: &str = "bench-build";

/// Runs the browser tests; the arguments are Playwright's.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let chromium = programs::chromium()?;
    // Before the server, which carries the app inside.
    let web = Web::ready(&workspace)?;
    web.build()?;
    let mut build = shell::cargo();
    build.current_dir(&workspace.root);
    build.args(["build", "--locked", "--profile", PROFILE]);
    shell::run(build.args(["--package", "server", "--package", "outside"]))?;
    let directory = workspace.target.join(PROFILE);
    let mut tests = web.program("playwright")?;
    tests.env("E2E_CHROMIUM", chromium);
    tests.env("E2E_SERVER", directory.join("nitejar"));
    tests.env("E2E_OUTSIDE", directory.join("outside"));
    tests.env("E2E_TARGET", workspace.root.join("target"));
    shell::run(tests.arg("test").args(arguments))
}
