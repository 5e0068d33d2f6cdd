//! The bus on a real Redis: the contract, what becomes of bursts and of faults, and how it is reached.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod address;
mod contract;
mod delivery;
mod faults;
mod shutdown;
mod support;
