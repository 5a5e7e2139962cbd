//! Decoded samples before they become a picture or a mask.

use image::{DynamicImage, RgbImage};

use super::PictureError;

/// 16-bit pictures whose largest value is below this leave their upper bits unused.
const USES_ALL_BITS: u16 = 1 << 14;

/// Sample values, row by row, the channels of a pixel side by side.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    /// Labels; no picture.
    U32(Vec<u32>),
    /// 0 to 1 in pictures.
    F32(Vec<f32>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// These and then others; nothing if they are of another kind.
    pub(super) fn followed_by(self, others: Self) -> Option<Self> {
        fn both<T>(mut values: Vec<T>, others: Vec<T>) -> Vec<T> {
            values.extend(others);
            values
        }
        match (self, others) {
            (Self::U8(values), Self::U8(others)) => Some(Self::U8(both(values, others))),
            (Self::U16(values), Self::U16(others)) => Some(Self::U16(both(values, others))),
            (Self::U32(values), Self::U32(others)) => Some(Self::U32(both(values, others))),
            (Self::F32(values), Self::F32(others)) => Some(Self::F32(both(values, others))),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Raster {
    pub(super) width: u32,
    pub(super) height: u32,
    /// 1 grey or index, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    pub(super) channels: usize,
    pub(super) values: Values,
    /// Whether values are indices of a palette.
    pub(super) indexed: bool,
    /// Whether colours were multiplied by alpha.
    pub(super) premultiplied: bool,
    /// Whether values are exact only by and large.
    pub(super) lossy: bool,
}

impl Raster {
    pub(super) fn new(width: u32, height: u32, channels: usize, values: Values) -> Result<Self, PictureError> {
        if values.len() as u64 != u64::from(width) * u64::from(height) * channels as u64 {
            return Err(PictureError::Damaged("pixels are missing".into()));
        }
        Ok(Self { width, height, channels, values, indexed: false, premultiplied: false, lossy: false })
    }

    /// What the `image` library decoded.
    pub(super) fn of(image: DynamicImage) -> Result<Self, PictureError> {
        let (width, height) = (image.width(), image.height());
        let (channels, values) = match image {
            DynamicImage::ImageLuma8(image) => (1, Values::U8(image.into_raw())),
            DynamicImage::ImageLumaA8(image) => (2, Values::U8(image.into_raw())),
            DynamicImage::ImageRgb8(image) => (3, Values::U8(image.into_raw())),
            DynamicImage::ImageRgba8(image) => (4, Values::U8(image.into_raw())),
            DynamicImage::ImageLuma16(image) => (1, Values::U16(image.into_raw())),
            DynamicImage::ImageLumaA16(image) => (2, Values::U16(image.into_raw())),
            DynamicImage::ImageRgb16(image) => (3, Values::U16(image.into_raw())),
            DynamicImage::ImageRgba16(image) => (4, Values::U16(image.into_raw())),
            other => (4, Values::U8(other.into_rgba8().into_raw())),
        };
        Self::new(width, height, channels, values)
    }

    /// The largest value of 16-bit colours, if that leaves the upper bits unused.
    pub(super) fn unused_bits(&self) -> Option<u16> {
        let Values::U16(values) = &self.values else { return None };
        let colours = self.channels - usize::from(self.has_alpha());
        let largest = values.chunks_exact(self.channels).flat_map(|pixel| pixel.iter().take(colours)).max()?;
        (1..USES_ALL_BITS).contains(largest).then_some(*largest)
    }

    /// Refuses indices for which a palette of so many colours has none.
    pub(super) fn refuse_beyond(&self, colours: usize) -> Result<(), PictureError> {
        let Values::U8(indices) = &self.values else { return Ok(()) };
        match indices.iter().find(|&&index| usize::from(index) >= colours) {
            Some(index) => Err(PictureError::Damaged(format!("colour {index} is not in its palette of {colours}"))),
            None => Ok(()),
        }
    }

    pub(super) fn has_alpha(&self) -> bool {
        self.channels == 2 || self.channels == 4
    }

    /// 8 bits a channel, on white.
    pub(super) fn into_rgb(self) -> Result<RgbImage, PictureError> {
        let Self { width, height, channels, values, premultiplied, .. } = self;
        let hidden = match &values {
            Values::U8(values) => hides_all(values, channels),
            Values::U16(values) => hides_all(values, channels),
            _ => false,
        };
        if hidden {
            let what = "every pixel of it is transparent, though they have colours";
            return Err(PictureError::refused(what, "save the picture without transparency"));
        }
        let rgb = match values {
            Values::U8(values) if channels == 3 => values,
            Values::U8(values) => rgb(&values, channels, 255, premultiplied, |value| value as u8),
            Values::U16(values) => rgb(&values, channels, 65_535, premultiplied, |value| ((value + 128) / 257) as u8),
            Values::F32(values) => {
                let values: Vec<_> = values.iter().map(|value| (value * 65_535.0).round() as u16).collect();
                rgb(&values, channels, 65_535, premultiplied, |value| ((value + 128) / 257) as u8)
            }
            Values::U32(_) => {
                let what = "its values are whole numbers of more than 16 bits or with a sign, which are labels";
                return Err(PictureError::refused(what, "save the picture with 8 or 16 bits a channel"));
            }
        };
        RgbImage::from_raw(width, height, rgb).ok_or_else(|| PictureError::Damaged("pixels are missing".into()))
    }
}

/// Whether all is transparent and yet of several colours, so that white is hardly what is meant.
fn hides_all<T: Copy + PartialEq + Into<u32>>(values: &[T], channels: usize) -> bool {
    let pixels = || values.chunks_exact(channels.max(1)).filter_map(<[T]>::split_last);
    let has_alpha = channels == 2 || channels == 4;
    let first = pixels().next().map(|(_, colour)| colour);
    has_alpha && pixels().all(|(&alpha, _)| alpha.into() == 0) && pixels().any(|(_, colour)| Some(colour) != first)
}

/// Pixels of `channels` values, of which `full` is white, as RGB on white.
fn rgb<T: Copy + Into<u32>>(
    values: &[T],
    channels: usize,
    full: u32,
    premultiplied: bool,
    narrow: impl Fn(u32) -> u8,
) -> Vec<u8> {
    let on_white = |colour: u32, alpha: u32| {
        if premultiplied {
            (colour + full - alpha).min(full)
        } else {
            // below 2^32: 65535² + 65535² / 2
            ((u64::from(colour) * u64::from(alpha) + u64::from(full) * u64::from(full - alpha) + u64::from(full / 2))
                / u64::from(full)) as u32
        }
    };
    let mut rgb = Vec::with_capacity(values.len() / channels.max(1) * 3);
    for pixel in values.chunks_exact(channels.max(1)) {
        match *pixel {
            [grey] => rgb.extend([narrow(grey.into()); 3]),
            [grey, alpha] => rgb.extend([narrow(on_white(grey.into(), alpha.into())); 3]),
            [red, green, blue] => rgb.extend([red, green, blue].map(|colour| narrow(colour.into()))),
            [red, green, blue, alpha] => {
                rgb.extend([red, green, blue].map(|colour| narrow(on_white(colour.into(), alpha.into()))));
            }
            _ => {}
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn alpha_is_composed_on_white() {
        let of = |channels, values| Raster::new(1, 1, channels, values).unwrap().into_rgb().unwrap().into_raw();
        assert_eq!(of(4, Values::U8(vec![0, 10, 255, 0])), [255; 3]);
        assert_eq!(of(4, Values::U8(vec![0, 10, 255, 255])), [0, 10, 255]);
        assert_eq!(of(2, Values::U8(vec![0, 51])), [204; 3]);
        assert_eq!(of(4, Values::U16(vec![0, 65_535, 0, 13_107])), [204, 255, 204]);
        let mut raster = Raster::new(1, 1, 4, Values::U8(vec![51, 0, 51, 51])).unwrap();
        raster.premultiplied = true;
        assert_eq!(raster.into_rgb().unwrap().into_raw(), [255, 204, 255]);
    }
}
