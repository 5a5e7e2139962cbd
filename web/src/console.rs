//! What goes wrong in the tab, in its console.

use log::{Level, LevelFilter, Log, Metadata, Record};
use web_sys::console;

struct Console;

impl Log for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == Level::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            console::error_1(&format!("{}: {}", record.target(), record.args()).into());
        }
    }

    fn flush(&self) {}
}

/// Sends errors and panics there. A kernel that the browser refuses is only logged.
pub fn open() {
    std::panic::set_hook(Box::new(|panic| console::error_1(&panic.to_string().into())));
    // a second logger is refused, and the first one serves
    if log::set_logger(&Console).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}
