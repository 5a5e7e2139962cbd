/// `1 / (1 + exp(-x))` to 3e-7 relative, in operations that the compiler turns into vector instructions; NaN stays NaN.
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// 1.5 · 2^23: adding it leaves no bits for a fraction. `f32::round` is a call where SSE4.1 is not assumed.
const ROUND: f32 = 12_582_912.0;

/// `2^k * exp(r)` with `|r| <= ln 2 / 2` and `exp(r)` by its Taylor polynomial.
fn exp(x: f32) -> f32 {
    // beyond, the result is that of the bound: 1e-38 or 1e38
    let x = x.clamp(-87.0, 87.0);
    let k = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, so that the product with k is exact
    let r = x - k * 0.693_359_4 + k * 2.121_944_4e-4;
    let r =
        [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0].into_iter().fold(0.0, |sum, c| sum * r + c);
    r * f32::from_bits(((k as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_library() {
        for step in -4000..=4000 {
            let x = step as f32 * 0.01;
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            let error = (f64::from(sigmoid(x)) - expected).abs() / expected;
            assert!(error < 3e-7, "{x}: {error:e}");
        }
        assert!(sigmoid(f32::NAN).is_nan());
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37 && sigmoid(-1e30) > 0.0);
    }
}
