//! What a command tells the user.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::job::Count;

/// Least time between two progress lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What the user sees: results on standard output, everything else on standard error.
#[derive(Debug)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A line of information, unless `--quiet`.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// Something failed and the command goes on.
    pub(crate) fn warn(&self, line: &str) {
        eprintln!("warning: {line}");
    }

    /// The command failed.
    pub(crate) fn error(&self, line: &str) {
        eprintln!("error: {line}");
    }

    /// A result, on standard output.
    pub(crate) fn print(&self, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
        // the kind stays: a closed pipe is no error
        written.map_err(|error| std::io::Error::new(error.kind(), format!("standard output: cannot write ({error})")))
    }

    /// A progress bar on a terminal, a line now and then elsewhere.
    pub(crate) fn bar(&self, total: usize, what: &str) -> Bar {
        if self.quiet {
            return Bar { bar: ProgressBar::hidden(), what: String::new(), lines: None };
        }
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        bar.set_length(total as u64);
        let template = "{prefix} {wide_bar:.cyan} {pos}/{len}  {msg}  {elapsed} (about {eta} left)";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        Bar { bar, what: what.to_owned(), lines: (!terminal).then(|| std::cell::Cell::new(Instant::now())) }
    }
}

/// Progress of one thing.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    what: String,
    /// When the last line was printed, where lines take the place of a bar.
    lines: Option<std::cell::Cell<Instant>>,
}

impl Count for Bar {
    fn start_at(&self, done: usize) {
        self.bar.set_position(done as u64);
        self.bar.reset_eta();
    }

    fn set(&self, done: usize, message: &str) {
        self.bar.set_message(message.to_owned());
        self.bar.set_position(done as u64);
        if let Some(last) = &self.lines
            && last.get().elapsed() >= LINE_EVERY
        {
            last.set(Instant::now());
            let left = self.bar.eta().as_secs();
            let total = self.bar.length().unwrap_or_default();
            eprintln!("{} {done}/{total}  {message}  (about {left} s left)", self.what);
        }
    }

    fn line(&self, line: &str) {
        if self.lines.is_some() {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}

/// An end takes the bar away.
impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How a command ended when nothing stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Fine,
    /// Some inputs failed; the rest is done.
    SomeFailed,
    /// The user stopped it; what was done is kept.
    Interrupted,
}
