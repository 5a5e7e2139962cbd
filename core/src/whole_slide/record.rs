//! Results of parts as bytes.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::classify::Classified;

/// What a window showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Posterior of each class; empty for methods that name none.
    pub probabilities: Vec<f32>,
    /// Entropy of the classifier on the background, 0 to 1.
    pub uncertainty: Option<f32>,
    /// Its mask, 255 for 1; empty where blocks make the mask.
    pub mask: Vec<u8>,
}

/// What a block showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// `[maps, h, w]`.
    pub maps: Vec<f32>,
    /// Of each pixel what [`Wide::flags`](crate::refine::Wide::flags) says; may be empty.
    pub flags: Vec<u8>,
}

impl Seen {
    /// Without a mask.
    pub(super) fn of(Classified { probabilities, background_uncertainty }: Classified) -> Self {
        Self { probabilities, uncertainty: background_uncertainty, mask: Vec::new() }
    }

    /// For [`Self::of_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.probabilities.iter().copied().chain([self.uncertainty.unwrap_or(f32::NAN)]);
        [floats(numbers.collect::<Vec<_>>().as_slice()), packed(&self.mask)].concat()
    }

    /// `pixels` of the mask, 0 where it has none.
    #[must_use]
    pub fn of_bytes(bytes: &[u8], pixels: usize) -> Option<Self> {
        let (mut probabilities, rest) = read_floats(bytes)?;
        let uncertainty = probabilities.pop().filter(|value| !value.is_nan());
        Some(Self { probabilities, uncertainty, mask: unpacked(rest, pixels)? })
    }
}

impl Mapped {
    /// For [`Self::of_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [floats(&self.maps), packed(&self.flags)].concat()
    }

    /// `pixels` of flags, 0 where there are none.
    #[must_use]
    pub fn of_bytes(bytes: &[u8], pixels: usize) -> Option<Self> {
        let (maps, rest) = read_floats(bytes)?;
        Some(Self { maps, flags: unpacked(rest, pixels)? })
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    let mut bytes = (values.len() as u32).to_le_bytes().to_vec();
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

fn read_floats(bytes: &[u8]) -> Option<(Vec<f32>, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let (values, rest) = rest.split_at_checked(4 * u32::from_le_bytes(*count) as usize)?;
    Some((values.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect(), rest))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // a vector takes everything
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn unpacked(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(bytes).take(length as u64 + 1).read_to_end(&mut unpacked).ok()?;
    (unpacked.len() == length).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_results() {
        let seen = Seen { probabilities: vec![0.25, 0.75], uncertainty: Some(0.5), mask: vec![0, 128, 255] };
        assert_eq!(Seen::of_bytes(&seen.to_bytes(), 3), Some(seen.clone()));
        assert_eq!(Seen::of_bytes(&seen.to_bytes(), 4), None);
        let bare = Seen::default();
        assert_eq!(Seen::of_bytes(&bare.to_bytes(), 0), Some(bare));
        let mapped = Mapped { maps: vec![-1.0, 2.0], flags: vec![3; 500] };
        assert_eq!(Mapped::of_bytes(&mapped.to_bytes(), 500), Some(mapped));
        assert_eq!(Mapped::of_bytes(&[9, 0, 0, 0, 1], 0), None);
    }
}
