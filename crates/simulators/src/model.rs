//! A stand-in for model providers.
