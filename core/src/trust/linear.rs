//! Symmetric positive definite systems, by Cholesky.

/// Solves `A X = B` in place of `B`: `a` is `[n, n]` rows first and is overwritten, `b` is `[n, columns]`. False if `a`
/// is not positive definite.
pub(super) fn solve(a: &mut [f64], b: &mut [f64], n: usize) -> bool {
    let columns = b.len().checked_div(n).unwrap_or_default();
    // A = L Lᵀ, L in the lower triangle
    for i in 0..n {
        for j in 0..=i {
            let (row_i, row_j) = (&a[i * n..i * n + j], &a[j * n..j * n + j]);
            let rest = a[i * n + j] - dot(row_i, row_j);
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return false;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    for column in 0..columns {
        for i in 0..n {
            let known: f64 = (0..i).map(|k| a[i * n + k] * b[k * columns + column]).sum();
            b[i * columns + column] = (b[i * columns + column] - known) / a[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k * columns + column]).sum();
            b[i * columns + column] = (b[i * columns + column] - known) / a[i * n + i];
        }
    }
    true
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_is_positive_definite() {
        // 4x + 2y = 10, 2x + 3y = 9: x = 1.5, y = 2
        let mut b = [10.0, 9.0];
        assert!(solve(&mut [4.0, 2.0, 2.0, 3.0], &mut b, 2));
        assert!((b[0] - 1.5).abs() < 1e-12 && (b[1] - 2.0).abs() < 1e-12);
        assert!(!solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0], 2));
    }
}
