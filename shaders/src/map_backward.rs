use std::ops::Range;

use crate::MaskParams;
use crate::mask_regions::read;
use crate::parallel::chunks;
use crate::taps::{Taps, taps};

/// Twin of [`MAP_BACKWARD`](crate::MAP_BACKWARD): the gradient of normalised maps `[B, H, W]`, ranges `[B, 2]`,
/// positions of the extremes `[B, 2]` and the sums of their gradients `[B, 2]` to the gradient of the coarse maps
/// `[B, h, w]`.
pub fn map_backward(
    params: &MaskParams,
    by_normalised: &[f32],
    range: &[f32],
    extremes: &[u32],
    sums: &[f32],
    by_coarse: &mut [f32],
) {
    let [map_height, map_width] = [params.map_height as usize, params.map_width as usize];
    let [height, width] = [params.height as usize, params.width as usize];
    let align_corners = params.align_corners != 0;
    let columns: Vec<Taps> = (0..width).map(|x| read(x, width, map_width, align_corners)).collect();
    chunks(by_coarse, map_width, |index, cells| {
        let (sample, cell) = (index / map_height, index % map_height);
        let start = sample * height * width;
        let pixels = &by_normalised[start..][..height * width];
        let mut down = vec![0.0f64; width];
        for row in touching(cell, height, map_height, align_corners) {
            let share = f64::from(weight(taps(row, height, map_height, align_corners), cell));
            for (down, &pixel) in down.iter_mut().zip(&pixels[row * width..][..width]) {
                *down += share * f64::from(pixel);
            }
        }
        for (&position, &sum) in extremes[2 * sample..][..2].iter().zip(&sums[2 * sample..][..2]) {
            // an extreme of the whole batch is in one sample only
            let inside = (position as usize).checked_sub(start).filter(|&pixel| pixel < pixels.len());
            if let Some(pixel) = inside.filter(|_| position != u32::MAX) {
                let share = weight(taps(pixel / width, height, map_height, align_corners), cell);
                if share > 0.0 {
                    down[pixel % width] += f64::from(share) * f64::from(sum);
                }
            }
        }
        let mut across = vec![0.0f64; map_width];
        for (down, taps) in down.iter().zip(&columns) {
            across[taps.low] += f64::from(1.0 - taps.fraction) * down;
            across[taps.high] += f64::from(taps.fraction) * down;
        }
        let inverse = range[2 * sample + 1];
        for (cell, across) in cells.iter_mut().zip(across) {
            *cell = across as f32 * inverse;
        }
    });
}

/// Output positions that read input `position` with a weight above 0.
///
/// Those have `|source - position| < 1`, where `source` is what `taps` divides into a whole part and a fraction.
pub(crate) fn touching(position: usize, output: usize, input: usize, align_corners: bool) -> Range<usize> {
    let (step, below, above) = if align_corners && input > 1 {
        let denominator = (output - 1).max(1);
        (input - 1, position.checked_sub(1).map(|before| before * denominator), (position + 1) * denominator)
    } else {
        // a single input is read by every output, in both conventions
        let below = (output * (2 * position)).checked_sub(output + input);
        (2 * input, below, (output * (2 * position + 3)).saturating_sub(input))
    };
    let first = below.map_or(0, |below| below / step + 1);
    first..above.div_ceil(step).min(output)
}

/// Share of input `position` in an output.
pub(crate) fn weight(taps: Taps, position: usize) -> f32 {
    let low = if taps.low == position { 1.0 - taps.fraction } else { 0.0 };
    low + if taps.high == position { taps.fraction } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask_regions::NormalisedMaps;

    #[test]
    fn an_input_is_touched_by_the_outputs_that_read_it() {
        for (output, input) in (1..24).flat_map(|output| (1..24).map(move |input| (output, input))) {
            for (position, align_corners) in (0..input).flat_map(|position| [(position, false), (position, true)]) {
                let reads = |&at: &usize| weight(taps(at, output, input, align_corners), position) > 0.0;
                let found: Vec<usize> = touching(position, output, input, align_corners).collect();
                let expected: Vec<usize> = (0..output).filter(reads).collect();
                assert_eq!(found, expected, "{position} of {input} by {output}, {align_corners}");
            }
        }
    }
    #[test]
    fn adjoint_of_the_upsampling() {
        let (map, size) = ([3, 4], [11, 9]);
        let value = |index: usize| (index * 29 % 83) as f32 / 83.0 - 0.5;
        let coarse: Vec<f32> = (0..12).map(value).collect();
        let by_normalised: Vec<f32> = (0..99).map(|index| value(index + 5)).collect();
        for align_corners in [false, true] {
            let maps = NormalisedMaps::new(&coarse, &[0.0, 1.0], map, size, align_corners);
            let mut up = vec![0.0; 99];
            up.chunks_mut(9).enumerate().for_each(|(row, values)| maps.write(0, row, 0, values));
            let params = MaskParams {
                batch: 1,
                map_height: 3,
                map_width: 4,
                height: 11,
                width: 9,
                align_corners: u32::from(align_corners),
                ..MaskParams::default()
            };
            let mut by_coarse = [0.0; 12];
            // pixel 40 is the map's maximum, with an inverse range of 2
            let extremes = [u32::MAX, 40];
            map_backward(&params, &by_normalised, &[0.0, 2.0], &extremes, &[7.0, 3.0], &mut by_coarse);
            let ours: f32 = coarse.iter().zip(by_coarse).map(|(value, by_value)| value * by_value).sum();
            let pixels: f32 = up.iter().zip(&by_normalised).map(|(value, by_value)| value * by_value).sum();
            let expected = 2.0 * (pixels + 3.0 * up[40]);
            assert!((ours - expected).abs() < 1e-5, "{ours}, not {expected}");
        }
    }
}
