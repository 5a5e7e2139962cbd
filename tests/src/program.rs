//! The real binary, run as a user runs it.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest that one run may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The binary: the file named by `HISTOMASK_BIN`, or the one of the build that this test belongs to.
///
/// # Panics
///
/// If there is none yet.
#[must_use]
pub fn binary() -> PathBuf {
    let named = std::env::var_os("HISTOMASK_BIN").map(PathBuf::from);
    // target/release/deps/<test> and target/release/histomask
    let name = format!("histomask{}", std::env::consts::EXE_SUFFIX);
    let built = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join(name));
    let path = named.or_else(built).unwrap_or_default();
    assert!(path.is_file(), "{}: no such program; run `cargo build --release` first", path.display());
    path
}

/// A command line about to be run.
#[derive(Debug)]
pub struct Program {
    args: Vec<OsString>,
    largest_file: Option<u64>,
}

impl Program {
    /// `histomask` with these arguments.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self { args: vec![], largest_file: None }.args(args)
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A flag and its value.
    #[must_use]
    pub fn with(self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.args([OsStr::new(flag), value.as_ref()])
    }

    /// On the CPU: every machine has one, and it alone repeats a run bit for bit.
    #[must_use]
    pub fn on_cpu(self) -> Self {
        self.with("--device", "cpu")
    }

    /// As on a full disk: writing stops at this many blocks of 512 bytes in any one file.
    #[must_use]
    pub fn largest_file(mut self, blocks: u64) -> Self {
        self.largest_file = Some(blocks);
        self
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> Running {
        let mut command = match self.largest_file {
            None => Command::new(binary()),
            Some(blocks) => {
                // with the signal ignored, the write itself fails
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]).arg(binary());
                shell
            }
        };
        let line = format!("histomask {}", self.args.join(OsStr::new(" ")).to_string_lossy());
        command.args(&self.args).env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        let (stdout, stderr) = (Output::collect(child.stdout.take()), Output::collect(child.stderr.take()));
        Running { line, child, stdout, stderr, deadline: Instant::now() + LIMIT }
    }
}

/// What a program prints, read in the background, so that a full pipe never stops it.
#[derive(Debug)]
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Output {
    fn collect(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut part) {
                read.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn all(self) -> String {
        let bytes = self.bytes;
        let _ = self.reader.join();
        let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A run under way.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    stdout: Output,
    stderr: Output,
    deadline: Instant,
}

impl Running {
    /// Waits until `path` exists; false if the program ended before.
    pub fn until_there(&mut self, path: &Path) -> bool {
        while !path.exists() {
            if self.ended() {
                return path.exists();
            }
        }
        true
    }

    /// Waits for a whole line on standard output and returns it, or nothing if the program ends without.
    pub fn first_line(&mut self) -> Option<String> {
        loop {
            let ended = self.ended();
            if let Some((line, _)) = self.stdout.so_far().split_once('\n') {
                return Some(line.to_owned());
            }
            if ended {
                return None;
            }
        }
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{}: kill -INT {id} failed", self.line);
    }

    /// The power cut: no chance to tidy up.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        while !self.ended() {}
        let code = self.child.wait().ok().and_then(|status| status.code());
        let ended = Ended { line: self.line, code, stdout: self.stdout.all(), stderr: self.stderr.all() };
        for word in ["panicked", "RUST_BACKTRACE"] {
            assert!(!ended.text().contains(word), "{ended}");
        }
        ended
    }

    fn ended(&mut self) -> bool {
        if self.child.try_wait().is_ok_and(|status| status.is_some()) {
            return true;
        }
        if Instant::now() > self.deadline {
            let _ = self.child.kill();
            panic!("{}: not done after {} s", self.line, LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
        false
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    line: String,
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts that the output contains `part`.
    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(self.text().contains(part), "does not say {part:?}: {self}");
        self
    }

    /// Everything printed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        write!(f, "{line}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
