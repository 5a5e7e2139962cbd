//! The directories of a TIFF file: one a page, each a list of numbered entries. Read here rather than by the decoder,
//! which refuses files before it tells what they are.

use std::collections::BTreeSet;

use super::super::PictureError;

/// Pages looked at; more are refused anyway.
const MOST_PAGES: usize = 10_000;

/// Numbers of entries (TIFF 6.0, and Adobe's and BigTIFF's additions).
pub(super) mod tag {
    pub(in super::super) const SUBFILE: u16 = 254;
    pub(in super::super) const OLD_SUBFILE: u16 = 255;
    pub(in super::super) const WIDTH: u16 = 256;
    pub(in super::super) const HEIGHT: u16 = 257;
    pub(in super::super) const BITS: u16 = 258;
    pub(in super::super) const COMPRESSION: u16 = 259;
    pub(in super::super) const PHOTOMETRIC: u16 = 262;
    pub(in super::super) const FILL_ORDER: u16 = 266;
    pub(in super::super) const DESCRIPTION: u16 = 270;
    pub(in super::super) const STRIP_OFFSETS: u16 = 273;
    pub(in super::super) const ORIENTATION: u16 = 274;
    pub(in super::super) const SAMPLES: u16 = 277;
    pub(in super::super) const ROWS_PER_STRIP: u16 = 278;
    pub(in super::super) const STRIP_BYTES: u16 = 279;
    pub(in super::super) const PLANAR: u16 = 284;
    pub(in super::super) const PREDICTOR: u16 = 317;
    pub(in super::super) const COLOR_MAP: u16 = 320;
    pub(in super::super) const TILE_WIDTH: u16 = 322;
    pub(in super::super) const TILE_HEIGHT: u16 = 323;
    pub(in super::super) const TILE_OFFSETS: u16 = 324;
    pub(in super::super) const TILE_BYTES: u16 = 325;
    pub(in super::super) const EXTRA_SAMPLES: u16 = 338;
    pub(in super::super) const SAMPLE_FORMAT: u16 = 339;
    pub(in super::super) const LEAST_SAMPLE: u16 = 340;
    pub(in super::super) const LARGEST_SAMPLE: u16 = 341;
    pub(in super::super) const JPEG_TABLES: u16 = 347;
    pub(in super::super) const YCBCR_COEFFICIENTS: u16 = 529;
    pub(in super::super) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(in super::super) const REFERENCE_BLACK_WHITE: u16 = 532;
}

/// Entries that the decoder of pixels needs; what colours mean is read here.
const FOR_PIXELS: [u16; 16] = [
    tag::WIDTH,
    tag::HEIGHT,
    tag::BITS,
    tag::COMPRESSION,
    tag::STRIP_OFFSETS,
    tag::SAMPLES,
    tag::ROWS_PER_STRIP,
    tag::STRIP_BYTES,
    tag::PLANAR,
    tag::PREDICTOR,
    tag::TILE_WIDTH,
    tag::TILE_HEIGHT,
    tag::TILE_OFFSETS,
    tag::TILE_BYTES,
    tag::SAMPLE_FORMAT,
    tag::JPEG_TABLES,
];

/// A file's layout.
#[derive(Clone, Copy)]
struct Layout {
    little: bool,
    /// BigTIFF: offsets of 8 bytes.
    big: bool,
}

impl Layout {
    fn number(self, bytes: &[u8]) -> u64 {
        let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    /// `number` in `bytes` bytes.
    fn bytes(self, number: u64, bytes: usize) -> Vec<u8> {
        let mut little = number.to_le_bytes().get(..bytes).unwrap_or_default().to_vec();
        if !self.little {
            little.reverse();
        }
        little
    }

    /// Bytes of an offset or of the value that stands in an entry.
    fn wide(self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// Bytes of a directory's number of entries.
    fn count(self) -> usize {
        if self.big { 8 } else { 2 }
    }

    fn entry(self) -> usize {
        4 + 2 * self.wide()
    }
}

/// A file's pages.
pub(super) struct Directories<'a> {
    file: &'a [u8],
    layout: Layout,
    pub(super) pages: Vec<Page<'a>>,
}

/// A page's entries.
pub(super) struct Page<'a> {
    layout: Layout,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    tag: u16,
    kind: u16,
    /// As it stands in the directory.
    raw: &'a [u8],
    /// Its values, wherever they stand; empty if they reach beyond the file.
    values: &'a [u8],
}

impl<'a> Directories<'a> {
    pub(super) fn read(file: &'a [u8]) -> Result<Self, PictureError> {
        let damaged = || PictureError::Damaged("its directory is cut off".into());
        let little = file.starts_with(b"II");
        let big = Layout { little, big: false }.number(file.get(2..4).ok_or_else(damaged)?) == 43;
        let layout = Layout { little, big };
        let first = if big { file.get(8..16) } else { file.get(4..8) };
        let mut at = layout.number(first.ok_or_else(damaged)?);
        let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
        while at != 0 && seen.insert(at) && pages.len() < MOST_PAGES {
            // pages behind the first may be cut off without harm to it, but then who knows what they were
            let (page, next) = page(file, layout, at).ok_or_else(damaged)?;
            pages.push(page);
            at = next;
        }
        Ok(Self { file, layout, pages })
    }

    /// The file with a directory of its own in front, which has of a page what the decoder of pixels needs, as plain
    /// grey samples, and with single values changed.
    pub(super) fn plain(&self, page: &Page<'_>, changes: &[(u16, u64)]) -> Vec<u8> {
        let Layout { big, .. } = self.layout;
        let changed = |tag: u16, value: u64| {
            let long = if big { 16 } else { 4 };
            let wide = self.layout.wide();
            let mut raw = self.layout.bytes(tag.into(), 2);
            raw.extend(self.layout.bytes(long, 2));
            raw.extend(self.layout.bytes(1, wide));
            raw.extend(self.layout.bytes(value, wide));
            (tag, raw)
        };
        let kept = page.entries.iter().filter(|entry| FOR_PIXELS.contains(&entry.tag));
        let kept = kept.filter(|entry| changes.iter().all(|(tag, _)| *tag != entry.tag));
        let mut entries: Vec<_> = kept.map(|entry| (entry.tag, entry.raw.to_vec())).collect();
        entries.extend(changes.iter().map(|&(tag, value)| changed(tag, value)));
        // black is zero
        entries.push(changed(tag::PHOTOMETRIC, 1));
        entries.sort_by_key(|(tag, _)| *tag);
        entries.dedup_by_key(|(tag, _)| *tag);

        let mut file = self.file.to_vec();
        file.resize(file.len().next_multiple_of(8), 0);
        let at = file.len() as u64;
        file.extend(self.layout.bytes(entries.len() as u64, self.layout.count()));
        entries.iter().for_each(|(_, raw)| file.extend(raw));
        file.extend(self.layout.bytes(0, self.layout.wide()));
        let place = if big { 8..16 } else { 4..8 };
        if let Some(first) = file.get_mut(place) {
            first.copy_from_slice(&self.layout.bytes(at, self.layout.wide()));
        }
        file
    }
}

/// The page at an offset, and the offset of the next.
fn page(file: &[u8], layout: Layout, at: u64) -> Option<(Page<'_>, u64)> {
    let wide = layout.wide();
    let rest = file.get(usize::try_from(at).ok()?..)?;
    let (count, rest) = rest.split_at_checked(layout.count())?;
    let count = usize::try_from(layout.number(count)).ok()?;
    let (entries, rest) = rest.split_at_checked(count.checked_mul(layout.entry())?)?;
    let next = layout.number(rest.get(..wide)?);
    let entries = entries.chunks_exact(layout.entry()).filter_map(|raw| {
        let (tag, kind) = (layout.number(raw.get(..2)?), layout.number(raw.get(2..4)?) as u16);
        let count = layout.number(raw.get(4..4 + wide)?);
        let inline = raw.get(4 + wide..)?;
        let size = usize::try_from(count).ok()?.checked_mul(size_of_kind(kind))?;
        let values = match inline.get(..size) {
            Some(values) => Some(values),
            None => usize::try_from(layout.number(inline)).ok().and_then(|from| file.get(from..)?.get(..size)),
        };
        Some(Entry { tag: tag as u16, kind, raw, values: values.unwrap_or_default() })
    });
    Some((Page { layout, entries: entries.collect() }, next))
}

fn size_of_kind(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}

impl Page<'_> {
    fn entry(&self, tag: u16) -> Option<&Entry<'_>> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The whole numbers of an entry; none if it is absent.
    pub(super) fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        entry.values.chunks_exact(size_of_kind(entry.kind)).map(|value| self.layout.number(value)).collect()
    }

    /// The first whole number of an entry.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        let entry = self.entry(tag)?;
        entry.values.get(..size_of_kind(entry.kind)).map(|value| self.layout.number(value))
    }

    /// The numbers of an entry of any kind.
    pub(super) fn floats(&self, tag: u16) -> Vec<f64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        let number = |bytes: &[u8]| self.layout.number(bytes);
        let halves = |bytes: &[u8]| {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            (number(first) as u32, number(second) as u32)
        };
        let value = |bytes: &[u8]| match entry.kind {
            5 => {
                let (numerator, denominator) = halves(bytes);
                f64::from(numerator) / f64::from(denominator)
            }
            10 => {
                let (numerator, denominator) = halves(bytes);
                f64::from(numerator as i32) / f64::from(denominator as i32)
            }
            6 => f64::from(number(bytes) as u8 as i8),
            8 => f64::from(number(bytes) as u16 as i16),
            9 => f64::from(number(bytes) as u32 as i32),
            11 => f64::from(f32::from_bits(number(bytes) as u32)),
            12 => f64::from_bits(number(bytes)),
            _ => number(bytes) as f64,
        };
        entry.values.chunks_exact(size_of_kind(entry.kind)).map(value).collect()
    }

    /// The text of an entry.
    pub(super) fn text(&self, tag: u16) -> String {
        let text = self.entry(tag).map(|entry| entry.values).unwrap_or_default();
        String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()
    }
}
