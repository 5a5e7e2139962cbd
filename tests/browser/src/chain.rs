//! The kernels between burn's own operations. Nothing is awaited until the end, and a browser hands back no buffer
//! without an await: the tensors stay on the GPU, and all that touches them is on one device.

use burn::tensor::activation::log_softmax;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use histomask_core::config::MaskConfig;
use histomask_core::kernel::{MaskSpec, mask_images};

use crate::Tab;
use crate::compare::{Comparison, Failure};
use crate::mask::{on, uniform};

const TOLERANCE: f64 = 2e-4;

/// burn's convolution → masked images → burn's convolution and loss, and the gradient of the first convolution's
/// weights, which passes through all of it twice.
pub(crate) async fn between_burn_operations(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    tab.cpu.seed(12);
    let given = Given {
        features: uniform([2, 8, 3, 4], &tab.cpu),
        images: uniform([2, 3, 24, 32], &tab.cpu),
        head: uniform([1, 8, 1, 1], &tab.cpu),
        classifier: uniform([2, 3, 3, 3], &tab.cpu),
    };
    let (ours, theirs) = (given.gradient(&tab.gpu)?, given.gradient(&tab.cpu)?);
    comparison.close("gradient", "the first convolution's weights", ours, theirs, TOLERANCE).await
}

/// Tensors of the CPU.
struct Given {
    features: Tensor<4>,
    images: Tensor<4>,
    head: Tensor<4>,
    classifier: Tensor<4>,
}

impl Given {
    fn gradient(&self, device: &Device) -> Result<Tensor<4>, Failure> {
        let device = device.clone().autodiff();
        let head = on(&self.head, &device).require_grad();
        let convolved = |x, weight| conv2d(x, weight, None, ConvOptions::new([1, 1], [0, 0], [1, 1], 1));
        let coarse = convolved(on(&self.features, &device), head.clone());
        let spec = MaskSpec::new(&MaskConfig::default(), [24, 32], 0.15);
        let masked = mask_images(coarse, on(&self.images, &device), spec);
        let [batch, kinds, channels, height, width] = masked.regions.dims();
        let regions = masked.regions.reshape([batch * kinds, channels, height, width]);
        let scores = convolved(regions, on(&self.classifier, &device)).mean_dims(&[2, 3]).reshape([batch * kinds, 2]);
        let loss = log_softmax(scores, 1).narrow(1, 0, 1).sum() - masked.foreground_size.log().sum();
        head.grad(&loss.backward()).ok_or_else(|| Failure("no gradient".into()))
    }
}
