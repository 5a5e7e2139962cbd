use crate::MaskStatsMergeParams;

/// Twin of [`MASK_STATS_MERGE`](crate::MASK_STATS_MERGE): statistics of chunks `[B, chunks, 6]` to those of the masks,
/// `[B, 6]`, in the same order.
pub fn mask_stats_merge(params: &MaskStatsMergeParams, partial: &[u32], stats: &mut [u32]) {
    let chunks = params.chunks as usize;
    for (sample, stats) in stats.chunks_exact_mut(6).enumerate().take(params.batch as usize) {
        let (mut sums, mut counts) = ([0.0; 2], [0; 4]);
        for partial in partial[6 * chunks * sample..][..6 * chunks].chunks_exact(6) {
            for (sum, &bits) in sums.iter_mut().zip(partial) {
                *sum += f64::from(f32::from_bits(bits));
            }
            for (count, &part) in counts.iter_mut().zip(&partial[2..]) {
                *count += part;
            }
        }
        stats[..2].copy_from_slice(&sums.map(|sum| (sum as f32).to_bits()));
        stats[2..].copy_from_slice(&counts);
    }
}
