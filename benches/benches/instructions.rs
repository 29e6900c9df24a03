//! Instructions of parse, verify and decide: counts that a busy machine does not change, so that a regression shows.
//! Needs valgrind and `gungraun-runner`, as `make bench` installs them.

fn main() {}
