//! Where a slide holds tissue, at a thumbnail.
//!
//! Otsu's threshold (1979) on saturation, as peers do, with two things taken out before: glass, whose saturation is
//! noise, and pen marks, whose saturation would be the whole upper class. Stained tissue is purple, pink or brown: its
//! green lies below its red or its blue by far; ink of markers is green, blue, black or pure red.

use image::RgbImage;

use super::otsu;
use crate::regions::Regions;

/// Saturation (0 to 255) below which nothing is tissue, and above which everything is that is no pen mark: without
/// limits an empty slide would be parted by its noise, and a slide full of tissue into dark and light.
const THRESHOLDS: std::ops::RangeInclusive<u8> = 12..=40;
/// Pixels around a pen mark that its blurred edge reaches.
const PEN_EDGE: usize = 2;

/// What [`detect`] leaves out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TissueOptions {
    /// Pieces of fewer pixels are dirt.
    pub smallest_piece: usize,
    /// Holes of fewer pixels are filled.
    pub smallest_hole: usize,
}

/// The tissue of a thumbnail.
#[derive(Clone, Debug, PartialEq)]
pub struct Tissue {
    /// Pixels of the thumbnail.
    pub width: usize,
    /// Pixels of the thumbnail.
    pub height: usize,
    /// `[height, width]`, row-major.
    pub mask: Vec<bool>,
    /// The threshold of saturation, 0 to 255.
    pub threshold: u8,
    /// Share of the thumbnail under pen marks, 0 to 1.
    pub pen: f64,
}

impl Tissue {
    /// Share of the thumbnail that is tissue, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.mask.iter().filter(|&&tissue| tissue).count() as f64 / self.mask.len().max(1) as f64
    }

    /// Share of tissue in a rectangle given in parts of the thumbnail's sides (0 to 1): from `(x0, y0)` to `(x1, y1)`.
    #[must_use]
    pub fn share_within(&self, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> f64 {
        let pixels = |from: f64, to: f64, size: usize| {
            let first = ((from * size as f64).floor().max(0.0) as usize).min(size);
            let end = (to * size as f64).ceil().max(0.0) as usize;
            first..end.min(size)
        };
        let (columns, rows) = (pixels(x0, x1, self.width), pixels(y0, y1, self.height));
        let count = rows.len() * columns.len();
        let inside = rows.map(|row| {
            let line = self.mask.get(row * self.width..(row + 1) * self.width).unwrap_or_default();
            line.get(columns.clone()).unwrap_or_default().iter().filter(|&&tissue| tissue).count()
        });
        inside.sum::<usize>() as f64 / count.max(1) as f64
    }
}

/// The tissue of a thumbnail.
#[must_use]
pub fn detect(thumbnail: &RgbImage, options: &TissueOptions) -> Tissue {
    let (width, height) = (thumbnail.width() as usize, thumbnail.height() as usize);
    let pen = grown(thumbnail.pixels().map(|pixel| is_pen(pixel.0)).collect(), width, PEN_EDGE);
    let saturations: Vec<u8> = thumbnail.pixels().map(|pixel| saturation(pixel.0)).collect();
    let mut histogram = [0_u64; 256];
    for ((&saturation, pen), pixel) in saturations.iter().zip(&pen).zip(thumbnail.pixels()) {
        // black is what a scanner did not scan
        if !pen && pixel.0.iter().any(|&value| value > 0) {
            histogram[usize::from(saturation)] += 1;
        }
    }
    let threshold = (otsu(&histogram, |bin| bin as f64) as u8).clamp(*THRESHOLDS.start(), *THRESHOLDS.end());
    let mut mask: Vec<bool> = saturations.iter().zip(&pen).map(|(&value, pen)| !pen && value > threshold).collect();
    drop_small(&mut mask, width, true, options.smallest_piece);
    drop_small(&mut mask, width, false, options.smallest_hole);
    let marked = pen.iter().filter(|&&pen| pen).count();
    Tissue { width, height, threshold, pen: marked as f64 / mask.len().max(1) as f64, mask }
}

/// Saturation of HSV, 0 to 255; of what is nearly black none, since it is noise there.
fn saturation(pixel: [u8; 3]) -> u8 {
    let (most, least) = (pixel.into_iter().max().unwrap_or(0), pixel.into_iter().min().unwrap_or(0));
    if most < 20 { 0 } else { (u32::from(most - least) * 255 / u32::from(most)) as u8 }
}

/// Ink of a marker: green, blue, black, or a red without any blue in it.
fn is_pen([r, g, b]: [u8; 3]) -> bool {
    let (r, g, b) = (i32::from(r), i32::from(g), i32::from(b));
    let green = g >= r + 25 && g >= b - 10;
    let blue = b >= g + 25 && g >= r + 15;
    let black = r.max(g).max(b) < 50 && r.max(g).max(b) - r.min(g).min(b) < 20;
    let red = r >= 150 && g.max(b) < 60;
    green || blue || black || red
}

/// A mask that reaches `by` pixels further in each direction.
fn grown(mask: Vec<bool>, width: usize, by: usize) -> Vec<bool> {
    let mut wide = mask.clone();
    for (from, to) in mask.chunks(width.max(1)).zip(wide.chunks_mut(width.max(1))) {
        for x in from.iter().enumerate().filter(|(_, set)| **set).map(|(x, _)| x) {
            to[x.saturating_sub(by)..(x + by + 1).min(from.len())].fill(true);
        }
    }
    let mut grown = wide.clone();
    for (index, _) in wide.iter().enumerate().filter(|(_, set)| **set) {
        let (x, y) = (index % width, index / width);
        for row in y.saturating_sub(by)..=y + by {
            if let Some(pixel) = grown.get_mut(row * width + x) {
                *pixel = true;
            }
        }
    }
    grown
}

/// Turns 4-connected pieces of `value` with fewer than `smallest` pixels round.
fn drop_small(mask: &mut [bool], width: usize, value: bool, smallest: usize) {
    let pieces = Regions::of(mask, width, mask.len() / width.max(1), |pixel| pixel == value);
    pieces.visit(|piece| piece.pixels < smallest, |pixel| mask[pixel] = !value);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: TissueOptions = TissueOptions { smallest_piece: 20, smallest_hole: 20 };

    /// Glass with a little noise, and on it what `paint` says.
    fn slide(paint: impl Fn(u32, u32) -> Option<[u8; 3]>) -> RgbImage {
        RgbImage::from_fn(120, 80, |x, y| {
            let noise = ((x * 7 + y * 13) % 5) as u8;
            image::Rgb(paint(x, y).unwrap_or([240 + noise, 241, 239 + noise / 2]))
        })
    }

    fn count(tissue: &Tissue) -> usize {
        tissue.mask.iter().filter(|&&tissue| tissue).count()
    }

    #[test]
    fn tissue_is_found_without_glass_pen_and_dirt() {
        let inside = |x: u32, y: u32, from: [u32; 2], size: [u32; 2]| {
            (from[0]..from[0] + size[0]).contains(&x) && (from[1]..from[1] + size[1]).contains(&y)
        };
        let image = slide(|x, y| {
            if inside(x, y, [10, 10], [40, 30]) {
                // eosin with nuclei, and a small hole
                (!inside(x, y, [20, 20], [3, 3])).then_some(if (x + y) % 3 == 0 {
                    [110, 70, 150]
                } else {
                    [225, 160, 195]
                })
            } else if inside(x, y, [70, 10], [10, 60]) {
                Some([30, 120, 60])
            } else if inside(x, y, [90, 10], [8, 60]) {
                Some([40, 70, 170])
            } else if inside(x, y, [105, 10], [8, 60]) {
                Some([20, 20, 22])
            } else {
                (x == 60 && y == 70).then_some([200, 100, 160])
            }
        });
        let tissue = detect(&image, &OPTIONS);
        assert_eq!(count(&tissue), 40 * 30, "threshold {}", tissue.threshold);
        assert!(tissue.pen > 0.1);
        assert!((tissue.share_within([10.0 / 120.0, 10.0 / 80.0], [50.0 / 120.0, 40.0 / 80.0]) - 1.0).abs() < 1e-9);
        assert!(tissue.share_within([0.5, 0.0], [1.0, 1.0]) < 1e-9);
    }

    #[test]
    fn an_empty_slide_has_none_and_a_full_one_is_all_tissue() {
        assert_eq!(count(&detect(&slide(|_, _| None), &OPTIONS)), 0);
        let full = slide(|x, y| Some(if (x / 4 + y / 4) % 2 == 0 { [90, 50, 140] } else { [230, 170, 200] }));
        assert_eq!(count(&detect(&full, &OPTIONS)), 120 * 80);
        assert_eq!(detect(&RgbImage::new(0, 0), &OPTIONS).mask.len(), 0);
    }
}
