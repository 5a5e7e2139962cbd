use burn::nn::Dropout;
use burn::tensor::Tensor;
#[cfg(not(target_family = "wasm"))]
use burn::tensor::TensorData;

#[cfg(not(target_family = "wasm"))]
use crate::kernel::limits;

/// The mean of the `k` highest of `n` values, `[B, C, n]` to `[B, C]`; dropout acts on them while training.
///
/// On a GPU, burn keeps the k best in registers of each thread, and compilers take minutes for the tenth of a map that
/// k is. In use the values, which are few, are read and the mean is taken here; a browser tab cannot wait for them.
pub(super) fn mean_of_highest(values: Tensor<3>, k: usize, dropout: &Dropout) -> Tensor<2> {
    let [batch, classes, _] = values.dims();
    #[cfg(not(target_family = "wasm"))]
    if !values.device().is_autodiff()
        && limits(&values.device()).is_some()
        && let Some(means) = read_and_averaged(&values, k)
    {
        return means;
    }
    dropout.forward(values.topk(k, 2)).mean_dim(2).reshape([batch, classes])
}

/// `None` from a device that fails: who asks for the result is told why.
#[cfg(not(target_family = "wasm"))]
fn read_and_averaged(values: &Tensor<3>, k: usize) -> Option<Tensor<2>> {
    let ([batch, classes, n], device) = (values.dims(), values.device());
    let mut read: Vec<f32> = values.clone().try_into_data().ok()?.iter::<f32>().collect();
    let mean = |values: &mut [f32]| {
        let k = k.clamp(1, values.len());
        let (above, least, _) = values.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        let sum = above.iter().fold(f64::from(*least), |sum, &value| sum + f64::from(value));
        (sum / k as f64) as f32
    };
    let means: Vec<f32> = read.chunks_exact_mut(n.max(1)).map(mean).collect();
    Some(Tensor::from_data(TensorData::new(means, [batch, classes]), &device))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use burn::nn::DropoutConfig;
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn what_is_read_and_averaged_is_what_the_device_would_have_said() {
        let device = Device::flex();
        device.seed(3);
        let values = Tensor::<3>::random([2, 3, 37], Distribution::Uniform(-2.0, 2.0), &device);
        let dropout = DropoutConfig::new(0.0).init();
        for k in [1, 4, 37] {
            let ours: Vec<f32> = read_and_averaged(&values, k).unwrap().into_data().iter().collect();
            let burns: Vec<f32> = mean_of_highest(values.clone(), k, &dropout).into_data().iter().collect();
            assert!(ours.len() == 6 && ours.iter().zip(&burns).all(|(a, b)| (a - b).abs() < 1e-5), "{k}");
        }
    }
}
