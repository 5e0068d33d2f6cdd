//! One agent turn as a state machine without I/O.
