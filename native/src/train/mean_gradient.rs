use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

/// The gradient of a mean loss over more images than fit into memory at once: batch by batch.
///
/// Each batch's loss is a mean over its own images, so it counts with their share of all.
pub(crate) struct MeanGradient<M> {
    images: usize,
    sum: GradientsAccumulator<M>,
}

impl<M: Module> MeanGradient<M> {
    /// Over so many images.
    pub(crate) fn over(images: usize) -> Self {
        Self { images, sum: GradientsAccumulator::new() }
    }

    /// Adds that of `loss`, `[1]`, the mean over `images` of them.
    pub(crate) fn add(&mut self, loss: Tensor<1>, images: usize, module: &M) {
        let loss = if images == self.images { loss } else { loss * (images as f64 / self.images as f64) };
        self.sum.accumulate(module, GradientsParams::from_grads(loss.backward(), module));
    }

    /// By parameter.
    pub(crate) fn take(mut self) -> GradientsParams {
        self.sum.grads()
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn batches_of_any_size_add_up_to_one_of_all() {
        let device = Device::flex().autodiff();
        let module = LinearConfig::new(2, 1).init(&device);
        let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, -1.0], [0.5, 1.5], [-2.0, 0.25], [1.0, 1.0]], &device);
        let gradient = |parts: &[usize]| {
            let mut mean = MeanGradient::<Linear>::over(5);
            let mut from = 0;
            for &rows in parts {
                let loss = module.forward(x.clone().narrow(0, from, rows)).square().mean();
                mean.add(loss, rows, &module);
                from += rows;
            }
            mean.take().remove::<2>(module.weight.id).map(|gradient| gradient.into_data())
        };
        let whole = gradient(&[5]).unwrap_or_else(|| panic!("no gradient"));
        for parts in [&[1, 4][..], &[2, 2, 1]] {
            let found = gradient(parts).unwrap_or_else(|| panic!("no gradient"));
            found.assert_approx_eq::<f32>(&whole, burn::tensor::Tolerance::relative(1e-5));
        }
    }
}
