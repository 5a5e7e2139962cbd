//! k-means (Lloyd 1982) that gives the same clusters for the same values: it starts from values far apart, not from
//! random ones.

/// Rounds of assignment and mean.
const ROUNDS: usize = 20;
/// Values that the centres are found from; all are assigned at the end.
const SAMPLE: usize = 4000;

/// The cluster of each value, and the centres; `count` of them, or fewer distinct ones.
pub(super) fn k_means<const D: usize>(values: &[[f32; D]], count: usize) -> (Vec<usize>, Vec<[f32; D]>) {
    let sample: Vec<_> = values.iter().step_by((values.len() / SAMPLE).max(1)).copied().collect();
    let mut centres = far_apart(&sample, count);
    for _ in 0..ROUNDS {
        let mut sums = vec![([0f64; D], 0usize); centres.len()];
        for value in &sample {
            let (sum, members) = &mut sums[nearest(value, &centres)];
            sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += f64::from(*value));
            *members += 1;
        }
        for (centre, (sum, members)) in centres.iter_mut().zip(&sums).filter(|(_, (_, members))| *members > 0) {
            *centre = sum.map(|sum| (sum / *members as f64) as f32);
        }
    }
    (values.iter().map(|value| nearest(value, &centres)).collect(), centres)
}

/// The value nearest to the mean, then again and again the one furthest from all that were taken.
fn far_apart<const D: usize>(values: &[[f32; D]], count: usize) -> Vec<[f32; D]> {
    let mean: [f32; D] =
        std::array::from_fn(|d| values.iter().map(|value| value[d]).sum::<f32>() / values.len().max(1) as f32);
    let Some(first) = values.iter().min_by(|a, b| distance(a, &mean).total_cmp(&distance(b, &mean))) else {
        return Vec::new();
    };
    let mut centres = vec![*first];
    let mut distances: Vec<f32> = values.iter().map(|value| distance(value, first)).collect();
    while centres.len() < count {
        let furthest = distances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((index, _)) = furthest.filter(|(_, distance)| **distance > 0.0) else { break };
        centres.push(values[index]);
        distances.iter_mut().zip(values).for_each(|(least, value)| *least = least.min(distance(value, &values[index])));
    }
    centres
}

pub(super) fn nearest<const D: usize>(value: &[f32; D], centres: &[[f32; D]]) -> usize {
    let distances = centres.iter().map(|centre| distance(value, centre)).enumerate();
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

fn distance<const D: usize>(a: &[f32; D], b: &[f32; D]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_heaps_are_found() {
        let values: Vec<[f32; 2]> =
            (0..300).map(|i| [[0.0, 0.0], [5.0, 0.0], [0.0, 9.0]][i % 3].map(|c| c + (i / 3) as f32 * 1e-3)).collect();
        let (clusters, centres) = k_means(&values, 3);
        assert_eq!(centres.len(), 3);
        assert!((0..300).all(|i| clusters[i] == clusters[i % 3]));
        assert_eq!(k_means(&[[1.0]; 10], 3).1.len(), 1);
        assert!(k_means::<1>(&[], 3).0.is_empty());
    }
}
