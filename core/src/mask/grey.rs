/// The values of a mask's file: 255 where `soft >= threshold`, else 0.
#[must_use]
pub fn binary(soft: &[f32], threshold: f32) -> Vec<u8> {
    soft.iter().map(|&value| if value >= threshold { 255 } else { 0 }).collect()
}

/// The values of a soft mask's file, 65535 for 1; what lies outside `[0, 1]` counts as the nearer end, NaN as 0.
#[must_use]
pub fn sixteen_bit(soft: &[f32]) -> Vec<u16> {
    // a cast saturates
    soft.iter().map(|&value| (value * 65535.0).round() as u16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_saturate_and_nan_is_background() {
        let soft = [0.0, 0.499, 0.5, 1.0, f32::NAN, 2.0];
        assert_eq!(binary(&soft, 0.5), [0, 0, 255, 255, 0, 255]);
        assert_eq!(sixteen_bit(&soft), [0, 32702, 32768, 65535, 0, 65535]);
    }
}
