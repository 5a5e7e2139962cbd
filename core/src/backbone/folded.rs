use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use crate::kernel::{self, Activation, Form, padding};

/// The pair as one convolution, of a network in use: with running statistics, normalisation is a factor and a shift of
/// each channel. `None` until [`fold`](super::fold).
///
/// It follows from the parameters beside it and is none itself: whatever maps those (loading, moving, training)
/// leaves the module unfolded, so that it never computes with what they were before.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded(Option<FoldedConv>);

#[derive(Clone, Debug)]
pub(super) struct FoldedConv {
    /// As its form takes it.
    pub(super) weight: Tensor<4>,
    /// `[O]`.
    pub(super) bias: Tensor<1>,
    /// Which kernel computes it.
    pub(super) form: Form,
}

impl Folded {
    pub(super) fn new(conv: FoldedConv) -> Self {
        Self(Some(conv))
    }

    pub(super) fn get(&self) -> Option<&FoldedConv> {
        self.0.as_ref()
    }
}

impl Module for Folded {
    fn collect_devices(&self, devices: Devices) -> Devices {
        devices
    }

    fn fork(self, _: &Device) -> Self {
        Self(None)
    }

    fn to_device(self, _: &Device) -> Self {
        Self(None)
    }

    fn train(self) -> Self {
        Self(None)
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<V: ModuleVisitor>(&self, _: &mut V) {}

    fn map<M: ModuleMapper>(self, _: &mut M) -> Self {
        Self(None)
    }
}

impl ModuleDisplayDefault for Folded {
    fn content(&self, content: Content) -> Option<Content> {
        content.optional()
    }
}

impl ModuleDisplay for Folded {}

impl FoldedConv {
    /// The pair on `x`; `conv` has its stride and padding.
    pub(super) fn forward(
        &self,
        conv: &Conv2d,
        x: Tensor<4>,
        shortcut: Option<Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let (padding, stride) = (padding(conv, [height, width]), conv.stride[0]);
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        match self.form {
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
}
