//! Scriptable stand-ins for third parties, speaking their wire format with its errors, limits and
//! retries. Used by `nitejar demo`, the tests and the benches; never by a real deployment.

mod dice;
pub mod model;
pub mod telegram;
