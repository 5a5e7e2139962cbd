use crate::parallel::chunks;

/// Bits of a weight's fraction, as in Pillow.
const PRECISION: u32 = 22;

/// Pillow's bilinear resize with anti-aliasing, to the byte (`spec` §3.2): RGBA8 pixels `[h, w]` (R in the low byte,
/// alpha ignored) to three planes `[3, H, W]`.
pub fn resize(pixels: &[u32], [in_height, in_width]: [usize; 2], [height, width]: [usize; 2]) -> Vec<u8> {
    let columns: Vec<Window> = (0..width).map(|x| Window::new(x, width, in_width)).collect();
    // rows of three planes each, [h, 3, W]
    let mut narrowed = vec![0; in_height * 3 * width];
    chunks(&mut narrowed, 3 * width, |row, planes| {
        narrow(&pixels[row * in_width..][..in_width], &columns, planes);
    });

    let rows: Vec<Window> = (0..height).map(|y| Window::new(y, height, in_height)).collect();
    let mut planes = vec![0; 3 * height * width];
    chunks(&mut planes, width, |index, levels| {
        let (channel, row) = (index / height, index % height);
        let mut sums = vec![1 << (PRECISION - 1); width];
        for (y, &weight) in (rows[row].first..).zip(&rows[row].weights) {
            let line = &narrowed[(y * 3 + channel) * width..][..width];
            sums.iter_mut().zip(line).for_each(|(sum, &level)| *sum += weight * u32::from(level));
        }
        levels.iter_mut().zip(sums).for_each(|(to, sum)| *to = level(sum));
    });
    planes
}

/// One row of the image at the result's width, `[3, W]`.
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
