use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::console::{Console, Exit};
use crate::job::lost_device;
use crate::told_once::told_once;
use crate::{interrupt, panics};

/// The device broke down under a command.
#[derive(Debug, thiserror::Error)]
#[error(
    "the device gave up: {0}\nResults up to here are kept. If it ran out of memory, use a smaller --train.batch-size or \
     --input.crop; if the driver failed, try --device cpu"
)]
struct DeviceLost(String);

/// A mistake in this program.
#[derive(Debug, thiserror::Error)]
#[error(
    "histomask has a bug at {place}: {message}\nFiles written before are whole. Please report it with this message, the \
     command and `histomask doctor`'s answer"
)]
struct Bug {
    place: String,
    message: String,
}

/// Runs a command. burn, cubecl and wgpu report a lost device or exhausted memory by a panic, which becomes an error
/// here; any other panic, of whatever thread, is a bug and keeps its place.
pub(crate) fn guarded(command: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(panics::remember));
    let outcome = catch_unwind(AssertUnwindSafe(command));
    std::panic::set_hook(hook);
    match outcome {
        Ok(Err(error)) if lost_device(&error).is_some() => Err(DeviceLost(told_once(&error)).into()),
        Ok(ended) => ended,
        Err(panic) => Err(of_panics(&panics::take(), panics::text(panic.as_ref()))),
    }
}

/// What panics mean: `last` ended the command, the first of `seen` may have led to it on another thread.
fn of_panics(seen: &[panics::Seen], last: &str) -> anyhow::Error {
    let messages = seen.iter().map(|panic| panic.message.as_str()).chain([last]);
    if let Some(line) = messages.filter_map(panics::device_line).next() {
        return DeviceLost(line.to_owned()).into();
    }
    let (place, message) =
        seen.first().map_or(("an unknown place", last), |first| (first.place.as_str(), first.message.as_str()));
    Bug { place: place.to_owned(), message: message.to_owned() }.into()
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
            code_of(&error)
        }
    }
}

fn code_of(error: &anyhow::Error) -> i32 {
    match error.is::<DeviceLost>() || lost_device(error).is_some() {
        true => 3,
        false if error.is::<Bug>() => 101,
        false => 2,
    }
}

/// Someone read as much of the output as they wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    error.chain().any(|cause| of(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use histomask_core::Error;

    use super::*;
    use crate::evaluate::{EvaluateError, SegmentFileError};
    use crate::train::TrainError;

    #[test]
    fn a_panic_is_a_bug_with_its_place_unless_a_device_is_to_blame() {
        // other tests of this process may panic meanwhile, and theirs would be told as the first
        let bug = guarded(|| panic!("one and one is three")).unwrap_err();
        assert_eq!(code_of(&bug), 101);
        assert!(bug.to_string().contains(".rs:") && bug.to_string().contains("Please report"), "{bug}");

        let seen = |messages: &[&str]| -> Vec<_> {
            let of = |(line, message): (usize, &&str)| panics::Seen {
                place: format!("a.rs:{line}"),
                message: (*message).into(),
            };
            messages.iter().enumerate().map(of).collect()
        };
        let bug = of_panics(&seen(&["one and one is three", "RecvError"]), "RecvError");
        assert!(bug.to_string().contains("a.rs:0: one and one is three") && code_of(&bug) == 101, "{bug}");
        // on a thread of the device, whose client then finds nobody
        let last = "called `Result::unwrap()` on an `Err` value: RecvError";
        let lost = of_panics(&seen(&["wgpu error: Out of Memory", last]), last);
        assert_eq!(code_of(&lost), 3);
        assert!(lost.to_string().contains("Out of Memory") && lost.to_string().contains("--device cpu"), "{lost}");
    }

    #[test]
    fn an_error_keeps_its_kind() {
        let device = |said: &str| anyhow::Error::from(TrainError::Device(said.into()));
        assert_eq!((code_of(&device("Parent device is lost")), code_of(&device("DTypeMismatch"))), (3, 2));
        let validation = |error: Error| {
            let path = "a.png".into();
            let source = EvaluateError::File(SegmentFileError::Core { path, source: error }).into();
            anyhow::Error::from(TrainError::Validation { epoch: 1, source })
        };
        let (width, height) = (300, 3000);
        let size = Error::ImageSize { width, height, model_width: 432, model_height: 4320, min: 32, max: 4096 };
        assert_eq!(code_of(&validation(size)), 2);
        assert_eq!(code_of(&validation(Error::Device("out of device memory allocating 1 bytes".into()))), 3);
    }
}
