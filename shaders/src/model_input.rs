use crate::ModelInputParams;
use crate::parallel::chunks;
use crate::resize::resize;

/// Twin of [`MODEL_INPUT`](crate::MODEL_INPUT): RGBA8 pixels `[h, w]` (R in the low byte, alpha ignored) to the model's
/// input `[3, H, W]`: Pillow's bilinear resize with anti-aliasing ([`resize`]), then `(v / 255 - mean) / std`
/// (`spec` §3.2).
pub fn model_input(params: &ModelInputParams, pixels: &[u32], tensor: &mut [f32]) {
    let [height, width] = [params.height as usize, params.width as usize];
    let planes = resize(pixels, [params.in_height as usize, params.in_width as usize], [height, width]);
    let levels = [(params.mean_r, params.std_r), (params.mean_g, params.std_g), (params.mean_b, params.std_b)]
        .map(|(mean, std)| -> [f32; 256] { std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std) });
    chunks(tensor, width, |index, values| {
        let levels = &levels[index / height];
        let row = &planes[index * width..][..width];
        values.iter_mut().zip(row).for_each(|(value, &level)| *value = levels[usize::from(level)]);
    });
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
            ModelInputParams { in_height, in_width, height, width, mean_r, mean_g, mean_b, std_r, std_g, std_b };
        let mut tensor = vec![f32::NAN; (3 * height * width) as usize];
        model_input(&params, pixels, &mut tensor);
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
