//! JPEG: its markers, and its pixels only if all of them are there.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::raster::{Raster, Values};
use super::{Limits, PictureError, check_size};

/// What a walk along the markers finds.
pub(super) struct Markers<'a> {
    /// Where the end marker behind the last scan begins, or what is missing before it. What follows it (padding, a
    /// second picture) is not asked.
    pub(super) end: Result<usize, Unfinished>,
    /// The EXIF block with its header.
    pub(super) exif: Option<&'a [u8]>,
    /// What JFIF says of a pixel's sides.
    pub(super) microns_per_pixel: Option<[f64; 2]>,
    /// How it is compressed.
    frame: Option<Frame>,
    /// Whether Adobe's marker is there, which tells that inks are stored inverted.
    adobe: bool,
}

/// What the header of a frame says.
#[derive(Clone, Copy)]
struct Frame {
    /// Its marker.
    code: u8,
    /// Bits of a sample.
    bits: u8,
    components: u8,
}

impl Markers<'_> {
    /// Refuses by name what the decoder does not read as it is meant.
    pub(super) fn refuse_unreadable(&self) -> Result<(), PictureError> {
        const REMEDY: &str = "save it as ordinary JPEG (baseline or progressive, 8 bits, RGB or grey) or as PNG";
        let Some(Frame { code, bits, components }) = self.frame else { return Ok(()) };
        let kind = match code {
            0xf7 => "in JPEG-LS",
            0xc3 | 0xc7 | 0xcb | 0xcf => "in lossless JPEG",
            0xc5 | 0xc6 | 0xcd | 0xce => "in hierarchical JPEG",
            0xc9 | 0xca => "in JPEG with arithmetic codes",
            _ if bits != 8 => {
                return Err(PictureError::refused(format!("a JPEG of {bits} bits, which is not read"), REMEDY));
            }
            _ if components == 4 && !self.adobe => {
                let what = "a JPEG in CMYK that does not say whether its inks are inverted, which programs read unlike";
                return Err(PictureError::refused(what, REMEDY));
            }
            _ => return Ok(()),
        };
        Err(PictureError::refused(format!("a picture {kind}, which is not read"), REMEDY))
    }
}

/// Why there is no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfinished {
    /// No end marker.
    #[error("the JPEG ends before its last scan does")]
    NoEnd,
    /// One before all coefficients were sent.
    #[error("scans of the JPEG are missing")]
    Scans,
}

/// Walks from marker to marker. The decoder fills up a truncated file with grey and does not complain, and an end
/// marker near the end of the file may be a thumbnail's.
pub(super) fn walk(file: &[u8]) -> Markers<'_> {
    let mut found =
        Markers { end: Err(Unfinished::NoEnd), exif: None, microns_per_pixel: None, frame: None, adobe: false };
    let mut coefficients = Coefficients::default();
    let mut scans = 0;
    let mut rest = file.get(2..).unwrap_or_default();
    loop {
        // from here to the next marker: data of a scan, or nothing
        let Some(at) = rest.iter().position(|&byte| byte == 0xff) else { return found };
        rest = rest.get(at..).unwrap_or_default();
        let here = file.len() - rest.len();
        let Some(fill) = rest.iter().position(|&byte| byte != 0xff) else { return found };
        let Some((&code, behind)) = rest.get(fill..).and_then(<[u8]>::split_first) else { return found };
        rest = behind;
        match code {
            // 0xff as a value of the scan, a restart, a marker without content
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            0xd9 if scans > 0 => {
                found.end = if coefficients.all() { Ok(here) } else { Err(Unfinished::Scans) };
                return found;
            }
            // another picture begins before this one has ended
            0xd8 if scans > 0 => return found,
            0xd8 | 0xd9 => {}
            _ => {
                let Some(&[high, low]) = rest.first_chunk::<2>() else { return found };
                let Some(segment) = rest.get(2..usize::from(u16::from_be_bytes([high, low]))) else { return found };
                match code {
                    0xe1 if segment.starts_with(b"Exif\0\0") && found.exif.is_none() => found.exif = Some(segment),
                    0xe0 if found.microns_per_pixel.is_none() => found.microns_per_pixel = density(segment),
                    0xee if segment.starts_with(b"Adobe") => found.adobe = true,
                    0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                        let numbers = (segment.first(), segment.get(5));
                        if let (Some(&bits), Some(&components)) = numbers {
                            found.frame = Some(Frame { code, bits, components });
                        }
                        coefficients.frame(code, segment);
                    }
                    0xda => {
                        scans += 1;
                        coefficients.scan(segment);
                    }
                    _ => {}
                }
                rest = rest.get(2 + segment.len()..).unwrap_or_default();
            }
        }
    }
}

/// Which coefficients of a block the scans have not yet brought to their last bit.
#[derive(Default)]
struct Coefficients {
    /// Whether a scan holds a part of them, by its own account.
    progressive: bool,
    /// By a component's number in the file, a bit each.
    missing: Vec<(u8, u64)>,
}

impl Coefficients {
    fn frame(&mut self, code: u8, segment: &[u8]) {
        self.progressive = code & 3 == 2;
        let components = segment.get(6..).unwrap_or_default().chunks_exact(3);
        self.missing = components.filter_map(|component| Some((*component.first()?, u64::MAX))).collect();
    }

    fn scan(&mut self, segment: &[u8]) {
        let Some((&count, rest)) = segment.split_first() else { return };
        let Some((components, &[first, last, bits])) =
            rest.split_at_checked(2 * usize::from(count)).and_then(|(a, b)| Some((a, b.first_chunk::<3>()?)))
        else {
            return;
        };
        let sent = match self.progressive {
            // a later scan brings their lower bits
            true if bits & 15 != 0 => 0,
            true => (u64::from(first)..=u64::from(last.min(63))).fold(0, |sent, index| sent | 1 << index),
            false => u64::MAX,
        };
        for component in components.chunks_exact(2) {
            let own = self.missing.iter_mut().filter(|(number, _)| component.first() == Some(number));
            own.for_each(|(_, missing)| *missing &= !sent);
        }
    }

    fn all(&self) -> bool {
        self.missing.iter().all(|&(_, missing)| missing == 0)
    }
}

/// Ones only, which no table of codes has a code for; a zero follows each 0xff in a scan.
const NO_CODE: [u8; 128] = {
    let mut bytes = [0xff; 128];
    let mut index = 1;
    while index < bytes.len() {
        bytes[index] = 0;
        index += 2;
    }
    bytes
};

/// A JPEG up to `end`, closed by what a decoder reaches that misses something: it fails there, in place of filling up.
pub(crate) fn closed(file: &[u8], end: usize) -> Vec<u8> {
    [file.get(..end).unwrap_or(file), &NO_CODE, &[0xff, 0xd9]].concat()
}

/// Where the last scan of a tile ends; the end marker itself may be missing, as some writers of tiles leave it out.
#[cfg(feature = "slide")]
pub(crate) fn scans_end(file: &[u8]) -> Result<usize, Unfinished> {
    match walk(file).end {
        Err(Unfinished::NoEnd) => Ok(file.len()),
        end => end,
    }
}

/// The pixels, grey or RGB, of a file that is whole: a scan that was cut is refused though an end marker follows it,
/// where the decoder would draw zeros up to the end.
pub(super) fn read(file: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    let damaged = |what: &dyn std::fmt::Display| PictureError::damaged(what);
    let markers = walk(file);
    markers.refuse_unreadable()?;
    let end = markers.end.map_err(|what| damaged(&what))?;
    let whole = closed(file, end);
    let any_size = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&whole), any_size.set_strict_mode(false));
    decoder.decode_headers().map_err(|error| damaged(&error))?;
    let (Some((width, height)), Some(stored)) = (decoder.dimensions(), decoder.input_colorspace()) else {
        return Err(damaged(&"it has no header"));
    };
    let (width, height) = (width as u32, height as u32);
    check_size(width, height, limits)?;
    let (colours, channels) = if stored == ColorSpace::Luma { (stored, 1) } else { (ColorSpace::RGB, 3) };
    if u64::from(width) * u64::from(height) * channels as u64 > limits.bytes {
        return Err(PictureError::TooMuchMemory);
    }
    decoder.set_options(any_size.set_strict_mode(true).jpeg_set_out_colorspace(colours));
    let pixels = decoder.decode().map_err(|error| damaged(&error))?;
    Raster::new(width, height, channels, Values::U8(pixels)).map(|raster| Raster { lossy: true, ..raster })
}

/// Of a JFIF segment: pixels per inch or centimetre.
fn density(segment: &[u8]) -> Option<[f64; 2]> {
    let &[unit, a, b, c, d] = segment.strip_prefix(b"JFIF\0")?.get(2..)?.first_chunk::<5>()?;
    let microns = match unit {
        1 => 25_400.0,
        2 => 10_000.0,
        _ => return None,
    };
    Some([[a, b], [c, d]].map(|pixels| microns / f64::from(u16::from_be_bytes(pixels))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_counts_behind_the_last_scan() {
        // a start, a thumbnail with an end of its own inside a segment, a scan with a stuffed 0xff and a restart
        let segment = [0xff, 0xe0, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 3, 1, 7, 0xff, 0, 8, 0xff, 0xd0, 9];
        let whole = [&[0xff, 0xd8][..], &segment, &scan, &[0xff, 0xd9]].concat();
        let end = Ok(whole.len() - 2);
        assert_eq!(walk(&whole).end, end);
        assert_eq!(walk(&[&whole[..], &[0; 5000]].concat()).end, end, "padding");
        assert_eq!(walk(&[&whole[..], &whole].concat()).end, end, "a second picture");
        for cut in 0..whole.len() {
            assert!(walk(&whole[..cut]).end.is_err(), "cut at {cut}");
        }
        // cut, with another whole picture behind it
        assert!(walk(&[&whole[..whole.len() - 2], &whole].concat()).end.is_err());
    }

    #[test]
    fn every_coefficient_is_sent_to_its_last_bit() {
        let whole = |progressive, scans: &[&[u8]]| {
            let mut coefficients = Coefficients::default();
            let components = [1, 0x11, 0, 2, 0x11, 0];
            coefficients.frame(if progressive { 0xc2 } else { 0xc0 }, &[&[8, 0, 8, 0, 8, 2][..], &components].concat());
            scans.iter().for_each(|scan| coefficients.scan(scan));
            coefficients.all()
        };
        assert!(whole(false, &[&[2, 1, 0, 2, 0, 0, 63, 0]]));
        assert!(whole(false, &[&[1, 1, 0, 0, 63, 0], &[1, 2, 0, 0, 63, 0]]));
        assert!(!whole(false, &[&[1, 1, 0, 0, 63, 0]]), "a component without a scan");
        let sent: [&[u8]; 4] =
            [&[2, 1, 0, 2, 0, 0, 0, 0], &[1, 1, 0, 1, 63, 1], &[1, 2, 0, 1, 63, 0], &[1, 1, 0, 1, 63, 0x10]];
        assert!(whole(true, &sent));
        for missing in 0..sent.len() {
            let some: Vec<_> =
                sent.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, scan)| *scan).collect();
            // the refinement brings the coefficients that it refines
            assert_eq!(whole(true, &some), missing == 1, "without scan {missing}");
        }
    }
}
