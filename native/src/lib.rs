//! Everything of histomask that needs an operating system: data, training, evaluation, reports, the command line.
//!
//! The program is [`cli::run`]; the parts are public so that tests and other programs can drive them.

pub mod atomic;
pub mod augment;
pub mod cli;
mod commands;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod interrupt;
pub mod loader;
pub mod method;
pub mod profile;
pub mod report;
mod reproduce;
mod results;
pub mod self_check;
pub mod serve;
pub mod synth;
pub mod train;
pub mod trust;
pub mod weights;
