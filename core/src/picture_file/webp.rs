//! What of a WebP file the decoder does not tell.

use super::PictureError;

/// Names and contents of the chunks, as far as they are whole.
fn chunks(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = file.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_first_chunk::<4>()?;
        let (length, behind) = behind.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let content = behind.get(..length)?;
        // chunks begin at even places
        rest = behind.get(length.checked_add(length % 2)?..).unwrap_or_default();
        Some((*name, content))
    })
}

/// The container says how long it is; the lossless decoder fills up what is missing.
pub(super) fn refuse_cut_off(file: &[u8]) -> Result<(), PictureError> {
    let length = file.get(4..).and_then(|rest| rest.first_chunk::<4>().copied()).map_or(0, u32::from_le_bytes);
    // a last byte that fills up to an even number may be left out
    let whole: usize = chunks(file).map(|(_, content)| 8 + content.len().next_multiple_of(2)).sum();
    match (whole as u64) < u64::from(length).saturating_sub(4) {
        true => Err(PictureError::Damaged("it ends before its pixels do".into())),
        false => Ok(()),
    }
}

/// The EXIF block, with or without its header.
pub(super) fn exif(file: &[u8]) -> Option<&[u8]> {
    chunks(file).find(|(name, _)| name == b"EXIF").map(|(_, content)| content)
}

/// Whether its values are exact only by and large: not by the lossless codec.
pub(super) fn is_lossy(file: &[u8]) -> bool {
    chunks(file).any(|(name, _)| name == *b"VP8 ")
}

/// Frames of an animation; 1 for a still picture.
pub(super) fn frames(file: &[u8]) -> u32 {
    chunks(file).filter(|(name, _)| name == b"ANMF").count().max(1).try_into().unwrap_or(u32::MAX)
}
