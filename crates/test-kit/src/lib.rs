//! What the tests of several crates share: fakes of clock, ids and models, builders, contract suites.

pub mod builders;
pub mod bus;
pub mod channel;
pub mod fakes;
pub mod models;
pub mod postgres;
pub mod sandbox;
pub mod sql;
pub mod store;
