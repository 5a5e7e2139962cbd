//! The loss falls: gradients, optimizer and network together make a model of what it is shown.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask::train::Sgd;
use histomask_core::MethodKind;
use histomask_core::config::{BackboneKind, BackgroundTerm, BarrierKind, LossConfig, ModelConfig};
use histomask_core::method::{Batch, Method as _, Objective};
use histomask_tests::values;

/// Steps on one batch of a reddish and a bluish class, which a network that learns tells apart at once.
const STEPS: usize = 16;

#[test]
fn the_loss_falls() {
    let device = Device::flex().autodiff();
    for method in [MethodKind::MaxMin, MethodKind::CamAvg] {
        device.seed(3);
        let config = ModelConfig { method, backbone: BackboneKind::Resnet18, ..ModelConfig::default() };
        let loss = LossConfig { background: BackgroundTerm::None, barrier: BarrierKind::None, ..LossConfig::default() };
        let noise = Tensor::<4>::random([4, 3, 32, 32], Distribution::Uniform(-0.5, 0.5), &device);
        let colour = |[red, blue]: [f32; 2]| Tensor::<4>::from_data([[[[red]], [[0.0]], [[blue]]]], &device);
        let colours = [[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]].map(colour);
        let images = noise + Tensor::cat(colours.to_vec(), 0);
        let labels = [0, 1, 0, 1];
        let mut network = config.init(2, &device);
        let mut sgd = Sgd::new(0.9, true, 1e-4, 1.0);
        let mut losses = Vec::new();
        for _ in 0..STEPS {
            let batch = Batch {
                images: images.clone(),
                labels: Tensor::<1, Int>::from_ints([0, 1, 0, 1], &device),
                label_values: &labels,
                masks: None,
                tissue: None,
            };
            let objective = Objective { loss: &loss, sigma: 0.15, t: 5.0, normal: None };
            let total = network.learn(batch, objective).total().unwrap_or_else(|| panic!("no loss"));
            losses.push(values(total.clone().inner())[0]);
            let gradients = GradientsParams::from_grads(total.backward(), &network);
            network = sgd.step(network, gradients, 0.01);
        }
        let last = losses.iter().rev().take(3).sum::<f64>() / 3.0;
        assert!(last < 0.5 * losses[0], "{method}: it does not fall: {losses:?}");
    }
}
