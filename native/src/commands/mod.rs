//! One file a subcommand.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod inspect;
pub(crate) mod manual;
mod model_file;
pub(crate) mod predict;
pub(crate) mod profile;
pub(crate) mod reproduce;
pub(crate) mod serve;
pub(crate) mod train;
pub(crate) mod weights;

use crate::cli::{Console, DeviceArgs};
use crate::device::{Chosen, DeviceError, choose};

/// Opens the device asked for and says in one line which it is and why.
fn open_device(args: &DeviceArgs, console: &Console) -> Result<Chosen, DeviceError> {
    let chosen = choose(args.device)?;
    console.say(&format!("device: {} ({})", chosen.name, chosen.why));
    Ok(chosen)
}
