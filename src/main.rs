//! The program's entry: hand the command line to `cli` and return its exit code.

fn main() {}
