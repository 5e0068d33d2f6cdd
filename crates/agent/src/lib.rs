//! One agent turn as a state machine. It performs no I/O: it reads what is committed and says what
//! to do next; `runtime` does it. That a transcript alone decides the next step is what makes a job
//! resumable after a crash.

pub mod history;
pub mod prompt;
pub mod triage;
pub mod turn;
