//! WGSL kernels for what only histomask does, and a CPU twin of each.
//!
//! A kernel is one file of `wgsl/`, one compute stage, valid WGSL by itself: `build.rs` has naga check it and
//! generates its [`Kernel`] (bindings, workgroup size) and its parameters. The module of the same name holds the
//! twin: the same stage in plain Rust on slices, which serves the CPU backend and which tests compare it with.

mod kernel;
mod limits;
mod parallel;
mod soft_mask;
pub mod taps;

pub use kernel::Kernel;
pub use limits::{LimitError, Limits, MAX_SIDE};
pub use soft_mask::soft_mask;

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
