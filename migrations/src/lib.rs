//! The one schema history of both databases.
