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
    /// What a shell does before it becomes the program.
    before: Option<String>,
    disk: Option<Disk>,
    environment: Vec<(String, OsString)>,
    limit: Duration,
}

/// A disk of its own for one program.
#[derive(Debug)]
struct Disk {
    folder: PathBuf,
    /// Options of its file system.
    options: String,
    read_only: bool,
}

impl Program {
    /// `histomask` with these arguments.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self { args: vec![], before: None, disk: None, environment: vec![], limit: LIMIT }.args(args)
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

    /// With a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With more time than usual.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// As on a full disk: writing stops at this many blocks of 512 bytes in any one file.
    #[must_use]
    pub fn largest_file(mut self, blocks: u64) -> Self {
        // with the signal ignored, the write itself fails
        self.before = Some(format!("trap '' XFSZ; ulimit -f {blocks}"));
        self
    }

    /// With the permissions that this mask takes off new files.
    #[must_use]
    pub fn umask(mut self, mask: &str) -> Self {
        self.before = Some(format!("umask {mask}"));
        self
    }

    /// With no more memory than this many KiB of addresses.
    #[must_use]
    pub fn addresses(mut self, kib: u64) -> Self {
        self.before = Some(format!("ulimit -v {kib}"));
        self
    }

    /// With `folder` on a disk of its own, which holds `kib` KiB and at first the folder's files; what is there in the
    /// end comes back into the folder.
    #[must_use]
    pub fn on_small_disk(mut self, folder: &Path, kib: u64) -> Self {
        self.disk = Some(Disk { folder: folder.to_owned(), options: format!("size={kib}k"), read_only: false });
        self
    }

    /// With `folder` on a disk that is read only, for root too.
    #[must_use]
    pub fn on_read_only_disk(mut self, folder: &Path) -> Self {
        self.disk = Some(Disk { folder: folder.to_owned(), options: "size=64m".into(), read_only: true });
        self
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Runs it to its end with its standard output going into `file`.
    #[must_use]
    pub fn run_into(self, file: std::fs::File) -> Ended {
        self.start_into(file.into()).wait()
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> Running {
        self.start_into(Stdio::piped())
    }

    fn start_into(self, stdout: Stdio) -> Running {
        let mut command = match (&self.disk, &self.before) {
            (None, None) => Command::new(binary()),
            (None, Some(before)) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]).arg(binary());
                shell
            }
            (Some(disk), _) => disk.shell(),
        };
        let line = format!("histomask {}", self.args.join(OsStr::new(" ")).to_string_lossy());
        command.args(&self.args).env_remove("RUST_BACKTRACE").envs(self.environment);
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        let (stdout, stderr) = (Output::collect(child.stdout.take()), Output::collect(child.stderr.take()));
        Running { line, child, stdout, stderr, deadline: Instant::now() + self.limit }
    }
}

impl Disk {
    /// Runs `$0 "$@"` with the disk in place, in a name space of its own: the machine's other programs do not see it.
    fn shell(&self) -> Command {
        let Self { folder, options, read_only } = self;
        let lock = if *read_only { "mount -o remount,ro \"$disk\"" } else { "true" };
        let script = format!(
            "disk=$1; outside=$2; shift 2; mkdir -p \"$outside\" && mount --bind \"$disk\" \"$outside\" && \
             mount -t tmpfs -o {options} tmpfs \"$disk\" && cp -a \"$outside/.\" \"$disk\" && {lock} || exit 99; \
             \"$0\" \"$@\"; code=$?; find \"$outside\" -mindepth 1 -delete; cp -a \"$disk/.\" \"$outside\"; exit $code"
        );
        let mut outside = folder.as_os_str().to_owned();
        outside.push("-outside");
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--map-root-user", "sh", "-c", &script]).arg(binary()).arg(folder).arg(outside);
        shell
    }
}

/// Whether this user may mount a disk of its own; says so if not.
#[must_use]
pub fn can_mount() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    let can = unshare.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !can {
        println!("skipped: mounting a file system is not permitted here");
    }
    can
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

    /// Waits until something stands in `folder`, and returns the first of it by name; nothing if the program ended before.
    pub fn first_in(&mut self, folder: &Path) -> Option<PathBuf> {
        let first = || std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).min();
        loop {
            let ended = self.ended();
            let found = first();
            if found.is_some() || ended {
                return found;
            }
        }
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
            panic!("{}: not done in time", self.line);
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
