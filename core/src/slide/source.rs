//! A file that is read where it is needed.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use crate::ifd::Bytes;

/// Most bytes that all directories of a file may take: 16 million tiles.
const MOST_OF_DIRECTORIES: u64 = 256 << 20;

/// A reader that several threads share.
pub(super) struct Source<R> {
    reader: Mutex<R>,
    length: u64,
}

impl<R: Read + Seek> Source<R> {
    pub(super) fn new(mut reader: R) -> io::Result<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader: Mutex::new(reader), length })
    }

    /// `length` bytes from `at` on; nothing if the file ends before.
    pub(super) fn read(&self, at: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        let end = at.checked_add(length).filter(|&end| end <= self.length);
        let (Some(_), Ok(length)) = (end, usize::try_from(length)) else { return Ok(None) };
        let mut bytes = vec![0; length];
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(at))?;
        reader.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// The directories of a source, within a budget.
pub(super) struct DirectoryBytes<'s, R> {
    source: &'s Source<R>,
    left: Cell<u64>,
    failure: RefCell<Option<io::Error>>,
}

impl<'s, R> DirectoryBytes<'s, R> {
    pub(super) fn new(source: &'s Source<R>) -> Self {
        Self { source, left: Cell::new(MOST_OF_DIRECTORIES), failure: RefCell::new(None) }
    }

    /// What the system answered when a read failed.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failure.take()
    }
}

impl<R: Read + Seek> Bytes<'static> for DirectoryBytes<'_, R> {
    fn bytes_at(&self, at: u64, length: u64) -> Option<Cow<'static, [u8]>> {
        let left = self.left.get().checked_sub(length)?;
        match self.source.read(at, length) {
            Ok(bytes) => {
                self.left.set(left);
                bytes.map(Cow::Owned)
            }
            Err(error) => {
                self.failure.replace(Some(error));
                None
            }
        }
    }
}
