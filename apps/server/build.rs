//! Tells cargo that an optimised server holds the built web app; others read it from the disk.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo speaks to build scripts through the environment"
    )]
    let is_optimised = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_optimised {
        println!("cargo::rerun-if-changed=../web/dist");
    }
}
