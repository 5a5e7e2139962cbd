//! A linear probe (Alain & Bengio 2016): how well features that nobody trained for the task name the class.
//!
//! Ridge regression (Hoerl & Kennard 1970) on the classes as one-hot targets, in closed form: `W = (XᵀX + λ d n I)⁻¹
//! XᵀY` with features `X` standardised and targets `Y` centred over the training part. With fewer samples than
//! features the same weights come from the Gram matrix, `W = Xᵀ (X Xᵀ + λ d n I)⁻¹ Y`.

use super::linear::{dot, solve};

/// `λ`: the penalty relative to the sum of squares of all standardised features, of which there are `n d`. Fixed, so that
/// nothing is chosen by looking.
pub const PENALTY: f64 = 0.01;

/// A feature whose spread is below this is constant and is left out.
const CONSTANT: f64 = 1e-9;

/// Ridge regression on class indices.
#[derive(Clone, Debug)]
pub struct Probe {
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// One row of weights a class.
    weights: Vec<Vec<f64>>,
    prior: Vec<f64>,
}

impl Probe {
    /// Fits to samples of equally many features. `None` without samples or if the numbers are not finite.
    #[must_use]
    pub fn fit(features: &[&[f64]], labels: &[usize], classes: usize) -> Option<Self> {
        let n = features.len();
        let d = features.first()?.len();
        if labels.len() != n || features.iter().any(|row| row.len() != d || row.iter().any(|x| !x.is_finite())) {
            return None;
        }
        let column_mean = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..d).map(|j| (0..n).map(|i| of(i, j)).sum::<f64>() / n as f64).collect()
        };
        let mean = column_mean(&|i, j| features[i][j]);
        let variance = column_mean(&|i, j| (features[i][j] - mean[j]).powi(2));
        let scale: Vec<f64> = variance.iter().map(|v| if v.sqrt() > CONSTANT { 1.0 / v.sqrt() } else { 0.0 }).collect();
        let rows: Vec<Vec<f64>> = features.iter().map(|row| standardised(row, &mean, &scale)).collect();
        let prior: Vec<f64> = (0..classes)
            .map(|class| labels.iter().filter(|&&label| label == class).count() as f64 / n as f64)
            .collect();
        let targets: Vec<f64> = labels
            .iter()
            .flat_map(|&label| (0..classes).map(move |class| (class, label)))
            .map(|(class, label)| f64::from(u8::from(class == label)) - prior[class])
            .collect();
        let ridge = PENALTY * d as f64 * n as f64;
        let weights =
            if n <= d { dual(&rows, targets, ridge, classes)? } else { primal(&rows, &targets, ridge, classes)? };
        Some(Self { mean, scale, weights, prior })
    }

    /// One score a class: about the share of the class among samples like this one.
    #[must_use]
    pub fn scores(&self, features: &[f64]) -> Vec<f64> {
        let row = standardised(features, &self.mean, &self.scale);
        self.weights.iter().zip(&self.prior).map(|(weights, prior)| prior + dot(weights, &row)).collect()
    }
}

fn standardised(row: &[f64], mean: &[f64], scale: &[f64]) -> Vec<f64> {
    row.iter().zip(mean).zip(scale).map(|((x, mean), scale)| (x - mean) * scale).collect()
}

fn dual(rows: &[Vec<f64>], mut targets: Vec<f64>, ridge: f64, classes: usize) -> Option<Vec<Vec<f64>>> {
    let n = rows.len();
    let mut gram: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect();
    (0..n).for_each(|i| gram[i * n + i] += ridge);
    let solved = solve(&mut gram, &mut targets, n);
    let weights = |class: usize| combine(rows, |i| targets[i * classes + class]);
    solved.then(|| (0..classes).map(weights).collect())
}

fn primal(rows: &[Vec<f64>], targets: &[f64], ridge: f64, classes: usize) -> Option<Vec<Vec<f64>>> {
    let d = rows.first()?.len();
    let mut squares: Vec<f64> = (0..d).flat_map(|j| combine(rows, |i| rows[i][j])).collect();
    (0..d).for_each(|j| squares[j * d + j] += ridge);
    let by_class: Vec<Vec<f64>> = (0..classes).map(|class| combine(rows, |i| targets[i * classes + class])).collect();
    let mut weights: Vec<f64> = (0..d).flat_map(|j| by_class.iter().map(move |column| column[j])).collect();
    let solved = solve(&mut squares, &mut weights, d);
    solved.then(|| (0..classes).map(|class| (0..d).map(|j| weights[j * classes + class]).collect()).collect())
}

/// Sum of the rows, each times its factor.
fn combine(rows: &[Vec<f64>], factor: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    for (i, row) in rows.iter().enumerate() {
        let factor = factor(i);
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
    }
    sum
}

/// What a probe says of a sample that it has not seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The class it names.
    pub class: usize,
    /// Score of the true class less the best other one: above 0 where the class is right, about 1 where it is clear.
    pub margin: f64,
}

/// Cross-validated verdicts, one a sample: each by a probe fitted to the samples of all other folds. `None` if one of the
/// probes cannot be fitted.
#[must_use]
pub fn cross_validated(
    features: &[Vec<f64>],
    labels: &[usize],
    folds: &[usize],
    classes: usize,
) -> Option<Vec<Verdict>> {
    let count = folds.iter().max()? + 1;
    let mut verdicts = vec![Verdict { class: 0, margin: 0.0 }; features.len()];
    for fold in 0..count {
        let others: Vec<usize> = (0..features.len()).filter(|&i| folds[i] != fold).collect();
        let train: Vec<&[f64]> = others.iter().map(|&i| features[i].as_slice()).collect();
        let train_labels: Vec<usize> = others.iter().map(|&i| labels[i]).collect();
        let probe = Probe::fit(&train, &train_labels, classes)?;
        for i in (0..features.len()).filter(|&i| folds[i] == fold) {
            verdicts[i] = verdict(&probe.scores(&features[i]), labels[i]);
        }
    }
    Some(verdicts)
}

fn verdict(scores: &[f64], label: usize) -> Verdict {
    let best = |of: &dyn Fn(usize) -> bool| {
        (0..scores.len()).filter(|&c| of(c)).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
    };
    let class = best(&|_| true).unwrap_or_default();
    let other = best(&|class| class != label).map_or(0.0, |class| scores[class]);
    Verdict { class, margin: scores.get(label).copied().unwrap_or_default() - other }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    #[test]
    fn one_feature_gives_the_shrunk_slope() {
        // x = -1, 1 standardised, y - prior = ∓0.5: slope = Σxy / (Σx² + λ d n) = 1 / (2 + 0.02)
        let probe = Probe::fit(&[&[3.0], &[5.0]], &[0, 1], 2).unwrap();
        let slope = 1.0 / 2.02;
        let scores = probe.scores(&[5.0]);
        assert!((scores[1] - (0.5 + slope)).abs() < 1e-12 && (scores[0] - (0.5 - slope)).abs() < 1e-12);
    }

    #[test]
    fn both_forms_give_the_same_weights() {
        let rows = vec![vec![1.0, -0.5, 0.3], vec![-0.2, 0.9, 0.1], vec![0.4, 0.4, -1.0], vec![-1.2, -0.8, 0.6]];
        let targets = vec![0.5, -0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5];
        let (a, b) = (dual(&rows, targets.clone(), 0.3, 2).unwrap(), primal(&rows, &targets, 0.3, 2).unwrap());
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
    }

    #[test]
    fn a_verdict_is_of_samples_not_seen() {
        // the second feature names the class, the first is constant
        let labels = [0, 1, 0, 1, 0, 1];
        let features: Vec<Vec<f64>> =
            labels.iter().enumerate().map(|(i, &label)| vec![7.0, label as f64 * 4.0 + 0.1 * i as f64]).collect();
        let verdicts = cross_validated(&features, &labels, &[0, 0, 1, 1, 2, 2], 2).unwrap();
        assert!(verdicts.iter().zip(labels).all(|(verdict, label)| verdict.class == label && verdict.margin > 0.5));
        assert!(Probe::fit(&[&[f64::NAN]], &[0], 2).is_none());
    }
}
