/// The first bin of a histogram behind which the variance between both sides is largest (Otsu 1979): the last of the
/// lower class. `centre` is the value that a bin stands for. 0 where all values lie in one bin.
#[must_use]
pub fn otsu(histogram: &[u64], centre: impl Fn(usize) -> f64) -> usize {
    let total: u64 = histogram.iter().sum();
    let sum: f64 = histogram.iter().enumerate().map(|(bin, &count)| count as f64 * centre(bin)).sum();
    let (mut below, mut sum_below) = (0_u64, 0.0);
    let (mut best, mut threshold) = (0.0, 0);
    for (bin, &count) in histogram.iter().enumerate() {
        below += count;
        sum_below += count as f64 * centre(bin);
        let (left, right) = (below as f64, (total - below) as f64);
        if left > 0.0 && right > 0.0 {
            let apart = sum_below / left - (sum - sum_below) / right;
            let between = left * right * apart * apart;
            if between > best {
                (best, threshold) = (between, bin);
            }
        }
    }
    threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_parted_behind_the_lower() {
        let mut histogram = [0; 256];
        (10..20).for_each(|value| histogram[value] = 100);
        (100..120).for_each(|value| histogram[value] = 10);
        assert_eq!(otsu(&histogram, |bin| bin as f64), 19);
        assert_eq!(otsu(&[0, 7, 0], |bin| bin as f64), 0);
        // bins count by what they stand for: the upper two lie together
        assert_eq!(otsu(&[5, 5, 5], |bin| [0.0, 8.0, 9.0][bin]), 0);
    }
}
