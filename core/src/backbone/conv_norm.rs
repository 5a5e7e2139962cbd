//! A convolution and the batch normalisation behind it, as every backbone has them in pairs.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::BatchNorm;
use super::folded::{Folded, FoldedConv};
use crate::kernel::{self, Activation, Form, pack, padding};

/// Folds a normalisation into the convolution in front of it, for every forward without autodiff. Both keep their
/// parameters.
pub(crate) fn fold(conv: &Conv2d, norm: &mut BatchNorm) {
    let form = Form::of(conv);
    if form == Form::Other {
        return;
    }
    let (factor, bias) = norm.scale_and_shift();
    let weight = conv.weight.val();
    let outputs = weight.dims()[0];
    let weight = weight * factor.reshape([outputs, 1, 1, 1]);
    let weight = if form == Form::Depthwise { weight } else { pack(weight) };
    norm.folded = Folded::new(FoldedConv { weight, bias, form });
}

/// Convolution, normalisation, shortcut if there is one, activation; `passes` as in [`BatchNorm::forward`].
///
/// # Shapes
///
/// `x` `[B, I, h, w]`, `shortcut` and result `[B, O, H, W]`.
pub(crate) fn conv_norm(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    passes: usize,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    match norm.folded.get() {
        Some(folded) if !x.device().is_autodiff() => folded.forward(conv, x, shortcut, activation),
        _ => {
            let y = convolved(conv, x);
            match shortcut {
                None => norm.forward(y, passes, activation),
                Some(shortcut) => activation.forward(norm.forward(y, passes, Activation::Identity) + shortcut),
            }
        }
    }
}

/// The convolution alone, for training.
fn convolved(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let (weight, stride, padding) = (&conv.weight, conv.stride[0], padding(conv, [height, width]));
    match Form::of(conv) {
        Form::Pointwise | Form::Dense => kernel::conv2d(x, weight.val(), stride, padding),
        Form::Depthwise => kernel::depthwise_conv2d(x, weight.val(), stride, padding),
        Form::Other => conv.forward(x),
    }
}
