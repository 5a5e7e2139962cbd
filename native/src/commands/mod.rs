//! One file a subcommand.

pub(crate) mod bench;
pub(crate) mod camelyon16;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod inspect;
pub(crate) mod manual;
pub(crate) mod predict;
pub(crate) mod profile;
mod progress;
pub(crate) mod reproduce;
pub(crate) mod serve;
pub(crate) mod slides;
pub(crate) mod study;
pub(crate) mod tiles;
pub(crate) mod train;
pub(crate) mod weights;

use crate::arguments::DeviceArgs;
use crate::console::{Console, Exit};
use crate::device::{Chosen, DeviceError, Trial, choose};
use crate::train::Outcome;

/// Opens the device asked for, tried with the model that it will have, and says in one line which it is and why.
fn open_device(
    args: &DeviceArgs,
    trial: impl FnOnce() -> Result<Trial, histomask_core::Error>,
    console: &Console,
) -> Result<Chosen, DeviceError> {
    let chosen = choose(args.device, trial)?;
    console.say(&format!("device: {} ({})", chosen.name, chosen.why));
    Ok(chosen)
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Finished => Self::Fine,
            Outcome::Interrupted => Self::Interrupted,
        }
    }
}
