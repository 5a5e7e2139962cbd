use crate::OverlayParams;
use crate::parallel::chunks;

/// Colour of the edge of the true mask: Okabe and Ito's orange.
pub const TRUE_EDGE: [u8; 3] = [255, 159, 0];

/// Colour of the edge of the predicted mask: white.
pub const PREDICTED_EDGE: [u8; 3] = [255, 255, 255];

/// Drawn beside an edge so that it shows on any background.
const SHADE: [u8; 3] = [16, 16, 24];
const SHADE_OPACITY: f32 = 0.45;
const MAX_THICKNESS: u32 = 16;

/// Width of edges that shows at any size of picture: a 256th of the short side, 1 to 16 pixels.
#[must_use]
pub fn edge_thickness(width: u32, height: u32) -> u32 {
    (width.min(height) / 256).clamp(1, MAX_THICKNESS)
}

/// Twin of [`OVERLAY`](crate::OVERLAY): a picture `[H, W]` (RGBA8, R in the low byte, alpha ignored) with the heat of
/// a soft mask `[H, W]` in `colors` `[256]`, the edge of `truth` `[H, W]` (not 0 is foreground; read only with
/// `has_truth`) in orange and that of the predicted foreground in white. Opaque, to `painted` `[H, row_stride]`.
pub fn overlay(
    params: &OverlayParams,
    image: &[u32],
    mask: &[f32],
    truth: &[u32],
    colors: &[u32],
    painted: &mut [u32],
) {
    let [height, width, stride] = [params.height, params.width, params.row_stride].map(|value| value as usize);
    let thickness = params.thickness.min(MAX_THICKNESS) as u8;
    // The true edge lies outside its region, so that it stays visible under a prediction that is right.
    let truth = (params.has_truth != 0).then(|| depths(truth.iter().map(|&value| value == 0), width, thickness + 1));
    let predicted = (params.contour != 0)
        .then(|| depths(mask.iter().map(|&value| value >= params.threshold), width, thickness + 1));
    let opacity = params.opacity.clamp(0.0, 1.0);
    chunks(&mut painted[..height * stride], stride, |row, painted| {
        let row = row * width..(row + 1) * width;
        for ((painted, &pixel), &soft) in painted.iter_mut().zip(&image[row.clone()]).zip(&mask[row.clone()]) {
            let value = if soft.is_nan() { 0.0 } else { soft.clamp(0.0, 1.0) };
            let over = bytes(colors[usize::from(rounded(value * 255.0))]);
            *painted = packed(composite(bytes(pixel), over, opacity * (0.15 + 0.85 * value)));
        }
        for (depths, line) in [(&truth, TRUE_EDGE), (&predicted, PREDICTED_EDGE)] {
            let Some(depths) = depths else { continue };
            for (painted, &depth) in painted.iter_mut().zip(&depths[row.clone()]) {
                if (1..=thickness).contains(&depth) {
                    *painted = packed(line);
                } else if depth == thickness + 1 {
                    *painted = packed(composite(bytes(*painted), SHADE, SHADE_OPACITY));
                }
            }
        }
    });
}

/// Steps along the sides of pixels to the nearest one out of the region, `[H, W]`: 0 out of it, `reach + 1` if none
/// is in reach. The border of the picture is no edge.
fn depths(region: impl Iterator<Item = bool>, width: usize, reach: u8) -> Vec<u8> {
    let mut depths: Vec<u8> = region.map(u8::from).collect();
    let mut next = vec![0; depths.len()];
    // true up to `step` after `step` rounds
    for _ in 0..reach {
        chunks(&mut next, width, |row, next| {
            let line = |row: usize| depths.get(row * width..(row + 1) * width);
            let own = &depths[row * width..][..width];
            let above = row.checked_sub(1).and_then(line).unwrap_or(own);
            let below = line(row + 1).unwrap_or(own);
            deepen(own, above, below, next);
        });
        std::mem::swap(&mut depths, &mut next);
    }
    depths
}

/// One more than the least of the four neighbours where a pixel is in the region. The pixel itself stands in for
/// those out of the picture: it is never below its neighbours' least.
fn deepen(own: &[u8], above: &[u8], below: &[u8], next: &mut [u8]) {
    next.copy_from_slice(own);
    lower(next, above);
    lower(next, below);
    lower(&mut next[1..], own);
    lower(next, &own[1..]);
    next.iter_mut().zip(own).for_each(|(next, &own)| *next = if own == 0 { 0 } else { *next + 1 });
}

fn lower(values: &mut [u8], others: &[u8]) {
    values.iter_mut().zip(others).for_each(|(value, &other)| *value = (*value).min(other));
}

fn composite(below: [u8; 3], over: [u8; 3], alpha: f32) -> [u8; 3] {
    std::array::from_fn(|c| rounded(f32::from(below[c]) * (1.0 - alpha) + f32::from(over[c]) * alpha))
}

/// `value.round() as u8` for values of 0 or more, without the call that `round` is on some targets.
fn rounded(value: f32) -> u8 {
    let low = value as u8;
    low.saturating_add(u8::from(value - f32::from(low) >= 0.5))
}

fn bytes(pixel: u32) -> [u8; 3] {
    let [r, g, b, _] = pixel.to_le_bytes();
    [r, g, b]
}

fn packed([r, g, b]: [u8; 3]) -> u32 {
    u32::from_le_bytes([r, g, b, 255])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: OverlayParams = OverlayParams {
        height: 8,
        width: 8,
        row_stride: 8,
        has_truth: 0,
        contour: 1,
        thickness: 1,
        threshold: 0.5,
        opacity: 0.6,
    };

    /// A square of 5 × 6 that touches the lower border.
    fn square(at: usize) -> bool {
        (2..7).contains(&(at % 8)) && at / 8 >= 2
    }

    #[test]
    fn edge_lies_on_the_border_of_the_thresholded_mask() {
        let image = [0x00_a0_78_c8; 64];
        let mask: Vec<f32> = (0..64).map(|at| if square(at) { 0.5 } else { 0.49 }).collect();
        let colors: Vec<u32> = (0..256).map(|v| v * 0x01_01_01).collect();
        let mut painted = [0; 64];
        overlay(&PLAIN, &image, &mask, &[0], &colors, &mut painted);
        for (at, &pixel) in painted.iter().enumerate() {
            let edge = square(at) && (at % 8 == 2 || at % 8 == 6 || at / 8 == 2);
            assert_eq!(pixel == 0xff_ff_ff_ff, edge, "pixel {at}");
        }
        let truth: Vec<u32> = (0..64).map(|at| u32::from(square(at)) * 3).collect();
        overlay(&OverlayParams { has_truth: 1, ..PLAIN }, &image, &mask, &truth, &colors, &mut painted);
        assert_eq!(painted[4 * 8 + 1..][..2], [0xff_00_9f_ff, 0xff_ff_ff_ff]);
    }

    #[test]
    fn nothing_drawn_is_the_picture_and_padding_stays() {
        let params = OverlayParams { height: 2, width: 3, row_stride: 4, contour: 0, opacity: 0.0, ..PLAIN };
        let mask = [0.0, f32::NAN, 1.0, -1.0, f32::INFINITY, 0.5];
        let mut painted = [7; 8];
        overlay(&params, &[1, 2, 3, 4, 5, 6], &mask, &[0], &[0; 256], &mut painted);
        let opaque = 0xff_00_00_00;
        assert_eq!(painted, [opaque + 1, opaque + 2, opaque + 3, 7, opaque + 4, opaque + 5, opaque + 6, 7]);
    }

    #[test]
    fn depth_counts_steps_along_the_sides() {
        let region = (0..25).map(|at| at != 12);
        let expected = [3, 3, 2, 3, 3, 3, 2, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 2, 3, 3, 3, 2, 3, 3];
        assert_eq!(depths(region, 5, 2), expected);
    }

    #[test]
    fn half_goes_up_as_in_round() {
        for value in [0.0, 0.49999997, 0.5, 1.4999999, 1.5, 2.5, 254.5, 255.0, 300.0, f32::NAN] {
            assert_eq!(rounded(value), value.round() as u8, "{value}");
        }
    }
}
