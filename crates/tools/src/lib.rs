//! The built-in tools an agent may call.
