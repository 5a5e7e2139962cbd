//! The directories of a TIFF file: one a page, each a list of numbered entries. Read here rather than by the decoder,
//! which refuses files before it tells what they are; from a file in memory or, for slides, from one that is read where
//! it is needed.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Pages looked at; more are refused anyway.
const MOST_PAGES: usize = 10_000;

/// Numbers of entries (TIFF 6.0, and Adobe's and BigTIFF's additions).
pub(crate) mod tag {
    pub(crate) const SUBFILE: u16 = 254;
    pub(crate) const OLD_SUBFILE: u16 = 255;
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const DESCRIPTION: u16 = 270;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTES: u16 = 279;
    pub(crate) const PLANAR: u16 = 284;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTES: u16 = 325;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const LEAST_SAMPLE: u16 = 340;
    pub(crate) const LARGEST_SAMPLE: u16 = 341;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const Y_RESOLUTION: u16 = 283;
    pub(crate) const RESOLUTION_UNIT: u16 = 296;
    pub(crate) const SOFTWARE: u16 = 305;
    pub(crate) const SUB_IFDS: u16 = 330;
    /// Of Hamamatsu's NDPI.
    pub(crate) const NDPI: u16 = 65420;
    pub(crate) const YCBCR_COEFFICIENTS: u16 = 529;
    pub(crate) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(crate) const REFERENCE_BLACK_WHITE: u16 = 532;
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

/// Where a file's bytes come from.
pub(crate) trait Bytes<'a> {
    /// `length` bytes from `at` on; nothing if the file ends before.
    fn bytes_at(&self, at: u64, length: u64) -> Option<Cow<'a, [u8]>>;
}

impl<'a> Bytes<'a> for &'a [u8] {
    fn bytes_at(&self, at: u64, length: u64) -> Option<Cow<'a, [u8]>> {
        let rest = <[u8]>::get(self, usize::try_from(at).ok()?..)?;
        rest.get(..usize::try_from(length).ok()?).map(Cow::Borrowed)
    }
}

/// Why a file's directories cannot be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The file ends before its directories do.
    CutOff,
    /// Neither TIFF nor BigTIFF.
    NotTiff,
}

/// A file's pages.
pub(crate) struct Directories<'a> {
    layout: Layout,
    pub(crate) pages: Vec<Page<'a>>,
    /// Whether the last page names an earlier one as its next.
    pub(crate) cyclic: bool,
    /// Where pages were found.
    #[cfg(feature = "slide")]
    places: BTreeSet<u64>,
}

/// A page's entries.
pub(crate) struct Page<'a> {
    layout: Layout,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    tag: u16,
    kind: u16,
    /// As it stands in the directory.
    raw: Cow<'a, [u8]>,
    /// Its values, wherever they stand; empty if they reach beyond the file.
    values: Cow<'a, [u8]>,
}

impl<'a> Directories<'a> {
    pub(crate) fn read(file: &impl Bytes<'a>) -> Result<Self, Broken> {
        let head = file.bytes_at(0, 8).ok_or(Broken::CutOff)?;
        let (little, magic) = (head.starts_with(b"II"), head.get(2..4).unwrap_or_default());
        let version = Layout { little, big: false }.number(magic);
        if !(little || head.starts_with(b"MM")) || !matches!(version, 42 | 43) {
            return Err(Broken::NotTiff);
        }
        let layout = Layout { little, big: version == 43 };
        let first = if layout.big { file.bytes_at(8, 8) } else { file.bytes_at(4, 4) };
        let mut at = layout.number(&first.ok_or(Broken::CutOff)?);
        let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
        while at != 0 && seen.insert(at) && pages.len() < MOST_PAGES {
            // pages behind the first may be cut off without harm to it, but then who knows what they were
            let (page, next) = page(file, layout, at).ok_or(Broken::CutOff)?;
            pages.push(page);
            at = next;
        }
        Ok(Self {
            layout,
            pages,
            cyclic: seen.contains(&at),
            #[cfg(feature = "slide")]
            places: seen,
        })
    }

    /// The pages at offsets that stand in an entry, as of the levels of a pyramid, each with those that it names as its
    /// next; nothing if they lead back to themselves or to a page of the file.
    #[cfg(feature = "slide")]
    pub(crate) fn pages_below(&self, file: &impl Bytes<'a>, starts: &[u64]) -> Result<Option<Vec<Page<'a>>>, Broken> {
        let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
        for &start in starts {
            let (mut at, mut chain) = (start, BTreeSet::new());
            while at != 0 && pages.len() < MOST_PAGES {
                if self.places.contains(&at) || !chain.insert(at) {
                    return Ok(None);
                }
                // the list may name all pages of a chain
                if !seen.insert(at) {
                    break;
                }
                let (page, next) = page(file, self.layout, at).ok_or(Broken::CutOff)?;
                pages.push(page);
                at = next;
            }
        }
        Ok(Some(pages))
    }

    /// The file with a directory of its own in front, which has of a page what the decoder of pixels needs, as plain
    /// grey samples, and with single values and whole lists changed.
    pub(crate) fn plain(
        &self,
        mut file: Vec<u8>,
        page: &Page<'_>,
        changes: &[(u16, u64)],
        lists: &[(u16, Vec<u64>)],
    ) -> Vec<u8> {
        let Layout { big, .. } = self.layout;
        let wide = self.layout.wide();
        // a value, or the place of several
        let counted = |tag: u16, count: u64, value: u64| {
            let long = if big { 16 } else { 4 };
            let mut raw = self.layout.bytes(tag.into(), 2);
            raw.extend(self.layout.bytes(long, 2));
            raw.extend(self.layout.bytes(count, wide));
            raw.extend(self.layout.bytes(value, wide));
            (tag, raw)
        };
        let changed = |tag: u16, value: u64| counted(tag, 1, value);
        let kept = page.entries.iter().filter(|entry| FOR_PIXELS.contains(&entry.tag));
        let kept = kept.filter(|entry| changes.iter().all(|(tag, _)| *tag != entry.tag));
        let kept = kept.filter(|entry| lists.iter().all(|(tag, _)| *tag != entry.tag));
        let mut entries: Vec<_> = kept.map(|entry| (entry.tag, entry.raw.to_vec())).collect();
        entries.extend(changes.iter().map(|&(tag, value)| changed(tag, value)));
        for (tag, values) in lists {
            file.resize(file.len().next_multiple_of(8), 0);
            entries.push(match *values.as_slice() {
                [value] => changed(*tag, value),
                _ => counted(*tag, values.len() as u64, file.len() as u64),
            });
            values.iter().for_each(|&value| file.extend(self.layout.bytes(value, wide)));
        }
        // black is zero
        entries.push(changed(tag::PHOTOMETRIC, 1));
        entries.sort_by_key(|(tag, _)| *tag);
        entries.dedup_by_key(|(tag, _)| *tag);

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

/// A part of bytes, borrowed where the whole is.
fn part<'a>(bytes: &Cow<'a, [u8]>, from: usize, length: usize) -> Option<Cow<'a, [u8]>> {
    let range = from..from.checked_add(length)?;
    match bytes {
        Cow::Borrowed(bytes) => bytes.get(range).map(Cow::Borrowed),
        Cow::Owned(bytes) => bytes.get(range).map(|part| Cow::Owned(part.to_vec())),
    }
}

/// The page at an offset, and the offset of the next.
fn page<'a>(file: &impl Bytes<'a>, layout: Layout, at: u64) -> Option<(Page<'a>, u64)> {
    let (wide, long) = (layout.wide(), layout.entry());
    let count = layout.number(&file.bytes_at(at, layout.count() as u64)?);
    let size = count.checked_mul(long as u64)?.checked_add(wide as u64)?;
    let directory = file.bytes_at(at.checked_add(layout.count() as u64)?, size)?;
    let end = directory.len().checked_sub(wide)?;
    let next = layout.number(directory.get(end..)?);
    let entries = (0..end / long).filter_map(|index| {
        let raw = part(&directory, index * long, long)?;
        let (tag, kind) = (layout.number(raw.get(..2)?), layout.number(raw.get(2..4)?) as u16);
        let count = layout.number(raw.get(4..4 + wide)?);
        let size = count.checked_mul(size_of_kind(kind) as u64)?;
        let values = if size <= wide as u64 {
            part(&raw, 4 + wide, usize::try_from(size).ok()?)
        } else {
            file.bytes_at(layout.number(raw.get(4 + wide..)?), size)
        };
        Some(Entry { tag: tag as u16, kind, values: values.unwrap_or_default(), raw })
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
    /// Whether numbers begin with their lowest byte.
    #[cfg(feature = "slide")]
    pub(crate) fn is_little(&self) -> bool {
        self.layout.little
    }

    fn entry(&self, tag: u16) -> Option<&Entry<'_>> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The bytes of an entry; none if it is absent.
    #[cfg(feature = "slide")]
    pub(crate) fn bytes(&self, tag: u16) -> &[u8] {
        self.entry(tag).map_or(&[], |entry| &entry.values)
    }

    /// The whole numbers of an entry; none if it is absent.
    pub(crate) fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        entry.values.chunks_exact(size_of_kind(entry.kind)).map(|value| self.layout.number(value)).collect()
    }

    /// The first whole number of an entry.
    pub(crate) fn number(&self, tag: u16) -> Option<u64> {
        let entry = self.entry(tag)?;
        entry.values.get(..size_of_kind(entry.kind)).map(|value| self.layout.number(value))
    }

    /// The numbers of an entry of any kind.
    pub(crate) fn floats(&self, tag: u16) -> Vec<f64> {
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
    pub(crate) fn text(&self, tag: u16) -> String {
        let text = self.entry(tag).map_or(&[][..], |entry| &entry.values);
        String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()
    }
}
