use histomask_shaders::TILE;

/// Weights as the kernels' twins read them, `[ceil(outputs / 8), taps, inputs, 8]`, from `value(output, tap, input)`.
pub(super) fn packed(
    outputs: usize,
    taps: usize,
    inputs: usize,
    value: impl Fn(usize, usize, usize) -> f32,
) -> Vec<f32> {
    let mut packed = vec![0.0; outputs.div_ceil(TILE) * taps * inputs * TILE];
    let mut places = packed.chunks_exact_mut(TILE);
    for first in (0..outputs).step_by(TILE) {
        for tap in 0..taps {
            for (input, place) in (0..inputs).zip(&mut places) {
                let outputs = first..(first + TILE).min(outputs);
                place.iter_mut().zip(outputs).for_each(|(place, output)| *place = value(output, tap, input));
            }
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_a_tile_lie_side_by_side() {
        let packed = packed(9, 2, 3, |output, tap, input| (100 * output + 10 * tap + input) as f32);
        assert_eq!(packed[..TILE], [0, 100, 200, 300, 400, 500, 600, 700].map(|value| value as f32));
        assert_eq!(packed[(2 * 3 + 3 + 2) * TILE..][..2], [812.0, 0.0], "the rest of the last tile is zero");
    }
}
