//! Backbones cut short: the first layers of the whole one, and a receptive field that is what it is said to be.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::backbone::{Backbone, Depth, FeatureExtractor as _};
use histomask_core::config::BackboneKind;
use histomask_core::weights::state_dict;

fn values(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

#[test]
fn a_cut_backbone_has_the_features_of_the_whole_one_at_that_depth() {
    let device = Device::flex();
    device.seed(3);
    let whole = BackboneKind::EfficientnetLite0.init(&device);
    let image = Tensor::random([1, 3, 70, 96], Distribution::Uniform(-1.0, 1.0), &device);
    let cut = BackboneKind::EfficientnetLite0.init_to(Depth { blocks: 8, channels: 0 }, &device);
    let cut = cut.with_weights_of_whole(&state_dict(&whole)).unwrap();
    assert_eq!(cut.features(), 80);
    let Backbone::EfficientNetLite0(net) = &whole else { unreachable!("another backbone was asked for") };
    assert_eq!(values(cut.forward(image.clone(), 1)), values(net.shallow(image, 1)));
    // a 1×1 layer of its own on top, with random weights
    let with_layer = BackboneKind::Resnet18.init_to(Depth { blocks: 4, channels: 24 }, &device);
    let whole = state_dict(&BackboneKind::Resnet18.init(&device));
    assert_eq!(with_layer.with_weights_of_whole(&whole).unwrap().features(), 24);
    let wrong = BackboneKind::Resnet18.init_to(Depth { blocks: 4, channels: 0 }, &device);
    assert!(wrong.with_weights_of_whole(&state_dict(&cut)).unwrap_err().to_string().contains("bn1"));
}

#[test]
fn a_position_sees_no_more_than_the_receptive_field_and_nearly_all_of_it() {
    const HEIGHT: usize = 256;
    let device = Device::flex();
    device.seed(4);
    for (kind, blocks, field) in [
        (BackboneKind::EfficientnetLite0, 8, 147),
        (BackboneKind::EfficientnetLite0, 5, 67),
        (BackboneKind::Resnet18, 4, 99),
        (BackboneKind::Resnet18DeepStem, 2, 47),
    ] {
        let net = kind.init_to(Depth { blocks, channels: 0 }, &device);
        assert_eq!(net.receptive_field(), field, "{kind:?} {blocks}");
        let image = Tensor::<4>::random([1, 3, HEIGHT, 16], Distribution::Uniform(-1.0, 1.0), &device);
        let middle = |image: Tensor<4>| {
            let features = net.forward(image, 1);
            let [_, channels, rows, columns] = features.dims();
            values(features.slice([0..1, 0..channels, rows / 2..rows / 2 + 1, 0..columns]))
        };
        let before = middle(image.clone());
        let seen = (0..HEIGHT)
            .filter(|&row| {
                let noise = Tensor::random([1, 3, 1, 16], Distribution::Uniform(-9.0, 9.0), &device);
                middle(image.clone().slice_assign([0..1, 0..3, row..row + 1, 0..16], noise)) != before
            })
            .count();
        assert!(seen <= field && seen * 10 >= field * 9, "{kind:?} {blocks}: {seen} rows of {field}");
    }
}
