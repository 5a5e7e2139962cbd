//! A picture as a whole slide: a pyramid of JPEG tiles in a BigTIFF, each level half the one before.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};
use tiff::TiffResult;
use tiff::encoder::{Rational, TiffEncoder};
use tiff::tags::Tag;

/// Side of a tile in pixels.
const TILE: u32 = 256;
/// JPEG quality, 1 to 100.
const QUALITY: u8 = 90;
/// The coarsest level is 1 : 64, level 6 as in Camelyon16.
const LEVELS: u32 = 7;

/// Why a slide could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum SlideFileError {
    /// A tile.
    #[error(transparent)]
    Tile(#[from] image::ImageError),
    /// The file.
    #[error(transparent)]
    File(#[from] tiff::TiffError),
}

/// The bytes of a slide whose pixels are `mpp` microns.
pub(super) fn encode(picture: RgbImage, mpp: f64, description: &str) -> Result<Vec<u8>, SlideFileError> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new_big(&mut file)?;
    let mut level = picture;
    for number in 0..LEVELS {
        let mut directory = encoder.image_directory()?;
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for y in (0..level.height()).step_by(TILE as usize) {
            for x in (0..level.width()).step_by(TILE as usize) {
                let bytes = tile(&level, x, y)?;
                offsets.push(directory.write_data(bytes.as_slice())?);
                lengths.push(bytes.len() as u64);
            }
        }
        let scale = mpp * f64::from(1_u32 << number);
        let write = |directory: &mut tiff::encoder::DirectoryEncoder<'_, _, _>| -> TiffResult<()> {
            directory.write_tag(Tag::NewSubfileType, u32::from(number > 0))?;
            directory.write_tag(Tag::ImageWidth, level.width())?;
            directory.write_tag(Tag::ImageLength, level.height())?;
            directory.write_tag(Tag::BitsPerSample, [8_u16; 3].as_slice())?;
            // JPEG; luminance and two differences, none of them shared by several pixels
            directory.write_tag(Tag::Compression, 7_u16)?;
            directory.write_tag(Tag::PhotometricInterpretation, 6_u16)?;
            directory.write_tag(Tag::Unknown(530), [1_u16; 2].as_slice())?;
            directory.write_tag(Tag::SamplesPerPixel, 3_u16)?;
            directory.write_tag(Tag::TileWidth, TILE)?;
            directory.write_tag(Tag::TileLength, TILE)?;
            directory.write_tag(Tag::TileOffsets, offsets.as_slice())?;
            directory.write_tag(Tag::TileByteCounts, lengths.as_slice())?;
            // pixels per centimetre
            let resolution = Rational { n: (10_000.0 / scale * 1000.0).round() as u32, d: 1000 };
            directory.write_tag(Tag::XResolution, Rational { ..resolution })?;
            directory.write_tag(Tag::YResolution, resolution)?;
            directory.write_tag(Tag::ResolutionUnit, 3_u16)?;
            if number == 0 {
                directory.write_tag(Tag::ImageDescription, description)?;
            }
            Ok(())
        };
        write(&mut directory)?;
        directory.finish()?;
        if level.width().min(level.height()) < 16 {
            break;
        }
        level = half(&level);
    }
    Ok(file.into_inner())
}

/// A tile, filled up with white beyond the picture.
fn tile(level: &RgbImage, x: u32, y: u32) -> image::ImageResult<Vec<u8>> {
    let mut tile = RgbImage::from_pixel(TILE, TILE, image::Rgb([255; 3]));
    let part = imageops::crop_imm(level, x, y, TILE.min(level.width() - x), TILE.min(level.height() - y));
    imageops::replace(&mut tile, &part.to_image(), 0, 0);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode(&tile, TILE, TILE, image::ExtendedColorType::Rgb8)?;
    Ok(bytes)
}

/// Each pixel the mean of four.
fn half(level: &RgbImage) -> RgbImage {
    RgbImage::from_fn(level.width() / 2, level.height() / 2, |x, y| {
        let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| level.get_pixel(2 * x + i, 2 * y + j).0);
        image::Rgb(
            [0, 1, 2].map(|c: usize| ((four.iter().map(|pixel| u16::from(pixel[c])).sum::<u16>() + 2) / 4) as u8),
        )
    })
}
