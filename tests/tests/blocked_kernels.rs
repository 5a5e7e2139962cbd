//! Convolutions on maps in blocks of channels, as networks in use have them on the CPU, against burn's.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::kernel::Activation;
use histomask_shaders::blocked::{Conv, Depthwise, Expansion, Map, MaxPool, Placement, Sample, nearest_double};
use histomask_tests::{assert_numbers, values};

/// Two orders of 32-bit summation, over up to 600 values of order 1.
const TOLERANCE: f64 = 2e-5;

const ACTIVATIONS: [Activation; 3] = [Activation::Identity, Activation::Relu, Activation::Relu6];

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Device::flex())
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    values(tensor.clone()).into_iter().map(|value| value as f32).collect()
}

fn map(tensor: &Tensor<4>) -> Map {
    let [_, channels, height, width] = tensor.dims();
    Map::from_planes(&floats(tensor), channels, [height, width])
}

fn planes(map: &Map) -> Vec<f64> {
    let [height, width] = map.size();
    let mut planes = vec![f32::NAN; map.channels() * height * width];
    map.to_planes(&mut planes);
    planes.into_iter().map(f64::from).collect()
}

fn placement(output: &Tensor<4>, padding: [(usize, usize); 2]) -> Placement {
    let [_, _, height, width] = output.dims();
    Placement { size: [height, width], pad: [padding[0].0, padding[1].0] }
}

fn run(conv: &Conv, maps: &[&Map], place: Placement, shortcut: Option<&Map>, activation: u32) -> Map {
    let sample = Sample { maps: maps.to_vec(), shortcut };
    conv.run(&[sample], place, activation).remove(0)
}

#[test]
fn over_all_channels() {
    Device::flex().seed(31);
    // channels, sides, kernel, stride, padding: tiles and blocks that are not full, maps smaller than the kernel
    let cases = [
        ([1, 1], [1, 1], 1, 1, [(0, 0), (0, 0)]),
        ([40, 24], [5, 13], 1, 1, [(0, 0), (0, 0)]),
        ([96, 49], [9, 61], 1, 1, [(0, 0), (0, 0)]),
        ([8, 12], [7, 9], 1, 2, [(0, 0), (0, 0)]),
        ([3, 32], [31, 46], 3, 2, [(0, 1), (1, 1)]),
        ([3, 64], [33, 40], 7, 2, [(3, 3), (3, 3)]),
        ([17, 9], [13, 30], 3, 1, [(1, 1), (1, 1)]),
        ([2, 3], [2, 1], 3, 1, [(1, 1), (1, 1)]),
        ([20, 80], [12, 50], 5, 1, [(0, 0), (0, 0)]),
        ([35, 33], [25, 27], 3, 2, [(1, 1), (1, 1)]),
        ([48, 64], [7, 7], 3, 1, [(1, 1), (1, 1)]),
        ([33, 40], [5, 3], 3, 1, [(0, 1), (1, 0)]),
        ([64, 17], [1, 9], 3, 1, [(1, 1), (1, 1)]),
        ([80, 48], [14, 11], 3, 1, [(0, 0), (0, 0)]),
        ([20, 100], [6, 1], 3, 2, [(1, 1), (1, 1)]),
        ([64, 70], [7, 7], 1, 2, [(0, 0), (0, 0)]),
    ];
    for (index, ([inputs, outputs], [height, width], kernel, stride, padding)) in cases.into_iter().enumerate() {
        let x = random([1, inputs, height, width]);
        let (weight, bias) = (random([outputs, inputs, kernel, kernel]), random([outputs]));
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1);
        let theirs = conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
        let place = placement(&theirs, padding);
        let conv = Conv::new(&floats(&weight), &floats(&bias), inputs, kernel, stride);
        for (activation, adds) in ACTIVATIONS.into_iter().zip([index % 2 == 0, false, true]) {
            let number = activation as u32;
            let shortcut = adds.then(|| random(theirs.dims()));
            let sum = shortcut.iter().fold(theirs.clone(), |theirs, shortcut| theirs + shortcut.clone());
            let theirs = values(activation.forward(sum));
            let what = format!("case {index}, {activation:?}");
            let ours = run(&conv, &[&map(&x)], place, shortcut.as_ref().map(map).as_ref(), number);
            assert_numbers(&what, &planes(&ours), &theirs, TOLERANCE);
            if inputs == 3 && !adds {
                let ours = conv.run_on_image(&floats(&x), [height, width], place, number);
                assert_numbers(&format!("{what}, as an image"), &planes(&ours), &theirs, TOLERANCE);
            }
            if inputs > 16 {
                let parts = [x.clone().narrow(1, 0, 16), x.clone().narrow(1, 16, inputs - 16)].map(|part| map(&part));
                let ours = run(&conv, &[&parts[0], &parts[1]], place, shortcut.as_ref().map(map).as_ref(), number);
                assert_numbers(&format!("{what}, of two maps"), &planes(&ours), &theirs, TOLERANCE);
            }
        }
    }
}

/// Several samples in one call have what each has alone, to the bit: a thread's part of the work is no part of the result.
#[test]
fn several_samples_at_once() {
    Device::flex().seed(34);
    // channels, sides, stride: maps of fewer pixels than a piece has, of as many and of more
    for ([inputs, outputs], [height, width], stride) in [
        ([96, 64], [3, 5], 1),
        ([40, 33], [12, 11], 1),
        ([20, 36], [41, 39], 1),
        ([50, 64], [7, 6], 2),
        ([17, 20], [63, 50], 2),
    ] {
        let x = random([3, inputs, height, width]);
        let (weight, bias) = (random([outputs, inputs, 3, 3]), random([outputs]));
        let options = ConvOptions::new([stride, stride], [1, 1], [1, 1], 1);
        let theirs = conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
        let shortcut = random(theirs.dims());
        let place = placement(&theirs, [(1, 1), (1, 1)]);
        let conv = Conv::new(&floats(&weight), &floats(&bias), inputs, 3, stride);
        let parts = |of: &Tensor<4>| (0..3).map(|index| map(&of.clone().narrow(0, index, 1))).collect::<Vec<_>>();
        let (maps, shortcuts) = (parts(&x), parts(&shortcut));
        let samples: Vec<_> =
            maps.iter().zip(&shortcuts).map(|(map, added)| Sample { maps: vec![map], shortcut: Some(added) }).collect();
        let together = conv.run(&samples, place, Activation::Relu as u32);
        let what = format!("{inputs} to {outputs} on {height} by {width}, stride {stride}");
        for ((index, sample), together) in samples.iter().enumerate().zip(&together) {
            let alone = conv.run(std::slice::from_ref(sample), place, Activation::Relu as u32).remove(0);
            assert_eq!(planes(together), planes(&alone), "{what}, sample {index}");
            let sum = (theirs.clone() + shortcut.clone()).narrow(0, index, 1);
            assert_numbers(&what, &planes(together), &values(Activation::Relu.forward(sum)), TOLERANCE);
        }
    }
}

#[test]
fn depthwise_with_and_without_what_widens() {
    Device::flex().seed(32);
    // channels before and after, sides, kernel, stride, padding: several strips of rows, odd blocks, tiny maps
    let cases = [
        ([16, 96], [70, 67], 3, 2, [(0, 1), (1, 1)]),
        ([24, 144], [61, 90], 5, 1, [(2, 2), (2, 2)]),
        ([5, 23], [41, 70], 5, 2, [(2, 2), (1, 2)]),
        ([7, 40], [9, 7], 3, 1, [(1, 1), (1, 1)]),
        ([3, 6], [2, 3], 5, 1, [(2, 2), (2, 2)]),
        ([2, 16], [1, 1], 5, 2, [(2, 2), (2, 2)]),
        ([4, 6], [9, 40], 5, 1, [(0, 0), (0, 0)]),
        ([8, 33], [200, 9], 3, 1, [(1, 1), (1, 1)]),
    ];
    for (index, ([inputs, wide], [height, width], kernel, stride, padding)) in cases.into_iter().enumerate() {
        let x = random([1, inputs, height, width]);
        let (weight, bias) = (random([wide, inputs, 1, 1]), random([wide]));
        let (filters, of_filters) = (random([wide, 1, kernel, kernel]), random([wide]));
        let activation = ACTIVATIONS[index % 3];
        let plain = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let widened = activation.forward(conv2d(x.clone(), weight.clone(), Some(bias.clone()), plain));
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], wide);
        let theirs = conv2d(widened.clone(), filters.clone(), Some(of_filters.clone()), options);
        let (place, theirs) = (placement(&theirs, padding), values(activation.forward(theirs)));
        let expand = Conv::new(&floats(&weight), &floats(&bias), inputs, 1, 1);
        let depthwise = Depthwise::new(&floats(&filters), &floats(&of_filters), kernel, stride);
        let number = activation as u32;
        let together = depthwise.run(&map(&x), Some(Expansion { conv: &expand, activation: number }), place, number);
        assert_numbers(&format!("case {index}, together"), &planes(&together), &theirs, TOLERANCE);
        let alone = depthwise.run(&map(&widened), None, place, number);
        assert_numbers(&format!("case {index}, alone"), &planes(&alone), &theirs, TOLERANCE);
    }
}

#[test]
fn sizes_change_as_burns_do() {
    Device::flex().seed(33);
    let pool =
        MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init();
    for [height, width] in [[13, 30], [8, 9], [1, 2]] {
        let x = random([1, 19, height, width]);
        let theirs = pool.forward(x.clone());
        let [_, _, rows, columns] = theirs.dims();
        let pool = MaxPool { kernel: 3, stride: 2, pad: [1, 1], size: [rows, columns] };
        assert_numbers("highest", &planes(&pool.run(&map(&x))), &values(theirs), 0.0);
        let [rows, columns] = [2 * height - 1, 2 * width];
        let doubled = histomask_core::resample::nearest_double(x.clone(), [rows, columns]);
        assert_numbers("doubled", &planes(&nearest_double(&map(&x), [rows, columns])), &values(doubled), 0.0);
    }
}
