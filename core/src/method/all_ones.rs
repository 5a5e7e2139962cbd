//! All-ones: every pixel is foreground, the bound a mask has to beat (`spec` §5.10).
//!
//! F1+ is the mean of `2p / (1 + p)` over images with a share p of foreground, F1- is 0
//! ([`all_ones_f1_plus`](crate::metric::all_ones_f1_plus)).

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Batch, Decision, Learning, Method, Objective, Reading};

/// A network without weights.
#[derive(Module, Debug)]
pub struct AllOnes {
    classes: usize,
}

impl AllOnes {
    /// For data of any number of classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes }
    }
}

impl Method for AllOnes {
    fn learn(&self, _: Batch<'_>, _: Objective<'_>) -> Learning {
        Learning { terms: vec![], scores: None }
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let maps = Tensor::ones([1, 1, 1, 1], &image.device());
        Reading { scores: None, background: None, maps, decision: Decision::Soft, align_corners: true }
    }
}
