use crate::MapRangeMergeParams;

/// Twin of [`MAP_RANGE_MERGE`](crate::MAP_RANGE_MERGE): extremes of chunks `[B, chunks, 4]` to ranges `[B, 2]`
/// (minimum, 1 / (maximum - minimum)) and positions `[B, 2]` (of the minimum, of the maximum).
pub fn map_range_merge(params: &MapRangeMergeParams, partial: &[u32], range: &mut [f32], extremes: &mut [u32]) {
    let (batch, chunks) = (params.batch as usize, params.chunks as usize);
    for sample in 0..batch {
        let rows = if params.whole_batch == 0 { sample..sample + 1 } else { 0..batch };
        let (mut low, mut high) = ((f32::INFINITY, u32::MAX), (f32::NEG_INFINITY, u32::MAX));
        for row in partial[4 * chunks * rows.start..4 * chunks * rows.end].chunks_exact(4) {
            low = first(low, (f32::from_bits(row[0]), row[2]), |a, b| a < b);
            high = first(high, (f32::from_bits(row[1]), row[3]), |a, b| a > b);
        }
        range[2 * sample..][..2].copy_from_slice(&[low.0, inverse(low.0, high.0)]);
        extremes[2 * sample..][..2].copy_from_slice(&[low.1, high.1]);
    }
}

/// The first in order, a NaN before everything, on ties the one with the lower position.
fn first(a: (f32, u32), b: (f32, u32), before: impl Fn(f32, f32) -> bool) -> (f32, u32) {
    match (a.0.is_nan(), b.0.is_nan()) {
        (false, false) if before(a.0, b.0) || a.0 == b.0 && a.1 <= b.1 => a,
        (false, _) => b,
        (true, true) if b.1 < a.1 => b,
        (true, _) => a,
    }
}

/// 1 / (high - low), 0 where that would overflow.
fn inverse(low: f32, high: f32) -> f32 {
    let spread = high - low;
    if spread < f32::MIN_POSITIVE { 0.0 } else { 1.0 / spread }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_map_becomes_zero_and_a_nan_stays() {
        let bits = f32::to_bits;
        let partial = [bits(2.0), bits(2.0), 0, 0, bits(2.0), bits(2.0), 1, 1, bits(f32::NAN), bits(f32::NAN), 2, 2];
        let (mut range, mut positions) = ([9.0; 6], [9; 6]);
        let mut params = MapRangeMergeParams { batch: 3, chunks: 1, whole_batch: 0 };
        map_range_merge(&params, &partial, &mut range, &mut positions);
        assert_eq!(range[..4], [2.0, 0.0, 2.0, 0.0]);
        assert_eq!(positions, [0, 0, 1, 1, 2, 2]);
        assert!(range[4].is_nan() && range[5].is_nan());
        params.whole_batch = 1;
        map_range_merge(&params, &partial, &mut range, &mut positions);
        assert!(range.iter().all(|value| value.is_nan()));
    }
}
