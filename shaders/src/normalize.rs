use crate::NormalizeParams;
use crate::parallel::chunks;

/// Bits of a weight's fraction, as in Pillow.
const PRECISION: u32 = 22;

/// Twin of [`NORMALIZE`](crate::NORMALIZE): RGBA8 pixels `[h, w]` (R in the low byte, alpha ignored) to the model's
/// input `[3, H, W]`: Pillow's bilinear resize with anti-aliasing, then `(v / 255 - mean) / std` (`spec` §3.2).
pub fn normalize(params: &NormalizeParams, pixels: &[u32], tensor: &mut [f32]) {
    let [in_height, in_width] = [params.in_height as usize, params.in_width as usize];
    let [height, width] = [params.height as usize, params.width as usize];
    let columns: Vec<Window> = (0..width).map(|x| Window::new(x, width, in_width)).collect();
    // rows of three planes each, [h, 3, W]
    let mut narrowed = vec![0; in_height * 3 * width];
    chunks(&mut narrowed, 3 * width, |row, planes| {
        narrow(&pixels[row * in_width..][..in_width], &columns, planes);
    });

    let rows: Vec<Window> = (0..height).map(|y| Window::new(y, height, in_height)).collect();
    let levels = [(params.mean_r, params.std_r), (params.mean_g, params.std_g), (params.mean_b, params.std_b)]
        .map(|(mean, std)| -> [f32; 256] { std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std) });
    chunks(tensor, width, |index, values| {
        let (channel, row) = (index / height, index % height);
        let mut sums = vec![1 << (PRECISION - 1); width];
        for (y, &weight) in (rows[row].first..).zip(&rows[row].weights) {
            let line = &narrowed[(y * 3 + channel) * width..][..width];
            sums.iter_mut().zip(line).for_each(|(sum, &level)| *sum += weight * u32::from(level));
        }
        let levels = &levels[channel];
        values.iter_mut().zip(sums).for_each(|(value, sum)| *value = levels[usize::from(level(sum))]);
    });
}

/// One row of the image at the tensor's width, `[3, W]`.
fn narrow(pixels: &[u32], columns: &[Window], planes: &mut [u8]) {
    let (red, rest) = planes.split_at_mut(columns.len());
    let (green, blue) = rest.split_at_mut(columns.len());
    for (((window, red), green), blue) in columns.iter().zip(red).zip(green).zip(blue) {
        let mut sums = [1 << (PRECISION - 1); 3];
        for (&pixel, &weight) in pixels[window.first..].iter().zip(&window.weights) {
            let [r, g, b, _] = pixel.to_le_bytes();
            sums[0] += weight * u32::from(r);
            sums[1] += weight * u32::from(g);
            sums[2] += weight * u32::from(b);
        }
        [*red, *green, *blue] = sums.map(level);
    }
}

fn level(sum: u32) -> u8 {
    (sum >> PRECISION).min(255) as u8
}

/// The inputs that one output position reads.
struct Window {
    first: usize,
    /// In units of 2^-[`PRECISION`]; their sum is 1.
    weights: Vec<u32>,
}

impl Window {
    /// A triangle as wide as the shrink factor, but no narrower than two inputs. Distances are in units of
    /// `1 / (2 * output)` of an input, whole numbers.
    fn new(position: usize, output: usize, input: usize) -> Self {
        let [position, output, input] = [position, output, input].map(|value| value as u64);
        let reach = 2 * input.max(output);
        let centre = (2 * position + 1) * input;
        let first = (centre + output).saturating_sub(reach) / (2 * output);
        let end = ((centre + output + reach - 1) / (2 * output)).min(input);
        let height = |at: u64| reach - ((2 * at + 1) * output).abs_diff(centre).min(reach);
        let total: u64 = (first..end).map(height).sum();
        let weights = (first..end).map(|at| (((height(at) << PRECISION) + total / 2) / total) as u32).collect();
        Self { first: first as usize, weights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(pixels: &[u32], from: [u32; 2], to: [u32; 2]) -> Vec<f32> {
        let [in_height, in_width] = from;
        let [height, width] = to;
        let [mean_r, mean_g, mean_b] = [0.0; 3];
        let [std_r, std_g, std_b] = [1.0 / 255.0; 3];
        let params =
            NormalizeParams { in_height, in_width, height, width, mean_r, mean_g, mean_b, std_r, std_g, std_b };
        let mut tensor = vec![f32::NAN; (3 * height * width) as usize];
        normalize(&params, pixels, &mut tensor);
        tensor.into_iter().map(f32::round).collect()
    }

    #[test]
    fn keeps_the_pixels_at_their_own_size() {
        let pixels = [0x00_03_02_01, 0xff_06_05_04, 0x80_ff_00_80];
        let expected = [1.0, 4.0, 128.0, 2.0, 5.0, 0.0, 3.0, 6.0, 255.0];
        assert_eq!(levels(&pixels, [1, 3], [1, 3]), expected);
        assert_eq!(levels(&pixels, [3, 1], [3, 1]), expected);
    }

    #[test]
    fn agrees_with_pillow() {
        // Pillow 13: Image.resize(size, Image.Resampling.BILINEAR) of the greys below
        let greys = |values: &[u32]| -> Vec<u32> { values.iter().map(|v| v * 0x01_01_01).collect() };
        let row = greys(&[7, 200, 31, 90, 255, 0, 64]);
        assert_eq!(levels(&row, [1, 7], [1, 3])[..3], [95.0, 116.0, 77.0]);
        assert_eq!(
            levels(&row, [7, 1], [11, 1])[..11],
            [7.0, 95.0, 185.0, 77.0, 52.0, 90.0, 195.0, 185.0, 23.0, 35.0, 64.0]
        );
        let square = greys(&[10, 250, 3, 77, 128, 9, 201, 66, 31, 45, 250, 0]);
        assert_eq!(levels(&square, [3, 4], [2, 3])[..6], [86.0, 119.0, 74.0, 56.0, 132.0, 87.0]);
    }
}
