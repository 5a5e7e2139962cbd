//! Pyramids of grey values as tiled BigTIFF, written row by row: nothing but a row of tiles of each level is in memory.

use std::io::{Seek, SeekFrom, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::parallel;
use crate::runs::runs;

/// Side of a tile in pixels, a multiple of 16 (TIFF 6.0, section 15).
const TILE: usize = 512;

/// A row of a level; most of a slide's are empty.
#[derive(Debug)]
enum Row {
    Zeros,
    Values(Vec<u8>),
}

/// What is written of a picture besides its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct PyramidText {
    /// ImageDescription.
    pub description: String,
    /// Microns per pixel of the finest level, across and down.
    pub mpp: [f64; 2],
}

/// Writes a pyramid of 8-bit grey values: Deflate, levels of half the sides down to one tile, each pixel the mean of up
/// to four finer ones. All tiles of zeros are one.
///
/// Pixels first, directories last, in a flat chain, as OpenSlide reads them; the resolution stands in pixels per
/// centimetre.
#[derive(Debug)]
pub struct PyramidWriter<W> {
    file: W,
    at: u64,
    levels: Vec<LevelRows>,
    /// Where the tile of zeros stands.
    zeros: Option<(u64, u64)>,
}

#[derive(Debug)]
struct LevelRows {
    width: usize,
    height: usize,
    /// Rows of the tiles that are not written yet: how many, and their values, or none as long as all are zeros.
    count: usize,
    rows: Vec<u8>,
    /// The last row, if it still waits for its partner in the next level.
    waiting: Option<Row>,
    tiles: Vec<(u64, u64)>,
}

impl<W: Write + Seek> PyramidWriter<W> {
    /// For a picture of this size, at the start of `file`.
    ///
    /// # Errors
    /// As the file's.
    pub fn new(mut file: W, width: usize, height: usize) -> std::io::Result<Self> {
        // little-endian BigTIFF; the place of the first directory is written at the end
        file.write_all(b"II\x2b\0\x08\0\0\0\0\0\0\0\0\0\0\0")?;
        let mut levels = Vec::new();
        let (mut width, mut height) = (width.max(1), height.max(1));
        loop {
            levels.push(LevelRows { width, height, count: 0, rows: Vec::new(), waiting: None, tiles: Vec::new() });
            if width.max(height) <= TILE {
                break;
            }
            (width, height) = (width.div_ceil(2), height.div_ceil(2));
        }
        Ok(Self { file, at: 16, levels, zeros: None })
    }

    /// The next row of the finest level.
    ///
    /// # Errors
    /// As the file's.
    pub fn push(&mut self, row: &[u8]) -> std::io::Result<()> {
        if runs(row, |value| value > 0).next().is_none() {
            return self.push_to(0, Row::Zeros);
        }
        let mut row = row.to_vec();
        row.resize(self.levels.first().map_or(0, |level| level.width), 0);
        self.push_to(0, Row::Values(row))
    }

    /// Writes what is left and the directories.
    ///
    /// # Errors
    /// As the file's.
    pub fn finish(mut self, text: &PyramidText) -> std::io::Result<W> {
        for index in 0..self.levels.len() {
            // a last row without a partner is halved by itself
            if let Some(row) = self.levels.get_mut(index).and_then(|level| level.waiting.take()) {
                self.push_to(index + 1, halved(&row, &row))?;
            }
            if self.levels.get(index).is_some_and(|level| level.count > 0) {
                self.write_tiles(index)?;
            }
        }
        let mut link = 8;
        for index in 0..self.levels.len() {
            link = self.write_directory(index, link, text)?;
        }
        self.file.flush()?;
        Ok(self.file)
    }

    fn push_to(&mut self, index: usize, row: Row) -> std::io::Result<()> {
        let Some(level) = self.levels.get_mut(index) else { return Ok(()) };
        if let Row::Values(values) = &row {
            level.rows.resize(level.width * level.count, 0);
            level.rows.extend_from_slice(values);
        }
        level.count += 1;
        let full = level.count == TILE;
        let above = level.waiting.take();
        if full {
            self.write_tiles(index)?;
        }
        match above {
            Some(above) => self.push_to(index + 1, halved(&above, &row)),
            None => {
                if let Some(level) = self.levels.get_mut(index) {
                    level.waiting = Some(row);
                }
                Ok(())
            }
        }
    }

    fn write_tiles(&mut self, index: usize) -> std::io::Result<()> {
        let Some(level) = self.levels.get_mut(index) else { return Ok(()) };
        let (width, rows) = (level.width, std::mem::take(&mut level.rows));
        level.count = 0;
        let tiles = parallel::map((0..width.div_ceil(TILE)).collect(), |column: usize| {
            let left = column * TILE;
            let across = TILE.min(width - left);
            let parts = rows.chunks(width).filter_map(|row| row.get(left..left + across));
            if parts.clone().all(|part| runs(part, |value| value > 0).next().is_none()) {
                return Ok(None);
            }
            let mut tile = vec![0; TILE * TILE];
            tile.chunks_exact_mut(TILE).zip(parts).for_each(|(to, part)| to[..across].copy_from_slice(part));
            packed(&tile).map(Some)
        });
        for tile in tiles {
            let place = match (tile?, self.zeros) {
                (Some(bytes), _) => self.write(&bytes)?,
                (None, Some(place)) => place,
                (None, None) => {
                    let place = self.write(&packed(&[0; TILE * TILE])?)?;
                    *self.zeros.insert(place)
                }
            };
            if let Some(level) = self.levels.get_mut(index) {
                level.tiles.push(place);
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<(u64, u64)> {
        let place = (self.at, bytes.len() as u64);
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        // values of directories begin at even places
        if self.at % 2 == 1 {
            self.file.write_all(&[0])?;
            self.at += 1;
        }
        Ok(place)
    }

    /// Writes a directory, names it at `link`, and returns where it names the next.
    fn write_directory(&mut self, index: usize, link: u64, text: &PyramidText) -> std::io::Result<u64> {
        let Some(level) = self.levels.get_mut(index) else { return Ok(link) };
        let (width, height, tiles) = (level.width as u64, level.height as u64, std::mem::take(&mut level.tiles));
        let per_centimetre = |mpp: f64| {
            let [numerator, denominator] =
                [1e4 / (mpp * f64::from(1_u32 << index)) * 1e4, 1e4].map(|part| part.round());
            (numerator.clamp(1.0, u32::MAX.into()) as u64) | (denominator as u64) << 32
        };
        let (x_mpp, y_mpp) = (per_centimetre(text.mpp[0]), per_centimetre(text.mpp[1]));
        let ascii = |text: &str| [text.as_bytes(), b"\0"].concat();
        let longs = |values: &mut dyn Iterator<Item = u64>| values.flat_map(u64::to_le_bytes).collect::<Vec<u8>>();
        let short = |value: u16| (3_u16, value.to_le_bytes().to_vec());
        let long = |value: u64| (16_u16, value.to_le_bytes().to_vec());
        let mut entries: Vec<(u16, u16, Vec<u8>)> = Vec::new();
        let mut add = |tag: u16, (kind, bytes): (u16, Vec<u8>)| entries.push((tag, kind, bytes));
        add(254, (4, u32::from(index > 0).to_le_bytes().to_vec()));
        add(256, long(width));
        add(257, long(height));
        add(258, short(8));
        add(259, short(8));
        add(262, short(1));
        if index == 0 {
            add(270, (2, ascii(&text.description)));
        }
        add(277, short(1));
        add(282, (5, x_mpp.to_le_bytes().to_vec()));
        add(283, (5, y_mpp.to_le_bytes().to_vec()));
        add(296, short(3));
        add(305, (2, ascii(concat!("histomask ", env!("CARGO_PKG_VERSION")))));
        add(322, short(TILE as u16));
        add(323, short(TILE as u16));
        add(324, (16, longs(&mut tiles.iter().map(|place| place.0))));
        add(325, (16, longs(&mut tiles.iter().map(|place| place.1))));

        let mut directory = (entries.len() as u64).to_le_bytes().to_vec();
        for (tag, kind, bytes) in entries {
            let size = match kind {
                2 => 1,
                3 => 2,
                4 => 4,
                _ => 8,
            };
            directory.extend(tag.to_le_bytes());
            directory.extend(kind.to_le_bytes());
            directory.extend((bytes.len() as u64 / size).to_le_bytes());
            if bytes.len() <= 8 {
                let mut inside = bytes;
                inside.resize(8, 0);
                directory.extend(inside);
            } else {
                let (at, _) = self.write(&bytes)?;
                directory.extend(at.to_le_bytes());
            }
        }
        let next = directory.len() as u64;
        directory.extend(0_u64.to_le_bytes());
        let (at, _) = self.write(&directory)?;
        self.file.seek(SeekFrom::Start(link))?;
        self.file.write_all(&at.to_le_bytes())?;
        self.file.seek(SeekFrom::Start(self.at))?;
        Ok(at + next)
    }
}

/// One row of the next level: means of four pixels, of two at the right edge.
fn halved(above: &Row, below: &Row) -> Row {
    let zeros;
    let (above, below) = match (above, below) {
        (Row::Zeros, Row::Zeros) => return Row::Zeros,
        (Row::Values(above), Row::Values(below)) => (above, below),
        (Row::Values(values), Row::Zeros) | (Row::Zeros, Row::Values(values)) => {
            zeros = vec![0; values.len()];
            (values, &zeros)
        }
    };
    let mut means = vec![0; above.len().div_ceil(2)];
    let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
    for (mean, (above, below)) in means.iter_mut().zip(pairs) {
        let sum: u16 = above.iter().chain(below).map(|&value| u16::from(value)).sum();
        *mean = ((sum + 2) / 4) as u8;
    }
    if let ([above], [below], Some(mean)) =
        (above.chunks_exact(2).remainder(), below.chunks_exact(2).remainder(), means.last_mut())
    {
        *mean = (u16::from(*above) + u16::from(*below)).div_ceil(2) as u8;
    }
    Row::Values(means)
}

/// A tile's bytes in Deflate.
fn packed(tile: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(tile)?;
    encoder.finish()
}
