//! A convolution and the batch normalisation behind it, as every backbone has them in pairs.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::BatchNorm;
use crate::kernel::{self, Activation, depthwise_conv2d, pack};

/// The pair as one convolution: with running statistics, normalisation is a factor and a shift of each channel.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    weight: Tensor<4>,
    /// `[O]`.
    bias: Tensor<1>,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Pointwise,
    Depthwise,
    Dense,
}

/// Folds a normalisation into the convolution in front of it, for every forward without autodiff. Both keep their
/// parameters.
pub(crate) fn fold(conv: &Conv2d, norm: &mut BatchNorm) {
    let (weight, [kernel, width]) = (conv.weight.val(), conv.kernel_size);
    let [outputs, inputs, _, _] = weight.dims();
    let ([stride, across], plain) = (conv.stride, kernel == width && conv.dilation == [1, 1] && conv.bias.is_none());
    let form = match conv.groups {
        1 if kernel == 1 && stride == 1 => Form::Pointwise,
        1 => Form::Dense,
        groups if groups == outputs && inputs == 1 && [3, 5].contains(&kernel) && stride <= 2 => Form::Depthwise,
        _ => return,
    };
    if !plain || stride != across {
        return;
    }
    let (factor, bias) = norm.scale_and_shift();
    let weight = weight * factor.reshape([outputs, 1, 1, 1]);
    let weight = if matches!(form, Form::Depthwise) { weight } else { pack(weight) };
    norm.folded = Some(Folded { weight, bias, form });
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
    match &norm.folded {
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

impl Folded {
    fn forward(&self, conv: &Conv2d, x: Tensor<4>, shortcut: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
        let (padding, stride) = (padding(conv, &x), conv.stride[0]);
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        match self.form {
            Form::Pointwise => kernel::pointwise(x, weight, bias, shortcut, activation),
            Form::Dense => kernel::conv(x, weight, bias, stride, padding, shortcut, activation),
            Form::Depthwise => match shortcut {
                None => kernel::depthwise(x, weight, bias, stride, padding, activation),
                Some(shortcut) => {
                    let y = kernel::depthwise(x, weight, bias, stride, padding, Activation::Identity);
                    activation.forward(y + shortcut)
                }
            },
        }
    }
}

/// The convolution alone, for training.
fn convolved(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let ([_, inputs, _, _], [stride, across], padding) = (conv.weight.dims(), conv.stride, padding(conv, &x));
    let plain = stride == across && conv.dilation == [1, 1] && conv.bias.is_none();
    match conv.groups {
        1 if plain => kernel::conv2d(x, conv.weight.val(), stride, padding),
        groups if plain && groups > 1 && inputs == 1 => depthwise_conv2d(x, conv.weight.val(), stride, padding),
        _ => conv.forward(x),
    }
}

/// Padding of an input; SAME is TensorFlow's: output side `ceil(input / stride)`, an odd pixel behind.
fn padding(conv: &Conv2d, x: &Tensor<4>) -> [(usize, usize); 2] {
    let [_, _, height, width] = x.dims();
    let ([stride, _], [kernel, _]) = (conv.stride, conv.kernel_size);
    match conv.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => [height, width].map(|side| {
            let total = ((side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(side);
            (total / 2, total - total / 2)
        }),
    }
}
