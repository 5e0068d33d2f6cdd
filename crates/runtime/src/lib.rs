//! Durable execution: ingest, lanes, jobs, effects.
