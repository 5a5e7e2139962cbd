use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use crate::config::{BackgroundTerm, LogBase};

/// How certain the classifier is on the background, mean over the batch (Eq. 8 and 9, `spec` §2.1).
///
/// From logits through log-softmax, so that a vanishing probability yields no NaN.
///
/// # Shapes
///
/// Logits `[B, C]`, result `[1]`; zero for [`BackgroundTerm::None`] and [`BackgroundTerm::Reversal`], which is the
/// cross-entropy of a label.
pub fn background(scores: Tensor<2>, term: BackgroundTerm, base: LogBase) -> Tensor<1> {
    let log_p = log_softmax(scores, 1);
    let nats = match term {
        BackgroundTerm::Eem => (log_p.clone().exp() * log_p).sum_dim(1).mean(),
        BackgroundTerm::Sem => -log_p.mean(),
        BackgroundTerm::None | BackgroundTerm::Reversal => log_p.mean() * 0.0,
    };
    match base {
        LogBase::Two => nats / std::f64::consts::LN_2,
        LogBase::E => nats,
    }
}
