//! Ctrl-C: the first asks to stop at the next safe point, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit code of a run that was interrupted (128 + SIGINT).
pub const EXIT_CODE: i32 = 130;

/// Starts listening; a second call changes nothing.
pub fn listen() {
    // An error means that a handler is there already, or that the system has no signals: Ctrl-C then ends the
    // process as usual, and files are whole because they are renamed into place.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(EXIT_CODE);
        }
        eprintln!("\nstopping at the next safe point; Ctrl-C again to stop at once");
    });
}

/// Whether the user asked to stop.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
