//! Postgres and Redis that are gone with whoever started them, also when that is killed. It looks for no
//! programs, keeps no data and waits for nothing; see `README.md`.

mod place;
pub mod postgres;
pub mod redis;
mod server;

pub use place::Place;
pub use server::Server;
