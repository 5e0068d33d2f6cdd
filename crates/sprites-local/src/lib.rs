//! Persistent sandboxes on this machine.
