//! What must hold of `core` for any input, not only for the vectors.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use burn::tensor::{Device, Tensor, TensorData};
use histomask_core::config::MinMax;
use histomask_core::mask::{masked, min_max, region_sizes, soft_threshold};
use histomask_core::metric::{EmptyRule, MaskEvaluator, Overlap, PixelCounts};
use histomask_core::resample::{bilinear, bilinear_slice, scaled};
use histomask_core::weights::{
    Precision, StateDict, read_card, read_checkpoint, read_metadata, read_weights, write_weights,
};
use proptest::collection::{btree_map, vec};
use proptest::num::f32::{ANY, NORMAL, SUBNORMAL, ZERO};
use proptest::prelude::*;

/// Height, width and values of a map.
fn map(values: impl Strategy<Value = f32> + Clone) -> impl Strategy<Value = ([usize; 2], Vec<f32>)> {
    (1..9_usize, 1..9_usize).prop_flat_map(move |(height, width)| {
        vec(values.clone(), height * width).prop_map(move |values| ([height, width], values))
    })
}

/// Values of every magnitude that a network may produce; several equal ones are likely.
fn activations() -> impl Strategy<Value = f32> + Clone {
    prop_oneof![4 => -50.0..50.0_f32, 1 => -1e30..1e30_f32, 1 => Just(0.0), 1 => Just(-1.5), 1 => SUBNORMAL]
}

fn tensor(values: &[f32], shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

fn complement(mask: &[f32]) -> Vec<f32> {
    mask.iter().map(|value| 1.0 - value).collect()
}

proptest! {
    #[test]
    fn resampling_stays_within_the_map(
        (from, map) in map(activations()), to in [1..20_usize, 1..20_usize], align_corners: bool,
    ) {
        let resized = bilinear_slice(&map, from, to, align_corners);
        prop_assert_eq!(resized.len(), to[0] * to[1]);
        let (low, high) = map.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        prop_assert!(resized.iter().all(|value| (low..=high).contains(value)), "{:?} leaves {}..{}", resized, low, high);
        // a constant map stays what it is
        let constant = bilinear_slice(&vec![map[0]; map.len()], from, to, align_corners);
        prop_assert!(constant.iter().all(|&value| value == map[0]), "{:?} is not {}", constant, map[0]);
        prop_assert_eq!(bilinear_slice(&map, from, from, align_corners), map);
    }

    #[test]
    fn resampling_keeps_regions_complementary(
        (from, mask) in map(0.0..=1.0_f32), to in [1..20_usize, 1..20_usize], align_corners: bool,
    ) {
        let plus = bilinear_slice(&mask, from, to, align_corners);
        let minus = bilinear_slice(&complement(&mask), from, to, align_corners);
        prop_assert!(plus.iter().zip(&minus).all(|(plus, minus)| (plus + minus - 1.0).abs() < 1e-6));
    }

    #[test]
    fn tensors_and_slices_are_resampled_alike(
        (from, map) in map(-50.0..50.0_f32), to in [1..20_usize, 1..20_usize], align_corners: bool,
    ) {
        let device = values(bilinear(tensor(&map, [1, 1, from[0], from[1]]), to, align_corners));
        let host = bilinear_slice(&map, from, to, align_corners);
        prop_assert!(device.iter().zip(&host).all(|(device, host)| (device - host).abs() < 1e-4));
    }

    #[test]
    fn min_max_fills_the_unit_interval((size, map) in map(activations()), batch in 1..4_usize) {
        let maps: Vec<f32> = (0..batch).flat_map(|sample| map.iter().map(move |v| v * (sample + 1) as f32)).collect();
        for over in [MinMax::PerSample, MinMax::WholeBatch] {
            let scaled = values(min_max(tensor(&maps, [batch, 1, size[0], size[1]]), over));
            prop_assert!(scaled.iter().all(|value| (0.0..=1.0).contains(value)), "{:?} of {:?}", scaled, maps);
            let flat = map.iter().all(|value| (value - map[0]).abs() < f32::MIN_POSITIVE);
            if over == MinMax::PerSample && !flat {
                for sample in scaled.chunks(map.len()) {
                    prop_assert!(sample.contains(&0.0) && sample.contains(&1.0), "{:?} of {:?}", sample, map);
                }
            }
        }
    }

    #[test]
    fn the_mask_rises_with_the_map(mut map in vec(0.0..=1.0_f32, 2..60), omega in 0.1..50.0, sigma in 0.0..1.0) {
        map.sort_by(f32::total_cmp);
        let mask = values(soft_threshold(tensor(&map, [1, 1, 1, map.len()]), omega, sigma));
        prop_assert!(mask.iter().all(|value| (0.0..=1.0).contains(value)), "{:?}", mask);
        // sigmoid may err in the last place
        prop_assert!(mask.windows(2).all(|pair| pair[1] >= pair[0] - 1e-6), "{:?}", mask);
        for (&map, &mask) in map.iter().zip(&mask) {
            let above = f64::from(map) - sigma;
            prop_assert!(above.abs() < 1e-5 || (mask > 0.5) == (above > 0.0), "{} at {}", mask, map);
        }
    }

    #[test]
    fn both_regions_make_up_the_image((size, mask) in map(0.0..=1.0_f32)) {
        let sizes = region_sizes(tensor(&mask, [1, 1, size[0], size[1]]));
        let (plus, minus) = (values(sizes.foreground)[0], values(sizes.background)[0]);
        let pixels = (size[0] * size[1]) as f32;
        prop_assert!((plus + minus - pixels).abs() < 1e-5 * pixels && plus >= 0.0 && minus >= -1e-5 * pixels);

        // Eq. 2: X+ and X- sum to X, and swap when the mask is turned over
        let image: Vec<f32> = (0..3 * mask.len()).map(|i| (i as f32 * 0.37).sin()).collect();
        let image = tensor(&image, [1, 3, size[0], size[1]]);
        for scale in [1.0, 0.8] {
            let shrunk = size.map(|side| scaled(side, scale));
            let split = |mask: &[f32]| {
                let regions = masked(image.clone(), tensor(mask, [1, 1, size[0], size[1]]), shrunk, true);
                (values(regions.foreground), values(regions.background))
            };
            let (plus, minus) = split(&mask);
            let whole = values(bilinear(image.clone(), shrunk, true));
            prop_assert_eq!(whole.len(), plus.len());
            let sums = plus.iter().zip(&minus).map(|(plus, minus)| plus + minus);
            prop_assert!(sums.zip(&whole).all(|(sum, whole)| (sum - whole).abs() < 1e-5));
            let (turned_plus, turned_minus) = split(&complement(&mask));
            prop_assert!(plus.iter().zip(&turned_minus).all(|(a, b)| (a - b).abs() < 1e-5));
            prop_assert!(minus.iter().zip(&turned_plus).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn overlap_is_symmetric_and_complements_swap_its_regions(pixels in vec((any::<bool>(), any::<bool>()), 1..80)) {
        let counts = |change: fn((bool, bool)) -> (bool, bool)| {
            let (soft, truth): (Vec<f32>, Vec<bool>) =
                pixels.iter().map(|&pair| change(pair)).map(|(soft, truth)| (f32::from(u8::from(soft)), truth)).unzip();
            PixelCounts::of(&soft, 0.5, &truth).unwrap()
        };
        let overlap = Overlap::of(counts(|pair| pair), EmptyRule::Raw);
        prop_assert_eq!(Overlap::of(counts(|(soft, truth)| (truth, soft)), EmptyRule::Raw), overlap);
        let turned = Overlap::of(counts(|(soft, truth)| (!soft, !truth)), EmptyRule::Raw);
        prop_assert_eq!((turned.f1_plus, turned.f1_minus), (overlap.f1_minus, overlap.f1_plus));
        prop_assert_eq!((turned.iou_plus, turned.iou_minus), (overlap.iou_minus, overlap.iou_plus));
        let perfect = Overlap::of(counts(|(_, truth)| (truth, truth)), EmptyRule::Raw);
        prop_assert!(perfect.f1_plus.is_none_or(|f1| f1 == 1.0) && perfect.f1_minus.is_none_or(|f1| f1 == 1.0));
        // IoU is F1 / (2 - F1), so never above it
        for (iou, f1) in [(overlap.iou_plus, overlap.f1_plus), (overlap.iou_minus, overlap.f1_minus)] {
            prop_assert_eq!(iou.is_some(), f1.is_some());
            prop_assert!(iou.zip(f1).is_none_or(|(iou, f1)| (iou - f1 / (2.0 - f1)).abs() < 1e-12));
        }
    }

    #[test]
    fn scores_of_a_data_set_are_percent_and_know_no_order(
        images in vec(vec((0.0..=1.0_f32, any::<bool>()), 1..30), 1..6), skip: bool,
    ) {
        let rule = if skip { EmptyRule::SkipEmpty } else { EmptyRule::Raw };
        let of = |images: &mut dyn Iterator<Item = &Vec<(f32, bool)>>| {
            let mut evaluator = MaskEvaluator::new(0.5, rule);
            for image in images {
                let (soft, truth): (Vec<f32>, Vec<bool>) = image.iter().copied().unzip();
                evaluator.update(&soft, &truth).unwrap();
            }
            evaluator.compute()
        };
        let (scores, backwards) = (of(&mut images.iter()), of(&mut images.iter().rev()));
        let all = |scores: &histomask_core::metric::MaskScores| {
            [scores.f1_plus, scores.f1_minus, scores.iou_plus, scores.iou_minus, scores.all_ones_f1_plus, scores.pxap]
        };
        for (score, backwards) in all(&scores).into_iter().zip(all(&backwards)) {
            prop_assert!(score.is_none_or(|score| (0.0..=100.0 + 1e-9).contains(&score)), "{:?}", scores);
            prop_assert_eq!(score.is_some(), backwards.is_some());
            prop_assert!(score.zip(backwards).is_none_or(|(a, b)| (a - b).abs() < 1e-9));
        }
        prop_assert_eq!(scores.pixels.total(), images.iter().map(Vec::len).sum::<usize>() as u64);
        // at threshold 0 everything is foreground: the All-ones row
        let lowest = scores.threshold_curve[0].f1_plus;
        prop_assert!(lowest.zip(scores.all_ones_f1_plus).is_none_or(|(f1, bound)| (f1 - bound).abs() < 1e-9));
    }

    #[test]
    fn weights_come_back_bit_for_bit(state in state(ANY), text in ".*") {
        let bytes = write_weights(&state, Some(text.clone()), Precision::Full).unwrap();
        prop_assert_eq!(&bytes, &write_weights(&state, Some(text.clone()), Precision::Full).unwrap());
        prop_assert_eq!(read_metadata(&bytes).unwrap(), Some(text));
        let read = read_weights(&bytes).unwrap();
        prop_assert!(read.keys().eq(state.keys()));
        for (name, data) in &state {
            prop_assert_eq!(read[name].shape(), data.shape());
            prop_assert_eq!(bits(&read[name]), bits(data));
        }
    }

    #[test]
    fn half_precision_keeps_eleven_bits(state in state(prop_oneof![-60_000.0..60_000.0_f32, -1.0..1.0_f32, ZERO])) {
        let read = read_weights(&write_weights(&state, None, Precision::Half).unwrap()).unwrap();
        for (name, data) in &state {
            let pairs = read[name].as_slice::<f32>().unwrap().iter().zip(data.as_slice::<f32>().unwrap());
            for (half, full) in pairs {
                // half of the last place: relative where half precision is normal, absolute below
                let allowed = (full.abs() * 2.0_f32.powi(-11)).max(2.0_f32.powi(-25));
                prop_assert!((half - full).abs() <= allowed, "{} became {}", full, half);
            }
        }
    }

    #[test]
    fn damaged_files_are_errors_not_panics(
        state in state(NORMAL),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        digits in vec((any::<prop::sample::Index>(), b'0'..=b'9'), 0..6),
        cut in any::<prop::sample::Index>(),
        mode in 0..3,
    ) {
        let mut bytes = write_weights(&state, Some("{\"format\":1}".into()), Precision::Full).unwrap();
        match mode {
            0 => damage.iter().for_each(|(at, byte)| { let at = at.index(bytes.len()); bytes[at] = *byte; }),
            // numbers of the header: shapes, offsets
            1 => {
                let places: Vec<_> = (8..bytes.len()).take_while(|&at| bytes[at].is_ascii()).collect();
                let places: Vec<_> = places.into_iter().filter(|&at| bytes[at].is_ascii_digit()).collect();
                digits.iter().for_each(|(at, digit)| bytes[places[at.index(places.len())]] = *digit);
            }
            _ => bytes.truncate(cut.index(bytes.len())),
        }
        let _ = read_metadata(&bytes);
        prop_assert!(read_card(&bytes).is_err(), "a card of one entry");
        prop_assert!(read_checkpoint(&bytes).is_err());
        if let Ok(read) = read_weights(&bytes) {
            prop_assert!(mode < 2, "a part passed as the whole");
            for data in read.values() {
                prop_assert_eq!(data.as_slice::<f32>().unwrap().len(), data.shape().to_vec().iter().product::<usize>());
            }
        }
    }

    #[test]
    fn noise_is_no_model(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(read_card(&bytes).is_err() && read_checkpoint(&bytes).is_err() && read_weights(&bytes).is_err());
    }
}

/// A few named tensors of up to three sides.
fn state(values: impl Strategy<Value = f32> + Clone) -> impl Strategy<Value = StateDict> {
    let tensor = vec(1..4_usize, 1..4).prop_flat_map(move |shape| {
        let length: usize = shape.iter().product();
        vec(values.clone(), length).prop_map(move |values| TensorData::new(values, shape.clone()))
    });
    btree_map("[a-z]{1,8}(\\.[a-z0-9_]{1,8}){0,3}", tensor, 1..5)
}

fn bits(data: &TensorData) -> Vec<u32> {
    data.as_slice::<f32>().unwrap().iter().map(|value| value.to_bits()).collect()
}
