//! Images that are nearly the same: copies in another format, quality or size, which a hash of pixels does not find.

use std::path::Path;

use ::image::RgbImage;
use ::image::imageops::thumbnail;

use super::Split;

/// Cells along each side.
const CELLS: usize = 8;
/// Levels of 255 by which a cell of a copy may differ.
const OFF: u8 = 3;
/// Levels between the darkest and the brightest cell from which an image has a look of its own.
const CONTRAST: u8 = 24;

/// Mean colours of 8 by 8 cells.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Row by row, three channels each; none of an image that is all alike, or too small.
    cells: Option<[u8; 3 * CELLS * CELLS]>,
}

impl Look {
    pub(super) fn of(image: &RgbImage) -> Self {
        if image.width().min(image.height()) < 2 * CELLS as u32 {
            return Self { cells: None };
        }
        let cells =
            thumbnail(image, CELLS as u32, CELLS as u32).into_raw().try_into().unwrap_or([0; 3 * CELLS * CELLS]);
        let green = || cells.iter().skip(1).step_by(3);
        let contrast = green().max().zip(green().min()).map_or(0, |(most, least)| most - least);
        Self { cells: Some(cells).filter(|_| contrast >= CONTRAST) }
    }

    fn first(&self) -> u8 {
        self.cells.map_or(0, |cells| cells[0])
    }

    fn is_like(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.cells, &other.cells) else { return false };
        one.iter().zip(other).all(|(one, other)| one.abs_diff(*other) <= OFF)
    }
}

/// Sentences on images that look alike and stand in two splits or two classes.
pub(super) fn warnings(samples: &[(Split, usize, &Path, &Look)]) -> Vec<String> {
    let mut sorted: Vec<_> = samples.iter().filter(|(.., look)| look.cells.is_some()).collect();
    sorted.sort_by_key(|(.., look)| look.first());
    let (mut splits, mut classes) = (Vec::new(), Vec::new());
    for (index, one) in sorted.iter().enumerate() {
        let near = sorted[index + 1..].iter().take_while(|other| other.3.first() - one.3.first() <= OFF);
        for other in near.filter(|other| one.3.is_like(other.3)) {
            if one.1 != other.1 {
                classes.push((one.2, other.2));
            } else if one.0 != other.0 {
                splits.push((one.2, other.2));
            }
        }
    }
    let told = |pairs: &[(&Path, &Path)], what: &str| {
        let (first, second) = pairs.first()?;
        let (count, first, second) = (pairs.len(), first.display(), second.display());
        Some(format!("{count} pairs of images look the same but {what} (first {first} and {second}): copies?"))
    };
    told(&classes, "have different classes").into_iter().chain(told(&splits, "stand in different splits")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::io::Cursor;

    use ::image::{DynamicImage, ImageFormat, Rgb, imageops};

    use super::*;

    #[test]
    fn copies_in_jpeg_and_in_half_the_size_are_found_and_neighbours_are_not() {
        let tissue = |shift: u32| {
            RgbImage::from_fn(64, 48, |x, y| {
                let wave = |t: u32| (128.0 + 90.0 * (f64::from(t) / 9.0).sin()) as u8;
                Rgb([wave(x + shift), wave(y + 2 * shift), wave(x + y)])
            })
        };
        let image = tissue(0);
        let mut jpeg = Cursor::new(Vec::new());
        DynamicImage::from(image.clone()).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let jpeg = ::image::load_from_memory(jpeg.get_ref()).unwrap().into_rgb8();
        let half = imageops::resize(&image, 32, 24, imageops::FilterType::Triangle);
        let white = RgbImage::from_pixel(64, 48, Rgb([250; 3]));
        let images = [image, jpeg, half, tissue(4), white.clone(), white];
        let looks = images.each_ref().map(Look::of);
        let names = ["a.png", "b.jpg", "c.png", "d.png", "e.png", "f.png"].map(Path::new);
        let told = |of: [(Split, usize); 6]| {
            let samples = (0..6).map(|index| (of[index].0, of[index].1, names[index], &looks[index]));
            warnings(&samples.collect::<Vec<_>>())
        };
        assert_eq!(told([(Split::Train, 0); 6]), Vec::<String>::new());
        let classes = told([0, 1, 0, 1, 0, 1].map(|class| (Split::Train, class)));
        assert!(classes.len() == 1 && classes[0].starts_with("2 pairs") && classes[0].contains("b.jpg"), "{classes:?}");
        let apart =
            told([Split::Train, Split::Train, Split::Test, Split::Test, Split::Train, Split::Test].map(|s| (s, 0)));
        assert!(apart.len() == 1 && apart[0].contains("2 pairs") && apart[0].contains("c.png"), "{apart:?}");
    }
}
