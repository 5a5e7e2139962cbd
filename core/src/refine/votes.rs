use super::OpticalDensity;
use super::clusters::k_means;
use super::optical_density::blur;

/// Standard deviations of the blurs of colour and of texture: shares of the short side (2 and 3 pixels at 288).
const COLOUR: f32 = 2.0 / 288.0;
const TEXTURE: f32 = 3.0 / 288.0;
/// Kinds of tissue told apart within one image.
const KINDS: usize = 8;

/// What pixels of a kind say together, `[H, W]` in `[0, 1]`: the mean of the soft mask over each of eight clusters of
/// the image's colour, texture and mask. A coarse map so finds the edges that colour has in this image; where the map
/// is wrong about a whole kind of tissue, the votes are too.
pub(super) fn votes(mask: &[f32], density: &OpticalDensity) -> Vec<f32> {
    let (size, side) = (density.size, density.short_side());
    let [red, green, blue] = density.planes.each_ref().map(|plane| blur(plane, size, COLOUR * side));
    let texture = deviation(&density.total(), size, TEXTURE * side);
    let [red, green, blue, texture, map] = [&red, &green, &blue, &texture, mask].map(standardized);
    let seen: Vec<[f32; 5]> = (0..mask.len()).map(|i| [red[i], green[i], blue[i], texture[i], map[i]]).collect();
    let (clusters, centres) = k_means(&seen, KINDS);
    let mut sums = vec![(0f64, 0usize); centres.len()];
    for (&cluster, &soft) in clusters.iter().zip(mask) {
        sums[cluster].0 += f64::from(soft);
        sums[cluster].1 += 1;
    }
    let means: Vec<f32> = sums.into_iter().map(|(sum, members)| (sum / members.max(1) as f64) as f32).collect();
    clusters.into_iter().map(|cluster| means[cluster]).collect()
}

/// Standard deviation of a plane around each pixel.
fn deviation(plane: &[f32], size: [usize; 2], sigma: f32) -> Vec<f32> {
    let squares: Vec<f32> = plane.iter().map(|value| value * value).collect();
    let (mean, square) = (blur(plane, size, sigma), blur(&squares, size, sigma));
    mean.iter().zip(square).map(|(mean, square)| (square - mean * mean).max(0.0).sqrt()).collect()
}

/// With mean 0 and deviation 1 over the image; zero where all values are one.
fn standardized(values: &[f32]) -> Vec<f32> {
    let count = values.len().max(1) as f64;
    let [sum, squares] = values
        .iter()
        .map(|&value| f64::from(value))
        .fold([0.0; 2], |[sum, squares], value| [sum + value, squares + value * value]);
    let mean = sum / count;
    let deviation = (squares / count - mean * mean).max(0.0).sqrt() + 1e-6;
    values.iter().map(|&value| ((f64::from(value) - mean) / deviation) as f32).collect()
}

#[cfg(test)]
mod tests {
    use std::array::from_fn;

    use super::*;

    /// Dark left, pale right; the mask is too wide by a tenth and dim at one place of the dark side.
    #[test]
    fn a_mask_takes_the_edge_that_colour_has() {
        let size = [60, 120];
        let rgb: Vec<u8> =
            (0..size[0] * size[1]).flat_map(|i| if i % 120 < 60 { [90, 50, 130] } else { [240, 220, 235] }).collect();
        let mut mask: Vec<f32> = (0..size[0] * size[1]).map(|i| if i % 120 < 72 { 0.8 } else { 0.1 }).collect();
        mask[30 * 120 + 20] = 0.4;
        let votes = votes(&mask, &OpticalDensity::new(&rgb, size));
        assert!(votes[30 * 120 + 10] > 0.75 && votes[30 * 120 + 110] < 0.15);
        assert!(votes.iter().all(|vote| (0.1..=0.8001).contains(vote)));
    }

    #[test]
    fn values_of_one_kind_are_standardized_to_zero() {
        assert_eq!(standardized(&[3.0; 4]), [0.0; 4]);
        let [a, b]: [f32; 2] = from_fn(|i| standardized(&[1.0, 3.0])[i]);
        assert!((a + 1.0).abs() < 1e-4 && (b - 1.0).abs() < 1e-4);
    }
}
