//! What has been computed of a slide, so that a run that was killed goes on: a file that only grows.
//!
//! Records follow a header, each with a checksum; what a crash left of the last one is cut off when the file is opened
//! again. A file of other settings is begun anew. Damage of the slide that results were made without is part of it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use histomask_core::whole_slide::Results;

use crate::atomic::WriteError;

const MAGIC: &[u8; 8] = b"histoms2";
/// Bytes of the header: magic and key.
const HEADER: u64 = 40;
/// Bytes before a record's content, and of its checksum behind.
const BEFORE: u64 = 8;
const CHECKSUM: usize = 8;
/// Number of records that are no result but list damaged tiles.
const DAMAGE: u32 = u32::MAX;
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
    /// Damaged tiles that were read as white.
    damaged: BTreeSet<String>,
    synced: Instant,
}

impl State {
    /// Opens the state of a slide with `count` results under `key`, its settings' hash; nothing if another process has
    /// it open.
    pub(super) fn open(path: &Path, key: &[u8; 32], count: usize) -> Result<Option<Self>, WriteError> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        // where a file system knows no locks there is none
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Ok(None);
        }
        let mut state = Self {
            path: path.to_owned(),
            file,
            end: HEADER,
            records: vec![None; count],
            damaged: BTreeSet::new(),
            synced: Instant::now(),
        };
        state.take_up(key).map_err(failed)?;
        Ok(Some(state))
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
            if size > MOST || next > length || (number as usize >= self.records.len() && number != DAMAGE) {
                break;
            }
            let mut content = vec![0; size as usize + CHECKSUM];
            self.file.read_exact(&mut content)?;
            let (content, sum) = content.split_at(size as usize);
            if checksum(number, content) != sum {
                break;
            }
            match self.records.get_mut(number as usize) {
                Some(place) => *place = Some((self.end + BEFORE, size)),
                None => self.damaged.extend(serde_json::from_slice::<Vec<String>>(content).unwrap_or_default()),
            }
            self.end = next;
        }
        self.file.set_len(self.end)
    }

    /// Whether a result is there.
    pub(super) fn has(&self, number: usize) -> bool {
        self.records.get(number).is_some_and(Option::is_some)
    }

    /// How many results are there.
    pub(super) fn done(&self) -> usize {
        self.records.iter().flatten().count()
    }

    /// Adds a result.
    pub(super) fn put(&mut self, number: usize, content: &[u8]) -> Result<(), WriteError> {
        let at = self.append(number as u32, content)?;
        if let Some(place) = self.records.get_mut(number) {
            *place = Some((at, content.len() as u32));
        }
        Ok(())
    }

    /// Keeps which damaged tiles were read as white, before the results that were made so.
    pub(super) fn note_damage(&mut self, tiles: Vec<String>) -> Result<(), WriteError> {
        let new: Vec<_> = tiles.into_iter().filter(|tile| !self.damaged.contains(tile)).collect();
        if !new.is_empty() {
            // a list of texts is always JSON
            let _ = self.append(DAMAGE, &serde_json::to_vec(&new).unwrap_or_default())?;
            self.damaged.extend(new);
        }
        Ok(())
    }

    /// Damaged tiles that were read as white, also in earlier runs.
    pub(super) fn damaged(&self) -> Vec<String> {
        self.damaged.iter().cloned().collect()
    }

    /// Adds a record and returns where its content is.
    fn append(&mut self, number: u32, content: &[u8]) -> Result<u64, WriteError> {
        let mut record = number.to_le_bytes().to_vec();
        record.extend((content.len() as u32).to_le_bytes());
        record.extend(content);
        record.extend(checksum(number, content));
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(&record));
        let synced = written.and_then(|()| {
            if self.synced.elapsed() < SYNC_EVERY {
                return Ok(());
            }
            self.synced = Instant::now();
            self.file.sync_data()
        });
        synced.map_err(|source| WriteError { path: self.path.clone(), source })?;
        let at = self.end + BEFORE;
        self.end += record.len() as u64;
        Ok(at)
    }

    /// Removes the file: the slide is done.
    pub(super) fn remove(self) {
        drop(self.file);
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Results for State {
    type Error = std::io::Error;

    fn get(&mut self, number: usize) -> std::io::Result<Option<Vec<u8>>> {
        let Some(&Some((at, length))) = self.records.get(number) else { return Ok(None) };
        let mut content = vec![0; length as usize];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut content)?;
        Ok(Some(content))
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

    fn open(path: &Path, key: &[u8; 32], count: usize) -> State {
        State::open(path, key, count).unwrap().unwrap()
    }

    #[test]
    fn what_a_crash_leaves_of_the_last_record_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let key = [7; 32];
        let mut state = open(&path, &key, 3);
        state.put(0, b"first").unwrap();
        state.put(2, b"third").unwrap();
        drop(state);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..13 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut state = open(&path, &key, 3);
            assert!(State::open(&path, &key, 3).unwrap().is_none(), "one at a time");
            assert_eq!([0, 1, 2].map(|number| state.has(number)), [true, false, cut == 0]);
            assert_eq!(state.get(0).unwrap().as_deref(), Some(&b"first"[..]));
            state.put(1, b"second").unwrap();
            drop(state);
            assert_eq!(open(&path, &key, 3).get(1).unwrap().as_deref(), Some(&b"second"[..]));
        }
        let mut damaged = whole.clone();
        damaged[50] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(!open(&path, &key, 3).has(2));
        assert!(!open(&path, &[8; 32], 3).has(0), "another key begins anew");
    }

    #[test]
    fn damage_that_results_were_made_without_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut state = open(&path, &[7; 32], 2);
        state.note_damage(vec!["tile b".into(), "tile a".into()]).unwrap();
        state.put(0, b"first").unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        state.note_damage(vec!["tile a".into()]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), length, "what is known is not written again");
        drop(state);
        let mut state = open(&path, &[7; 32], 2);
        assert_eq!((state.damaged(), state.done()), (vec!["tile a".into(), "tile b".into()], 1));
        assert_eq!(state.get(0).unwrap().as_deref(), Some(&b"first"[..]));
        drop(state);
        assert!(open(&path, &[8; 32], 2).damaged().is_empty());
    }
}
