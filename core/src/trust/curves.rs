//! Deletion and insertion curves (Petsiuk, Das & Saenko, "RISE", BMVC 2018, §4.3, Algorithm 1): the class's
//! probability while pixels go, or come, in the order of the mask.

/// Pixels by falling mask value; equal ones in row order.
#[must_use]
pub fn by_importance(soft: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..soft.len()).collect();
    order.sort_by(|&a, &b| soft[b].total_cmp(&soft[a]));
    order
}

/// How many of `pixels` have changed after each of `0..=steps` steps: `round(pixels · step / steps)`.
#[must_use]
pub fn steps(pixels: usize, steps: usize) -> Vec<usize> {
    let steps = steps.max(1);
    (0..=steps).map(|step| (pixels * step + steps / 2) / steps).collect()
}

/// `image` with the pixels `chosen` taken from `other`; both are interleaved RGB of one size. A pixel outside is passed
/// over.
#[must_use]
pub fn replaced(image: &[u8], other: &[u8], chosen: &[usize]) -> Vec<u8> {
    let mut result = image.to_vec();
    for &pixel in chosen {
        let place = 3 * pixel..3 * pixel + 3;
        if let (Some(to), Some(from)) = (result.get_mut(place.clone()), other.get(place)) {
            to.copy_from_slice(from);
        }
    }
    result
}

/// Area under a curve of equally spaced points over `[0, 1]` by the trapezoid rule; `None` for fewer than two points.
#[must_use]
pub fn area(values: &[f64]) -> Option<f64> {
    let intervals = values.len().checked_sub(1).filter(|&n| n > 0)?;
    Some(values.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).sum::<f64>() / intervals as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_go_from_the_most_to_the_least_important() {
        assert_eq!(by_importance(&[0.1, 0.9, 0.1, 0.5]), [1, 3, 0, 2]);
        assert_eq!(steps(10, 4), [0, 3, 5, 8, 10]);
        assert_eq!(replaced(&[1, 2, 3, 4, 5, 6], &[9; 6], &[1, 7]), [1, 2, 3, 9, 9, 9]);
    }

    #[test]
    fn area_is_by_trapezoids() {
        // a line from 1 to 0 has half the area; 1, 0, 0 a quarter
        assert_eq!(area(&[1.0, 0.5, 0.0]), Some(0.5));
        assert_eq!(area(&[1.0, 0.0, 0.0]), Some(0.25));
        assert_eq!(area(&[1.0]), None);
    }
}
