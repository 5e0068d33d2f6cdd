//! Model providers behind the inference port.
//!
//! [`Catalog`] resolves `provider/model` to an adapter, a price and limits. The adapters speak one
//! wire format each; none of them knows agents, jobs or budgets, and none retries: whether a failed
//! call is worth repeating is for the runtime to decide.
//!
//! To add a wire format: a module with a pure `request::body`, a decoder that implements
//! `endpoint::Decode`, a [`Family`], and the same format in the model simulator to test against.

mod anthropic;
mod body;
mod catalog;
mod demo;
mod egress;
mod endpoint;
mod estimate;
mod failure;
mod history;
mod openai;
mod prices;
pub mod sse;

pub use body::body;
pub use catalog::{Catalog, Family, ProviderSettings, Settings, SettingsError};
pub use egress::GuardedResolver;
pub use endpoint::{CONNECT_TIMEOUT, Timeouts};
pub use prices::{PriceOverride, Prices, PricesError, Thinking};
