//! The tiles of one page: where they stand and how they are stored. Strips are tiles as wide as the page.

use super::SlideError;
use crate::ifd::{Page, tag};

/// Most pixels of a tile or strip.
const MOST_OF_A_TILE: u64 = 1 << 26;
/// Longest side of a page.
const LONGEST: u64 = 1 << 30;

/// How a tile is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Lzw,
    Deflate,
    PackBits,
    Jpeg,
    /// `ycbcr` says that components which the code stream itself does not transform are luminance and differences.
    Jpeg2000 {
        ycbcr: bool,
    },
}

impl Codec {
    fn of(page: &Page<'_>) -> Result<Self, SlideError> {
        let ycbcr = page.number(tag::PHOTOMETRIC) == Some(6);
        match page.number(tag::COMPRESSION).unwrap_or(1) {
            1 => Ok(Self::None),
            5 => Ok(Self::Lzw),
            7 => Ok(Self::Jpeg),
            8 | 32_946 => Ok(Self::Deflate),
            32_773 => Ok(Self::PackBits),
            33_003 => Ok(Self::Jpeg2000 { ycbcr: true }),
            33_005 => Ok(Self::Jpeg2000 { ycbcr: false }),
            33_004 | 34_712 => Ok(Self::Jpeg2000 { ycbcr }),
            6 => Err(SlideError::unsupported("a TIFF compressed with old-style JPEG, which is not read")),
            50_000 => Err(SlideError::unsupported("a TIFF compressed with Zstandard, which is not read")),
            50_001 => Err(SlideError::unsupported("a TIFF compressed with WebP, which is not read")),
            other => Err(SlideError::unsupported(format!("a TIFF with compression number {other}, which is not read"))),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Lzw => "LZW",
            Self::Deflate => "Deflate",
            Self::PackBits => "PackBits",
            Self::Jpeg => "JPEG",
            Self::Jpeg2000 { .. } => "JPEG 2000",
        }
    }
}

/// What samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey { white_is_zero: bool },
    Rgb,
    YCbCr,
}

/// A page's tiles.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Pixels of the page, which its tiles may exceed.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pixels of a tile.
    pub(super) tile: [u32; 2],
    /// Tiles in a row and in a column.
    pub(super) across: u32,
    pub(super) down: u32,
    pub(super) is_tiled: bool,
    /// Offset and length of each tile in the file; of planes, first all tiles of the first.
    pub(super) places: Vec<(u64, u64)>,
    pub(super) codec: Codec,
    pub(super) colours: Colours,
    pub(super) samples: u16,
    pub(super) bits: u16,
    /// Whether each sample has tiles of its own.
    pub(super) planar: bool,
    pub(super) predictor: bool,
    pub(super) little: bool,
    /// What all JPEG tiles share.
    pub(super) tables: Vec<u8>,
}

impl Grid {
    /// `number` of the page counts from 1.
    pub(super) fn of(page: &Page<'_>, number: usize) -> Result<Self, SlideError> {
        let damaged = |reason: String| SlideError::Damaged { page: number, reason };
        let side = |name: u16, what: &str| {
            let side = page.number(name).ok_or_else(|| damaged(format!("it names no {what}")))?;
            if side == 0 || side > LONGEST {
                return Err(damaged(format!("a {what} of {side} pixels cannot be")));
            }
            u32::try_from(side).map_err(|_| damaged(format!("a {what} of {side} pixels cannot be")))
        };
        let (width, height) = (side(tag::WIDTH, "width")?, side(tag::HEIGHT, "height")?);
        let is_tiled = page.number(tag::TILE_WIDTH).is_some();
        let tile = if is_tiled {
            [side(tag::TILE_WIDTH, "tile width")?, side(tag::TILE_HEIGHT, "tile height")?]
        } else {
            let rows = page.number(tag::ROWS_PER_STRIP).filter(|&rows| rows > 0).unwrap_or(u64::MAX);
            [width, u32::try_from(rows.min(height.into())).unwrap_or(height)]
        };
        if u64::from(tile[0]) * u64::from(tile[1]) > MOST_OF_A_TILE {
            let kind = if is_tiled { "tiles" } else { "strips" };
            return Err(SlideError::unsupported(format!("{kind} of {}×{} pixels are too large", tile[0], tile[1])));
        }
        let (across, down) = (width.div_ceil(tile[0]), height.div_ceil(tile[1]));

        let (codec, colours) = (Codec::of(page)?, colours(page)?);
        let samples = page.number(tag::SAMPLES).unwrap_or(1);
        let least = if matches!(colours, Colours::Grey { .. }) { 1 } else { 3 };
        let bits = page.numbers(tag::BITS);
        let depth = bits.first().copied().unwrap_or(1);
        if !(least..=8).contains(&samples) || !matches!(depth, 8 | 16) || bits.iter().any(|&other| other != depth) {
            let what = format!("a TIFF with {samples} samples of {depth} bits a pixel, which is not read");
            return Err(SlideError::unsupported(what));
        }
        if page.number(tag::SAMPLE_FORMAT).is_some_and(|format| !matches!(format, 1 | 4)) {
            return Err(SlideError::unsupported("a TIFF of floats or of numbers with a sign, which is not read"));
        }
        let predictor = page.number(tag::PREDICTOR).unwrap_or(1);
        if !matches!(predictor, 1 | 2) {
            return Err(SlideError::unsupported(format!("a TIFF with predictor {predictor}, which is not read")));
        }
        let subsampled = page.numbers(tag::YCBCR_SUBSAMPLING).iter().any(|&factor| factor != 1);
        if colours == Colours::YCbCr && subsampled && !matches!(codec, Codec::Jpeg | Codec::Jpeg2000 { .. }) {
            return Err(SlideError::unsupported("a TIFF in subsampled YCbCr without JPEG, which is not read"));
        }
        let planar = page.number(tag::PLANAR) == Some(2) && samples > 1;

        let names =
            if is_tiled { [tag::TILE_OFFSETS, tag::TILE_BYTES] } else { [tag::STRIP_OFFSETS, tag::STRIP_BYTES] };
        let [offsets, lengths] = names.map(|name| page.numbers(name));
        let needed = u64::from(across) * u64::from(down) * if planar { samples } else { 1 };
        if (offsets.len() as u64) < needed || (lengths.len() as u64) < needed {
            let listed = offsets.len().min(lengths.len());
            return Err(damaged(format!("{width}×{height} pixels need {needed} tiles, but {listed} are listed")));
        }
        Ok(Self {
            width,
            height,
            tile,
            across,
            down,
            is_tiled,
            places: offsets.into_iter().zip(lengths).collect(),
            codec,
            colours,
            samples: samples as u16,
            bits: depth as u16,
            planar,
            predictor: predictor == 2,
            little: page.is_little(),
            tables: page.bytes(tag::JPEG_TABLES).to_vec(),
        })
    }

    /// Pixels of a tile as stored: the last strip is shorter.
    pub(super) fn stored(&self, row: u32) -> [u32; 2] {
        let [width, height] = self.tile;
        if self.is_tiled { self.tile } else { [width, height.min(self.height - (row * height).min(self.height))] }
    }
}

fn colours(page: &Page<'_>) -> Result<Colours, SlideError> {
    match page.number(tag::PHOTOMETRIC) {
        Some(0) => Ok(Colours::Grey { white_is_zero: true }),
        Some(1) => Ok(Colours::Grey { white_is_zero: false }),
        Some(2) => Ok(Colours::Rgb),
        Some(6) => Ok(Colours::YCbCr),
        other => {
            let kind = match other {
                None => "without a colour space".into(),
                Some(3) => "with a palette".into(),
                Some(5) => "in CMYK".into(),
                Some(8..=10) => "in Lab colours".into(),
                Some(other) => format!("with colours of kind {other}"),
            };
            Err(SlideError::unsupported(format!("a TIFF {kind}, which is not read")))
        }
    }
}
