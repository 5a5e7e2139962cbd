use histomask_shaders::soft;

use super::Cells;

/// Eq. 12 at pixels: `map` is `[height, width]` of `cells`, from 0 to 1, NaN where it is missing; the pixels are those of
/// the image from `(x, y)` on. A position stands in the middle of its `stride` pixels.
///
/// Between positions the map is bilinear; where one is missing the others count for it. Where all are, the mask is 0.
#[must_use]
pub fn soft_pixels(
    map: &[f32],
    cells: &Cells,
    stride: usize,
    [x, y]: [usize; 2],
    [width, height]: [usize; 2],
    [omega, sigma]: [f32; 2],
) -> Vec<f32> {
    let taps = |pixel: usize, origin: usize, length: usize| {
        let at = (pixel as f32 + 0.5) / stride as f32 - 0.5 - origin as f32;
        let at = at.clamp(0.0, length.saturating_sub(1) as f32);
        let low = at.floor();
        (low as usize, (low as usize + 1).min(length.saturating_sub(1)), at - low)
    };
    let columns: Vec<_> = (x..x + width).map(|pixel| taps(pixel, cells.origin[0], cells.width)).collect();
    let mut mask = Vec::with_capacity(width * height);
    for row in y..y + height {
        let (top, bottom, down) = taps(row, cells.origin[1], cells.height);
        let (above, below) = (&map[top * cells.width..], &map[bottom * cells.width..]);
        mask.extend(columns.iter().map(|&(left, right, across)| {
            let four = [above[left], above[right], below[left], below[right]];
            let (upper, lower) = (four[0] + (four[1] - four[0]) * across, four[2] + (four[3] - four[2]) * across);
            let value = upper + (lower - upper) * down;
            if !value.is_nan() {
                return soft(value, omega, sigma);
            }
            let weights = [(1.0 - across) * (1.0 - down), across * (1.0 - down), (1.0 - across) * down, across * down];
            let (sum, all) = four
                .into_iter()
                .zip(weights)
                .filter(|(value, _)| !value.is_nan())
                .fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + weight * value, all + weight));
            if all > 0.0 { soft(sum / all, omega, sigma) } else { 0.0 }
        }));
    }
    mask
}
