//! Panics of any thread, remembered with their place until the command ends.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Most that are remembered: the first ones say what happened, later ones follow from them.
const MOST: usize = 16;

/// How burn, cubecl and wgpu word a device that is gone or has no memory left, in small letters: wgpu's `Error` and
/// `DeviceError`, cubecl's `ServerError`, `LaunchError` and `IoError`.
const DEVICE_WORDS: [&str; 9] = [
    "device is lost",
    "device was lost",
    "device lost",
    "device is poisoned",
    "device was poisoned",
    "out of memory",
    "out-of-memory",
    "out of device memory",
    "can't allocate buffer of size",
];

/// One panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// File, line and column.
    pub(crate) place: String,
    /// Its message.
    pub(crate) message: String,
}

/// A panic hook that remembers in place of printing.
pub(crate) fn remember(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.len() < MOST {
        seen.push(Seen { place, message: text(panic.payload()).to_owned() });
    }
}

/// Takes what was remembered, the first panic first.
pub(crate) fn take() -> Vec<Seen> {
    std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A panic's message.
pub(crate) fn text(payload: &(dyn std::any::Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}

/// Does `work`; a panic becomes its first line, and nothing that comes later is blamed on it.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let _ = take();
        text(panic.as_ref()).lines().next().unwrap_or_default().to_owned()
    })
}

/// Does `work`. A panic by which burn, cubecl or wgpu tell of a lost device or exhausted memory, on whatever thread,
/// becomes their words; any other goes on.
pub(crate) fn unless_lost<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let of = |message: &str| device_line(message).map(str::to_owned);
        let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).iter().find_map(|seen| of(&seen.message));
        seen.or_else(|| of(text(panic.as_ref()))).unwrap_or_else(|| resume_unwind(panic))
    })
}

/// The line that says so, if a message tells of a device that is lost or out of memory.
pub(crate) fn device_line(message: &str) -> Option<&str> {
    let says = |line: &&str| DEVICE_WORDS.iter().any(|words| line.to_lowercase().contains(words));
    message.lines().map(str::trim).find(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_devices_and_exhausted_memory_are_recognised_and_nothing_else() {
        for message in [
            "wgpu error: Out of Memory",
            "called `Result::unwrap()` on an `Err` value: The device is poisoned\nCaused by:\n  Unknown: gone",
            "Validation Error\n\nCaused by:\n  In Device::create_buffer\n    Parent device is lost",
            "An out-of-memory error happened during launch\nCaused by:\n  no heap",
            "can't allocate buffer of size: 17179869184",
            "out of device memory allocating 4096 bytes",
        ] {
            assert!(device_line(message).is_some(), "{message}");
        }
        for message in [
            "index out of bounds: the len is 0 but the index is 3",
            "wgpu error: Validation Error: Buffer is bound with size 0",
            "called `Result::unwrap()` on an `Err` value: PoisonError { .. }",
            "an image of 300×3000 becomes 432×4320 for this model; sides must be 32 to 4096 pixels there",
        ] {
            assert_eq!(device_line(message), None, "{message}");
        }
    }
}
