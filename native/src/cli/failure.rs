use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::console::{Console, Exit};
use crate::interrupt;
use crate::told_once::told_once;
use crate::train::TrainError;

/// The device broke down under a command.
#[derive(Debug, thiserror::Error)]
#[error(
    "the device gave up: {0}\nResults up to here are kept. If it ran out of memory, use a smaller --train.batch-size or \
     --input.crop; if the driver failed, try --device cpu"
)]
struct DeviceLost(String);

/// Runs a command; burn reports a lost device or exhausted memory by a panic, which becomes an error here.
pub(crate) fn guarded(command: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(command));
    std::panic::set_hook(hook);
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(DeviceLost(text.unwrap_or("no reason given").to_owned()).into())
    })
}

/// Prints what went wrong and names the exit code.
pub(crate) fn exit_code(outcome: anyhow::Result<Exit>, console: &Console) -> i32 {
    match outcome {
        Ok(Exit::Fine) => 0,
        Ok(Exit::SomeFailed) => 1,
        Ok(Exit::Interrupted) => interrupt::EXIT_CODE,
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            console.error(&told_once(&error));
            let device = error.is::<DeviceLost>() || matches!(error.downcast_ref(), Some(TrainError::Device(_)));
            if device { 3 } else { 2 }
        }
    }
}

/// Someone read as much of the output as they wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    error.chain().any(|cause| of(cause) == Some(std::io::ErrorKind::BrokenPipe))
}
