//! How far a mask and a class deserve belief, without a true mask: on plain slices, no burn.
//!
//! `docs/TRUST.md` says what each measure can and cannot tell.

pub mod calibration;
pub mod curves;
pub mod folds;
mod linear;
pub mod probe;
pub mod rank;
pub mod stability;
pub mod stain;
