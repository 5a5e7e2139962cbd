use crate::MaskStatsParams;
use crate::map_range::chunk_bounds;
use crate::parallel::chunks;

/// Twin of [`MASK_STATS`](crate::MASK_STATS): masks and truths `[B, pixels]` to statistics of each chunk,
/// `[B, chunks, 6]`: bits of the sum and of the entropy in nats, then true positives, false positives, false
/// negatives and true negatives.
pub fn mask_stats(params: &MaskStatsParams, mask: &[f32], truth: &[u32], partial: &mut [u32]) {
    let (pixels, count) = (params.pixels as usize, params.chunks as usize);
    chunks(partial, 6, |index, stats| {
        let (sample, chunk) = (index / count, index % count);
        let bounds = chunk_bounds(chunk, pixels, count);
        let bounds = sample * pixels + bounds.start..sample * pixels + bounds.end;
        let (mut sum, mut entropy) = (0.0, 0.0);
        let mut counts = [0; 4];
        for (&value, &truth) in mask[bounds.clone()].iter().zip(&truth[bounds]) {
            sum += f64::from(value);
            entropy += f64::from(surprise(value) + surprise(1.0 - value));
            let (there, found) = (truth != 0, value >= params.threshold);
            counts[3 - 2 * usize::from(found) - usize::from(there)] += 1;
        }
        stats[..2].copy_from_slice(&[(sum as f32).to_bits(), (entropy as f32).to_bits()]);
        stats[2..].copy_from_slice(&counts);
    });
}

/// -p ln p, 0 where p is.
fn surprise(p: f32) -> f32 {
    if p == 0.0 { 0.0 } else { -p * p.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_entropy_and_counts() {
        let params = MaskStatsParams { batch: 1, pixels: 5, chunks: 2, threshold: 0.5 };
        let (mask, truth) = ([0.5, 1.0, 0.0, 0.0, f32::NAN], [1, 0, 7, 0, 0]);
        let mut partial = [0; 12];
        mask_stats(&params, &mask, &truth, &mut partial);
        assert_eq!([f32::from_bits(partial[0]), f32::from_bits(partial[1])], [1.5, std::f32::consts::LN_2]);
        assert_eq!(partial[2..6], [1, 1, 1, 0]);
        assert!(f32::from_bits(partial[6]).is_nan() && f32::from_bits(partial[7]).is_nan());
        assert_eq!(partial[8..], [0, 0, 0, 2]);
    }
}
