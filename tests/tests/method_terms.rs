//! What the methods make of a batch and of an image, against their formulas written out here: weights of the terms, PN's
//! penalty, U-Net's cross-entropy, ERASE's rounds, which region a score is of, dropout.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask_core::MethodKind;
use histomask_core::backbone::FeatureExtractor as _;
use histomask_core::config::{EraseConfig, LossConfig, ModelConfig, PoolingConfig};
use histomask_core::loss::Term;
use histomask_core::method::{Batch, Decision, Method as _, Network, Objective, fill, heat, peak};
use histomask_core::pooling::WildcatPooling;
use histomask_core::resample::bilinear;
use histomask_tests::{assert_numbers, values};

const SIZE: [usize; 2] = [64, 96];
const LABELS: [usize; 2] = [1, 0];

/// A small network and two images, `[2, 3, 64, 96]`.
fn network(method: MethodKind) -> (Network, Tensor<4>) {
    let device = Device::flex();
    device.seed(11);
    let erase = EraseConfig { threshold: 0.5, rounds: 2, round_epochs: 1 };
    let config = ModelConfig { method, backbone_blocks: 3, backbone_channels: 8, erase, ..ModelConfig::default() };
    let images = Tensor::random([2, 3, SIZE[0], SIZE[1]], Distribution::Uniform(-1.0, 1.0), &device);
    (config.init(2, &device), images)
}

fn terms(network: &Network, images: &Tensor<4>, masks: Option<Tensor<4>>, loss: &LossConfig) -> BTreeMap<Term, f64> {
    let labels = Tensor::<1, Int>::from_ints(LABELS.map(|label| label as i32), &images.device());
    let batch = Batch { images: images.clone(), labels, label_values: &LABELS, masks, tissue: None };
    let learning = network.learn(batch, Objective { loss, sigma: 0.15, t: 5.0, normal: None });
    learning.terms.into_iter().map(|(term, value)| (term, values(value)[0])).collect()
}

fn weighted(full: f64, foreground: f64, background: f64, size_penalty: f64) -> LossConfig {
    LossConfig {
        full_weight: full,
        foreground_weight: foreground,
        background_weight: background,
        size_penalty_weight: size_penalty,
        ..LossConfig::default()
    }
}

#[test]
fn weights_scale_their_terms_alone() {
    for method in [MethodKind::MaxMin, MethodKind::CamAvg, MethodKind::Pn] {
        let (network, images) = network(method);
        let of = |loss: LossConfig| terms(&network, &images, None, &loss);
        let (one, more) = (of(weighted(1.0, 1.0, 1.0, 1.0)), of(weighted(2.0, 3.0, 5.0, 7.0)));
        assert!(!one.is_empty() && one.len() == more.len(), "{method:?}: {one:?}");
        for (term, value) in one {
            let weight = match term {
                Term::Full => 2.0,
                Term::Foreground => 3.0,
                Term::Background => 5.0,
                Term::SizePenalty => 7.0,
                _ => 1.0,
            };
            assert_numbers(&format!("{term:?} of {method:?}"), &[more[&term]], &[weight * value], 1e-5);
        }
    }
}

#[test]
fn pn_penalises_the_sizes_of_the_interpolated_classes() {
    let (network, images) = network(MethodKind::Pn);
    let Network::Pn(net) = &network else { panic!("another method") };
    let maps = bilinear(net.head.of_images(&net.backbone, images.clone()).maps, SIZE, true);
    let shares = values(softmax(maps, 1));
    let pixels = SIZE[0] * SIZE[1];
    let penalty = |(region, shares): (usize, &[f64])| {
        let size: f64 = shares.iter().sum();
        let present = f64::from(u8::from(region % 2 == LABELS[region / 2]));
        (present - size).max(0.0).powi(2) + (size - present * pixels as f64).max(0.0).powi(2)
    };
    let expected = shares.chunks_exact(pixels).enumerate().map(penalty).sum::<f64>() / 4.0 / pixels as f64;
    let found = terms(&network, &images, None, &weighted(1.0, 1.0, 1.0, 1.0))[&Term::SizePenalty];
    assert_numbers("penalty", &[found / expected], &[1.0], 1e-4);
}

#[test]
fn u_net_judges_each_pixel_against_its_mask() {
    let (network, images) = network(MethodKind::UNet);
    let Network::UNet(net) = &network else { panic!("another method") };
    let masks = Tensor::<4>::random([2, 1, SIZE[0], SIZE[1]], Distribution::Bernoulli(0.3), &images.device());
    let (scores, truth) = (values(net.forward(images.clone())), values(masks.clone()));
    let pixels = SIZE[0] * SIZE[1];
    let of_pixel = |index: usize| {
        let (image, pixel) = (index / pixels, index % pixels);
        let of_region = |region: usize| scores[(2 * image + region) * pixels + pixel];
        let lead = of_region(1) - of_region(0);
        let right = if truth[index] > 0.5 { lead } else { -lead };
        (-right).exp().ln_1p()
    };
    let expected = (0..2 * pixels).map(of_pixel).sum::<f64>() / (2 * pixels) as f64;
    let found = terms(&network, &images, Some(masks), &LossConfig::default())[&Term::Pixels];
    assert_numbers("cross-entropy", &[found], &[expected], 1e-5);
}

#[test]
fn erase_reads_a_class_from_the_image_without_what_it_marked() {
    let (network, images) = network(MethodKind::Erase);
    let Network::Erase(net) = network else { panic!("another method") };
    let (image, colour) = (images.narrow(0, 0, 1), [0.4, -0.7, 0.2]);
    let net = net.with_mean_colour(colour, &image.device());
    let maps = |image: Tensor<4>| net.head.class_maps(net.backbone.forward(image, 1));
    let first = maps(image.clone());
    let again = (0..2).map(|class| {
        let marked = peak(heat(bilinear(first.clone().narrow(1, class, 1), SIZE, true)), 0.5);
        maps(fill(image.clone(), marked, Tensor::from_floats(colour, &image.device()))).narrow(1, class, 1)
    });
    let expected = Tensor::cat([first.clone()].into_iter().chain(again).collect(), 1);
    let reading = net.read(image.clone(), 0.0);
    assert_numbers("rounds", &values(reading.maps), &values(expected), 1e-5);
    assert_eq!(reading.decision, Decision::Peak(0.5));
}

#[test]
fn readings_say_which_region_a_score_is_of_and_how_maps_decide() {
    let (network, images) = network(MethodKind::MaxMin);
    let Network::MaxMin(net) = &network else { panic!("another method") };
    let reading = net.read(images.clone(), 0.15);
    let regions = net.forward(images, 0.15).regions.unwrap();
    let (foreground, background) = (values(regions.foreground), values(regions.background));
    assert!(foreground != background);
    assert_numbers("foreground", &values(reading.scores.unwrap()), &foreground, 0.0);
    assert_numbers("background", &values(reading.background.unwrap()), &background, 0.0);

    let (cam, images) = self::network(MethodKind::CamMax);
    assert_eq!(cam.read(images.clone(), 0.0).decision, Decision::Argmax);
    let attention = self::network(MethodKind::DeepMil).0.read(images.narrow(0, 0, 1), 0.0);
    let uniform = 1.0 / attention.maps.shape().num_elements() as f32;
    assert_eq!(attention.decision, Decision::Above(uniform));
}

#[test]
fn dropout_acts_on_the_highest_positions_in_training_alone() {
    let config = PoolingConfig { kmax: 1.0, kmin: 0.0, dropout: 0.5, ..PoolingConfig::default() };
    let (pooling, maps) = (WildcatPooling::from(&config), Tensor::<4>::ones([1, 300, 2, 2], &Device::flex()));
    assert_numbers("in use", &values(pooling.forward(maps.clone())), &[1.0; 300], 1e-6);
    let learning = values(pooling.forward(maps.autodiff()).inner());
    let mean = learning.iter().sum::<f64>() / 300.0;
    assert!(learning.contains(&0.0) && (0.8..1.2).contains(&mean), "{mean}");
}
