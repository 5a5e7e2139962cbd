//! Regions between levels: means over areas.

use image::RgbImage;

use super::SlideError;
use super::tile::GLASS;

/// Longest side of what is read at once.
const BLOCK: f64 = 4096.0;

/// Pixels whose value is the mean over `step` pixels of `read`'s level in each direction, `(x, y)` counted in the new
/// ones. A pixel that lies partly inside counts with its part. What is read at once is bounded, so any size will do.
pub(super) fn averaged(
    step: [f64; 2],
    [x, y]: [i64; 2],
    [width, height]: [u32; 2],
    read: impl Fn([i64; 2], [u32; 2]) -> Result<RgbImage, SlideError>,
) -> Result<RgbImage, SlideError> {
    // nowhere off by half a pixel: a level as it is
    let far = |from: i64, length: u32| from.unsigned_abs() as f64 + f64::from(length);
    if (step[0] - 1.0).abs() * far(x, width) < 0.5 && (step[1] - 1.0).abs() * far(y, height) < 0.5 {
        return read([x, y], [width, height]);
    }
    let mut whole = RgbImage::from_pixel(width, height, image::Rgb([GLASS; 3]));
    let block = step.map(|step| (BLOCK / step).floor().clamp(1.0, BLOCK) as u32);
    for top in (0..height).step_by(block[1] as usize) {
        let rows = spans(y + i64::from(top), block[1].min(height - top), step[1]);
        for left in (0..width).step_by(block[0] as usize) {
            let columns = spans(x + i64::from(left), block[0].min(width - left), step[0]);
            let (size_x, size_y) = (columns.length, rows.length);
            let source = read([columns.from, rows.from], [size_x, size_y])?;
            mean(&source, &columns, &rows, |column, row, pixel| {
                whole.put_pixel(left + column, top + row, image::Rgb(pixel));
            });
        }
    }
    Ok(whole)
}

/// The source pixels under each new one, along one axis.
struct Spans {
    from: i64,
    length: u32,
    /// Of each new pixel: the first source pixel, counted from `from`, and the weights of it and the following.
    weights: Vec<(usize, Vec<f32>)>,
}

fn spans(first: i64, count: u32, step: f64) -> Spans {
    let edge = |index: i64| index as f64 * step;
    let from = edge(first).floor() as i64;
    let to = (edge(first + i64::from(count)).ceil() as i64).max(from + 1);
    let weights = (0..i64::from(count)).map(|index| {
        let (begin, end) = (edge(first + index), edge(first + index + 1));
        let start = (begin.floor() as i64).clamp(from, to - 1);
        let stop = (end.ceil() as i64).clamp(start + 1, to);
        let part = |pixel: i64| ((pixel + 1) as f64).min(end) - (pixel as f64).max(begin);
        let parts = (start..stop).map(|pixel| (part(pixel).max(0.0) / (end - begin)) as f32);
        ((start - from) as usize, parts.collect())
    });
    Spans { from, length: u32::try_from(to - from).unwrap_or(u32::MAX), weights: weights.collect() }
}

fn mean(source: &RgbImage, columns: &Spans, rows: &Spans, mut put: impl FnMut(u32, u32, [u8; 3])) {
    let stride = 3 * source.width() as usize;
    let mut sums = vec![0.0_f32; stride];
    for (row, (start, weights)) in rows.weights.iter().enumerate() {
        sums.fill(0.0);
        for (line, weight) in source.as_raw().chunks_exact(stride.max(1)).skip(*start).zip(weights) {
            sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += weight * f32::from(*value));
        }
        let (pixels, _) = sums.as_chunks::<3>();
        for (column, (start, weights)) in columns.weights.iter().enumerate() {
            let mut pixel = [0.0_f32; 3];
            for (value, weight) in pixels.iter().skip(*start).zip(weights) {
                (0..3).for_each(|channel| pixel[channel] += weight * value[channel]);
            }
            put(column as u32, row as u32, pixel.map(|value| (value + 0.5).clamp(0.0, 255.0) as u8));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn means_are_those_of_the_areas() {
        // a ramp: the mean over an area is the value at its middle
        let ramp = |[x, y]: [i64; 2], [width, height]: [u32; 2]| {
            Ok(RgbImage::from_fn(width, height, |column, row| {
                image::Rgb([(x + i64::from(column)) as u8, (y + i64::from(row)) as u8, 7])
            }))
        };
        for step in [1.0, 1.5, 2.0, 3.3, 8.0] {
            let region = averaged([step; 2], [2, 1], [20, 10], ramp).unwrap();
            for (column, row, pixel) in region.enumerate_pixels() {
                let middle = |index: u32| (f64::from(index) + 0.5) * step - 0.5;
                let off = [f64::from(pixel[0]) - middle(column + 2), f64::from(pixel[1]) - middle(row + 1)];
                assert!(off.iter().all(|off| off.abs() <= 0.75) && pixel[2] == 7, "{step}: {off:?}");
            }
        }
    }

    #[test]
    fn blocks_leave_no_seam() {
        let stripes = |[x, _]: [i64; 2], [width, height]: [u32; 2]| {
            Ok(RgbImage::from_fn(width, height, |column, _| {
                image::Rgb([if (x + i64::from(column)).rem_euclid(2) == 0 { 0 } else { 200 }; 3])
            }))
        };
        let region = averaged([2.0, 2.0], [0, 0], [5000, 3], stripes).unwrap();
        assert!(region.pixels().all(|pixel| pixel[0] == 100));
    }
}
