//! A convolution and the batch normalisation behind it, as every backbone has them in pairs.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::folded::{Folded, FoldedConv};
use super::{BatchNorm, Features};
#[cfg(feature = "cpu")]
use crate::kernel::Packed;
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
    #[cfg(feature = "cpu")]
    if let Some(packed) = Packed::new(conv, &weight, &bias) {
        norm.folded = Folded::new(FoldedConv::Packed(packed));
        return;
    }
    let weight = if form == Form::Depthwise { weight } else { pack(weight) };
    norm.folded = Folded::new(FoldedConv::Tensors { weight, bias, form });
}

/// Convolution, normalisation, shortcut if there is one, activation; `passes` as in [`BatchNorm::forward`].
///
/// # Shapes
///
/// `x` `[B, I, h, w]`, `shortcut` and result `[B, O, H, W]`.
pub(crate) fn conv_norm(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Features,
    passes: usize,
    shortcut: Option<Features>,
    activation: Activation,
) -> Features {
    #[cfg(feature = "cpu")]
    if let Some(packed) = norm.folded.packed()
        && let Some(y) = packed_conv(packed, conv, &x, shortcut.as_ref(), activation)
    {
        return y;
    }
    let (x, shortcut) = (x.into_tensor(), shortcut.map(Features::into_tensor));
    if let Some(FoldedConv::Tensors { weight, bias, form }) = norm.folded.get()
        && !x.device().is_autodiff()
    {
        return folded_conv(conv, (weight, bias), *form, x, shortcut, activation).into();
    }
    let y = convolved(conv, x);
    let y = match shortcut {
        None => norm.forward(y, passes, activation),
        Some(shortcut) => activation.forward(norm.forward(y, passes, Activation::Identity) + shortcut),
    };
    y.into()
}

/// A 1×1 convolution, if there is one, and the depthwise one behind it, each with its normalisation and activation.
pub(super) fn widened(
    expand: Option<(&Conv2d, &BatchNorm)>,
    (depthwise, norm): (&Conv2d, &BatchNorm),
    x: Features,
    passes: usize,
    activation: Activation,
) -> Features {
    let Some((expand, of_expand)) = expand else { return conv_norm(depthwise, norm, x, passes, None, activation) };
    #[cfg(feature = "cpu")]
    if let (Some(packed), Some(behind)) = (of_expand.folded.packed(), norm.folded.packed())
        && let Some(y) = x.blocks().and_then(|x| packed.widened(behind, depthwise, &x, activation))
    {
        return Features::Blocks(y);
    }
    let y = conv_norm(expand, of_expand, x, passes, None, activation);
    conv_norm(depthwise, norm, y, passes, None, activation)
}

/// The pair in blocks; `None` where `x` is not on the CPU or is to have a gradient.
#[cfg(feature = "cpu")]
fn packed_conv(
    packed: &Packed,
    conv: &Conv2d,
    x: &Features,
    shortcut: Option<&Features>,
    activation: Activation,
) -> Option<Features> {
    if let (Features::Tensor(images), None) = (x, shortcut)
        && let Some(y) = packed.of_images(conv, images, activation)
    {
        return Some(Features::Blocks(y));
    }
    let shortcut = match shortcut {
        Some(shortcut) => Some(shortcut.blocks()?),
        None => None,
    };
    packed.run(conv, &x.blocks()?, shortcut.as_ref(), activation).map(Features::Blocks)
}

/// The pair as one convolution; `conv` has its stride and padding.
fn folded_conv(
    conv: &Conv2d,
    (weight, bias): (&Tensor<4>, &Tensor<1>),
    form: Form,
    x: Tensor<4>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let (padding, stride) = (padding(conv, [height, width]), conv.stride[0]);
    let (weight, bias) = (weight.clone(), bias.clone());
    match form {
        Form::Pointwise => kernel::pointwise(x, weight, bias, shortcut, activation),
        Form::Dense | Form::Other => kernel::conv(x, weight, bias, stride, padding, shortcut, activation),
        Form::Depthwise => match shortcut {
            None => kernel::depthwise(x, weight, bias, stride, padding, activation),
            Some(shortcut) => {
                let y = kernel::depthwise(x, weight, bias, stride, padding, Activation::Identity);
                activation.forward(y + shortcut)
            }
        },
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
