use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// Cross-entropy with natural logarithm, mean over the batch (Eq. 1 and 3).
///
/// # Shapes
///
/// Logits `[B, C]`, labels `[B]`, result `[1]`.
pub fn cross_entropy(scores: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let [batch, _] = scores.dims();
    -log_softmax(scores, 1).gather(1, labels.reshape([batch, 1])).mean()
}
