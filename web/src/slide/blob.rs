//! A browser's file as `Read` and `Seek`. Only in a Worker: the page itself may not wait for a file.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, FileReaderSync};

/// Bytes that are fetched at once where less is asked for: directories are read in small pieces.
const BLOCK: u64 = 64 * 1024;

/// Reads a file, or any other blob, where it is needed.
#[derive(Debug)]
pub(crate) struct BlobReader {
    blob: Blob,
    length: u64,
    at: u64,
    /// What was fetched last, and from where.
    block: Vec<u8>,
    block_at: u64,
}

impl BlobReader {
    pub(crate) fn new(blob: Blob) -> Self {
        // a file has far less than 2⁵³ bytes
        let length = blob.size() as u64;
        Self { blob, length, at: 0, block: Vec::new(), block_at: 0 }
    }

    fn fetch(&self, from: u64, end: u64) -> io::Result<Vec<u8>> {
        let part = self.blob.slice_with_f64_and_f64(from as f64, end as f64).map_err(failed)?;
        let bytes = FileReaderSync::new().and_then(|reader| reader.read_as_array_buffer(&part)).map_err(failed)?;
        let bytes = Uint8Array::new(&bytes).to_vec();
        if bytes.len() as u64 == end - from { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = (buffer.len() as u64).min(self.length.saturating_sub(self.at));
        if wanted == 0 {
            return Ok(0);
        }
        let within = self.at.checked_sub(self.block_at).filter(|from| from + wanted <= self.block.len() as u64);
        let from = match within {
            Some(from) => from,
            None => {
                self.block = self.fetch(self.at, (self.at + wanted.max(BLOCK)).min(self.length))?;
                self.block_at = self.at;
                0
            }
        } as usize;
        let bytes = self.block.get(from..from + wanted as usize).unwrap_or_default();
        if let Some(buffer) = buffer.get_mut(..bytes.len()) {
            buffer.copy_from_slice(bytes);
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

fn failed(error: JsValue) -> io::Error {
    let name = js_sys::Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
    let name = name.unwrap_or_else(|| "the browser refused".into());
    io::Error::other(format!("{name}; was the file moved or changed? Add it again"))
}
