use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// The soft foreground mask, Eq. 12: `sigmoid(omega * (map - sigma))`, any shape, values in `(0, 1)`.
pub fn soft_threshold(map: Tensor<4>, omega: f64, sigma: f64) -> Tensor<4> {
    sigmoid((map - sigma) * omega)
}
