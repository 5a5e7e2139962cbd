//! What a network in use has beside its parameters: every convolution and the batch normalisation behind it as one.

use std::collections::HashMap;

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, ParamId,
};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::{BatchNorm, Features};
#[cfg(feature = "cpu")]
use crate::kernel::Packed;
use crate::kernel::{self, Activation, Form, pack, padding};

/// The folded pairs of a network, by the parameter of their convolution; none until it is folded for use.
///
/// They follow from the network's parameters and are none themselves: whatever maps those (loading, moving, training)
/// leaves the network without them, so that it never computes with what they were before.
#[derive(Clone, Debug, Default)]
pub(crate) struct InUse(HashMap<ParamId, Folded>);

/// With running statistics, normalisation is a factor and a shift of each channel.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one value a convolution, beside its weights")]
enum Folded {
    /// `weight` as its form takes it, `bias` `[O]`.
    Tensors { weight: Tensor<4>, bias: Tensor<1>, form: Form },
    /// On the CPU.
    #[cfg(feature = "cpu")]
    Packed(Packed),
}

impl InUse {
    /// Folds every pair that has a kernel of ours; the others compute as in training.
    pub(crate) fn of<'a>(pairs: impl IntoIterator<Item = (&'a Conv2d, &'a BatchNorm)>) -> Self {
        let folded = |(conv, norm): (&Conv2d, _)| Some((conv.weight.id, Folded::of(conv, norm)?));
        Self(pairs.into_iter().filter_map(folded).collect())
    }

    /// The pair as one operation, with the shortcut and the activation behind it; gives `x` back where it is not folded
    /// or is to have a gradient.
    #[allow(clippy::result_large_err, reason = "no error: the tensors are moved on at once")]
    pub(super) fn run(
        &self,
        conv: &Conv2d,
        x: Features,
        shortcut: Option<Features>,
        activation: Activation,
    ) -> Result<Features, (Tensor<4>, Option<Tensor<4>>)> {
        let folded = self.0.get(&conv.weight.id);
        #[cfg(feature = "cpu")]
        if let Some(Folded::Packed(packed)) = folded
            && let Some(y) = in_blocks(packed, conv, &x, shortcut.as_ref(), activation)
        {
            return Ok(y);
        }
        let (x, shortcut) = (x.into_tensor(), shortcut.map(Features::into_tensor));
        match folded {
            Some(Folded::Tensors { weight, bias, form }) if !x.device().is_autodiff() => {
                Ok(in_tensors(conv, (weight, bias), *form, x, shortcut, activation).into())
            }
            _ => Err((x, shortcut)),
        }
    }

    /// The 1×1 convolution `expand` and the depthwise one behind it in one pass over blocks of channels, if that is how
    /// both are folded.
    #[cfg(feature = "cpu")]
    pub(super) fn widened(
        &self,
        expand: &Conv2d,
        depthwise: &Conv2d,
        x: &Features,
        activation: Activation,
    ) -> Option<Features> {
        let [expand, behind] = [expand, depthwise].map(|conv| self.0.get(&conv.weight.id));
        let (Some(Folded::Packed(expand)), Some(Folded::Packed(behind))) = (expand, behind) else { return None };
        expand.widened(behind, depthwise, &x.blocks()?, activation).map(Features::Blocks)
    }
}

impl Folded {
    fn of(conv: &Conv2d, norm: &BatchNorm) -> Option<Self> {
        let form = Form::of(conv);
        if form == Form::Other {
            return None;
        }
        let (factor, bias) = norm.scale_and_shift();
        let weight = conv.weight.val();
        let outputs = weight.dims()[0];
        let weight = weight * factor.reshape([outputs, 1, 1, 1]);
        #[cfg(feature = "cpu")]
        if let Some(packed) = Packed::new(conv, &weight, &bias) {
            return Some(Self::Packed(packed));
        }
        let weight = if form == Form::Depthwise { weight } else { pack(weight) };
        Some(Self::Tensors { weight, bias, form })
    }
}

/// The pair in blocks; `None` where `x` is not on the CPU or is to have a gradient.
#[cfg(feature = "cpu")]
fn in_blocks(
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
fn in_tensors(
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

impl Module for InUse {
    fn collect_devices(&self, devices: Devices) -> Devices {
        devices
    }

    fn fork(self, _: &Device) -> Self {
        Self::default()
    }

    fn to_device(self, _: &Device) -> Self {
        Self::default()
    }

    fn train(self) -> Self {
        Self::default()
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<V: ModuleVisitor>(&self, _: &mut V) {}

    fn map<M: ModuleMapper>(self, _: &mut M) -> Self {
        Self::default()
    }
}

impl ModuleDisplayDefault for InUse {
    fn content(&self, content: Content) -> Option<Content> {
        content.optional()
    }
}

impl ModuleDisplay for InUse {}
