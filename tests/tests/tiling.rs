//! A network in use: large images pass the first layers in windows, with the result of one piece.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use burn::module::Module as _;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Tensor};
use histomask::synth::{SynthClass, SynthConfig, generate};
use histomask::weights::default_model;
use histomask_core::backbone::{Depth, EfficientNetLite0, ResNet18, Stem, Tiling};
use histomask_core::model::MaxMin;
use histomask_core::preprocess::{Preprocess, ResizeRule};
use histomask_core::weights::{load_state_dict, read_checkpoint};
use histomask_core::{RgbView, Segmenter};
use image::imageops::{FilterType, resize};

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn windows_give_the_features_of_the_whole_image() {
    let device = Device::flex();
    device.seed(5);
    let check = |name: &str, size: [usize; 2], stride, net: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        let image = Tensor::random([1, 3, size[0], size[1]], Distribution::Uniform(-1.0, 1.0), &device);
        let whole = values(net(image.clone()));
        let largest = whole.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let apart = |overlap| {
            let windows = Tiling { side: 320, overlap }.forward(image.clone(), stride, net);
            largest_difference(&values(windows), &whole) / largest
        };
        let [exact, short] = [96, 32].map(apart);
        println!("{name} {size:?}: {exact:.1e} with the overlap, {short:.1e} with a third of it");
        assert!(exact < 2e-6, "{name} {size:?}: {exact:e}");
        assert!(short > 1e-3, "{name} {size:?}: the test does not see windows that are too small");
    };
    let net = EfficientNetLite0::new(Depth::WHOLE, &device);
    let stems = [Stem::Single, Stem::Deep].map(|stem| ResNet18::new(stem, Depth::WHOLE, &device));
    for size in [[321, 447], [352, 480], [331, 70]] {
        check("EfficientNet-Lite0", size, net.shallow_stride(), &|x| net.shallow(x, 1));
        for stem in &stems {
            check("ResNet18", size, stem.shallow_stride(), &|x| stem.shallow(x, 1));
        }
    }
}

#[test]
fn a_large_image_has_the_class_and_mask_of_one_piece() {
    const SIZE: [u32; 2] = [1067, 1211];
    let device = Device::flex();
    let (mut card, state) = read_checkpoint(default_model()).unwrap_or_else(|error| panic!("{error}"));
    card.input = Preprocess { resize: ResizeRule::None, ..card.input };
    // what masks take from colour is no part of the network
    (card.model.mask.prior, card.model.mask.tissue, card.model.mask.smallest) = (0.0, false, 0.0);
    let depth = Depth { blocks: card.model.backbone_blocks, channels: card.model.backbone_channels };
    let whole = MaxMin::new(EfficientNetLite0::new(depth, &device), card.classes.len(), &card.model, &device);
    let whole = load_state_dict(whole, &state).unwrap_or_else(|error| panic!("{error}")).valid();
    let cut = Segmenter::from_checkpoint(card.clone(), &state, &device).unwrap_or_else(|error| panic!("{error}"));

    let config = SynthConfig { size: 512, ..SynthConfig::default() };
    let image = resize(&generate(3, SynthClass::Regular, &config).image, SIZE[1], SIZE[0], FilterType::Triangle);
    let view =
        RgbView::new(image.as_raw(), SIZE[1] as usize, SIZE[0] as usize).unwrap_or_else(|error| panic!("{error}"));
    let input = card.input.tensor(view, &device).unwrap_or_else(|error| panic!("{error}"));
    let expected = whole.forward(input, card.sigma);
    let found = cut.segment(view).unwrap_or_else(|error| panic!("{error}"));

    let mask = values(expected.mask());
    let mask_apart = largest_difference(&found.mask, &mask);
    let posterior_apart = largest_difference(&found.probabilities, &values(softmax(expected.class_scores(), 1)));
    println!("mask: at most {mask_apart:.1e} apart; posterior: {posterior_apart:.1e}");
    assert!(mask.iter().any(|&value| value < 0.5) && mask.iter().any(|&value| value >= 0.5), "an empty or full mask");
    assert!(mask_apart < 1e-4 && posterior_apart < 1e-5, "mask {mask_apart:e}, posterior {posterior_apart:e}");
}

#[test]
fn class_maps_of_a_part_are_those_of_the_whole() {
    let (mut card, state) = read_checkpoint(default_model()).unwrap_or_else(|error| panic!("{error}"));
    card.input = Preprocess { resize: ResizeRule::None, ..card.input };
    let segmenter = Segmenter::from_checkpoint(card, &state, &Device::flex()).unwrap_or_else(|error| panic!("{error}"));
    let image = generate(4, SynthClass::Irregular, &SynthConfig { size: 451, ..SynthConfig::default() }).image;
    let maps = |[x, y]: [u32; 2], [width, height]: [u32; 2]| {
        let part = image::imageops::crop_imm(&image, x, y, width, height).to_image();
        let view = RgbView::new(part.as_raw(), width as usize, height as usize);
        let view = view.unwrap_or_else(|error| panic!("{error}"));
        let maps = pollster::block_on(segmenter.local_maps(view));
        maps.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| panic!("no class maps"))
    };
    let stride = pollster::block_on(segmenter.map_stride()).unwrap_or_else(|error| panic!("{error}"));
    let field = segmenter.field_of_view().unwrap_or_else(|| panic!("no field of view"));
    let margin = field.div_ceil(2).next_multiple_of(stride);
    assert_eq!((stride, margin), (16, 80));
    let whole = maps([0, 0], [451, 451]);
    // a part whose right and lower edges are those of the image, and one in the middle, as long modulo the stride
    for (from, end) in [([160, 208], [451, 451]), ([112, 96], [307, 275])] {
        let part = maps(from, [end[0] - from[0], end[1] - from[1]]);
        let inside = |at: usize, axis: usize| {
            let ends = if end[axis] == 451 { 451 } else { end[axis] as usize - margin - 451 % stride };
            at * stride >= from[axis] as usize + margin && at * stride < ends
        };
        let mut compared = 0;
        for map in 0..2 {
            for y in (0..whole.size[0]).filter(|&y| inside(y, 1)) {
                for x in (0..whole.size[1]).filter(|&x| inside(x, 0)) {
                    let [height, width] = part.size;
                    let (own_x, own_y) = (x - from[0] as usize / stride, y - from[1] as usize / stride);
                    let found = part.values[(map * height + own_y) * width + own_x];
                    let expected = whole.values[(map * whole.size[0] + y) * whole.size[1] + x];
                    assert!((found - expected).abs() < 1e-4, "map {map}, ({x}, {y}): {found} is not {expected}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 0);
    }
}

#[test]
fn images_together_have_the_classes_that_each_has_alone() {
    let segmenter = Segmenter::from_safetensors(default_model(), &Device::flex()).unwrap_or_else(|e| panic!("{e}"));
    let painted = |side: usize, shift: usize| -> Vec<u8> {
        let pixel = |i: usize| [200 - (i / 40 + shift) % 90, 120 + (i / (side * 12)) % 60, 180 - (i % side / 9) % 70];
        (0..side * side).flat_map(pixel).map(|value| value as u8).collect()
    };
    for sides in [[288, 288, 288], [288, 320, 288]] {
        let images: Vec<_> = sides.iter().enumerate().map(|(i, &side)| (painted(side, 31 * i), side)).collect();
        let views: Vec<_> = images.iter().map(|(rgb, side)| RgbView::new(rgb, *side, *side).unwrap()).collect();
        let together = pollster::block_on(segmenter.classify(&views)).unwrap();
        let alone: Vec<_> = views.iter().map(|&view| segmenter.observe(view).unwrap()).collect();
        for (one, other) in together.iter().zip(&alone) {
            assert_eq!(one.probabilities, other.probabilities, "{sides:?}");
            assert_eq!(one.background_uncertainty, other.background_uncertainty, "{sides:?}");
        }
        assert_ne!(together[0].probabilities, together[2].probabilities, "the images do not differ");
        assert_eq!(together.len(), 3);
    }
}
