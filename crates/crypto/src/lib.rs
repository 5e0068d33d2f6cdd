//! Encryption at rest, token hashing and signature checks on ring.
