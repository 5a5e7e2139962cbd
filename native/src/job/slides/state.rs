//! What has been computed of a slide, so that a run that was killed goes on: a file that only grows.
//!
//! Records follow a header, each with a checksum; what a crash left of the last one is cut off when the file is opened
//! again. A file of other settings is begun anew.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::atomic::WriteError;

const MAGIC: &[u8; 8] = b"histoms1";
/// Bytes of the header: magic and key.
const HEADER: u64 = 40;
/// Bytes before a record's content, and of its checksum behind.
const BEFORE: u64 = 8;
const CHECKSUM: usize = 8;
/// Most bytes of a record.
const MOST: u32 = 1 << 30;
/// How often the system is asked to keep what was written even if the power fails.
const SYNC_EVERY: Duration = Duration::from_secs(10);

/// A slide's results so far, by number.
pub(super) struct State {
    path: PathBuf,
    file: File,
    end: u64,
    /// Place and length of each result.
    records: Vec<Option<(u64, u32)>>,
    synced: Instant,
}

impl State {
    /// Opens the state of a slide with `count` results under `key`, its settings' hash.
    pub(super) fn open(path: &Path, key: &[u8; 32], count: usize) -> Result<Self, WriteError> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let mut state =
            Self { path: path.to_owned(), file, end: HEADER, records: vec![None; count], synced: Instant::now() };
        state.take_up(key).map_err(failed)?;
        Ok(state)
    }

    fn take_up(&mut self, key: &[u8; 32]) -> std::io::Result<()> {
        let header = [MAGIC.as_slice(), key].concat();
        let mut found = Vec::new();
        std::io::Read::by_ref(&mut self.file).take(HEADER).read_to_end(&mut found)?;
        if found != header {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            return self.file.write_all(&header);
        }
        let length = self.file.metadata()?.len();
        let mut before = [0; BEFORE as usize];
        while self.end + BEFORE <= length {
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.read_exact(&mut before)?;
            let [number, size] =
                [0, 4].map(|at| u32::from_le_bytes([before[at], before[at + 1], before[at + 2], before[at + 3]]));
            let next = self.end + BEFORE + u64::from(size) + CHECKSUM as u64;
            if size > MOST || next > length || number as usize >= self.records.len() {
                break;
            }
            let mut content = vec![0; size as usize + CHECKSUM];
            self.file.read_exact(&mut content)?;
            let (content, sum) = content.split_at(size as usize);
            if checksum(number, content) != sum {
                break;
            }
            self.records[number as usize] = Some((self.end + BEFORE, size));
            self.end = next;
        }
        self.file.set_len(self.end)
    }

    /// Whether a result is there.
    pub(super) fn has(&self, number: usize) -> bool {
        self.records.get(number).is_some_and(Option::is_some)
    }

    /// Adds a result.
    pub(super) fn put(&mut self, number: usize, content: &[u8]) -> Result<(), WriteError> {
        let mut record = (number as u32).to_le_bytes().to_vec();
        record.extend((content.len() as u32).to_le_bytes());
        record.extend(content);
        record.extend(checksum(number as u32, content));
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(&record));
        let synced = written.and_then(|()| {
            if self.synced.elapsed() < SYNC_EVERY {
                return Ok(());
            }
            self.synced = Instant::now();
            self.file.sync_data()
        });
        synced.map_err(|source| WriteError { path: self.path.clone(), source })?;
        if let Some(place) = self.records.get_mut(number) {
            *place = Some((self.end + BEFORE, content.len() as u32));
        }
        self.end += record.len() as u64;
        Ok(())
    }

    /// A result that is there.
    pub(super) fn get(&mut self, number: usize) -> std::io::Result<Option<Vec<u8>>> {
        let Some(&Some((at, length))) = self.records.get(number) else { return Ok(None) };
        let mut content = vec![0; length as usize];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut content)?;
        Ok(Some(content))
    }

    /// Removes the file: the slide is done.
    pub(super) fn remove(self) {
        drop(self.file);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn checksum(number: u32, content: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(content);
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn what_a_crash_leaves_of_the_last_record_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let key = [7; 32];
        let mut state = State::open(&path, &key, 3).unwrap();
        state.put(0, b"first").unwrap();
        state.put(2, b"third").unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..13 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut state = State::open(&path, &key, 3).unwrap();
            assert_eq!([0, 1, 2].map(|number| state.has(number)), [true, false, cut == 0]);
            assert_eq!(state.get(0).unwrap().as_deref(), Some(&b"first"[..]));
            state.put(1, b"second").unwrap();
            assert_eq!(State::open(&path, &key, 3).unwrap().get(1).unwrap().as_deref(), Some(&b"second"[..]));
        }
        let mut damaged = whole.clone();
        damaged[50] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(!State::open(&path, &key, 3).unwrap().has(2));
        assert!(!State::open(&path, &[8; 32], 3).unwrap().has(0), "another key begins anew");
    }
}
