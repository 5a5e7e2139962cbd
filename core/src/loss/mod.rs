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
