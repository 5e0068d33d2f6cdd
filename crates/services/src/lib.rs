//! Use cases: authorise, validate, load, decide, save.
