//! The CPU backend's own operations against burn's composition: values and gradients.

use burn::tensor::module;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::kernel::{Activation, batch_norm_act, conv2d, depthwise_conv2d};
use histomask_tests::{assert_numbers, values};

/// Two orders of 32-bit summation over a few thousand values.
const TOLERANCE: f64 = 2e-4;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.3, 1.5), device)
}

#[test]
fn batch_norm_with_its_activation() {
    let device = Device::flex().autodiff();
    device.seed(7);
    for shape in [[1, 1, 1, 2], [2, 3, 5, 7], [4, 17, 13, 13], [3, 8, 32, 31]] {
        let activations = [Activation::Identity, Activation::Relu, Activation::Relu6];
        for (activation, adds) in
            activations.into_iter().flat_map(|activation| [(activation, false), (activation, true)])
        {
            let x = random(shape, &device).require_grad();
            let shortcut = adds.then(|| random(shape, &device).require_grad());
            let weight = random([shape[1]], &device).require_grad();
            let bias = random([shape[1]], &device).require_grad();
            let direction = random(shape, &device);

            let ours = batch_norm_act(x.clone(), weight.clone(), bias.clone(), 1e-3, shortcut.clone(), activation);
            let theirs = module::batch_norm_train(x.clone(), weight.clone(), bias.clone(), 1e-3);
            let sum = shortcut.iter().fold(theirs.output, |sum, shortcut| sum + shortcut.clone());
            let composed = activation.forward(sum);
            let what = format!("{shape:?} {activation:?}, with a shortcut: {adds}");
            let close =
                |part: &str, a: Vec<f64>, b: Vec<f64>| assert_numbers(&format!("{what} {part}"), &a, &b, TOLERANCE);
            close("output", values(ours.output.clone()), values(composed.clone()));
            close("mean", values(ours.mean), values(theirs.mean));
            close("variance", values(ours.variance), values(theirs.variance));

            let ours = (ours.output * direction.clone()).sum().backward();
            let theirs = (composed * direction).sum().backward();
            close("gradient of x", gradient(&x, &ours), gradient(&x, &theirs));
            close("gradient of weight", gradient(&weight, &ours), gradient(&weight, &theirs));
            close("gradient of bias", gradient(&bias, &ours), gradient(&bias, &theirs));
            if let Some(shortcut) = shortcut {
                close("gradient of shortcut", gradient(&shortcut, &ours), gradient(&shortcut, &theirs));
            }
        }
    }
}

/// Sides, kernel, stride and padding of a convolution.
type Case = ([usize; 2], usize, usize, [(usize, usize); 2]);

/// SAME's even and odd cases, maps smaller than the kernel, no padding at all, more than one piece of a long product.
const CASES: [Case; 10] = [
    ([13, 13], 3, 1, [(1, 1), (1, 1)]),
    ([16, 15], 3, 2, [(0, 1), (1, 1)]),
    ([17, 32], 5, 2, [(2, 2), (1, 2)]),
    ([2, 3], 5, 1, [(2, 2), (2, 2)]),
    ([1, 1], 5, 2, [(2, 2), (2, 2)]),
    ([9, 40], 5, 1, [(0, 0), (0, 0)]),
    ([70, 65], 3, 1, [(1, 1), (1, 1)]),
    ([31, 36], 7, 2, [(3, 3), (3, 3)]),
    ([12, 37], 1, 1, [(0, 0), (0, 0)]),
    ([15, 18], 1, 2, [(0, 0), (0, 0)]),
];

#[test]
fn convolution_over_all_channels() {
    for channels in [[3, 10], [16, 5], [13, 32]] {
        compare(channels, 1);
    }
}

#[test]
fn depthwise_convolution() {
    compare([6, 6], 6);
}

/// Our convolution and burn's, values and both gradients.
fn compare([inputs, outputs]: [usize; 2], groups: usize) {
    let device = Device::flex().autodiff();
    device.seed(8);
    for (sides, kernel, stride, padding) in CASES {
        let x = random([2, inputs, sides[0], sides[1]], &device).require_grad();
        let weight = random([outputs, inputs / groups, kernel, kernel], &device).require_grad();
        let convolution = if groups == 1 { conv2d } else { depthwise_conv2d };
        let ours = convolution(x.clone(), weight.clone(), stride, padding);
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], groups);
        let theirs = module::conv2d(x.clone(), weight.clone(), None, options);
        let what = format!("{inputs} to {outputs}, {sides:?} kernel {kernel} stride {stride}");
        assert_numbers(&what, &values(ours.clone()), &values(theirs.clone()), TOLERANCE);

        let direction = random(ours.dims(), &device);
        let ours = (ours * direction.clone()).sum().backward();
        let theirs = (theirs * direction).sum().backward();
        assert_numbers(&format!("{what} x"), &gradient(&x, &ours), &gradient(&x, &theirs), TOLERANCE);
        assert_numbers(&format!("{what} weight"), &gradient(&weight, &ours), &gradient(&weight, &theirs), TOLERANCE);
    }
}

fn gradient<const D: usize>(tensor: &Tensor<D>, gradients: &burn::tensor::Gradients) -> Vec<f64> {
    values(tensor.grad(gradients).unwrap_or_else(|| panic!("no gradient")))
}
