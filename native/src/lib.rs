//! Everything of histomask that needs an operating system: data, training, evaluation, reports, the command line.
//!
//! The program is [`cli::run`]; the parts are public so that tests and other programs can drive them.

mod arguments;
pub mod atomic;
pub mod augment;
mod camelyon;
pub mod cli;
mod commands;
mod console;
mod csv_text;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod interrupt;
mod job;
pub mod method;
mod panics;
mod plain_text;
pub mod profile;
pub mod report;
mod reproduce;
pub mod serve;
mod study;
pub mod synth;
mod told_once;
pub mod train;
pub mod trust;
pub mod weights;
