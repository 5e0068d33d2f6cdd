//! Configuration, wiring and commands of the nitejar binary.
