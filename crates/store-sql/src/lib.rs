//! All SQL of Nitejar, written once for SQLite and PostgreSQL.
