use crate::MaskParams;
use crate::map_backward::{touching, weight};
use crate::mask_regions::{NormalisedMaps, read};
use crate::parallel::chunks;
use crate::soft_mask::soft;
use crate::taps::{Taps, taps};

/// Twin of [`MASK_REGIONS_BACKWARD`](crate::MASK_REGIONS_BACKWARD): coarse maps `[B, h, w]`, their ranges `[B, 2]`,
/// images `[B, 3, H, W]` and the gradient of regions and sizes `[B, region_stride]` to the gradient of the normalised
/// maps `[B, H, W]` and the partial sums `[B, chunks, 2]` for the gradient of minimum and maximum.
pub fn mask_regions_backward(
    params: &MaskParams,
    coarse: &[f32],
    range: &[f32],
    image: &[f32],
    gradient: &[f32],
    by_normalised: &mut [f32],
    partial: &mut [f32],
) {
    let size = [params.height as usize, params.width as usize];
    let map_size = [params.map_height as usize, params.map_width as usize];
    let maps = NormalisedMaps::new(coarse, range, map_size, size, params.align_corners != 0);
    by_map(params, &maps, image, gradient, by_normalised);
    by_extremes(params, &maps, by_normalised, partial);
}

/// `[B, H, W]`, rows in parallel.
fn by_map(params: &MaskParams, maps: &NormalisedMaps<'_>, image: &[f32], gradient: &[f32], by_normalised: &mut [f32]) {
    let [height, width] = [params.height as usize, params.width as usize];
    let [region_height, region_width] = [params.region_height as usize, params.region_width as usize];
    let align_corners = params.align_corners != 0;
    let columns: Vec<Taps> = (0..region_width).map(|x| read(x, region_width, width, align_corners)).collect();
    let plane = region_height * region_width;
    let stride = params.region_stride as usize;
    chunks(by_normalised, width, |row, values| {
        let (sample, row) = (row / height, row % height);
        let gradient = &gradient[sample * stride..][..stride];
        let outputs = touching(row, region_height, height, align_corners);
        let mut by_mask = vec![gradient[6 * plane]; width];
        let [mut down, mut across] = [vec![0.0; region_width], vec![0.0; width]];
        for channel in 0..3 {
            down.fill(0.0);
            for y in outputs.clone() {
                let share = weight(taps(y, region_height, height, align_corners), row);
                let [front, back] = [channel, channel + 3]
                    .map(|channel| &gradient[channel * plane + y * region_width..][..region_width]);
                for ((down, front), back) in down.iter_mut().zip(front).zip(back) {
                    *down += share * (front - back);
                }
            }
            across.fill(0.0);
            for (down, taps) in down.iter().zip(&columns) {
                across[taps.low] += (1.0 - taps.fraction) * down;
                across[taps.high] += taps.fraction * down;
            }
            let pixels = &image[((3 * sample + channel) * height + row) * width..][..width];
            for ((by_mask, across), pixel) in by_mask.iter_mut().zip(&across).zip(pixels) {
                *by_mask += across * pixel;
            }
        }
        maps.write(sample, row, 0, values);
        for (value, by_mask) in values.iter_mut().zip(&by_mask) {
            let mask = soft(*value, params.omega, params.sigma);
            *value = by_mask * params.omega * mask * (1.0 - mask);
        }
    });
}

/// `[B, chunks, 2]`, chunks in parallel.
fn by_extremes(params: &MaskParams, maps: &NormalisedMaps<'_>, by_normalised: &[f32], partial: &mut [f32]) {
    let (width, area) = (params.width as usize, params.height as usize * params.width as usize);
    let pieces = params.chunks as usize;
    let piece = area.div_ceil(pieces);
    chunks(partial, 2, |index, sums| {
        let (sample, index) = (index / pieces, index % pieces);
        let end = ((index + 1) * piece).min(area);
        let mut pixel = index * piece;
        let mut row = vec![0.0; width];
        let [mut low, mut high] = [0.0f64; 2];
        while pixel < end {
            let column = pixel % width;
            let count = (width - column).min(end - pixel);
            maps.write(sample, pixel / width, column, &mut row[..count]);
            for (&value, &by_value) in row.iter().zip(&by_normalised[sample * area + pixel..][..count]) {
                low += f64::from(by_value * (value - 1.0));
                high -= f64::from(by_value * value);
            }
            pixel += count;
        }
        sums.copy_from_slice(&[low as f32, high as f32]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask_regions;

    #[test]
    fn central_differences() {
        // the map has the image's size, so that the normalised map's gradient is the map's
        let [height, width, region_height, region_width] = [6, 5, 4, 3];
        let region_stride = 6 * region_height * region_width + 1;
        let value = |index: usize| (index * 37 % 101) as f32 / 101.0 - 0.5;
        let image: Vec<f32> = (0..90).map(value).collect();
        let gradient: Vec<f32> = (0..region_stride as usize).map(|index| value(index + 7)).collect();
        let coarse: Vec<f32> = (0..30).map(|index| value(index + 50)).collect();
        let (range, [omega, sigma]) = ([0.0, 1.0], [2.0, 0.1]);
        for align_corners in [0, 1] {
            let [map_height, map_width] = [height, width];
            let params = MaskParams {
                batch: 1,
                map_height,
                map_width,
                height,
                width,
                align_corners,
                omega,
                sigma,
                region_height,
                region_width,
                region_stride,
                chunks: 4,
            };
            let loss = |coarse: &[f32]| -> f32 {
                let mut regions = vec![0.0; region_stride as usize];
                mask_regions(&params, coarse, &range, &image, &mut regions);
                regions[region_stride as usize - 1] = coarse.iter().map(|&value| soft(value, omega, sigma)).sum();
                regions.iter().zip(&gradient).map(|(region, by_region)| region * by_region).sum()
            };
            let (mut by_coarse, mut partial) = ([0.0; 30], [0.0; 8]);
            mask_regions_backward(&params, &coarse, &range, &image, &gradient, &mut by_coarse, &mut partial);
            let step = 0.02;
            for (index, by_value) in by_coarse.into_iter().enumerate() {
                let mut moved = coarse.clone();
                moved[index] += step;
                let above = loss(&moved);
                moved[index] -= 2.0 * step;
                let expected = (above - loss(&moved)) / (2.0 * step);
                assert!((by_value - expected).abs() < 1e-3, "{index}: {by_value}, not {expected}");
            }
            let low: f32 = by_coarse.iter().zip(&coarse).map(|(by_value, value)| by_value * (value - 1.0)).sum();
            assert!((partial.iter().step_by(2).sum::<f32>() - low).abs() < 1e-5);
        }
    }
}
