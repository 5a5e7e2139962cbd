//! The training objective: Eq. 7 and the localizer's cross-entropy (`spec` §2).

mod background;
mod cross_entropy;
mod empty_normal;
mod size_barrier;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use background::background;
pub use cross_entropy::cross_entropy;
pub use empty_normal::empty_normal;
pub use size_barrier::barrier;

/// A term of a method's loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Term {
    /// Cross-entropy of the localizer, or of a baseline's classifier, on the full image.
    Full,
    /// Cross-entropy of the classifier on the foreground, Eq. 3.
    Foreground,
    /// Uncertainty on the background, Eq. 8 or 9.
    Background,
    /// Size barrier, Eq. 7.
    Barrier,
    /// Empty masks on normal images (released Camelyon16).
    EmptyNormal,
    /// PN's size penalty.
    SizePenalty,
    /// U-Net's cross-entropy per pixel.
    Pixels,
}

/// The terms that are on, weighted, `[1]` each, in the order of the equation.
pub type Terms = Vec<(Term, Tensor<1>)>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use burn::tensor::Device;

    use super::*;
    use crate::config::{BackgroundTerm, BarrierKind, LogBase};

    fn value(term: Tensor<1>) -> f64 {
        f64::from(term.into_data().iter::<f32>().next().unwrap())
    }

    #[test]
    fn a_term_that_is_off_is_zero_and_moves_nothing() {
        let device = Device::flex().autodiff();
        let scores = Tensor::<2>::from_floats([[3.0, -1.0], [0.5, 80.0]], &device).require_grad();
        let sizes = Tensor::<1>::from_floats([0.0, 7.0], &device).require_grad();
        let terms = [LogBase::E, LogBase::Two].map(|base| background(scores.clone(), BackgroundTerm::None, base));
        for term in terms.into_iter().chain([barrier(sizes.clone(), BarrierKind::None, 5.0).sum()]) {
            let gradients = term.backward();
            assert_eq!(value(term.inner()), 0.0);
            let moved: Vec<f32> = [
                scores.grad(&gradients).map(|gradient| gradient.into_data().iter().collect::<Vec<f32>>()),
                sizes.grad(&gradients).map(|gradient| gradient.into_data().iter().collect()),
            ]
            .into_iter()
            .flatten()
            .flatten()
            .collect();
            assert!(!moved.is_empty() && moved.iter().all(|&value| value == 0.0), "{moved:?}");
        }
    }

    #[test]
    fn the_extended_barrier_goes_on_as_its_tangent() {
        let device = Device::flex().autodiff();
        // at t = 5 from 1/25 on downwards
        let sizes = [2.0_f64, 0.05, 0.03, 0.0, -3.0];
        let tensor = Tensor::<1>::from_floats(sizes.map(|size| size as f32), &device).require_grad();
        let gradients = barrier(tensor.clone(), BarrierKind::Extended, 5.0).sum().backward();
        let slopes: Vec<f32> = tensor.grad(&gradients).unwrap().into_data().iter().collect();
        assert_eq!(slopes.len(), sizes.len());
        for (found, size) in slopes.into_iter().zip(sizes) {
            let expected = -1.0 / (5.0 * size.max(0.04));
            assert!((f64::from(found) - expected).abs() < 1e-4, "{found}, not {expected}, at {size}");
        }
    }

    #[test]
    fn each_pixel_of_a_normal_image_is_judged_as_background() {
        let device = Device::flex().autodiff();
        let maps = [[-2.0, 0.0, 0.7], [1.5, -90.0, 90.0]];
        let tensor = Tensor::<2>::from_floats(maps, &device).require_grad();
        let term = empty_normal(tensor.clone().reshape([2, 1, 1, 3]));
        let gradients = term.backward();
        // -ln(1 - sigmoid(x)), whose derivative is sigmoid(x)
        let pixels: Vec<f64> = maps.concat();
        let expected = pixels.iter().map(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()).sum::<f64>() / 6.0;
        assert!((value(term.inner()) - expected).abs() < 1e-5, "{expected}");
        let gradient: Vec<f32> = tensor.grad(&gradients).unwrap().into_data().iter().collect();
        for (found, x) in gradient.into_iter().zip(pixels) {
            assert!((f64::from(found) - 1.0 / (1.0 + (-x).exp()) / 6.0).abs() < 1e-6, "{found} at {x}");
        }
    }
}
