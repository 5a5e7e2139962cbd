//! Convolutions of networks in use, on the CPU (the twins) and on a software Vulkan adapter (WGSL), against burn's.

use burn::module::Module as _;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::backbone::{Backbone, FeatureExtractor as _};
use histomask_core::config::BackboneKind;
use histomask_core::kernel::Activation::{Identity, Relu, Relu6};
use histomask_core::kernel::{conv, conv2d as trained, depthwise, depthwise_conv2d, pack, pointwise};
use histomask_core::method::UNet;
use histomask_core::weights::{load_state_dict, state_dict};
use histomask_tests::{assert_numbers, software_adapter, values};

/// Two orders of 32-bit summation, over up to 600 values of order 1.
const TOLERANCE: f64 = 2e-5;

fn devices() -> impl Iterator<Item = Device> {
    std::iter::once(Device::flex()).chain(software_adapter())
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Device::flex())
}

fn on<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}

#[test]
fn pointwise_is_burns_convolution() {
    Device::flex().seed(21);
    // batch, input and output channels, sides: single values, tiles that are not full, columns across samples
    for (batch, inputs, outputs, [height, width]) in
        [(1, 1, 1, [1, 1]), (2, 3, 5, [3, 7]), (3, 40, 24, [5, 13]), (1, 96, 17, [9, 61]), (2, 20, 8, [16, 32])]
    {
        let x = random([batch, inputs, height, width]);
        let weight = random([outputs, inputs, 1, 1]);
        let (bias, shortcut) = (random([outputs]), random([batch, outputs, height, width]));
        for (activation, adds) in [(Identity, true), (Relu, false), (Relu6, true)] {
            let plain = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
            let theirs = conv2d(x.clone(), weight.clone(), Some(bias.clone()), plain);
            let theirs = values(activation.forward(if adds { theirs + shortcut.clone() } else { theirs }));
            for device in devices() {
                let (weight, shortcut) = (pack(on(&weight, &device)), adds.then(|| on(&shortcut, &device)));
                let ours = pointwise(on(&x, &device), weight, on(&bias, &device), shortcut, activation);
                let what = format!("{inputs} to {outputs} channels of {batch} × {height} × {width}, {activation:?}");
                assert_numbers(&what, &values(ours), &theirs, TOLERANCE);
            }
        }
    }
}

#[test]
fn conv_is_burns_convolution() {
    Device::flex().seed(22);
    // batch, channels, sides, kernel, stride, padding: the stems, a map smaller than the kernel, no padding
    let cases = [
        (1, [3, 32], [31, 46], 3, 2, [(0, 1), (1, 1)]),
        (2, [3, 64], [33, 40], 7, 2, [(3, 3), (3, 3)]),
        (2, [17, 9], [13, 30], 3, 1, [(1, 1), (1, 1)]),
        (1, [8, 12], [7, 9], 1, 2, [(0, 0), (0, 0)]),
        (3, [2, 3], [2, 1], 3, 1, [(1, 1), (1, 1)]),
        (1, [4, 8], [12, 50], 5, 1, [(0, 0), (0, 0)]),
    ];
    for (index, (batch, [inputs, outputs], [height, width], kernel, stride, padding)) in cases.into_iter().enumerate() {
        let x = random([batch, inputs, height, width]);
        let (weight, bias) = (random([outputs, inputs, kernel, kernel]), random([outputs]));
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1);
        let theirs = conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
        let shortcut = (index % 2 == 1).then(|| random(theirs.dims()));
        let activation = [Identity, Relu, Relu6][index % 3];
        let sum = shortcut.iter().fold(theirs, |theirs, shortcut| theirs + shortcut.clone());
        let theirs = values(activation.forward(sum));
        for device in devices() {
            let (weight, bias) = (pack(on(&weight, &device)), on(&bias, &device));
            let shortcut = shortcut.as_ref().map(|shortcut| on(shortcut, &device));
            let ours = conv(on(&x, &device), weight, bias, stride, padding, shortcut, activation);
            let what = format!("case {index}, kernel {kernel}, stride {stride}");
            assert_numbers(&what, &values(ours), &theirs, TOLERANCE);
        }
    }
}

#[test]
fn depthwise_is_burns_convolution() {
    Device::flex().seed(23);
    // sides, kernel, stride, padding: SAME's even and odd cases, maps smaller than the kernel, several strips
    let cases = [
        ([13, 13], 3, 1, [(1, 1), (1, 1)]),
        ([16, 15], 3, 2, [(0, 1), (1, 1)]),
        ([17, 32], 5, 2, [(2, 2), (1, 2)]),
        ([35, 77], 5, 1, [(2, 2), (2, 2)]),
        ([70, 67], 3, 2, [(0, 1), (1, 1)]),
        ([41, 70], 5, 2, [(2, 2), (1, 2)]),
        ([2, 3], 5, 1, [(2, 2), (2, 2)]),
        ([1, 1], 5, 2, [(2, 2), (2, 2)]),
        ([9, 40], 5, 1, [(0, 0), (0, 0)]),
        ([40, 41], 3, 1, [(1, 1), (1, 1)]),
    ];
    for (index, ([height, width], kernel, stride, padding)) in cases.into_iter().enumerate() {
        let x = random([2, 6, height, width]);
        let (weight, bias) = (random([6, 1, kernel, kernel]), random([6]));
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 6);
        let activation = [Relu6, Identity, Relu][index % 3];
        let theirs = activation.forward(conv2d(x.clone(), weight.clone(), Some(bias.clone()), options));
        let theirs = values(theirs);
        for device in devices() {
            let (weight, bias) = (on(&weight, &device), on(&bias, &device));
            let ours = depthwise(on(&x, &device), weight, bias, stride, padding, activation);
            let what = format!("{height} × {width}, kernel {kernel}, stride {stride}");
            assert_numbers(&what, &values(ours), &theirs, TOLERANCE);
        }
    }
}

/// One training step gives the running statistics values of their own; then folded and plain must agree.
#[test]
fn folded_networks_compute_the_same() {
    let device = Device::flex();
    device.seed(24);
    let training = device.clone().autodiff();
    let images = || Tensor::<4>::random([2, 3, 64, 70], Distribution::Uniform(-1.0, 1.0), &training);
    let close = |what: &str, folded: Tensor<4>, plain: Tensor<4>| {
        let (folded, plain) = (values(folded), values(plain));
        let scale = plain.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
        assert!(scale > 0.0, "{what}: nothing but zeros");
        assert_numbers(what, &folded, &plain, 1e-4 * scale);
    };
    for kind in [BackboneKind::EfficientnetLite0, BackboneKind::Resnet18, BackboneKind::Resnet18DeepStem] {
        let trained: Backbone = kind.init(&training);
        trained.forward(images(), 2);
        let plain = trained.valid();
        let (folded, image) = (plain.clone().fold(), images().inner());
        close(kind.name(), folded.forward(image.clone(), 1), plain.forward(image.clone(), 1));
        // where gradients are wanted, nothing is folded
        let watched = folded.forward(Tensor::from_inner(image), 1);
        assert!(watched.device().is_autodiff(), "{}", kind.name());
    }
    let trained = UNet::new(&training);
    trained.forward(images());
    let (plain, image) = (trained.valid(), images().inner());
    close("U-Net", plain.clone().fold().forward(image.clone()), plain.forward(image));
}

/// Output and both gradients of a convolution, for a loss that weighs every output differently.
fn with_gradients(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    conv: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<4>,
) -> [Vec<f64>; 3] {
    let device = Device::flex().autodiff();
    let (x, weight) = (on(x, &device).require_grad(), on(weight, &device).require_grad());
    let output = conv(x.clone(), weight.clone());
    let count = output.dims().iter().product::<usize>() as i64;
    let factors = Tensor::arange(0..count, &device).float().sin().reshape(output.dims());
    let gradients = (output.clone() * factors).sum().backward();
    let of = |tensor: &Tensor<4>| values(tensor.grad(&gradients).unwrap_or_else(|| panic!("no gradient")));
    [values(output.inner()), of(&x), of(&weight)]
}

/// Every kernel, stride and padding: computed here or left to burn, but right.
#[test]
fn gradients_are_burns_for_every_kernel_stride_and_padding() {
    Device::flex().seed(25);
    let mut cases = 0;
    for (kernel, stride, padding) in
        (1..=7).flat_map(|k| (1..=4).flat_map(move |s| (0..=3).map(move |p| (k, s, p)))).filter(|(k, _, p)| p <= k)
    {
        let around = [(padding, padding), (padding, padding)];
        // of several remainders by the stride, and just as large as the kernel
        for [height, width] in [[9, 12], [kernel, kernel + 1]] {
            let what = format!("kernel {kernel}, stride {stride}, padding {padding} on {height} × {width}");
            let x = random([2, 3, height, width]);
            for (channels, weight) in [(1, random([4, 3, kernel, kernel])), (3, random([3, 1, kernel, kernel]))] {
                let options = ConvOptions::new_with_padding([stride, stride], around, [1, 1], channels);
                let theirs = with_gradients(&x, &weight, |x, weight| conv2d(x, weight, None, options.clone()));
                let ours = with_gradients(&x, &weight, |x, weight| match channels {
                    1 => trained(x, weight, stride, around),
                    _ => depthwise_conv2d(x, weight, stride, around),
                });
                for (part, (ours, theirs)) in
                    ["output", "by input", "by weight"].into_iter().zip(ours.iter().zip(&theirs))
                {
                    assert_numbers(&format!("{what}, {channels} groups, {part}"), ours, theirs, TOLERANCE);
                }
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 400);
}

#[test]
fn folded_weights_never_outlive_a_load() {
    let device = Device::flex();
    device.seed(26);
    let image = Tensor::<4>::random([1, 3, 64, 64], Distribution::Uniform(-1.0, 1.0), &device);
    for kind in [BackboneKind::EfficientnetLite0, BackboneKind::Resnet18, BackboneKind::Resnet18DeepStem] {
        let (first, second): (Backbone, Backbone) = (kind.init(&device), kind.init(&device));
        let expected = values(second.forward(image.clone(), 1));
        let folded = first.fold();
        let before = values(folded.forward(image.clone(), 1));
        let loaded = load_state_dict(folded, &state_dict(&second)).unwrap_or_else(|error| panic!("{error}"));
        assert_numbers(kind.name(), &values(loaded.forward(image.clone(), 1)), &expected, 1e-6);
        assert!(before != expected, "{}: both draws are the same, so nothing was tested", kind.name());
        let anew = |net: Backbone| values(net.fold().forward(image.clone(), 1));
        assert_eq!(anew(loaded), anew(second), "{}: folds anew", kind.name());
    }
}
