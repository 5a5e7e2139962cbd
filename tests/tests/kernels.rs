//! The CPU backend's own operations against burn's composition: values and gradients.

use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::kernel::{Activation, batch_norm_act, depthwise_conv2d};
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
        for activation in [Activation::Identity, Activation::Relu, Activation::Relu6] {
            let x = random(shape, &device).require_grad();
            let weight = random([shape[1]], &device).require_grad();
            let bias = random([shape[1]], &device).require_grad();
            let direction = random(shape, &device);

            let ours = batch_norm_act(x.clone(), weight.clone(), bias.clone(), 1e-3, activation);
            let theirs = batch_norm_train(x.clone(), weight.clone(), bias.clone(), 1e-3);
            let composed = activation.forward(theirs.output);
            let what = format!("{shape:?} {activation:?}");
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
        }
    }
}

#[test]
fn depthwise_convolution() {
    let device = Device::flex().autodiff();
    device.seed(8);
    // sides, kernel, stride, padding: SAME's even and odd cases, a map smaller than the kernel, no padding at all
    let cases = [
        ([13, 13], 3, 1, [(1, 1), (1, 1)]),
        ([16, 15], 3, 2, [(0, 1), (1, 1)]),
        ([17, 32], 5, 2, [(2, 2), (1, 2)]),
        ([2, 3], 5, 1, [(2, 2), (2, 2)]),
        ([1, 1], 5, 2, [(2, 2), (2, 2)]),
        ([9, 40], 5, 1, [(0, 0), (0, 0)]),
    ];
    for (sides, kernel, stride, padding) in cases {
        let x = random([2, 6, sides[0], sides[1]], &device).require_grad();
        let weight = random([6, 1, kernel, kernel], &device).require_grad();
        let ours = depthwise_conv2d(x.clone(), weight.clone(), stride, padding);
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 6);
        let theirs = conv2d(x.clone(), weight.clone(), None, options);
        let what = format!("{sides:?} kernel {kernel} stride {stride}");
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
