//! The markers of a JPEG file.

/// What a walk along the markers finds.
pub(super) struct Markers<'a> {
    /// Whether the end marker stands behind the last scan. What follows it (padding, a second picture) is not asked.
    pub(super) complete: bool,
    /// The EXIF block with its header.
    pub(super) exif: Option<&'a [u8]>,
    /// What JFIF says of a pixel's sides.
    pub(super) microns_per_pixel: Option<[f64; 2]>,
}

/// Walks from marker to marker. The decoder fills up a truncated file with grey and does not complain, and an end
/// marker near the end of the file may be a thumbnail's.
pub(super) fn walk(file: &[u8]) -> Markers<'_> {
    let mut found = Markers { complete: false, exif: None, microns_per_pixel: None };
    let mut scans = 0;
    let mut rest = file.get(2..).unwrap_or_default();
    loop {
        // from here to the next marker: data of a scan, or nothing
        let Some(at) = rest.iter().position(|&byte| byte == 0xff) else { return found };
        rest = rest.get(at..).unwrap_or_default();
        let Some(fill) = rest.iter().position(|&byte| byte != 0xff) else { return found };
        let Some((&code, behind)) = rest.get(fill..).and_then(<[u8]>::split_first) else { return found };
        rest = behind;
        match code {
            // 0xff as a value of the scan, a restart, a marker without content
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            0xd9 if scans > 0 => {
                found.complete = true;
                return found;
            }
            // another picture begins before this one has ended
            0xd8 if scans > 0 => return found,
            0xd8 | 0xd9 => {}
            _ => {
                let Some(&[high, low]) = rest.first_chunk::<2>() else { return found };
                let Some(segment) = rest.get(2..usize::from(u16::from_be_bytes([high, low]))) else { return found };
                if code == 0xe1 && segment.starts_with(b"Exif\0\0") && found.exif.is_none() {
                    found.exif = Some(segment);
                }
                if code == 0xe0 && found.microns_per_pixel.is_none() {
                    found.microns_per_pixel = density(segment);
                }
                scans += usize::from(code == 0xda);
                rest = rest.get(2 + segment.len()..).unwrap_or_default();
            }
        }
    }
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
        assert!(walk(&whole).complete);
        assert!(walk(&[&whole[..], &[0; 5000]].concat()).complete, "padding");
        assert!(walk(&[&whole[..], &whole].concat()).complete, "a second picture");
        for cut in 0..whole.len() {
            assert!(!walk(&whole[..cut]).complete, "cut at {cut}");
        }
        // cut, with another whole picture behind it
        assert!(!walk(&[&whole[..whole.len() - 2], &whole].concat()).complete);
    }
}
