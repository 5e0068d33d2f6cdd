//! Model providers behind the inference port.
