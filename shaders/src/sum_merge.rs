use crate::SumMergeParams;

/// Twin of [`SUM_MERGE`](crate::SUM_MERGE): partial sums `[B, chunks, columns]` to `sums`, column `c` of a sample at
/// `sample * stride + offset + c`.
pub fn sum_merge(params: &SumMergeParams, partial: &[f32], sums: &mut [f32]) {
    let (batch, columns) = (params.batch as usize, params.columns as usize);
    let size = params.chunks as usize * columns;
    for sample in 0..batch {
        let rows = if params.whole_batch == 0 { sample..sample + 1 } else { 0..batch };
        let mut total = vec![0.0; columns];
        for row in partial[size * rows.start..size * rows.end].chunks_exact(columns.max(1)) {
            for (total, &value) in total.iter_mut().zip(row) {
                *total += f64::from(value);
            }
        }
        let sums = &mut sums[sample * params.stride as usize + params.offset as usize..][..columns];
        for (sum, total) in sums.iter_mut().zip(total) {
            *sum = total as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_land_at_their_offset() {
        let partial = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let mut params = SumMergeParams { batch: 2, chunks: 2, columns: 2, whole_batch: 0, stride: 3, offset: 1 };
        let mut sums = [-1.0; 6];
        sum_merge(&params, &partial, &mut sums);
        assert_eq!(sums, [-1.0, 3.0, 30.0, -1.0, 7.0, 70.0]);
        params.whole_batch = 1;
        sum_merge(&params, &partial, &mut sums);
        assert_eq!(sums, [-1.0, 10.0, 100.0, -1.0, 10.0, 100.0]);
    }
}
